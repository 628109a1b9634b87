"""DeliverReq: a phone's message to us, and the answer to it (MM7 page 4)."""

from dataclasses import dataclass, field

from mmsgate.clock import Millis, parse_iso
from mmsgate.mm7.address import Address, read_address, read_copies, read_recipients
from mmsgate.mm7.answer import encode_response
from mmsgate.mm7.envelope import Envelope, Schema
from mmsgate.mm7.multipart import Part
from mmsgate.mm7.parts import Content, content_parts
from mmsgate.mm7.xml import attribute, child, text_at


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliverReq:
    """A phone's message as it came.

    `linked_id` is the MMSC's id of it; `timestamp` is None if unreadable. `copy_to` are the others of a group,
    which are only to be shown (MM7 page 6).
    """

    transaction_id: str
    namespace: str
    version: str
    linked_id: str
    sender: Address | None
    recipients: tuple[Address, ...]
    copy_to: tuple[Address, ...] = ()
    timestamp: Millis | None
    priority: str
    subject: str = field(repr=False)
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
