"""SubmitReq: one message to one recipient.

What is the same for all recipients is encoded beforehand (`content`); here a recipient costs one small envelope,
made from a template in which the changing fields are filled in.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache

from mmsgate.clock import Millis, iso_z
from mmsgate.domain.number import SenderType
from mmsgate.mm7.address import Address, address_xml
from mmsgate.mm7.content import EncodedContent
from mmsgate.mm7.dialect import SUBMIT_SEQUENCE, Dialect
from mmsgate.mm7.envelope import TAIL_XML, XML_TYPE, head_xml
from mmsgate.mm7.xml import escape

_UNSAFE_IN_ID = re.compile(r"[^A-Za-z0-9._-]")
_DIALECTS = 256  # templates kept


class Priority(StrEnum):
    """The values of the schema's Priority."""

    LOW = "Low"
    NORMAL = "Normal"
    HIGH = "High"


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmitReq:
    """One message to one recipient, as far as it differs from the next recipient's.

    Empty texts and None leave their element out, or leave it to the dialect's constants and defaults. `expiry` is
    absolute.
    """

    transaction_id: str
    sender: str
    recipient: str = field(repr=False)
    sender_type: SenderType = SenderType.SHORT_CODE
    timestamp: Millis | None = None
    expiry: Millis | None = None
    delivery_report: bool | None = None
    read_reply: bool = False
    priority: Priority | None = Priority.NORMAL
    subject: str = field(default="", repr=False)
    service_code: str = ""
    linked_id: str = ""
    message_class: str = ""
    charged_party: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpMessage:
    """What is to be posted: headers (without Authorization and Host) and the body as buffers of `length` bytes."""

    headers: dict[str, str] = field(repr=False)
    buffers: tuple[bytes, ...] = field(repr=False)
    length: int


def encode_submit(request: SubmitReq, content: EncodedContent, *, dialect: Dialect) -> HttpMessage:
    """The request's bytes. Media are shared, not copied: the cost does not depend on their size."""
    soap_id = f"soap.{_UNSAFE_IN_ID.sub('', request.transaction_id)}@{dialect.id_domain}"
    soap = _template(dialect).fill(request, content, soap_id)
    length = len(soap) + content.wire_size
    headers = {} if dialect.soap_action is None else {"SOAPAction": f'"{dialect.soap_action}"'}
    headers["Content-Type"] = (
        f'multipart/related; boundary={content.boundary}; type="text/xml"; start="<{soap_id}>"'
    )
    headers["Content-Length"] = str(length)
    return HttpMessage(headers=headers, buffers=(soap, *content.buffers), length=length)


_Value = Callable[[SubmitReq], str]


@dataclass(frozen=True, slots=True)
class _Slot:
    """A child of SubmitReq: its tags, what the request says, and what stands there if it says nothing.

    Without either the element is left out.
    """

    opening: str
    closing: str
    value: _Value
    otherwise: str


@dataclass(frozen=True, slots=True)
class _Template:
    """The SOAP part of one dialect, with everything but the changing fields written out."""

    head: str  # from the Content-ID to the transaction id
    start: str  # from the transaction id to the first slot
    slots: tuple[_Slot, ...]
    content: str
    adaptations: bool  # whether the Content element says if they are allowed
    end: str

    def fill(self, request: SubmitReq, content: EncodedContent, soap_id: str) -> bytes:
        pieces = [f"--{content.boundary}\r\nContent-Type: {XML_TYPE}\r\nContent-ID: <{soap_id}>\r\n\r\n"]
        pieces += (self.head, escape(request.transaction_id), self.start)
        for slot in self.slots:
            value = slot.value(request) or slot.otherwise
            if value:
                pieces += (slot.opening, value, slot.closing)
        pieces.append(f'{self.content} href="cid:{content.href}"')
        if self.adaptations:
            pieces.append(f' allowAdaptations="{_boolean(content.allow_adaptations)}"')
        pieces.append(self.end)
        return "".join(pieces).encode()


@lru_cache(maxsize=_DIALECTS)
def _template(dialect: Dialect) -> _Template:
    schema = dialect.schema
    head, to_operation = head_xml(schema)
    return _Template(
        head=head,
        start=f"{to_operation}{schema.opening('SubmitReq')}\r\n",
        slots=tuple(_slots(dialect)),
        content=f"<{schema.child_prefix}Content",
        adaptations="allowAdaptations" not in dialect.omissions,
        end=f"/>\r\n{schema.closing('SubmitReq')}{TAIL_XML}",
    )


def _slots(dialect: Dialect) -> Iterator[_Slot]:
    """The elements that this dialect may write, in the order of the schema, without the Content at the end."""
    constants = dict(dialect.constants)
    values = _values(dialect)
    for name in SUBMIT_SEQUENCE:
        if name not in dialect.omissions and (name in values or name in constants):
            tag = f"{dialect.schema.child_prefix}{name}"
            yield _Slot(
                opening=f"<{tag}>",
                closing=f"</{tag}>\r\n",
                value=values.get(name, lambda _: ""),
                otherwise=escape(constants.get(name, "")),
            )


def _values(dialect: Dialect) -> Mapping[str, _Value]:
    """What a request says about each element, as XML text."""
    schema = dialect.schema
    version = escape(dialect.mm7_version)
    return {
        "MM7Version": lambda _: version,
        "SenderIdentification": _sender(dialect),
        "Recipients": lambda r: schema.group("To", schema.element("Number", r.recipient)),
        "ServiceCode": lambda r: escape(r.service_code),
        "LinkedID": lambda r: escape(r.linked_id),
        "MessageClass": lambda r: escape(r.message_class),
        "TimeStamp": lambda r: "" if r.timestamp is None else iso_z(r.timestamp),
        "ExpiryDate": lambda r: "" if r.expiry is None else iso_z(r.expiry),
        "DeliveryReport": lambda r: _boolean(
            dialect.delivery_report if r.delivery_report is None else r.delivery_report
        ),
        "ReadReply": lambda r: _boolean(r.read_reply),
        "Priority": lambda r: r.priority.value if r.priority else "",
        "Subject": lambda r: escape(r.subject),
        "ChargedParty": lambda r: escape(r.charged_party),
    }


def _sender(dialect: Dialect) -> _Value:
    schema = dialect.schema
    known = (("VASPID", dialect.vaspid), ("VASID", dialect.vasid))
    ids = "".join(schema.element(name, text) for name, text in known if name not in dialect.omissions)

    def value(request: SubmitReq) -> str:
        address = Address.of_sender(request.sender, request.sender_type)
        return ids + schema.group("SenderAddress", address_xml(address, schema.child_prefix))

    return value


def _boolean(value: bool) -> str:
    return "true" if value else "false"
