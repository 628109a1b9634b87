"""Reports from a carrier: delivery and read reports, read and (for the simulator) written."""

from dataclasses import dataclass
from enum import StrEnum

from mmsgate.clock import Millis, iso_z, parse_iso
from mmsgate.mm7.address import Address, AddressKind, address_xml, read_address
from mmsgate.mm7.answer import encode_response
from mmsgate.mm7.envelope import REL_6, Envelope, Prefix, Schema, write_envelope
from mmsgate.mm7.xml import attribute, escape, named, own_text, text_at


class MMStatus(StrEnum):
    """What a delivery report says became of a message (MM7 wire page, "Reports")."""

    EXPIRED = "Expired"
    RETRIEVED = "Retrieved"
    REJECTED = "Rejected"
    INDETERMINATE = "Indeterminate"
    FORWARDED = "Forwarded"
    DEFERRED = "Deferred"
    UNRECOGNISED = "Unrecognised"
    DELIVERY_CONDITION_NOT_MET = "DeliveryConditionNotMet"
    NOT_SUPPORTED = "NotSupported"
    UNREACHABLE = "Unreachable"

    @classmethod
    def read(cls, text: str) -> "MMStatus":
        """The status a word means, in any case and either spelling; INDETERMINATE for one that nobody knows."""
        return _MM_STATUSES.get(text.strip().lower().replace(" ", ""), cls.INDETERMINATE)


_MM_STATUSES = {member.value.lower(): member for member in MMStatus} | {"unrecognized": MMStatus.UNRECOGNISED}


class ReadStatus(StrEnum):
    """What a read report says."""

    READ = "Read"
    DELETED = "Deleted"
    INDETERMINATE = "Indeterminate"

    @classmethod
    def read(cls, text: str) -> "ReadStatus":
        """The status a word means; "Deleted without being read" is DELETED, an unknown one INDETERMINATE."""
        word = text.strip().lower()
        if word.startswith("deleted"):
            return cls.DELETED
        return cls.READ if word == "read" else cls.INDETERMINATE


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryReportReq:
    """A delivery report as it came: who is in `recipient` and who in `sender` is as the carrier says.

    `raw_status` is the MMStatus as written; writing prefers it to `status`. `ua_prof` is the UAProf as written:
    a URL, which nobody here fetches, or a name. `date` is None if missing or unreadable.
    """

    transaction_id: str
    message_id: str
    status: MMStatus
    recipient: Address | None = None
    sender: Address | None = None
    date: Millis | None = None
    raw_status: str = ""
    status_extension: str = ""
    status_text: str = ""
    ua_prof: str = ""
    namespace: str = REL_6
    version: str = "6.8.0"

    @property
    def handset(self) -> Address | None:
        """The phone's address, as far as the report itself tells."""
        return self.parties()[0]

    def parties(self, *, swapped: bool = False) -> tuple[Address | None, Address | None]:
        """The phone's address and ours.

        Some MMSCs put each in the other's place. A short code tells, for it is never a phone's; where there is none
        or two, `swapped` says what the carrier is known to do.
        """
        short = [each is not None and each.kind is AddressKind.SHORT_CODE for each in (self.recipient, self.sender)]
        if short[0] != short[1]:
            swapped = short[0] and self.sender is not None
        elif self.sender is None:
            swapped = False
        return (self.sender, self.recipient) if swapped else (self.recipient, self.sender)

    @property
    def handset_name(self) -> str:
        """The last path segment of the UAProf URL without its extension, or the value itself (MM7 wire page)."""
        value = self.ua_prof.strip(" \"'")
        if "/" not in value:
            return value
        segment = value.partition("?")[0].partition("#")[0].rstrip("/").rpartition("/")[2]
        stem, dot, _ = segment.rpartition(".")
        return (stem if dot and stem else segment) or value


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadReplyReq:
    """A read report as it came. `timestamp` is None if missing or unreadable."""

    transaction_id: str
    message_id: str
    status: ReadStatus
    recipient: Address | None = None
    sender: Address | None = None
    timestamp: Millis | None = None
    status_text: str = ""
    namespace: str = REL_6
    version: str = "6.8.0"


def read_delivery_report(envelope: Envelope) -> DeliveryReportReq:
    """The DeliveryReportReq in `envelope`; what is missing is empty."""
    held = named(envelope.body).get
    capabilities = held("UACapabilities")
    word = own_text(held("MMStatus"))
    return DeliveryReportReq(
        transaction_id=envelope.transaction_id,
        message_id=own_text(held("MessageID")),
        status=MMStatus.read(word),
        recipient=read_address(held("Recipient")),
        sender=read_address(held("Sender")),
        date=parse_iso(own_text(held("Date"))),
        raw_status=word,
        status_extension=own_text(held("MMStatusExtension")),
        status_text=own_text(held("StatusText")),
        ua_prof=attribute(capabilities, "UAProf") or text_at(capabilities, "UAProf") or own_text(capabilities),
        namespace=envelope.namespace,
        version=own_text(held("MM7Version")),
    )


def read_read_reply(envelope: Envelope) -> ReadReplyReq:
    """The ReadReplyReq in `envelope`; what is missing is empty."""
    body = envelope.body
    return ReadReplyReq(
        transaction_id=envelope.transaction_id,
        message_id=text_at(body, "MessageID"),
        status=ReadStatus.read(text_at(body, "MMStatus") or text_at(body, "ReadStatus")),
        recipient=read_address(body, "Recipient"),
        sender=read_address(body, "Sender"),
        timestamp=parse_iso(text_at(body, "TimeStamp") or text_at(body, "Date")),
        status_text=text_at(body, "StatusText"),
        namespace=envelope.namespace,
        version=envelope.version,
    )


def encode_delivery_report(report: DeliveryReportReq, *, prefix: Prefix = Prefix.DEFAULT) -> bytes:
    """A DeliveryReportReq in the order of the schema, to be posted as `envelope.XML_TYPE`."""
    schema = Schema(namespace=report.namespace, version=report.version, prefix=prefix)
    lines = (
        schema.element("MessageID", report.message_id),
        _party(schema, "Recipient", report.recipient),
        _party(schema, "Sender", report.sender),
        schema.element("Date", "" if report.date is None else iso_z(report.date)),
        schema.element("MMStatus", report.raw_status or report.status.value),
        schema.element("MMStatusExtension", report.status_extension),
        schema.element("StatusText", report.status_text),
        _capabilities(schema, report.ua_prof),
    )
    body = schema.operation("DeliveryReportReq", lines)
    return write_envelope(body, transaction_id=report.transaction_id, schema=schema)


def _party(schema: Schema, name: str, address: Address | None) -> str:
    return schema.group(name, address_xml(address, schema.child_prefix)) if address else ""


def _capabilities(schema: Schema, ua_prof: str) -> str:
    return f'<{schema.child_prefix}UACapabilities UAProf="{escape(ua_prof)}"/>' if ua_prof else ""


def encode_delivery_report_rsp(
    *, transaction_id: str, code: int = 1000, text: str = "", schema: Schema | None = None
) -> bytes:
    """The answer to a delivery report; `schema` should repeat the report's namespace and version."""
    return encode_response("DeliveryReportRsp", transaction_id=transaction_id, code=code, text=text, schema=schema)


def encode_read_reply_rsp(
    *, transaction_id: str, code: int = 1000, text: str = "", schema: Schema | None = None
) -> bytes:
    """The answer to a read report; `schema` as in `encode_delivery_report_rsp`."""
    return encode_response("ReadReplyRsp", transaction_id=transaction_id, code=code, text=text, schema=schema)
