"""One MMS, one attempt: what each state, each step and each answer of the carrier leads to."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, NamedTuple, cast

import pytest

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
from mmsgate.carriers.profile import CarrierProfile, Gives, OnUnknown, Reach
from mmsgate.clock import DAY, MINUTE, SECOND, Clock, ManualClock, Millis
from mmsgate.delivery.alarms import Alarms
from mmsgate.delivery.connection import Connection
from mmsgate.delivery.mms import LONG_WAIT, MOST_RESENDS, MmsDelivery
from mmsgate.delivery.rendition import CarrierRenditions, Rendition, Unfit
from mmsgate.delivery.verdict import MOST_BROKEN_ATTEMPTS
from mmsgate.domain.account import BlockOrigin
from mmsgate.domain.message import Content, Message
from mmsgate.domain.postback import PostbackCode, SentAs
from mmsgate.domain.slide import Slide
from mmsgate.domain.state import Happening, State
from mmsgate.mm7.content import EncodedContent
from mmsgate.store import StoreFault
from tests.unit.builders import NOW, a_fallback, a_message, altered
from tests.unit.delivery.fakes import Bench, a_content, fake_renditions
from tests.unit.mm7.samples import FILM, encoded

TAKES = 700  # milliseconds until a carrier answers
H = Happening

OK = Accepted(message_id="m1", code=1000, text="1000 Success")
REFUSES_US = Paused(text="HTTP 401: the carrier refuses our credentials")


class FakeClient:
    """Answers with the next outcome, after `TAKES`, and remembers what it was asked to send."""

    def __init__(self, outcomes: Sequence[SubmitOutcome], clock: ManualClock) -> None:
        self._outcomes, self._clock = list(outcomes), clock
        self.sent: list[Message] = []
        self.subjects: list[str] = []
        self.while_under_way: Callable[[], None] = lambda: None

    async def submit(self, message: Message, content: EncodedContent, subject: str) -> SubmitOutcome:
        assert content.buffers
        self.sent.append(message)
        self.subjects.append(subject)
        self._clock.advance(TAKES)
        self.while_under_way()
        return self._outcomes.pop(0)


SIM = CarrierProfile(name="sim", endpoints=("http://mmsc.example/",), reach=Reach(sms=("sim-sms",)))


class MmsBench(Bench):
    """An MMS delivery with a carrier that answers `outcomes`, one for each submit."""

    def __init__(
        self,
        *outcomes: SubmitOutcome,
        message: Message | None = None,
        messages: Sequence[Message] = (),
        profile: CarrierProfile = SIM,
        content: Content | None = None,
        blocked: str = "",
        has_sms: bool = True,
    ) -> None:
        super().__init__(*(messages or [message or a_message()]), blocked=blocked)
        self.client = FakeClient(outcomes, self.clock)
        kept = {5: content or a_content()}
        self.changed: list[str] = []
        self.connection = Connection(
            profile,
            rows=self.store.as_store.queue,
            alarms=Alarms(self.store.as_store, self.clock),
            clock=self.clock,
            on_change=self.changed.append,
        )
        self.delivery = MmsDelivery(
            profile, client=cast("Mm7Client", self.client), store=self.store.as_store, ledger=self.ledger,
            renditions=fake_renditions(kept).on(profile), block_reason=self.blocks,
            sms_route=lambda names: names[-1] if has_sms else "", connection=self.connection,
            clock=cast("Clock", self.clock),
        )  # fmt: skip

    async def deliver(self) -> Message:
        """One turn of the message; how it stands after it."""
        await self.delivery.deliver(self.message)
        return self.message

    def opens(self) -> None:
        """Another message is accepted."""
        self.connection.health.answered(accepted=True)

    @property
    def alarms(self) -> dict[str, str]:
        return self.store.accounts.alarms


async def test_each_step_of_an_attempt_holds_the_message_as_the_step_before_left_it() -> None:
    """What is held needs no look at its row."""
    bench = MmsBench(OK)
    assert (await bench.deliver()).state is State.SENT
    assert bench.store.messages.fresh == [True, True]


# -- what can come of a submit


class Leads(NamedTuple):
    """What an outcome has to lead to; `due_in` counts from the answer, None is never."""

    happening: Happening
    state: State
    due_in: Millis | None
    reason: str
    told: list[str]


@pytest.mark.parametrize(
    ("outcome", "to"),
    [
        (OK, Leads(H.TAKEN, State.SENT, 3 * DAY, "sim accepted it as m1: 1000 Success", ["N101"])),
        (
            Accepted(message_id="", code=1000, text="1000 Success"),
            Leads(H.TAKEN, State.SENT, 3 * DAY, "sim accepted it without a MessageID: 1000 Success", ["N101"]),
        ),
        (
            RefusedRecipient(code=2003, text="2003 Address Not Found"),
            Leads(
                H.GAVE_UP, State.FAILED, None, "the carrier refused the recipient: 2003 Address Not Found", ["E101"]
            ),
        ),
        (
            RefusedContent(code=2004, text="2004 Content refused"),
            Leads(
                H.FELL_BACK, State.FALLBACK, 0,
                "SMS instead: the carrier refused the content: 2004 Content refused", [],
            ),
        ),
        (
            OurFault(code=4004, text="4004 Validation error", raw="<xml/>"),
            Leads(
                H.GAVE_UP, State.FAILED, None,
                "the carrier could not use our request: 4004 Validation error", ["E101"],
            ),
        ),
        (
            REFUSES_US,
            Leads(
                H.POSTPONED, State.ACCEPTED, 5 * SECOND,
                "sim is paused for 5 s: HTTP 401: the carrier refuses our credentials", [],
            ),
        ),
        (
            Temporary(text="HTTP 503", after=90 * SECOND),
            Leads(
                H.POSTPONED, State.ACCEPTED, 90 * SECOND,
                "temporary failure: HTTP 503; next attempt in 90 s", [],
            ),
        ),
        (
            Unknown(text="the connection was lost"),
            Leads(
                H.IN_DOUBT, State.UNKNOWN, 15 * MINUTE,
                "outcome unknown: the connection was lost; waiting 15 minutes for a report, not sending again", [],
            ),
        ),
    ],
    ids=lambda each: type(each).__name__,
)  # fmt: skip
async def test_what_each_outcome_leads_to(outcome: SubmitOutcome, to: Leads) -> None:
    bench = MmsBench(outcome)
    message = await bench.deliver()
    assert [change.event.happening for change in bench.changes] == [H.SUBMIT, to.happening]
    assert (message.state, bench.event.reason, bench.told) == (to.state, to.reason, to.told)
    assert message.due_at == (None if to.due_in is None else bench.clock.now() + to.due_in)
    assert bench.event.at == bench.clock.now() == NOW + TAKES


async def test_submitting_is_committed_before_the_request_leaves() -> None:
    bench = MmsBench(OK)
    await bench.deliver()
    (sent,) = bench.client.sent
    assert (sent.state, sent.attempts, sent.due_at) == (State.SUBMITTING, 1, NOW + bench.delivery.lease)
    assert bench.client.subjects == ["Hello"]
    assert bench.changes[0].event.reason.startswith("attempt 1 to sim: 1 slide, ")
    assert bench.changes[0].event.data["carrier"] == "sim"


async def test_the_carriers_id_is_remembered_with_its_connection() -> None:
    bench = MmsBench(OK)
    assert (await bench.deliver()).carrier_message_id == "m1"
    assert [(each.connection, each.verbatim) for each in bench.changes[-1].carrier_ids] == [("sim", "m1")]


async def test_a_lease_outlasts_two_requests_one_after_the_other() -> None:
    assert MmsBench().delivery.lease > 2 * SIM.pace.timeout


@pytest.mark.parametrize(("attempts", "usual"), [(0, SECOND), (1, 5 * SECOND), (3, 2 * MINUTE), (20, 60 * MINUTE)])
async def test_each_temporary_failure_waits_longer(attempts: int, usual: Millis) -> None:
    bench = MmsBench(Temporary(text="HTTP 503"), message=a_message(attempts=attempts))
    message = await bench.deliver()
    assert message.attempts == attempts + 1
    assert message.due_at is not None
    assert 0.8 * usual <= message.due_at - bench.clock.now() <= 1.2 * usual


async def test_a_retry_is_never_later_than_the_end_of_the_message() -> None:
    bench = MmsBench(Temporary(text="HTTP 503", after=DAY), message=a_message(expires_at=NOW + MINUTE))
    message = await bench.deliver()
    assert message.due_at == NOW + MINUTE
    assert bench.event.reason.endswith("next attempt in 59.3 s")


async def test_a_message_that_expired_during_its_request_is_due_at_once() -> None:
    bench = MmsBench(Temporary(text="HTTP 503"), message=a_message(expires_at=NOW + 1))
    message = await bench.deliver()
    assert message.due_at == bench.clock.now()
    assert bench.event.reason.endswith("next attempt in 0 s")
    assert (await bench.deliver()).state is State.FAILED


async def test_a_temporary_failure_then_a_success_are_two_attempts_with_one_transaction_id() -> None:
    bench = MmsBench(Temporary(text="HTTP 503"), OK)
    await bench.deliver()
    assert (await bench.deliver()).state is State.SENT
    assert [sent.attempts for sent in bench.client.sent] == [1, 2]
    assert len({sent.transaction_id for sent in bench.client.sent}) == 1


# -- the SMS instead


async def test_a_refused_content_begins_anew_on_the_sms_connection() -> None:
    bench = MmsBench(RefusedContent(code=2004, text="2004"), message=a_message(attempts=4))
    message = await bench.deliver()
    assert (message.connection, message.attempts) == ("sim-sms", 0)
    assert bench.event.data == {"code": 2004}


@pytest.mark.parametrize(
    ("fallback", "reason"),
    [
        ({"enabled": False}, "the carrier refused the content: 2004; the fallback SMS is disabled"),
        (
            {"text": "", "link": False},
            "the carrier refused the content: 2004; there is neither a text nor a link for a fallback SMS",
        ),
    ],
)
async def test_without_a_fallback_a_refused_content_is_the_end(fallback: dict[str, Any], reason: str) -> None:
    bench = MmsBench(RefusedContent(code=2004, text="2004"), message=a_message(fallback=a_fallback(**fallback)))
    message = await bench.deliver()
    assert (message.state, bench.event.reason, bench.told) == (State.FAILED, reason, [PostbackCode.E101])


async def test_without_an_sms_connection_a_refused_content_is_the_end() -> None:
    bench = MmsBench(RefusedContent(code=2004, text="2004"), has_sms=False)
    message = await bench.deliver()
    assert message.state is State.FAILED
    assert "there is no SMS connection" in message.details


async def test_the_sms_goes_to_the_smsc_that_is_chosen_of_the_profiles_list() -> None:
    bench = MmsBench(
        RefusedContent(code=2004, text="2004"), profile=altered(SIM, reach={"sms": ("sim-sms", "spare")})
    )
    message = await bench.deliver()
    assert (message.state, message.connection) == (State.FALLBACK, "spare")


@pytest.mark.parametrize("fallback", [{"text": ""}, {"link": False}])
async def test_a_text_or_a_link_alone_is_enough_for_an_sms(fallback: dict[str, Any]) -> None:
    bench = MmsBench(RefusedContent(code=2004, text="2004"), message=a_message(fallback=a_fallback(**fallback)))
    assert (await bench.deliver()).state is State.FALLBACK


@pytest.mark.parametrize(
    ("limits", "reason"),
    [
        ({"types": frozenset()}, "SMS instead: slide 1: phones on AT&T/short-code don't take JPEG image"),
        ({"bytes": 1}, "SMS instead: slide 1: Image of "),
    ],
)
async def test_content_that_does_not_suit_the_carrier_goes_by_sms_unsent(
    limits: dict[str, Any], reason: str
) -> None:
    bench = MmsBench(profile=altered(SIM, limits=limits))
    message = await bench.deliver()
    assert [change.event.happening for change in bench.changes] == [H.FELL_BACK]
    assert (message.state, message.due_at, bench.client.sent) == (State.FALLBACK, NOW, [])
    assert bench.event.reason.startswith(reason)


async def test_content_that_does_not_suit_the_carrier_fails_where_no_sms_is_wanted() -> None:
    small = altered(SIM, limits={"bytes": 1})
    bench = MmsBench(profile=small, message=a_message(fallback=a_fallback(enabled=False)))
    assert (await bench.deliver()).state is State.FAILED
    assert bench.event.data["limit"] == 1


async def test_a_message_whose_content_is_gone_goes_by_sms() -> None:
    bench = MmsBench(message=a_message(content_id=6))
    assert (await bench.deliver()).state is State.FALLBACK
    assert bench.event.reason == "SMS instead: its content is gone"


# -- before the submit


async def test_a_message_is_not_sent_from_the_moment_it_expires() -> None:
    bench = MmsBench(message=a_message(expires_at=NOW, details="temporary failure: HTTP 503"))
    message = await bench.deliver()
    assert (message.state, message.due_at, bench.client.sent) == (State.FAILED, None, [])
    assert bench.event.reason == "expired before the carrier took it"
    assert bench.event.data == {"last_reason": "temporary failure: HTTP 503"}


async def test_a_message_is_sent_until_the_moment_before_it_expires() -> None:
    assert (await MmsBench(OK, message=a_message(expires_at=NOW + 1)).deliver()).state is State.SENT


async def test_a_blocked_recipient_is_not_sent_to() -> None:
    bench = MmsBench(blocked="said STOP")
    message = await bench.deliver()
    assert (message.state, bench.client.sent) == (State.FAILED, [])
    assert bench.event.reason == "E114: the recipient is blocked: said STOP"
    assert bench.blocks.asked == [(1, "28444", "12065550100")]


@pytest.mark.parametrize(
    ("state", "after"),
    [
        (State.FALLBACK, State.FAILED),
        (State.SMS_SUBMITTING, State.FAILED),
        (State.SMS_UNKNOWN, State.FAILED),
        (State.SMS_SENT, State.UNREPORTED),
    ],
)
async def test_an_sms_on_a_connection_for_mms_ends_and_nothing_is_sent(state: State, after: State) -> None:
    bench = MmsBench(OK, message=a_message(state=state, sent_as=SentAs.SMS))
    message = await bench.deliver()
    assert (message.state, bench.client.sent) == (after, [])
    assert bench.event.reason.startswith("sim is a connection for MMS by now and sends no SMS")


async def test_the_block_list_is_looked_at_before_every_submit() -> None:
    bench = MmsBench(Temporary(text="HTTP 503"), OK)
    await bench.deliver()
    await bench.deliver()
    assert len(bench.blocks.asked) == 2


# -- timers and lost leases


async def test_a_lost_lease_while_submitting_is_in_doubt_and_not_sent_again() -> None:
    bench = MmsBench(message=a_message(state=State.SUBMITTING, attempts=1))
    message = await bench.deliver()
    assert (message.state, message.due_at, message.attempts) == (State.UNKNOWN, NOW + 15 * MINUTE, 1)
    assert bench.event.reason.startswith("outcome unknown: the gateway stopped while")
    assert bench.client.sent == []


@pytest.mark.parametrize("state", [State.SUBMITTING, State.SENT])
async def test_expiry_and_block_list_do_not_judge_what_may_have_been_sent(state: State) -> None:
    bench = MmsBench(message=a_message(state=state, expires_at=NOW), blocked="said STOP")
    assert (await bench.deliver()).state is not State.FAILED


async def test_without_a_final_report_a_sent_message_ends_unreported() -> None:
    profile = altered(SIM, reports={"wait": 2 * DAY})
    bench = MmsBench(message=a_message(state=State.SENT, told=True), profile=profile)
    message = await bench.deliver()
    assert (message.state, message.due_at, bench.told) == (State.UNREPORTED, None, [])
    assert bench.event.reason == "no final report within 2 days"


async def test_a_carrier_that_never_says_what_became_of_a_message_is_not_given_it_for_ever() -> None:
    waiting = a_message(state=State.UNKNOWN, attempts=4)
    bench = MmsBench(message=waiting, profile=altered(SIM, answers={"on_unknown": OnUnknown.RESEND}))
    bench.store.queue.doubts = MOST_RESENDS + 1
    assert (await bench.deliver()).state is State.FAILED
    assert bench.event.reason.endswith("on_unknown is resend, and it has been sent again 3 times")


async def test_a_step_that_was_decided_before_the_message_moved_on_does_not_take_it_back() -> None:
    """Promise 2: what is under way must not become due again by an attempt that knows nothing of it."""
    bench = MmsBench(profile=altered(SIM, pace={"sender_daily": 1}))
    held = bench.message
    bench.store.queue.days["sim", held.sender, bench.clock.now() // DAY] = 1
    bench.store.messages.by_id[held.id] = replace(held, state=State.SUBMITTING, updated_at=held.updated_at + 1)
    await bench.delivery.deliver(held)
    assert bench.store.messages.by_id[held.id].state is State.SUBMITTING
    assert bench.event.reason.startswith("not done, the message has moved on meanwhile")


async def test_a_message_whose_discovery_had_its_time_is_sent_at_its_next_turn() -> None:
    bench = MmsBench(OK, message=a_message(state=State.DISCOVERING))
    message = await bench.deliver()
    assert (message.state, message.due_at, bench.told) == (State.ACCEPTED, bench.clock.now(), [])
    assert "the handset stays unknown" in bench.event.reason
    assert (await bench.deliver()).state is State.SENT


async def test_a_carrier_that_gives_no_reports_is_not_waited_for() -> None:
    profile = altered(SIM, reports={"gives": Gives.NONE})
    bench = MmsBench(OK, profile=profile)
    assert ((await bench.deliver()).state, bench.told) == (State.UNREPORTED, [PostbackCode.N101])
    assert bench.event.reason == "sim gives no reports"


@pytest.mark.parametrize(
    ("on_unknown", "fallback", "happening", "state", "reason"),
    [
        (OnUnknown.FAIL, {}, H.GAVE_UP, State.FAILED, "on_unknown is fail"),
        (OnUnknown.FAIL, {"enabled": False}, H.GAVE_UP, State.FAILED, "on_unknown is fail"),
        (
            OnUnknown.RESEND, {}, H.POSTPONED, State.ACCEPTED,
            "on_unknown is resend, so it is sent again with the same TransactionID",
        ),
        (OnUnknown.FALLBACK, {}, H.FELL_BACK, State.FALLBACK, "on_unknown is fallback"),
        (
            OnUnknown.FALLBACK, {"enabled": False}, H.GAVE_UP, State.FAILED,
            "on_unknown is fallback; the fallback SMS is disabled",
        ),
        (
            OnUnknown.FALLBACK, {"text": "", "link": False}, H.GAVE_UP, State.FAILED,
            "on_unknown is fallback; there is neither a text nor a link for a fallback SMS",
        ),
    ],
)  # fmt: skip
async def test_an_outcome_that_stays_unknown_is_settled_as_the_profile_says(
    on_unknown: OnUnknown, fallback: dict[str, Any], happening: Happening, state: State, reason: str
) -> None:
    waiting = a_message(state=State.UNKNOWN, attempts=1, fallback=a_fallback(**fallback))
    bench = MmsBench(message=waiting, profile=altered(SIM, answers={"on_unknown": on_unknown}))
    message = await bench.deliver()
    assert (bench.event.happening, message.state, bench.client.sent) == (happening, state, [])
    assert "the outcome stayed unknown: no report within 15 minutes" in bench.event.reason
    assert bench.event.reason.endswith(reason)
    assert message.due_at == (None if state is State.FAILED else NOW)


async def test_a_resend_is_a_new_attempt() -> None:
    waiting = a_message(state=State.UNKNOWN, attempts=1)
    bench = MmsBench(OK, message=waiting, profile=altered(SIM, answers={"on_unknown": OnUnknown.RESEND}))
    await bench.deliver()
    assert (await bench.deliver()).attempts == 2


# -- reports that come in between


async def test_a_report_before_the_answer_wins_and_the_id_is_remembered_all_the_same() -> None:
    bench = MmsBench(OK)

    def delivered() -> None:
        bench.message = replace(bench.message, state=State.DELIVERED, due_at=None)

    bench.client.while_under_way = delivered
    assert (await bench.deliver()).state is State.DELIVERED
    assert not bench.event.changed
    assert [each.verbatim for each in bench.changes[-1].carrier_ids] == ["m1"]


async def test_a_message_that_is_settled_when_its_turn_comes_is_not_sent() -> None:
    bench = MmsBench(message=a_message(state=State.DELIVERED))
    await bench.delivery.deliver(a_message())
    assert bench.client.sent == []
    assert bench.message.state is State.DELIVERED


async def test_a_carrier_s_opt_out_puts_the_number_on_the_block_list() -> None:
    bench = MmsBench(RefusedRecipient(code=4007, text="4007 opted out", opted_out=True))
    assert (await bench.deliver()).state is State.FAILED
    (block,) = bench.store.accounts.opted_out
    assert (block.account_id, block.sender, block.number) == (1, "28444", "12065550100")
    assert (block.origin, block.reason) == (
        BlockOrigin.CARRIER, "sim says that its owner opted out: 4007 opted out",
    )  # fmt: skip


async def test_any_other_refusal_of_the_recipient_blocks_nothing() -> None:
    bench = MmsBench(RefusedRecipient(code=2002, text="2002 address error"))
    await bench.deliver()
    assert bench.store.accounts.opted_out == []


@pytest.mark.parametrize(("waits", "state", "sent"), [(LONG_WAIT - 1, State.SENT, 1), (LONG_WAIT, State.FAILED, 0)])
async def test_who_says_stop_while_the_message_waits_for_its_place_gets_it_no_more(
    waits: Millis, state: State, sent: int
) -> None:
    bench = MmsBench(OK)
    bench.blocks.while_asked = lambda: bench.clock.advance(waits)
    bench.blocks.reasons = ["", "said STOP"]
    assert ((await bench.deliver()).state, len(bench.client.sent)) == (state, sent)


async def test_a_message_that_expires_while_it_waits_for_its_place_is_not_sent() -> None:
    bench = MmsBench(OK, message=a_message(expires_at=NOW + LONG_WAIT))
    bench.blocks.while_asked = lambda: bench.clock.advance(LONG_WAIT)
    assert ((await bench.deliver()).state, bench.client.sent) == (State.FAILED, [])


# -- the gate and the alarms


async def test_a_refused_connection_counts_no_attempt_and_raises_an_alarm() -> None:
    bench = MmsBench(REFUSES_US, message=a_message(attempts=2))
    message = await bench.deliver()
    assert (message.attempts, message.due_at) == (2, bench.connection.opens_at)
    assert bench.connection.health.closed
    assert bench.alarms == {"sim refuses us": f"{REFUSES_US.text}; the connection is paused, its messages wait"}


async def test_a_gate_that_opens_while_the_alarm_is_written_lets_the_message_go_at_once() -> None:
    bench = MmsBench(REFUSES_US)
    bench.store.accounts.while_raising = bench.opens
    message = await bench.deliver()
    assert message.due_at == bench.clock.now()
    assert bench.event.reason.startswith("sim is up again: ")


async def test_an_alarm_that_can_t_be_written_does_not_put_a_refused_message_in_doubt() -> None:
    def full() -> None:
        raise StoreFault("disk full")

    bench = MmsBench(REFUSES_US)
    bench.store.accounts.while_raising = full
    message = await bench.deliver()
    assert (message.state, message.due_at) == (State.ACCEPTED, bench.connection.opens_at)


async def test_while_the_gate_is_closed_nothing_is_sent_and_no_attempt_counted() -> None:
    bench = MmsBench(OK, message=a_message(attempts=2))
    bench.connection.health.refused()
    message = await bench.deliver()
    assert (message.state, message.attempts, message.due_at) == (State.ACCEPTED, 2, NOW + 5 * SECOND)
    assert bench.event.reason == "sim is paused for 5 s"
    assert bench.client.sent == []


async def test_an_accepted_message_opens_the_gate_and_clears_the_alarms() -> None:
    bench = MmsBench(REFUSES_US, OK)
    await bench.deliver()
    bench.clock.advance(5 * SECOND)
    await bench.deliver()
    assert (bench.connection.opens_at, bench.alarms) == (0, {})


async def test_a_refused_recipient_does_not_open_the_gate() -> None:
    bench = MmsBench(REFUSES_US, RefusedRecipient(code=2002, text="2002"))
    await bench.deliver()
    bench.clock.advance(5 * SECOND)
    await bench.deliver()
    assert "sim refuses us" in bench.alarms
    assert bench.connection.opens_at


async def test_our_fault_raises_an_alarm_that_masks_the_number_and_leaves_the_gate_open() -> None:
    bench = MmsBench(OurFault(code=2007, text="2007 Message format corrupt", raw="<Fault/>"))
    await bench.deliver()
    reason = bench.alarms["sim rejects requests"]
    assert reason.endswith("2007 Message format corrupt")
    assert bench.message.recipient not in reason
    assert bench.event.data == {"code": 2007, "answer": "<Fault/>"}
    assert not bench.connection.health.closed


async def test_alarms_are_cleared_once_after_a_start_and_once_after_each_trouble() -> None:
    """Each clearing is a commit: it must not be made for every message that is accepted."""
    bench = MmsBench(OK, OK, REFUSES_US, OK, OK)
    counts = []
    for _ in range(5):
        bench.message = a_message()
        await bench.deliver()
        bench.clock.advance(MINUTE)
        counts.append(len(bench.store.accounts.cleared))
    assert counts == [3, 3, 3, 7, 7]


# -- how many at once


async def turns() -> None:
    """Let everything run that can run."""
    for _ in range(50):
        await asyncio.sleep(0)


class Held:
    """A carrier that holds its answers back, and messages that are all due."""

    def __init__(self, *, connections: int, count: int) -> None:
        self.messages = [a_message(id=number) for number in range(1, count + 1)]
        self.bench = MmsBench(profile=altered(SIM, pace={"connections": connections}), messages=self.messages)
        self.bench.delivery._client = cast("Mm7Client", self)
        self.under_way = 0
        self._answer: asyncio.Future[SubmitOutcome] = asyncio.get_running_loop().create_future()
        self._tasks = [asyncio.create_task(self.bench.delivery.deliver(message)) for message in self.messages]

    async def submit(self, _message: Message, _content: EncodedContent, _subject: str) -> SubmitOutcome:
        self.under_way += 1
        return await asyncio.shield(self._answer)

    async def answer(self, outcome: SubmitOutcome) -> list[Message]:
        self._answer.set_result(outcome)
        await asyncio.gather(*self._tasks)
        return list(self.bench.store.messages.by_id.values())


@pytest.mark.parametrize(("connections", "most"), [(1, 2), (3, 4), (4, 5), (16, 20)])
async def test_only_a_few_more_messages_than_connections_are_committed_as_submitting(
    connections: int, most: int
) -> None:
    held = Held(connections=connections, count=3 * connections)
    await turns()
    states = [message.state for message in held.bench.store.messages.by_id.values()]
    assert held.under_way == states.count(State.SUBMITTING) == most
    assert {message.state for message in await held.answer(OK)} == {State.SENT}


async def test_what_waits_behind_a_refusal_is_not_sent_and_counts_no_attempt() -> None:
    held = Held(connections=1, count=5)
    await turns()
    held.bench.clock.advance(20 * SECOND)
    messages = await held.answer(REFUSES_US)
    assert held.under_way == 2
    assert {(message.state, message.attempts, message.due_at) for message in messages} == {
        (State.ACCEPTED, 0, NOW + 25 * SECOND)
    }


async def test_the_length_of_a_pause_is_told_as_it_is_when_the_message_meets_it() -> None:
    held = Held(connections=1, count=3)
    await turns()
    held.bench.clock.advance(20 * SECOND)
    await held.answer(REFUSES_US)
    assert "sim is paused for 5 s" in [change.event.reason for change in held.bench.changes]


async def test_an_error_of_ours_is_on_the_timeline_and_ends_the_message_in_the_end() -> None:
    """A lease alone would bring the message back for three days, and nobody would see why."""
    bench = MmsBench()
    for attempt in range(1, MOST_BROKEN_ATTEMPTS + 1):
        await bench.delivery.broken(bench.message, LookupError("blob abc"))
        assert (bench.message.state, bench.message.attempts) == (State.ACCEPTED, attempt)
        assert "the gateway failed: LookupError: blob abc; next attempt in" in bench.event.reason
    await bench.delivery.broken(bench.message, LookupError("blob abc"))
    assert (bench.message.state, bench.told) == (State.FAILED, [PostbackCode.E101])


@pytest.mark.parametrize(
    ("state", "after"),
    [(State.SUBMITTING, State.UNKNOWN), (State.UNKNOWN, State.UNKNOWN), (State.SENT, State.SENT)],
)
async def test_an_error_of_ours_never_sends_again_what_may_have_left(state: State, after: State) -> None:
    bench = MmsBench(message=a_message(state=state))
    await bench.delivery.broken(bench.message, RuntimeError("oh"))
    assert bench.message.state is after


# -- renditions

FILM_CONTENT = a_content(slides=(Slide(media=(FILM,)),))
TOO_LARGE = RefusedContent(code=2004, text="2004 Multimedia content refused", for_size=True)


async def test_a_video_without_a_version_is_prepared_before_anything_is_sent() -> None:
    bench = MmsBench(content=FILM_CONTENT)
    message = await bench.deliver()
    assert (message.state, message.due_at) == (State.PREPARING, message.expires_at)
    asked = bench.changes[-1].preparation
    assert asked is not None
    assert asked.content_id == 5
    assert asked.terms is not None
    assert asked.terms.room is not None
    assert message.awaits == asked.terms.key
    assert bench.client.sent == []


async def test_a_message_that_expires_in_preparation_has_failed() -> None:
    bench = MmsBench(message=a_message(state=State.PREPARING, awaits="1-a"))
    message = await bench.deliver()
    assert (message.state, message.awaits) == (State.FAILED, "")
    assert bench.event.reason == "expired before its sound or video was prepared"
    assert bench.told == [PostbackCode.E101]


class Heavy:
    """The encoded form of a content that claims to be as large as a test needs it."""

    def __init__(self, *sizes: int) -> None:
        self._sizes = list(sizes)
        self.caps: list[int] = []

    async def choose(self, message: Message) -> Rendition | Unfit:
        self.caps.append(message.size_cap)
        if not self._sizes:
            return Unfit(reason="slide 1: the JPEG can't be made to fit")
        content = replace(encoded(), decoded_size=self._sizes.pop(0))
        return Rendition(content=content, subject="", summary="1 slide")


def heavy(bench: MmsBench, *sizes: int) -> Heavy:
    made = Heavy(*sizes)
    bench.delivery._renditions = cast("CarrierRenditions", made)
    return made


async def test_a_refusal_for_size_makes_the_next_smaller_rendition_before_the_sms() -> None:
    bench = MmsBench(TOO_LARGE, TOO_LARGE, OK)
    made = heavy(bench, 900_000, 600_000, 300_000)
    message = await bench.deliver()
    assert (message.state, message.size_cap, message.due_at) == (State.ACCEPTED, 614_400, NOW + TAKES)
    assert "a version of at most 614,400 bytes is next" in bench.event.reason
    message = await bench.deliver()
    assert (message.state, message.size_cap) == (State.ACCEPTED, 307_200)
    assert (await bench.deliver()).state is State.SENT
    assert made.caps == [0, 614_400, 307_200]
    assert bench.told == [PostbackCode.N101]


async def test_when_no_smaller_rendition_helps_it_is_the_sms() -> None:
    bench = MmsBench(TOO_LARGE)
    heavy(bench, 330_000)
    assert (await bench.deliver()).size_cap == 307_200
    message = await bench.deliver()
    assert message.state is State.FALLBACK
    assert "can't be made to fit" in bench.event.reason
    page = bench.changes[-1].preparation
    assert page is not None
    assert page.for_page


@pytest.mark.parametrize(
    ("refusal", "size"),
    [(replace(TOO_LARGE, for_size=False), 330_000), (TOO_LARGE, 102_400), (TOO_LARGE, 105_000)],
    ids=["for another reason", "of what is small", "of what could hardly be smaller"],
)
async def test_a_refusal_that_a_smaller_rendition_would_meet_too_is_the_sms(
    refusal: RefusedContent, size: int
) -> None:
    bench = MmsBench(refusal)
    heavy(bench, size)
    message = await bench.deliver()
    assert (message.state, message.size_cap) == (State.FALLBACK, 0)
