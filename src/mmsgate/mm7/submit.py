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
from mmsgate.mm7.content import EncodedContent
from mmsgate.mm7.dialect import SUBMIT_SEQUENCE, Dialect, Expiry, RecipientStyle, SenderStyle
from mmsgate.mm7.envelope import TAIL_XML, XML_TYPE, head_xml
from mmsgate.mm7.multipart import boundary_parameter
from mmsgate.mm7.subject import SubjectPolicy, write_subject
from mmsgate.mm7.xml import escape

_UNSAFE_IN_ID = re.compile(r"[^A-Za-z0-9._-]")
_DIALECTS = 256  # writers kept
#: What stands where neither the request nor the dialect's constants say anything.
_USUAL = {"ReadReply": "false", "Priority": "Normal"}


class Priority(StrEnum):
    """The values of the schema's Priority."""

    LOW = "Low"
    NORMAL = "Normal"
    HIGH = "High"


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmitReq:
    """One message to one recipient, as far as it differs from the next recipient's.

    Empty texts and None leave their element out, or leave it to the dialect's constants and defaults. `expiry` is
    absolute; `service` is the service id, which a VASID may be made of.
    """

    transaction_id: str
    sender: str
    recipient: str = field(repr=False)
    sender_type: SenderType = SenderType.SHORT_CODE
    service: str = ""
    timestamp: Millis | None = None
    expiry: Millis | None = None
    delivery_report: bool | None = None
    read_reply: bool | None = None
    priority: Priority | None = None
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
    return writer_of(dialect).write(request, content)


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
class SubmitWriter:
    """Writes the requests of one dialect: the SOAP part, with everything but the changing fields written out."""

    dialect: Dialect
    action: Mapping[str, str]  # the SOAPAction header, unless it is left out
    head: str  # from the Content-ID to the transaction id
    start: str  # from the transaction id to the first slot
    slots: tuple[_Slot, ...]
    content: str
    adaptations: bool  # whether the Content element says if they are allowed
    end: str

    def write(self, request: SubmitReq, content: EncodedContent) -> HttpMessage:
        """The request's bytes, and the headers that the dialect gives it."""
        dialect = self.dialect
        soap_id = f"soap.{_UNSAFE_IN_ID.sub('', request.transaction_id)}@{dialect.id_domain}"
        soap = self._fill(request, content, dialect.wrapped(soap_id))
        length = len(soap) + content.wire_size
        boundary = boundary_parameter(content.boundary)
        content_type = f'multipart/related; {boundary}; type="text/xml"{dialect.start_parameter(soap_id)}'
        headers = {**self.action, "Content-Type": content_type, "Content-Length": str(length)}
        return HttpMessage(headers=headers, buffers=(soap, *content.buffers), length=length)

    def _fill(self, request: SubmitReq, content: EncodedContent, content_id: str) -> bytes:
        pieces = [f"--{content.boundary}\r\nContent-Type: {XML_TYPE}\r\nContent-ID: {content_id}\r\n\r\n"]
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
def writer_of(dialect: Dialect) -> SubmitWriter:
    """The writer of a dialect. Who sends many requests keeps it: to look it up costs a tenth of a request."""
    schema = dialect.schema
    head, to_operation = head_xml(schema)
    return SubmitWriter(
        dialect=dialect,
        action={} if "SOAPAction" in dialect.omissions else {"SOAPAction": f'"{dialect.soap_action}"'},
        head=head,
        start=f"{to_operation}{schema.opening('SubmitReq')}\r\n",
        slots=tuple(_slots(dialect)),
        content=f"<{schema.child_prefix}Content",
        adaptations="allowAdaptations" not in dialect.omissions,
        end=f"/>\r\n{schema.closing('SubmitReq')}{TAIL_XML}",
    )


