"""From a SubmitReq, as the codec read it off the wire, to the message that a phone shows."""

from mmsgate.clock import Millis
from mmsgate.mm7.parts import Content, ContentPart
from mmsgate.mm7.received import SubmitReqReceived
from mmsgate.simulator.message import Kind, Message, Part, decode
from mmsgate.simulator.shown import by_smil

#: The children of SubmitReq in the order of the schema REL-6-MM7-1-4. The simulator keeps its own copy on purpose:
#: if it borrowed the writer's, an error there would judge itself.
SEQUENCE = (
    *("MM7Version", "SenderIdentification", "Recipients", "ServiceCode", "LinkedID", "MessageClass", "TimeStamp"),
    *("ReplyCharging", "EarliestDeliveryTime", "ExpiryDate", "DeliveryReport", "ReadReply", "Priority", "Subject"),
    *("ChargedParty", "ChargedPartyID", "DistributionIndicator", "DeliveryCondition", "ApplicID"),
    *("ReplyApplicID", "AuxApplicInfo", "ContentClass", "DRMContent", "Content"),
)
_PLACES = {name: place for place, name in enumerate(SEQUENCE)}
_REQUIRED = ("MM7Version", "SenderIdentification", "Recipients")


def sequence_fault(elements: tuple[str, ...]) -> str | None:
    """What a validating MMSC would say about SubmitReq's children, None if they stand as the schema wants them."""
    last = -1
    for name in elements:
        place = _PLACES.get(name)
        if place is None:
            return f"SubmitReq has no element {name}"
        if place == last:
            return f"element {name} occurs twice"
        if place < last:
            return f"element {name} must stand before {SEQUENCE[last]}"
        last = place
    missing = next((name for name in _REQUIRED if name not in elements), None)
    return f"element {missing} is missing" if missing else None


def read_message(
    submit: SubmitReqReceived,
    *,
    to: str,
    message_id: str,
    received_at: Millis,
    headers: tuple[tuple[str, str], ...] = (),
) -> Message:
    """The message as `to` sees it on a usual phone. `headers` are those of the request that are worth showing."""
    content = submit.content
    parts = tuple(shown_part(place, part) for place, part in enumerate(content.parts, 1))
    shown = by_smil(content, parts)
    return Message(
        kind=Kind.MMS,
        to=to,
        sender=submit.sender.value if submit.sender else "",
        subject=submit.subject,
        text=shown.text,
        received_at=received_at,
        transaction_id=submit.transaction_id,
        message_id=message_id,
        size=content.size,
        parts=parts,
        slides=shown.slides,
        attachments=shown.attachments,
        content=content,
        smil=None if content.smil is None else decode(content.smil, _smil_type(content)),
        fields=(*headers, *_fields(submit)),
    )


def shown_part(place: int, part: ContentPart) -> Part:
    """A part as a phone keeps it; `place` counts from 1 and names the nameless."""
    charset = f"; charset={part.charset}" if part.charset else ""
    return Part(
        name=part.name or part.location or part.content_id or f"part{place}",
        content_type=f"{part.content_type}{charset}",
        body=part.body,
        headers=part.headers,
    )


def _smil_type(content: Content) -> str:
    return next(f"{part.content_type}; charset={part.charset or 'utf-8'}" for part in content.parts if part.is_smil)


def _fields(submit: SubmitReqReceived) -> tuple[tuple[str, str], ...]:
    rows = (
        ("TransactionID", submit.transaction_id),
        ("MM7Version", submit.version),
        ("Namespace", submit.namespace),
        ("VASPID", submit.vaspid),
        ("VASID", submit.vasid),
        ("SenderAddress", f"{submit.sender.kind.value} {submit.sender.value}" if submit.sender else ""),
        ("Recipients", ", ".join(f"{one.kind.value} {one.value}" for one in submit.recipients)),
        ("ServiceCode", submit.service_code),
        ("LinkedID", submit.linked_id),
        ("TimeStamp", submit.timestamp),
        ("ExpiryDate", submit.expiry),
        ("DeliveryReport", str(submit.delivery_report).lower()),
        ("ReadReply", str(submit.read_reply).lower()),
        ("Priority", submit.priority),
        ("Subject", submit.subject),
        ("Content", f"{submit.content_href} (adaptations {'allowed' if submit.allow_adaptations else 'refused'})"),
        ("Elements", " · ".join(submit.elements)),
        ("On the wire", f"{submit.wire_size:,} bytes, of them {submit.content.size:,} of decoded content"),
    )
    return tuple((name, value) for name, value in rows if value)
