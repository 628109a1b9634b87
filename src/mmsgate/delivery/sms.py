"""The fallback SMS to one SMSC: the steps, a line each.

    settle what is overdue → not expired → recipient not blocked → split into parts → commit `sms-submitting`
    → submit every part that is still to go → record

The message is delivered when all its parts are (R-28).
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace

from mmsgate.carriers.smsc import SmscProfile
from mmsgate.clock import MINUTE, Clock, Millis, spoken
from mmsgate.delivery.mms import BlockReason
from mmsgate.delivery.retry import retry_delay
from mmsgate.delivery.verdict import Verdict, broke_down, gave_up
from mmsgate.domain.change import CarrierId, Why
from mmsgate.domain.message import Message, SmsPart
from mmsgate.domain.state import Happening, State
from mmsgate.postbacks.ledger import Ledger
from mmsgate.sms.message import OutboundSms, source_type
from mmsgate.sms.outcome import SmsAccepted, SmsNotSent, SmsOutcome, SmsRefused, SmsThrottled, SmsUnknown
from mmsgate.sms.receipt import id_forms
from mmsgate.sms.segments import NotSegmentable, Segment, segment
from mmsgate.store import Store

#: How long submitting all parts may take before the lease expires.
LEASE: Millis = 3 * MINUTE

#: How long an SMSC may take for a part: until its turn in the window, and then to answer; in seconds.
PATIENCE = 60.0

SubmitSms = Callable[[OutboundSms], Awaitable[SmsOutcome]]
PageUrl = Callable[[Message], str]


@dataclass(slots=True, kw_only=True)
class Attempt:
    """One try of one message's SMS: what the steps find out."""

    message: Message
    now: Millis
    parts: dict[int, SmsPart]
    segments: tuple[Segment, ...] = ()


