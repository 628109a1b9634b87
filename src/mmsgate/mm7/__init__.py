"""The carrier's codec: SOAP envelope, multipart, SMIL. Bytes in, values out; no IO.

Writers: `content.encode_content` (once per rendition and dialect), `submit.encode_submit` (once per recipient),
`answer`, `report` and `deliver` for the small envelopes. Readers: `answer.read_submit_response` for what a carrier
answers, `request.read_request` for what a carrier or a VASP sends. Readers never raise.
"""
