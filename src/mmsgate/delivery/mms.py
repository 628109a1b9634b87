"""One MMS to one carrier: the steps, a line each.

    an MMS → settle what is overdue → not expired → recipient not blocked
    → a rendition that phones take and that fits → a place and a turn → within the sender's day
    → commit `submitting` → submit → record

A step returns None to go on, or a `Verdict` that ends this attempt with a reason a person can read.
"""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import assert_never

from mmsgate.carriers.client import Mm7Client
from mmsgate.carriers.outcome import (
    Accepted,
    OurFault,
    Paused,
    RefusedContent,
    RefusedRecipient,
    SubmitOutcome,
    Temporary,
    Unknown,
)
from mmsgate.carriers.profile import CarrierProfile, Gives, OnUnknown
from mmsgate.carriers.routing import SmsRoute
from mmsgate.clock import MINUTE, SECOND, Clock, Millis, spoken
from mmsgate.delivery.connection import Connection
from mmsgate.delivery.health import Standing
from mmsgate.delivery.rendition import CarrierRenditions, Missing, Rendition, Unfit, smaller_than
from mmsgate.delivery.retry import retry_delay
from mmsgate.delivery.verdict import Verdict, broke_down, fall_back, gave_up
from mmsgate.domain.account import Block, BlockOrigin
from mmsgate.domain.change import CarrierId, Why
from mmsgate.domain.message import Message, counted
from mmsgate.domain.postback import SentAs
from mmsgate.domain.state import Happening, State
from mmsgate.postbacks.ledger import Ledger
from mmsgate.store import Store, StoreFault

log = logging.getLogger("mmsgate.delivery")

#: The longest time between two commits of one attempt, the answer's time-out aside.
LEASE_MARGIN: Millis = 2 * MINUTE

#: A carrier that never says what became of a message is not given it for ever.
MOST_RESENDS = 3

#: After so long a wait for its turn it is looked again whether a message may still be sent.
LONG_WAIT: Millis = 1 * SECOND

#: A gateway that is told to stop waits no longer than that, in seconds; service managers kill after 90.
LONGEST_STOP = 75.0

BlockReason = Callable[[int, str, str], Awaitable[str | None]]


@dataclass(slots=True, kw_only=True)
class Attempt:
    """One try of one message: what the steps find out."""

    message: Message
    now: Millis
    rendition: Rendition | None = None


