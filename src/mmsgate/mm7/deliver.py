"""DeliverReq: a phone's message to us, read and (for the simulator) written, and the answer to it (MM7 page 4)."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from mmsgate.clock import Millis, iso_z, parse_iso
from mmsgate.mm7.address import Address, address_xml, read_address, read_copies, read_recipients
from mmsgate.mm7.answer import encode_response
from mmsgate.mm7.envelope import REL_6, XML_TYPE, Envelope, Schema, write_envelope
from mmsgate.mm7.multipart import Headers, Part, boundary_parameter, build, draw_boundaries
from mmsgate.mm7.parts import Content, ContentPart, content_parts
from mmsgate.mm7.submit import HttpMessage
from mmsgate.mm7.xml import attribute, child, escape, text_at

_SOAP_ID = "soap-start"
_CONTENT_ID = "default.cid"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliverReq:
    """A phone's message as it came.

    `linked_id` is the MMSC's id of it; `timestamp` is None if unreadable. `copy_to` are the others of a group,
    which are only to be shown (MM7 page 6).
    """

    transaction_id: str
    namespace: str = REL_6
    version: str = "6.8.0"
    linked_id: str
    sender: Address | None
    recipients: tuple[Address, ...]
    copy_to: tuple[Address, ...] = ()
    timestamp: Millis | None
    priority: str = "Normal"
    subject: str = field(default="", repr=False)
    content: Content


def read_deliver(envelope: Envelope, beside: tuple[Part, ...]) -> DeliverReq:
    """The DeliverReq in `envelope`, with its content from the parts `beside`. Raises `CannotRead`."""
    body = envelope.body
    copies = read_copies(body)
    return DeliverReq(
        transaction_id=envelope.transaction_id,
        namespace=envelope.namespace,
        version=envelope.version,
        linked_id=text_at(body, "LinkedID"),
        sender=read_address(body, "Sender"),
        recipients=tuple(each for each in read_recipients(body) if each not in copies),
        copy_to=copies,
        timestamp=parse_iso(text_at(body, "TimeStamp")),
        priority=text_at(body, "Priority"),
        subject=text_at(body, "Subject"),
        content=Content(parts=content_parts(beside, attribute(child(body, "Content"), "href"))),
    )


def encode_deliver_rsp(
    *, transaction_id: str, code: int = 1000, text: str = "", schema: Schema | None = None
) -> bytes:
    """The answer to a DeliverReq; `schema` should repeat the request's namespace and version."""
    return encode_response("DeliverRsp", transaction_id=transaction_id, code=code, text=text, schema=schema)


def encode_deliver(request: DeliverReq, *, token: Callable[[], str]) -> HttpMessage:
    """A DeliverReq as the sample of MM7 page 4: `start` without brackets, the content in a multipart of its own,
    every part in binary.

    `token` draws 1-35 random letters and digits for the boundaries.
    """
    parts = request.content.parts
    boundaries = draw_boundaries(lambda _: (part.body for part in parts), token)
    content = Part(
        headers=_headers(f"multipart/mixed; {boundary_parameter(boundaries.inner)}", _CONTENT_ID),
        body=b"".join(build(map(_written, parts), boundaries.inner)),
    )
    soap = Part(headers=_headers(XML_TYPE, _SOAP_ID), body=_envelope(request))
    buffers = build((soap, content) if parts else (soap,), boundaries.outer)
    content_type = f'multipart/related; {boundary_parameter(boundaries.outer)}; type="text/xml"; start="{_SOAP_ID}"'
    length = sum(map(len, buffers))
    headers = {"SOAPAction": '""', "Content-Type": content_type, "Content-Length": str(length)}
    return HttpMessage(headers=headers, buffers=buffers, length=length)


def _envelope(request: DeliverReq) -> bytes:
    schema = Schema(namespace=request.namespace, version=request.version)
    lines = (
        schema.element("LinkedID", request.linked_id),
        schema.group("Sender", address_xml(request.sender)) if request.sender else "",
        schema.group("Recipients", schema.group("To", *_recipients(request))),
        schema.element("TimeStamp", "" if request.timestamp is None else _to_the_millisecond(request.timestamp)),
        schema.element("Priority", request.priority),
        schema.element("Subject", request.subject),
        f'<Content href="cid:{_CONTENT_ID}"/>' if request.content.parts else "",
    )
    operation = schema.operation("DeliverReq", lines)
    return write_envelope(operation, transaction_id=request.transaction_id, schema=schema)


def _recipients(request: DeliverReq) -> Iterator[str]:
    yield from map(address_xml, request.recipients)
    for copy in request.copy_to:
        kind = copy.kind.value
        yield f'<{kind} displayOnly="true">{escape(copy.value)}</{kind}>'


def _written(part: ContentPart) -> Part:
    charset = f"; charset={part.charset}" if part.charset else ""
    location = (("Content-Location", part.location),) if part.location else ()
    content_type = f"{part.content_type}{charset}"
    headers = (*_headers(content_type, part.content_id), ("Content-Transfer-Encoding", "binary"), *location)
    return Part(headers=headers, body=part.body)


def _to_the_millisecond(moment: Millis) -> str:
    return f"{iso_z(moment).removesuffix('Z')}.{moment % 1000:03d}Z"


def _headers(content_type: str, content_id: str) -> Headers:
    named = (("Content-ID", f"<{content_id}>"),) if content_id else ()
    return (("Content-Type", content_type), *named)