class SmsDelivery:
    """The steps for one SMSC. `deliver` handles whatever is due: sends and timers alike."""

    lease = LEASE

    def __init__(
        self,
        profile: SmscProfile,
        *,
        submit: SubmitSms,
        store: Store,
        ledger: Ledger,
        page_url: PageUrl,
        block_reason: BlockReason,
        clock: Clock,
    ) -> None:
        self.profile = profile
        self._submit_part, self._store, self._ledger = submit, store, ledger
        self._page_url, self._block_reason, self._clock = page_url, block_reason, clock

    @property
    def patience(self) -> float:
        """Seconds that the parts under way may need to their answers."""
        return PATIENCE

    async def broken(self, message: Message, error: Exception) -> None:
        """An error of ours ended the attempt."""
        decide = broke_down(error, now=self._clock.now(), unknown_wait=self.profile.unknown_wait)
        await self._ledger.record(message, decide)

    async def deliver(self, message: Message) -> None:
        """Take a claimed message one attempt further."""
        parts = {part.number: part for part in self._store.messages.sms_parts(message.id)}
        attempt = Attempt(message=message, now=self._clock.now(), parts=parts)
        verdict = (
            self._overdue(attempt)
            or self._not_expired(attempt)
            or self._recipient_allowed(attempt)
            or self._split(attempt)
        )
        if verdict is None:
            verdict = await self._submit(attempt)
        if verdict is not None:
            await self._ledger.record(attempt.message, verdict.decide(self._clock.now()))

    def _overdue(self, attempt: Attempt) -> Verdict | None:
        """Timers and lost leases."""
        match attempt.message.state:
            case State.SMS_SUBMITTING:
                doubtful = tuple(
                    replace(part, state="unknown") for part in attempt.parts.values() if part.state == "submitting"
                )
                return self._in_doubt(attempt, "the gateway stopped while parts may have been under way", doubtful)
            case State.SMS_UNKNOWN:
                return gave_up(f"the SMS's outcome stayed unknown for {spoken(self.profile.unknown_wait)}")
            case State.SMS_SENT:
                why = Why.of(f"no receipt for every part within {spoken(self.profile.report_wait)}")
                return Verdict(happening=Happening.NEVER_REPORTED, why=why)
            case _:
                return None

    def _not_expired(self, attempt: Attempt) -> Verdict | None:
        if attempt.now < attempt.message.expires_at:
            return None
        return gave_up("expired before the SMSC took it")

    def _recipient_allowed(self, attempt: Attempt) -> Verdict | None:
        """The block list is looked at again before every SMS too; the gateway's own answers are exempt (R-22)."""
        message = attempt.message
        if message.is_reply:
            return None
        reason = self._block_reason(message.account_id, message.sender, message.recipient)
        return gave_up(f"E114: the recipient is blocked: {reason}") if reason else None

    def _split(self, attempt: Attempt) -> Verdict | None:
        """Text and link in parts; which of them have still to go."""
        message = attempt.message
        link = self._page_url(message) if message.fallback.link else ""
        split = segment(
            message.fallback.text, link, reference=message.id >> 22
        )  # the lower bits hardly ever change
        if isinstance(split, NotSegmentable):
            return gave_up(f"the fallback SMS can't be sent: {split.reason}")
        attempt.segments = split.segments
        for each in split.segments:
            attempt.parts.setdefault(each.number, SmsPart(number=each.number, state="pending"))
        return None

    # -- the submit

    async def _submit(self, attempt: Attempt) -> Verdict | None:
        going = [each for each in attempt.segments if attempt.parts[each.number].state == "pending"]
        if not await self._begin(attempt, going):
            return None
        outcomes = await asyncio.gather(*(self._submit_part(self._sms(attempt.message, each)) for each in going))
        attempt.now = self._clock.now()
        return self._judge(attempt, {each.number: outcome for each, outcome in zip(going, outcomes, strict=True)})

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
            happening=Happening.SUBMIT, why=why, due_at=self._clock.now() + LEASE, attempts=number,
            sms_parts=tuple(SmsPart(number=each.number, state="submitting") for each in going),
        )  # fmt: skip
        change = await self._ledger.record(attempt.message, verdict.decide(self._clock.now()))
        attempt.message = change.message
        return change.event.changed

    def _sms(self, message: Message, part: Segment) -> OutboundSms:
        ton, npi = source_type(message.sender_type)
        return OutboundSms(
            segment=part,
            source=message.sender_mask or message.sender,
            source_ton=5 if message.sender_mask else ton,  # alphanumeric (SMPP 3.4 5.2.5)
            source_npi=0 if message.sender_mask else npi,
            destination=message.recipient,
            reference=message.tracking_id,
        )

    def _judge(self, attempt: Attempt, outcomes: Mapping[int, SmsOutcome]) -> Verdict:
        """The worst outcome of a part decides for the message."""
        parts = tuple(_part(number, outcome) for number, outcome in outcomes.items())
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
        verdict = self._worst(attempt, parts)
        return replace(verdict, sms_parts=parts, carrier_ids=ids)

    def _worst(self, attempt: Attempt, parts: tuple[SmsPart, ...]) -> Verdict:
        by_state = {part.state: part for part in parts}
        if failed := by_state.get("failed"):
            return gave_up(f"the SMSC refused part {failed.number}: {failed.error}")
        if doubtful := by_state.get("unknown"):
            return self._in_doubt(attempt, f"part {doubtful.number}: {doubtful.error}", ())
        if later := by_state.get("pending"):
            return self._retry(attempt, f"part {later.number}: {later.error}")
        why = Why.of(f"{self.profile.name} accepted every part", ids=[part.smsc_id for part in parts])
        return Verdict(happening=Happening.TAKEN, why=why, due_at=attempt.now + self.profile.report_wait)

    def _retry(self, attempt: Attempt, text: str) -> Verdict:
        delay = retry_delay(attempt.message.attempts)
        due_at = max(min(attempt.now + delay, attempt.message.expires_at), attempt.now)
        why = Why.of(f"not taken yet: {text}; next attempt in {spoken(due_at - attempt.now)}")
        return Verdict(happening=Happening.POSTPONED, why=why, due_at=due_at)

    def _in_doubt(self, attempt: Attempt, text: str, parts: tuple[SmsPart, ...]) -> Verdict:
        patience = spoken(self.profile.unknown_wait)
        why = Why.of(f"outcome unknown: {text}; waiting {patience} for a receipt, not sending again")
        return Verdict(
            happening=Happening.IN_DOUBT, why=why, due_at=attempt.now + self.profile.unknown_wait, sms_parts=parts
        )


def _part(number: int, outcome: SmsOutcome) -> SmsPart:
    match outcome:
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
