"""DeliverReqs as MMSCs post them (MM7 page 4), written without our own writer."""

from collections.abc import Sequence
from xml.sax.saxutils import escape

REL_6 = "http://www.3gpp.org/ftp/Specs/archive/23_series/23.140/schema/REL-6-MM7-1-4"
PHONE = "17745550001"
SMIL = ("application/smil", b'<smil><body><par><img src="image_0.jpg"/></par></body></smil>')

#: (Content-Type, body), or the same with headers of its own.
PartOf = tuple[str, bytes] | tuple[str, bytes, str]


def deliver_req(
    *parts: PartOf,
    sender: str = PHONE,
    to: Sequence[str] = ("28444",),
    copies: Sequence[str] = (),
    linked_id: str = "mo-1",
    transaction_id: str = "t-1",
    subject: str = "",
    timestamp: str = "2026-01-02T09:30:47.000Z",
) -> tuple[str, bytes]:
    """Content-Type and body. What is empty is left out."""
    numbers = "".join(f"<Number>{number}</Number>" for number in to)
    numbers += "".join(f'<Number displayOnly="true">{number}</Number>' for number in copies)
    elements = {
        "LinkedID": escape(linked_id),
        "Sender": f"<Number>{escape(sender)}</Number>" if sender else "",
        "Recipients": f"<To>{numbers}</To>" if numbers else "",
        "TimeStamp": timestamp,
        "Priority": "Normal",
        "Subject": escape(subject),
    }
    inner = "".join(f"<{name}>{value}</{name}>" for name, value in elements.items() if value)
    reference = '<Content href="cid:default.cid"/>' if parts else ""
    envelope = (
        '<?xml version="1.0" encoding="UTF-8"?><soap-env:Envelope '
        'xmlns:soap-env="http://schemas.xmlsoap.org/soap/envelope/"><soap-env:Header>'
        f'<TransactionID xmlns="{REL_6}">{escape(transaction_id)}</TransactionID></soap-env:Header><soap-env:Body>'
        f'<DeliverReq xmlns="{REL_6}"><MM7Version>6.8.0</MM7Version>{inner}'
        f"{reference}</DeliverReq></soap-env:Body></soap-env:Envelope>"
    )
    content = _multipart("inner", [_part(number, *part) for number, part in enumerate(parts)])
    soap = b"Content-Type: text/xml; charset=utf-8\r\nContent-ID: <soap-start>\r\n\r\n" + envelope.encode()
    whole = b'Content-Type: multipart/mixed; boundary="inner"\r\nContent-ID: <default.cid>\r\n\r\n' + content
    return (
        'multipart/related; boundary="outer"; type="text/xml"; start="<soap-start>"',
        _multipart("outer", [soap, whole] if parts else [soap]),
    )


def _part(number: int, content_type: str, body: bytes, more: str = "") -> bytes:
    named = more or f"Content-ID: <part_{number}>\r\n"
    return f"Content-Type: {content_type}\r\n{named}Content-Transfer-Encoding: binary\r\n\r\n".encode() + body


def _multipart(boundary: str, parts: Sequence[bytes]) -> bytes:
    pieces = b"".join(f"--{boundary}\r\n".encode() + part + b"\r\n" for part in parts)
    return pieces + f"--{boundary}--\r\n".encode()
