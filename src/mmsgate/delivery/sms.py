"""The fallback SMS to one SMSC: the steps, a line each.

    settle what is overdue → not expired → recipient not blocked → split into parts → its sender's day is not full
    → its turn, by the SMSC's pace → commit `sms-submitting` → submit every part that is still to go → record

The message is delivered when all its parts are (R-28).
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from mmsgate.carriers.profile import Gives, OnUnknown
from mmsgate.carriers.smsc import SmscProfile
from mmsgate.clock import MINUTE, Clock, Millis, spoken
from mmsgate.delivery.caps import UNCOUNTED
from mmsgate.delivery.link import Link
from mmsgate.delivery.mms import LONG_WAIT, BlockReason
from mmsgate.delivery.retry import retry_delay
from mmsgate.delivery.verdict import Verdict, broke_down, gave_up
from mmsgate.domain.change import CarrierId, Why
from mmsgate.domain.message import Message, SmsPart
from mmsgate.domain.state import Happening, State
from mmsgate.postbacks.ledger import Ledger
from mmsgate.sms.message import OutboundSms
from mmsgate.sms.outcome import SmsAccepted, SmsNotSent, SmsOutcome, SmsRefused, SmsThrottled, SmsUnknown
from mmsgate.sms.receipt import id_forms
from mmsgate.sms.segments import NotSegmentable, Segment, segment
from mmsgate.store import Store

#: How long a message may wait for its turn before it goes back to the queue, in seconds.
TURN_WITHIN = 30.0

#: How long a gateway that is told to stop waits for the parts under way, in seconds.
PATIENCE = 60.0

PageUrl = Callable[[Message], str]


class Smsc(Protocol):
    """The connection that the parts leave by."""

    @property
    def bound(self) -> bool:
        """Whether a part may be submitted."""
        ...

    @property
    def problem(self) -> str:
        """Why not, for a person."""
        ...

    async def turn(self, parts: int, *, within: float) -> bool:
        """Wait until a message of so many parts may leave, `within` seconds; whether it may now."""
        ...

    async def submit(self, sms: OutboundSms) -> SmsOutcome:
        """Send one part and wait for the SMSC's word on it."""
        ...


@dataclass(slots=True, kw_only=True)
class Attempt:
    """One try of one message's SMS: what the steps find out."""

    message: Message
    now: Millis
    parts: dict[int, SmsPart]
    segments: tuple[Segment, ...] = ()


