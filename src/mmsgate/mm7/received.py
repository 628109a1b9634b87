"""A SubmitReq as an MMSC receives it.

Read from the bytes on the wire alone, with no knowledge of how our own writer lays them out: the simulator's phone
must not forgive the writer's mistakes.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from mmsgate.mm7.address import Address, read_address, read_recipients
from mmsgate.mm7.envelope import Envelope
from mmsgate.mm7.multipart import Part
from mmsgate.mm7.parts import Content, ContentPart, content_parts
from mmsgate.mm7.xml import Node, attribute, child, local, text_at, truth

#: How the content is taken from the parts beside the SOAP part, of which the `href` may name one.
Unpack = Callable[[tuple[Part, ...], str], tuple[ContentPart, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmitReqReceived:
    """A SubmitReq as it came.

    `elements` are its children's local names in order; `timestamp` and `expiry` are as written; `wire_size` is the
    length of the whole body in bytes. `node` is the element itself, for what nobody else asks for.
    """

    transaction_id: str
    namespace: str
    version: str
    vaspid: str = field(repr=False)
    vasid: str
    sender: Address | None
    recipients: tuple[Address, ...]
    subject: str = field(repr=False)
    timestamp: str
    expiry: str
    delivery_report: bool
    read_reply: bool
    priority: str
    service_code: str
    linked_id: str
    elements: tuple[str, ...]
    allow_adaptations: bool
    content_href: str
    content: Content
    wire_size: int
    node: Node = field(repr=False, compare=False)


def read_submit(
    envelope: Envelope, beside: tuple[Part, ...], wire_size: int, unpack: Unpack = content_parts
) -> SubmitReqReceived:
    """The SubmitReq in `envelope`, with its content from the parts `beside`. Raises `CannotRead`."""
    body = envelope.body
    identity = child(body, "SenderIdentification")
    element = child(body, "Content")
    href = attribute(element, "href")
    return SubmitReqReceived(
        transaction_id=envelope.transaction_id,
        namespace=envelope.namespace,
        version=envelope.version,
        vaspid=text_at(identity, "VASPID"),
        vasid=text_at(identity, "VASID"),
        sender=read_address(identity, "SenderAddress"),
        recipients=read_recipients(body),
        subject=text_at(body, "Subject"),
        timestamp=text_at(body, "TimeStamp"),
        expiry=text_at(body, "ExpiryDate"),
        delivery_report=truth(text_at(body, "DeliveryReport")),
        read_reply=truth(text_at(body, "ReadReply")),
        priority=text_at(body, "Priority"),
        service_code=text_at(body, "ServiceCode"),
        linked_id=text_at(body, "LinkedID"),
        elements=tuple(local(node) for node in body),
        allow_adaptations=truth(attribute(element, "allowAdaptations"), default=True),
        content_href=href,
        content=Content(parts=unpack(beside, href)),
        wire_size=wire_size,
        node=body,
    )
