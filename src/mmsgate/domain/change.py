"""One step of a message's life as a value: the message after it, its events, the postbacks it makes.

What is in one `Change` is written in one transaction. `move` is the only place that decides which postback a step
makes (postback contract 2, rulings R-27 and R-28).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from mmsgate.clock import Millis
from mmsgate.domain.media import MediaKind
from mmsgate.domain.message import Event, Message, SmsPart
from mmsgate.domain.postback import Postback, PostbackCode, SentAs, Undelivered
from mmsgate.domain.rendition import PAGE, Preparation, Terms
from mmsgate.domain.slide import Medium
from mmsgate.domain.state import Happening, State, next_state


@dataclass(frozen=True, slots=True, kw_only=True)
class CarrierId:
    """An id that a carrier gave a message, or an SMSC one part of it; reports will name it.

    `aliases` are other spellings in which a report that came too early may have named it.
    """

    connection: str
    verbatim: str
    part: int = 0
    aliases: tuple[str, ...] = ()

    @property
    def normalised(self) -> str:
        """The form that survives what carriers do to ids on their way back: letter case, leading zeros."""
        return normalise_id(self.verbatim)


def normalise_id(carrier_id: str) -> str:
    """Lower case, trimmed, without leading zeros (the peers' page: ids come back altered)."""
    return carrier_id.strip().lower().lstrip("0") or "0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What one happening makes of a message. `preparation` is work that it asks for."""

    message: Message
    event: Event
    postbacks: tuple[Postback, ...] = ()
    carrier_ids: tuple[CarrierId, ...] = ()
    sms_parts: tuple[SmsPart, ...] = ()
    preparation: Preparation | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Why:
    """The reason of a step: a sentence for people, the raw facts, and what the customer is told.

    `medium` is the sound or video that could not be used, if that is the reason.
    """

    reason: str
    data: Mapping[str, object]
    undelivered: Undelivered = Undelivered.FAILED
    medium: Medium | None = None

    @classmethod
    def of(cls, reason: str, **data: object) -> "Why":
        return cls(reason=reason, data=data)


def move(
    message: Message,
    happening: Happening,
    why: Why,
    *,
    at: Millis,
    due_at: Millis | None = None,
    attempts: int | None = None,
    connection: str | None = None,
    carrier_ids: tuple[CarrierId, ...] = (),
    sms_parts: tuple[SmsPart, ...] = (),
    handset: str = "",
    size_cap: int | None = None,
    terms: Terms | None = None,
    announced: bool = False,
    telling: tuple[Postback, ...] = (),
) -> Change:
    """The step that `happening` makes. In a state where it changes nothing, it is only recorded.

    `due_at` is when somebody has to look again (retry, lease, timer). Details once known are never cleared (R-20).
    `terms` are those that a version has to be made for; `announced` says that the customer is told when it is
    there. `telling` is what a device discovery has to tell in the name of the message that waits for it.
    """
    state = next_state(message.state, happening)
    event = Event(
        at=at, happening=happening, state=state or message.state, reason=why.reason, changed=state is not None,
        data=why.data,
    )  # fmt: skip
    if state is None:
        return Change(message=message, event=event, carrier_ids=carrier_ids, sms_parts=sms_parts)
    codes = tuple(_codes(message, state, why, announced=announced))
    moved = replace(
        message,
        state=state,
        sent_as=SentAs.SMS if state is State.FALLBACK else message.sent_as,
        due_at=None if state.final else due_at,
        attempts=message.attempts if attempts is None else attempts,
        connection=connection or message.connection,
        carrier_message_id=next((i.verbatim for i in carrier_ids if i.verbatim), message.carrier_message_id),
        handset=handset or message.handset,
        details=why.reason if happening in _EXPLAINED else message.details,
        size_cap=message.size_cap if size_cap is None else size_cap,
        awaits=terms.key if terms and state is State.PREPARING else "",
        told=message.told or bool(codes and codes[0] is not PostbackCode.N013),
        postbacks=message.postbacks + len(telling) + len(codes),
        updated_at=max(at, message.updated_at + 1),
    )
    postbacks = tuple(_tell(code, moved, why, at) for code in codes)
    return Change(
        message=moved,
        event=event,
        postbacks=telling + postbacks,
        carrier_ids=carrier_ids,
        sms_parts=sms_parts,
        preparation=_preparation(moved, happening, terms),
    )


def _preparation(message: Message, happening: Happening, terms: Terms | None) -> Preparation | None:
    """What has to be made: the version that the message waits for, or the page that its SMS will lead to."""
    if happening is Happening.FELL_BACK and message.fallback.link:
        terms = PAGE
    elif happening is not Happening.PREPARE:
        return None
    return Preparation(
        content_id=message.mms_id, account_id=message.account_id, dialect=message.dialect, terms=terms
    )


#: Happenings whose reason the customer may see as status-details later on.
_EXPLAINED = frozenset({Happening.FELL_BACK, Happening.GAVE_UP, Happening.REPORTED_UNDELIVERED})
_TAKEN = frozenset({State.SENT, State.SMS_SENT})
_REPORTED_FAILURES = frozenset({PostbackCode.E102, PostbackCode.E202})
_FAILURES = _REPORTED_FAILURES | {PostbackCode.E101, PostbackCode.E012, PostbackCode.E013}


def _codes(before: Message, state: State, why: Why, *, announced: bool) -> Iterator[PostbackCode]:
    """What the customer is told of this step, in order. At most one final notification comes out of a life."""
    if before.is_reply:
        return
    if announced and before.state is State.PREPARING and state is State.ACCEPTED:
        yield PostbackCode.N013
    proven = state in {State.DELIVERED, State.UNDELIVERED}  # a report proves that the carrier took it
    newly_taken = state in _TAKEN and before.state is not state
    if newly_taken or (proven and not before.told):
        yield PostbackCode.N101
    if state is State.DELIVERED:
        yield PostbackCode.N102
    elif state is State.UNDELIVERED:
        yield PostbackCode.E202 if before.sent_as is SentAs.SMS else PostbackCode.E102
    elif state is State.FAILED:
        yield PostbackCode.E202 if before.told else _never_sent(why)


def _never_sent(why: Why) -> PostbackCode:
    """E012 or E013 where a sound or video could not be prepared, else E101 (postback contract 2)."""
    if why.medium is None:
        return PostbackCode.E101
    return PostbackCode.E012 if why.medium.kind is MediaKind.AUDIO else PostbackCode.E013


#: A device discovery is told as the message it is, in codes of its own.
_OF_DISCOVERY = {
    PostbackCode.N101: PostbackCode.N501,
    PostbackCode.N102: PostbackCode.N502,
    PostbackCode.E101: PostbackCode.E501,
    PostbackCode.E102: PostbackCode.E502,
}


def _tell(code: PostbackCode, after: Message, why: Why, at: Millis) -> Postback:
    """One notification: why, where it says that something failed; the details that go with its code."""
    details = ""
    if code is PostbackCode.N101:
        details = after.details if after.sent_as is SentAs.SMS else ""
    elif code in _FAILURES:
        details = why.reason
    told_as = _OF_DISCOVERY[code] if after.discovers else code
    return Postback(
        code=told_as, sent_as=after.sent_as, mms_id=after.mms_id, sender=after.sender,
        sender_mask=after.sender_mask, recipient=after.recipient, tracking_id=after.tracking_id,
        operator=after.operator, timestamp=at,
        why=why.undelivered if code in _REPORTED_FAILURES else None, details=details, handset=after.handset,
        medium=why.medium.source if why.medium else "",
    )  # fmt: skip
