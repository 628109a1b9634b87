"""What a step of the delivery decides, as a value: it becomes a `Change` when it is recorded."""

from dataclasses import dataclass

from mmsgate.clock import Millis, spoken
from mmsgate.delivery.retry import retry_delay
from mmsgate.domain.change import CarrierId, Change, Why, move
from mmsgate.domain.message import Event, Message, SmsPart
from mmsgate.domain.rendition import Terms
from mmsgate.domain.state import WAITING, Happening, State
from mmsgate.store import Decide, Snapshot


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What happens to the message, why, and when somebody has to look at it again; the rest as `move` takes it."""

    happening: Happening
    why: Why
    due_at: Millis | None = None
    attempts: int | None = None
    connection: str | None = None
    carrier_ids: tuple[CarrierId, ...] = ()
    sms_parts: tuple[SmsPart, ...] = ()
    size_cap: int | None = None
    terms: Terms | None = None
    announced: bool = False

    def decide(self, at: Millis, *, on: str = "", of: State | None = None, untried: bool = False) -> Decide:
        """The step as the ledger wants it.

        With `on` it is one of that connection's, and changes nothing of a message that another has by now; with
        `of` only of one in that state, with `untried` of none whose SMS was given to an SMSC.
        """

        def decide(snapshot: Snapshot) -> Change:
            message = snapshot.message
            elsewhere = (on and message.connection != on) or (of is not None and message.state is not of)
            if elsewhere or (untried and snapshot.sms_parts):
                return _only_noted(message, self.happening, self.why, at)
            return move(
                message,
                self.happening,
                self.why,
                at=at,
                due_at=self.due_at,
                attempts=self.attempts,
                connection=self.connection,
                carrier_ids=self.carrier_ids,
                sms_parts=self._open_parts(snapshot),
                size_cap=self.size_cap,
                terms=self.terms,
                announced=self.announced,
            )

        return decide

    def _open_parts(self, snapshot: Snapshot) -> tuple[SmsPart, ...]:
        """The parts without those of which a receipt has said meanwhile what became of them (R-20)."""
        settled = {part.number for part in snapshot.sms_parts if part.state in {"delivered", "failed"}}
        return tuple(part for part in self.sms_parts if part.number not in settled)


def _only_noted(message: Message, happening: Happening, why: Why, at: Millis) -> Change:
    event = Event(
        at=at, happening=happening, state=message.state, changed=False, data=why.data,
        reason=f"not done, the message has moved on meanwhile: {why.reason}",
    )  # fmt: skip
    return Change(message=message, event=event)


#: An attempt that ends in an error of ours is tried again so often, then the message has failed.
MOST_BROKEN_ATTEMPTS = 8


def broke_down(error: Exception, *, now: Millis, unknown_wait: Millis) -> Decide:
    """What to do with a message over which we failed: it waits, is in doubt if a body may have left, or ends."""
    what = f"the gateway failed: {type(error).__name__}: {error}"[:500]

    def decide(snapshot: Snapshot) -> Change:
        message = snapshot.message
        attempts = message.attempts + 1
        if message.state not in WAITING:  # in a timed state this is only recorded
            doubt = Verdict(happening=Happening.IN_DOUBT, why=Why.of(what), due_at=now + unknown_wait)
            return doubt.decide(now)(snapshot)
        if attempts > MOST_BROKEN_ATTEMPTS or now >= message.expires_at:
            return gave_up(what).decide(now)(snapshot)
        due_at = now + retry_delay(attempts)
        why = Why.of(f"{what}; next attempt in {spoken(due_at - now)}")
        return Verdict(happening=Happening.POSTPONED, why=why, due_at=due_at, attempts=attempts).decide(now)(
            snapshot
        )

    return decide


def gave_up(reason: str, **data: object) -> Verdict:
    """It will not be sent."""
    return Verdict(happening=Happening.GAVE_UP, why=Why.of(reason, **data))


def fall_back(message: Message, reason: str, *, now: Millis, connection: str, **data: object) -> Verdict:
    """The SMS with the link instead, or the end where the account or the request wants none (R-12)."""
    fallback = message.fallback
    if not fallback.enabled:
        return gave_up(f"{reason}; the fallback SMS is disabled", **data)
    if not fallback.text and not fallback.link:
        return gave_up(f"{reason}; there is neither a text nor a link for a fallback SMS", **data)
    return Verdict(
        happening=Happening.FELL_BACK, why=Why.of(f"SMS instead: {reason}", **data), due_at=now, attempts=0,
        connection=connection,
    )  # fmt: skip