def _slots(dialect: Dialect) -> Iterator[_Slot]:
    """The elements that this dialect may write, in the order of the schema, without the Content at the end."""
    constants = {**_USUAL, **dict(dialect.constants)}
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
    version = escape(dialect.mm7_version)
    return {
        "MM7Version": lambda _: version,
        "SenderIdentification": _sender(dialect),
        "Recipients": _recipients(dialect),
        "ServiceCode": lambda r: escape(r.service_code),
        "LinkedID": lambda r: escape(r.linked_id),
        "MessageClass": lambda r: escape(r.message_class),
        "TimeStamp": lambda r: "" if r.timestamp is None else iso_z(r.timestamp),
        "ExpiryDate": _expiry(dialect),
        "DeliveryReport": lambda r: _boolean(
            dialect.delivery_report if r.delivery_report is None else r.delivery_report
        ),
        "ReadReply": lambda r: "" if r.read_reply is None else _boolean(r.read_reply),
        "Priority": lambda r: r.priority.value if r.priority else "",
        "Subject": _subject(dialect.subject),
        "ChargedParty": lambda r: escape(r.charged_party),
    }


def _sender(dialect: Dialect) -> _Value:
    schema, plus = dialect.schema, "+" if dialect.sender_plus else ""
    vaspid = "" if "VASPID" in dialect.omissions else schema.element("VASPID", dialect.vaspid)
    vasid = _vasid(dialect)

    def value(request: SubmitReq) -> str:
        if _is_short(request, dialect):
            address = schema.element("ShortCode", request.sender)
        else:
            address = schema.element("Number", plus + request.sender)
        return vaspid + vasid(request) + schema.group("SenderAddress", address)

    return value


def _is_short(request: SubmitReq, dialect: Dialect) -> bool:
    """Whether the sender is written as a ShortCode."""
    match dialect.sender:
        case SenderStyle.BY_TYPE:
            return request.sender_type is SenderType.SHORT_CODE
        case SenderStyle.BY_LENGTH:
            return len(request.sender) <= dialect.short_code_length
        case _:
            return dialect.sender is SenderStyle.SHORT_CODE


def _vasid(dialect: Dialect) -> _Value:
    """The VASID element; made anew for each request only where it depends on the sender or the service."""
    schema, by_key, usual = dialect.schema, dict(dialect.vasids), dialect.vasid
    if "VASID" in dialect.omissions:
        return lambda _: ""
    if not by_key and "{" not in usual:
        written = schema.element("VASID", usual)
        return lambda _: written

    def value(request: SubmitReq) -> str:
        known = by_key.get(request.sender) or by_key.get(request.service)
        made = usual.replace("{sender}", request.sender).replace("{service}", request.service)
        return schema.element("VASID", known or made)

    return value


def _recipients(dialect: Dialect) -> _Value:
    schema = dialect.schema
    match dialect.recipient:
        case RecipientStyle.PLUS:
            return lambda r: schema.group("To", schema.element("Number", f"+{r.recipient}"))
        case RecipientStyle.PLMN:
            return lambda r: schema.group("To", schema.element("RFC2822Address", f"+{r.recipient}/TYPE=PLMN"))
        case RecipientStyle.SHORT_CODE:
            return lambda r: schema.group("To", schema.element("ShortCode", r.recipient))
        case _:
            return lambda r: schema.group("To", schema.element("Number", r.recipient))


def _expiry(dialect: Dialect) -> _Value:
    if dialect.expiry is Expiry.NONE:
        return lambda _: ""
    if dialect.expiry is Expiry.RELATIVE:
        return _duration
    return lambda r: "" if r.expiry is None else iso_z(r.expiry)


def _duration(request: SubmitReq) -> str:
    """The time left as an xs:duration; a point in time where the request does not say what time it is."""
    if request.expiry is None:
        return ""
    if request.timestamp is None:
        return iso_z(request.expiry)
    return f"PT{max(0, request.expiry - request.timestamp) // 1000}S"


def _subject(policy: SubjectPolicy) -> _Value:
    if policy is SubjectPolicy.UTF8:
        return lambda r: escape(r.subject)
    return lambda r: escape(write_subject(r.subject, policy))


def _boolean(value: bool) -> str:
    return "true" if value else "false"