class MmsDelivery:
    """The steps for one carrier connection. `deliver` handles whatever is due: sends and timers alike."""

    def __init__(
        self,
        profile: CarrierProfile,
        *,
        client: Mm7Client,
        store: Store,
        ledger: Ledger,
        renditions: CarrierRenditions,
        block_reason: BlockReason,
        sms_route: SmsRoute,
        connection: Connection,
        clock: Clock,
    ) -> None:
        self.profile, self.connection = profile, connection
        self._client, self._store, self._ledger = client, store, ledger
        self._renditions, self._block_reason = renditions, block_reason
        self._clock, self._sms_route = clock, sms_route
        self._caps = connection.caps

    @property
    def lease(self) -> Millis:
        """How long an attempt may take before its lease expires: it may wait for the request before it."""
        return LEASE_MARGIN + 2 * self.profile.pace.timeout

    @property
    def patience(self) -> float:
        """Seconds that a request under way may need to its end, and the one before it on its connection."""
        return min(2 * self.profile.pace.timeout / 1000, LONGEST_STOP)

    async def broken(self, message: Message, error: Exception) -> None:
        """An error of ours ended the attempt."""
        decide = broke_down(error, now=self._clock.now(), unknown_wait=self.profile.answers.unknown_wait)
        await self._ledger.record(message, decide)

    async def deliver(self, message: Message) -> None:
        """Take a claimed message one attempt further."""
        attempt = Attempt(message=message, now=self._clock.now())
        verdict = (
            self._an_mms(attempt)
            or await self._overdue(attempt)
            or self._not_expired(attempt)
            or await self._recipient_allowed(attempt)
            or await self._choose_rendition(attempt)
        )
        if verdict is None:
            verdict = await self._submit(attempt)
        if verdict is not None:
            await self._record(attempt, verdict)
        if attempt.message.state is State.SENT and self.profile.reports.gives is Gives.NONE:
            await self._record(attempt, self._unreported())

    async def _record(self, attempt: Attempt, verdict: Verdict) -> bool:
        """Write a step; whether it changed anything: the message may have been moved or settled meanwhile.

        A step that was decided for another state must not undo what has happened since: a message that is under way
        or in doubt would be sent again. That the carrier has it counts however late it says so.
        """
        of = None if verdict.happening is Happening.TAKEN else attempt.message.state
        decide = verdict.decide(self._clock.now(), on=self.profile.name, of=of)
        change = await self._ledger.record(attempt.message, decide)
        attempt.message = change.message
        return change.event.changed

    # -- before the submit

    def _an_mms(self, attempt: Attempt) -> Verdict | None:
        """An SMS comes here if the name of its SMSC's profile is an MMSC's by now: it ends."""
        if attempt.message.sent_as is not SentAs.SMS:
            return None
        reason = f"{self.profile.name} is a connection for MMS by now and sends no SMS"
        if attempt.message.state is State.SMS_SENT:
            return Verdict(happening=Happening.NEVER_REPORTED, why=Why.of(f"{reason}; no final report has come"))
        return gave_up(reason)

    async def _overdue(self, attempt: Attempt) -> Verdict | None:
        """Timers and lost leases: what to do with a message that is due in a state other than accepted."""
        match attempt.message.state:
            case State.SUBMITTING:
                return self._in_doubt(attempt, "the gateway stopped while the request may have been under way")
            case State.UNKNOWN:
                return await self._settle_unknown(attempt)
            case State.DISCOVERING:
                why = Why.of("the device discovery has had its time; the handset stays unknown")
                return Verdict(happening=Happening.DISCOVERED, why=why, due_at=attempt.now)
            case State.PREPARING:
                return gave_up("expired before its sound or video was prepared")
            case State.SENT:
                return self._unreported()
            case _:
                return None

    def _unreported(self) -> Verdict:
        reports = self.profile.reports
        none = f"{self.profile.name} gives no reports"
        reason = none if reports.gives is Gives.NONE else f"no final report within {spoken(reports.wait)}"
        return Verdict(happening=Happening.NEVER_REPORTED, why=Why.of(reason))

    async def _settle_unknown(self, attempt: Attempt) -> Verdict:
        """R-19: no report settled it in time, the profile says what to do."""
        patience = spoken(self.profile.answers.unknown_wait)
        reason = f"the outcome stayed unknown: no report within {patience}; on_unknown is"
        match self.profile.answers.on_unknown:
            case OnUnknown.RESEND:
                if await self._store.queue.times_in_doubt(attempt.message.id) > MOST_RESENDS:
                    return gave_up(f"{reason} resend, and it has been sent again {MOST_RESENDS} times")
                why = Why.of(f"{reason} resend, so it is sent again with the same TransactionID")
                return Verdict(happening=Happening.POSTPONED, why=why, due_at=attempt.now)
            case OnUnknown.FALLBACK:
                return self._fall_back(attempt, f"{reason} fallback")
            case _:
                return gave_up(f"{reason} fail")

    def _not_expired(self, attempt: Attempt) -> Verdict | None:
        """Retries end when the message expires (R-36)."""
        if attempt.now < attempt.message.expires_at:
            return None
        return gave_up("expired before the carrier took it", last_reason=attempt.message.details)

    async def _recipient_allowed(self, attempt: Attempt) -> Verdict | None:
        """The block list is looked at again before every submit (R-22)."""
        message = attempt.message
        reason = await self._block_reason(message.account_id, message.sender, message.recipient)
        return gave_up(f"E114: the recipient is blocked: {reason}") if reason else None

    async def _choose_rendition(self, attempt: Attempt) -> Verdict | None:
        """What the phones of this carrier take and what fits its limit; else the SMS (R-12, R-13)."""
        match await self._renditions.choose(attempt.message):
            case Rendition() as chosen:
                attempt.rendition = chosen
                return None
            case Missing(terms=terms):
                why = Why.of(f"its sound or video is made into what {self.profile.name} takes")
                due_at = attempt.message.expires_at  # its preparation ends it before
                return Verdict(happening=Happening.PREPARE, why=why, due_at=due_at, terms=terms)
            case Unfit(reason=reason, data=data, final=True):
                return gave_up(reason, **data)
            case Unfit(reason=reason, data=data):
                return self._fall_back(attempt, reason, **data)

    def _fall_back(self, attempt: Attempt, reason: str, **data: object) -> Verdict:
        names = self.profile.reach.sms
        connection = self._sms_route(names)
        if not connection:
            return gave_up(f"{reason}; there is no SMS connection {' or '.join(map(repr, names))}".rstrip(), **data)
        return fall_back(attempt.message, reason, now=attempt.now, connection=connection, **data)

    # -- the submit

    async def _submit(self, attempt: Attempt) -> Verdict | None:
        """Commit `submitting`, send, and judge the outcome.

        As many requests are under way as there are connections. A few more stand ready behind them, their commits
        done, so that no connection waits for one; should the gateway be killed, they count as unknown too.
        """
        assert attempt.rendition is not None
        sender = attempt.message.sender
        if await self._caps.full(sender):  # before it takes a place and a turn from others
            return self._day_is_full(attempt)
        async with self.connection:
            if self.connection.health.closed:
                return self._wait(attempt)
            if self.connection.crowded:  # it was in hand before the connection became slow
                return self._wait_in_line(attempt)
            if verdict := await self._after_the_wait(attempt):
                return verdict
            place = await self._caps.take(sender)
            if place is None:
                return self._day_is_full(attempt)
            if not await self._record(attempt, self._begin(attempt)):
                await self._caps.give_back(place)
                return None
            begun = self._clock.now()
            outcome = await self._client.submit(
                attempt.message, attempt.rendition.content, attempt.rendition.subject
            )
        attempt.now = self._clock.now()
        if not isinstance(outcome, Accepted | Unknown):  # the carrier does not have it
            await self._caps.give_back(place)
        await self._heed(attempt.message, outcome, attempt.now - begun)
        return self._judge(attempt, outcome)

    async def _after_the_wait(self, attempt: Attempt) -> Verdict | None:
        """A slow carrier or a low rate keeps a message waiting: STOP may have come meanwhile (R-22)."""
        if self._clock.now() < attempt.now + LONG_WAIT:
            return None
        attempt.now = self._clock.now()
        return self._not_expired(attempt) or await self._recipient_allowed(attempt)

    async def _heed(self, message: Message, outcome: SubmitOutcome, took: Millis) -> None:
        """What an answer says besides. Where that can't be kept, what became of the message still is."""
        try:
            await self.connection.learn(outcome, took, message, by=self.profile)
            if isinstance(outcome, RefusedRecipient) and outcome.opted_out:
                await self._opted_out(message, outcome.text)
        except StoreFault:
            log.exception("%s: what the answer says of %s could not be kept", message, self.profile.name)

    def _begin(self, attempt: Attempt) -> Verdict:
        """A body may be leaving from now on."""
        rendition = attempt.rendition
        assert rendition is not None
        number = attempt.message.attempts + 1
        why = Why.of(
            f"attempt {number} to {self.profile.name}: {rendition.summary}",
            carrier=self.profile.name, attempt=number, bytes=rendition.content.decoded_size,
        )  # fmt: skip
        due_at = self._clock.now() + self.lease
        return Verdict(happening=Happening.SUBMIT, why=why, due_at=due_at, attempts=number)

    def _judge(self, attempt: Attempt, outcome: SubmitOutcome) -> Verdict:
        """The MM7 wire page's table, as verdicts."""
        match outcome:
            case Accepted():
                return self._taken(attempt, outcome)
            case RefusedRecipient(code=code, text=text):
                return gave_up(f"the carrier refused the recipient: {text}", code=code)
            case RefusedContent():
                return self._smaller(attempt, outcome) or self._fall_back(
                    attempt, f"the carrier refused the content: {outcome.text}", code=outcome.code
                )
            case OurFault(code=code, text=text, raw=raw):
                return gave_up(f"the carrier could not use our request: {text}", code=code, answer=raw)
            case Paused(text=text):
                return self._wait(attempt, text)
            case Temporary(down=True, text=text) if self.connection.health.standing is not Standing.UP:
                return self._wait(attempt, text)
            case Temporary():
                return self._retry(attempt, outcome)
            case Unknown(text=text):
                return self._in_doubt(attempt, text)
            case _:
                assert_never(outcome)

    async def _opted_out(self, message: Message, text: str) -> None:
        """The carrier says that the phone's owner wants nothing from this number: it gets no more (R-22)."""
        block = Block(
            account_id=message.account_id, sender=message.sender, number=message.recipient,
            origin=BlockOrigin.CARRIER, reason=f"{self.profile.name} says that its owner opted out: {text}",
        )  # fmt: skip
        await self._store.accounts.opt_out(block, at=self._clock.now())

    def _taken(self, attempt: Attempt, outcome: Accepted) -> Verdict:
        named = f" as {outcome.message_id}" if outcome.message_id else " without a MessageID"
        return Verdict(
            happening=Happening.TAKEN,
            why=Why.of(f"{self.profile.name} accepted it{named}: {outcome.text}", code=outcome.code),
            due_at=attempt.now + self.profile.reports.patience,
            carrier_ids=(CarrierId(connection=self.profile.name, verbatim=outcome.message_id),),
        )

    def _smaller(self, attempt: Attempt, outcome: RefusedContent) -> Verdict | None:
        """After a refusal for size: the next smaller rendition, at once (R-12)."""
        assert attempt.rendition is not None
        refused = attempt.rendition.content.decoded_size
        cap = smaller_than(refused)
        if cap is None or not outcome.for_size:
            return None
        reason = f"the carrier refused the content: {outcome.text}; a version of at most {cap:,} bytes is next"
        why = Why.of(reason, code=outcome.code, refused=refused, cap=cap)
        return Verdict(happening=Happening.POSTPONED, why=why, due_at=attempt.now, size_cap=cap)

    def _retry(self, attempt: Attempt, outcome: Temporary) -> Verdict:
        delay = retry_delay(attempt.message.attempts, asked=outcome.after)
        due_at = max(min(attempt.now + delay, attempt.message.expires_at), attempt.now)
        why = Why.of(
            f"temporary failure: {outcome.text}; next attempt in {spoken(due_at - attempt.now)}",
            code=outcome.code,
        )
        return Verdict(happening=Happening.POSTPONED, why=why, due_at=due_at)

    def _in_doubt(self, attempt: Attempt, text: str) -> Verdict:
        patience = self.profile.answers.unknown_wait
        why = Why.of(f"outcome unknown: {text}; waiting {spoken(patience)} for a report, not sending again")
        return Verdict(happening=Happening.IN_DOUBT, why=why, due_at=attempt.now + patience)

    # -- what has to wait, by no fault of its own: no attempt is counted

    def _wait(self, attempt: Attempt, text: str = "") -> Verdict:
        """Back to the queue until the connection may be tried again."""
        now = self._clock.now()
        opens_at = max(self.connection.opens_at, now)  # another message may have opened it meanwhile
        standing = self.connection.health.standing
        how = "up again" if standing is Standing.UP else f"{standing} for {spoken(opens_at - now)}"
        return self._later(attempt, f"{self.profile.name} is {how}" + (f": {text}" if text else ""), opens_at)

    def _wait_in_line(self, attempt: Attempt) -> Verdict:
        """Back to the queue until one of those under way has ended."""
        window = counted(self.connection.health.window, "request")
        return self._later(attempt, f"{self.profile.name} gets {window} at once for now", self._clock.now())

    def _day_is_full(self, attempt: Attempt) -> Verdict:
        """Back to the queue until the sender may send again."""
        return self._later(attempt, self._caps.spent(attempt.message.sender), self._caps.next_day)

    def _later(self, attempt: Attempt, reason: str, due_at: Millis) -> Verdict:
        submitted = attempt.message.state is State.SUBMITTING
        return Verdict(
            happening=Happening.POSTPONED, why=Why.of(reason),
            due_at=max(min(due_at, attempt.message.expires_at), self._clock.now()),
            attempts=attempt.message.attempts - 1 if submitted else None,
        )  # fmt: skip
