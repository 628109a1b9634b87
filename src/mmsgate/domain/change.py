"""One step of a message's life as a value: the message after it, its events, the postbacks it makes.

What is in one `Change` is written in one transaction. `move` is the only place that decides which postback a step
makes (postback contract 2, rulings R-27 and R-28).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from mmsgate.clock import Millis
from mmsgate.domain.message import Event, Message, SmsPart
from mmsgate.domain.postback import Postback, PostbackCode, SentAs, Undelivered
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
    """What one happening makes of a message."""

    message: Message
    event: Event
    postbacks: tuple[Postback, ...] = ()
    carrier_ids: tuple[CarrierId, ...] = ()
    sms_parts: tuple[SmsPart, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Why:
    """The reason of a step: a sentence for people, the raw facts, and what the customer is told."""

    reason: str
    data: Mapping[str, object]
    undelivered: Undelivered = Undelivered.FAILED

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
) -> Change:
    """The step that `happening` makes. In a state where it changes nothing, it is only recorded.

    `due_at` is when somebody has to look again (retry, lease, timer). Details once known are never cleared (R-20).
    """
    state = next_state(message.state, happening)
    event = Event(
        at=at, happening=happening, state=state or message.state, reason=why.reason, changed=state is not None,
        data=why.data,
    )  # fmt: skip
    if state is None:
        return Change(message=message, event=event, carrier_ids=carrier_ids, sms_parts=sms_parts)
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
        updated_at=at,
    )
    postbacks = tuple(_postbacks(message, moved, why, at))
    if postbacks:
        moved = replace(moved, told=True, postbacks=message.postbacks + len(postbacks))
    return Change(
        message=moved,
        event=event,
        postbacks=postbacks,
        carrier_ids=carrier_ids,
        sms_parts=sms_parts,
    )


#: Happenings whose reason the customer may see as status-details later on.
_EXPLAINED = frozenset({Happening.FELL_BACK, Happening.GAVE_UP, Happening.REPORTED_UNDELIVERED})
_TAKEN = frozenset({State.SENT, State.SMS_SENT})


def _postbacks(before: Message, after: Message, why: Why, at: Millis) -> Iterator[Postback]:
    """What the customer is told of this step, in order. At most one final notification comes out of a life."""

    def tell(code: PostbackCode, *, undelivered: Undelivered | None = None, details: str = "") -> Postback:
        return Postback(
            code=code, sent_as=after.sent_as, mms_id=after.mms_id, sender=after.sender, recipient=after.recipient,
            tracking_id=after.tracking_id, operator=after.operator, timestamp=at, why=undelivered,
            details=details, handset=after.handset,
        )  # fmt: skip

    sms = after.sent_as is SentAs.SMS
    proven = after.state in {State.DELIVERED, State.UNDELIVERED}  # a report proves that the carrier took it
    newly_taken = after.state in _TAKEN and before.state is not after.state
    if newly_taken or (proven and not before.told):
        yield tell(PostbackCode.N101, details=after.details if sms else "")
    if after.state is State.DELIVERED:
        yield tell(PostbackCode.N102)
    elif after.state is State.UNDELIVERED:
        code = PostbackCode.E202 if sms else PostbackCode.E102
        yield tell(code, undelivered=why.undelivered, details=why.reason)
    elif after.state is State.FAILED and before.told:
        yield tell(PostbackCode.E202, undelivered=why.undelivered, details=why.reason)
    elif after.state is State.FAILED:
        yield tell(PostbackCode.E101, details=why.reason)