class SmsDelivery:
    """The steps for one SMSC. `deliver` handles whatever is due: sends and timers alike.

    While the connection is not bound the gate of its `link` is closed, so that the queue waits; now and then it
    opens to let timers through.
    """

    def __init__(
        self,
        profile: SmscProfile,
        *,
        smsc: Smsc,
        store: Store,
        ledger: Ledger,
        page_url: PageUrl,
        block_reason: BlockReason,
        link: Link,
        clock: Clock,
    ) -> None:
        self.profile = profile
        self._smsc, self._store, self._ledger, self._link = smsc, store, ledger, link
        self._page_url, self._block_reason, self._clock = page_url, block_reason, clock

    @property
    def lease(self) -> Millis:
        """How long an attempt may take: its turn, and the first part, then the rest, each into the window and to
        its answer; and as long again behind the attempt before it."""
        return MINUTE + 2 * (round(TURN_WITHIN * 1000) + 4 * self.profile.pace.timeout)

    @property
    def patience(self) -> float:
        """Seconds that the parts under way may need to their answers."""
        return PATIENCE

    async def broken(self, message: Message, error: Exception) -> None:
        """An error of ours ended the attempt."""
        decide = broke_down(error, now=self._clock.now(), unknown_wait=self.profile.answers.unknown_wait)
        await self._ledger.record(message, decide)

    async def deliver(self, message: Message) -> None:
        """Take a claimed message one attempt further."""
        parts = {part.number: part for part in await self._store.messages.sms_parts(message.id)}
        attempt = Attempt(message=message, now=self._clock.now(), parts=parts)
        verdict = (
            self._overdue(attempt)
            or self._not_expired(attempt)
            or await self._recipient_allowed(attempt)
            or self._split(attempt)
        )
        if verdict is None:
            verdict = await self._submit(attempt)
        if verdict is not None:
            await self._record(attempt, verdict)

    async def _record(self, attempt: Attempt, verdict: Verdict) -> bool:
        """Write a step; whether it changed anything: the message may have been moved or settled meanwhile.

        What was decided while it waited must not undo what has happened since. What became of parts that have left
        counts however late it is known.
        """
        of = State.FALLBACK if attempt.message.state is State.FALLBACK else None
        decide = verdict.decide(self._clock.now(), on=self.profile.name, of=of)
        change = await self._ledger.record(attempt.message, decide)
        attempt.message = change.message
        return change.event.changed

    def _overdue(self, attempt: Attempt) -> Verdict | None:
        """Timers and lost leases."""
        match attempt.message.state:
            case State.SMS_SUBMITTING:
                doubtful = tuple(
                    replace(part, state="unknown") for part in attempt.parts.values() if part.state == "submitting"
                )
                return self._in_doubt(attempt, "the gateway stopped while parts may have been under way", doubtful)
            case State.SMS_UNKNOWN:
                return self._settle_unknown(attempt)
            case State.SMS_SENT:
                return Verdict(happening=Happening.NEVER_REPORTED, why=Why.of(self._no_receipt))
            case _:
                return None

    def _settle_unknown(self, attempt: Attempt) -> Verdict:
        """R-19: no receipt settled it in time, the profile says what to do."""
        # An error of ours leaves parts as they were when they might leave.
        doubtful = [part for part in attempt.parts.values() if part.state in {"unknown", "submitting"}]
        left = any(part.state == "pending" for part in attempt.parts.values())
        if left and not doubtful:
            why = Why.of("receipts say what became of the doubtful parts; the others are still to go")
            return Verdict(happening=Happening.POSTPONED, why=why, due_at=attempt.now)
        if not doubtful:
            why = Why.of("receipts say what became of the doubtful parts; none is left to send")
            return self._taken(attempt, why)
        on_unknown = self.profile.answers.on_unknown
        patience = spoken(self.profile.answers.unknown_wait)
        reason = f"the SMS's outcome stayed unknown: no receipt within {patience}; on_unknown is {on_unknown}"
        if on_unknown is not OnUnknown.RESEND:
            return gave_up(reason)
        again = tuple(replace(part, state="pending") for part in doubtful)
        why = Why.of(f"{reason}, so the doubtful parts are sent again")
        return Verdict(happening=Happening.POSTPONED, why=why, due_at=attempt.now, sms_parts=again)

    @property
    def _no_receipt(self) -> str:
        receipts = self.profile.receipts
        if receipts.gives is Gives.NONE:
            return f"{self.profile.name} gives no receipts"
        return f"no receipt for every part within {spoken(receipts.wait)}"

    def _not_expired(self, attempt: Attempt) -> Verdict | None:
        if attempt.now < attempt.message.expires_at:
            return None
        return gave_up("expired before the SMSC took it")

    async def _recipient_allowed(self, attempt: Attempt) -> Verdict | None:
        """The block list is looked at again before every SMS too; the gateway's own answers are exempt (R-22)."""
        message = attempt.message
        if message.is_reply:
            return None
        reason = await self._block_reason(message.account_id, message.sender, message.recipient)
        return gave_up(f"E114: the recipient is blocked: {reason}") if reason else None

    def _split(self, attempt: Attempt) -> Verdict | None:
        """Text and link in parts; which of them have still to go."""
        message = attempt.message
        link = self._page_url(message) if message.fallback.link else ""
        reference = message.id >> 22  # the lower bits hardly ever change
        split = segment(message.fallback.text, link, reference=reference, writing=self.profile.text)
        if isinstance(split, NotSegmentable):
            return gave_up(f"the fallback SMS can't be sent: {split.reason}")
        attempt.segments = split.segments
        for each in split.segments:
            attempt.parts.setdefault(each.number, SmsPart(number=each.number, state="pending"))
        return None

    # -- the submit

    async def _submit(self, attempt: Attempt) -> Verdict | None:
        """Wait for its turn, commit `sms-submitting`, send, and judge the outcomes.

        Hardly more messages are committed than the window holds: should the gateway be killed, they are in doubt.
        """
        going = [each for each in attempt.segments if attempt.parts[each.number].state == "pending"]
        caps, sender = self._link.caps, attempt.message.sender
        counts = self._counts(attempt)
        if counts and await caps.full(sender):  # before it takes a turn from others
            return self._day_is_full(attempt)
        async with self._link.ready:
            if not self._smsc.bound:
                return self._wait_for_bind(attempt, self._smsc.problem)
            if not await self._smsc.turn(len(going), within=TURN_WITHIN):
                return self._back(attempt, f"{self.profile.name} is busy, its turn has not come")
            if verdict := await self._after_the_wait(attempt):
                return verdict
            place = await caps.take(sender) if counts else UNCOUNTED
            if place is None:
                return self._day_is_full(attempt)
            if not await self._begin(attempt, going):
                await caps.give_back(place)
                return None
            outcomes = await self._send(attempt.message, going)
        if not any(isinstance(outcome, SmsAccepted | SmsUnknown) for outcome in outcomes.values()):
            await caps.give_back(place)  # the SMSC has no part of it
        attempt.now = self._clock.now()
        return self._judge(attempt, going, outcomes)

    async def _after_the_wait(self, attempt: Attempt) -> Verdict | None:
        """STOP may have come while the message waited for its turn (R-22)."""
        if self._clock.now() < attempt.now + LONG_WAIT:
            return None
        attempt.now = self._clock.now()
        return self._not_expired(attempt) or await self._recipient_allowed(attempt)

    def _counts(self, attempt: Attempt) -> bool:
        """Whether it is one more of its sender's day: it is not if the SMSC has, or may have, a part of it already.

        The gateway's own answers are exempt (R-22).
        """
        untouched = all(part.state == "pending" for part in attempt.parts.values())
        return self._link.caps.most > 0 and untouched and not attempt.message.is_reply

    async def _send(self, message: Message, going: list[Segment]) -> dict[int, SmsOutcome]:
        """The first part alone: what becomes of it says whether the others follow, which then leave together.

        None is to go where a receipt has settled the last one since the message went back to the queue.
        """
        if not going:
            return {}
        first, *rest = going
        outcomes = {first.number: await self._smsc.submit(self._sms(message, first))}
        if rest and isinstance(outcomes[first.number], SmsAccepted | SmsUnknown):
            answers = await asyncio.gather(*(self._smsc.submit(self._sms(message, each)) for each in rest))
            outcomes |= {each.number: answer for each, answer in zip(rest, answers, strict=True)}
        return outcomes

    async def _begin(self, attempt: Attempt, going: list[Segment]) -> bool:
        """Commit which parts may be leaving from now on; whether the message is still ours to send."""
        number = attempt.message.attempts + 1
        total = len(attempt.segments)
        what = f"{total} SMS part{'s' if total > 1 else ''}"
        why = Why.of(
            f"attempt {number} to {self.profile.name}: {len(going)} of {what} from {attempt.message.sender}",
            smsc=self.profile.name, attempt=number, parts=total,
        )  # fmt: skip
        verdict = Verdict(
            happening=Happening.SUBMIT, why=why, due_at=self._clock.now() + self.lease, attempts=number,
            sms_parts=tuple(SmsPart(number=each.number, state="submitting") for each in going),
        )  # fmt: skip
        return await self._record(attempt, verdict)

    def _sms(self, message: Message, part: Segment) -> OutboundSms:
        numbers = self.profile.numbers
        source = numbers.alphanumeric if message.sender_mask else numbers.sender(message.sender_type)
        return OutboundSms(
            segment=part,
            source=message.sender_mask or message.sender, source_ton=source.ton, source_npi=source.npi,
            destination=message.recipient,
            destination_ton=numbers.recipient.ton, destination_npi=numbers.recipient.npi,
            service_type=self.profile.service_type,
            registered_delivery=0 if self.profile.receipts.gives is Gives.NONE else 1,
            reference=message.tracking_id,
        )  # fmt: skip

    def _judge(self, attempt: Attempt, going: list[Segment], outcomes: Mapping[int, SmsOutcome]) -> Verdict:
        """The worst outcome of a part decides for the message."""
        parts = tuple(_part(each.number, outcomes.get(each.number)) for each in going)
        ids = tuple(
            CarrierId(
                connection=self.profile.name,
                verbatim=part.smsc_id,
                part=part.number,
                aliases=id_forms(part.smsc_id),
            )
            for part in parts
            if part.smsc_id
        )
        verdict = self._worst(attempt, parts, outcomes)
        return replace(verdict, sms_parts=parts, carrier_ids=ids)

    def _worst(self, attempt: Attempt, parts: tuple[SmsPart, ...], outcomes: Mapping[int, SmsOutcome]) -> Verdict:
        by_state = {part.state: part for part in reversed(parts)}  # the first of each
        if failed := by_state.get("failed"):
            return gave_up(f"the SMSC refused part {failed.number}: {failed.error}")
        if doubtful := by_state.get("unknown"):
            return self._in_doubt(attempt, f"part {doubtful.number}: {doubtful.error}", ())
        if later := by_state.get("pending"):
            return self._later(attempt, f"part {later.number}: {later.error}", outcomes)
        why = Why.of(f"{self.profile.name} accepted every part", ids=[part.smsc_id for part in parts])
        return self._taken(attempt, why)

    def _taken(self, attempt: Attempt, why: Why) -> Verdict:
        """The SMSC has every part: now their receipts are waited for, if it gives any."""
        wait = 0 if self.profile.receipts.gives is Gives.NONE else self.profile.receipts.wait
        return Verdict(happening=Happening.TAKEN, why=why, due_at=attempt.now + wait)

    def _later(self, attempt: Attempt, text: str, outcomes: Mapping[int, SmsOutcome]) -> Verdict:
        """What the SMSC did not want is tried by the schedule (R-36); what never reached it, as soon as it can."""
        if not all(isinstance(outcome, SmsNotSent | SmsAccepted) for outcome in outcomes.values()):
            return self._retry(attempt, text)
        return self._back(attempt, text) if self._smsc.bound else self._wait_for_bind(attempt, text)

    def _retry(self, attempt: Attempt, text: str) -> Verdict:
        delay = retry_delay(attempt.message.attempts)
        due_at = max(min(attempt.now + delay, attempt.message.expires_at), attempt.now)
        why = Why.of(f"not taken yet: {text}; next attempt in {spoken(due_at - attempt.now)}")
        return Verdict(happening=Happening.POSTPONED, why=why, due_at=due_at)

    def _wait_for_bind(self, attempt: Attempt, text: str) -> Verdict:
        self._link.lost(self._smsc)
        return self._back(attempt, text)

    def _day_is_full(self, attempt: Attempt) -> Verdict:
        """Back to the queue until the sender may send again."""
        due_at = min(self._link.caps.next_day, attempt.message.expires_at)
        text = self._link.caps.spent(attempt.message.sender)
        return Verdict(happening=Happening.POSTPONED, why=Why.of(text), due_at=max(due_at, self._clock.now()))

    def _back(self, attempt: Attempt, text: str) -> Verdict:
        """Back to the queue. It is the connection's trouble: no attempt is counted."""
        submitted = attempt.message.state is State.SMS_SUBMITTING
        return Verdict(
            happening=Happening.POSTPONED, why=Why.of(f"not sent: {text}"), due_at=self._clock.now(),
            attempts=attempt.message.attempts - 1 if submitted else None,
        )  # fmt: skip

    def _in_doubt(self, attempt: Attempt, text: str, parts: tuple[SmsPart, ...]) -> Verdict:
        patience = self.profile.answers.unknown_wait
        why = Why.of(f"outcome unknown: {text}; waiting {spoken(patience)} for a receipt, not sending again")
        return Verdict(happening=Happening.IN_DOUBT, why=why, due_at=attempt.now + patience, sms_parts=parts)


def _part(number: int, outcome: SmsOutcome | None) -> SmsPart:
    """The part after its outcome; None: it waits for an earlier one."""
    match outcome:
        case None:
            return SmsPart(number=number, state="pending")
        case SmsAccepted(message_id=smsc_id):
            return SmsPart(number=number, state="sent", smsc_id=smsc_id)
        case SmsThrottled(name=name):
            return SmsPart(number=number, state="pending", error=f"throttled ({name})")
        case SmsRefused(name=name, permanent=True):
            return SmsPart(number=number, state="failed", error=name)
        case SmsRefused(name=name):
            return SmsPart(number=number, state="pending", error=name)
        case SmsNotSent(reason=reason):
            return SmsPart(number=number, state="pending", error=reason)
        case SmsUnknown(reason=reason):
            return SmsPart(number=number, state="unknown", error=reason)
