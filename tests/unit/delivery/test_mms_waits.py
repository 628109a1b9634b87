"""One MMS, one attempt: what has to wait by no fault of its own, and what is over because nobody will report."""

import pytest

from mmsgate.carriers.outcome import RefusedRecipient, SubmitOutcome, Temporary, Unknown
from mmsgate.carriers.profile import Gives
from mmsgate.clock import DAY, SECOND
from mmsgate.delivery.health import DOWN_AFTER
from mmsgate.domain.postback import PostbackCode
from mmsgate.domain.state import State
from tests.unit.builders import a_message, altered
from tests.unit.delivery.test_mms import OK, REFUSES_US, SIM, H, MmsBench

# -- a carrier that is down

REFUSED_CONNECTION = Temporary(text="not sent: connection refused", down=True)


async def test_failures_in_a_row_mark_the_connection_down_and_the_rest_wait_without_an_attempt() -> None:
    bench = MmsBench(*[REFUSED_CONNECTION] * (DOWN_AFTER + 1))
    attempts = []
    for _ in range(DOWN_AFTER + 1):
        bench.message = a_message()
        attempts.append((await bench.deliver()).attempts)
        bench.clock.advance(bench.connection.opens_at and SECOND)
    assert attempts == [1] * (DOWN_AFTER - 1) + [0, 0]
    assert bench.event.reason == "sim is down for 2 s: not sent: connection refused"
    assert bench.message.due_at == bench.clock.now() + SECOND
    assert list(bench.alarms) == ["sim is down"]
    assert bench.changed == ["sim", "sim"]


async def test_while_it_is_paused_a_probe_that_finds_nobody_closes_it_again_and_counts_no_attempt() -> None:
    bench = MmsBench(REFUSES_US, *[REFUSED_CONNECTION] * 2)
    opened = []
    for _ in range(3):
        bench.message = a_message()
        assert (await bench.deliver()).attempts == 0
        assert bench.message.due_at == bench.connection.opens_at
        opened.append(bench.connection.opens_at - bench.clock.now())
        bench.clock.advance(opened[-1])
    assert opened == [5 * SECOND, 10 * SECOND, 30 * SECOND]
    assert bench.changed == ["sim"] * 3


async def test_a_connection_that_is_down_is_left_alone_for_as_long_as_the_carrier_asks() -> None:
    busy = Temporary(text="HTTP 503", after=120 * SECOND, down=True)
    bench = MmsBench(*[busy] * DOWN_AFTER)
    for _ in range(DOWN_AFTER):
        bench.message = a_message()
        await bench.deliver()
    assert bench.message.due_at == bench.connection.opens_at == bench.clock.now() + 120 * SECOND


async def test_what_was_in_hand_before_an_outage_waits_behind_the_two_that_probe() -> None:
    bench = MmsBench(OK)
    for _ in range(DOWN_AFTER):
        bench.connection.health.failed()
    bench.clock.advance(SECOND)
    async with bench.connection, bench.connection:
        message = await bench.deliver()
    assert (message.state, message.attempts, message.due_at) == (State.ACCEPTED, 0, bench.clock.now())
    assert bench.event.reason == "sim gets 2 requests at once for now"
    async with bench.connection:
        assert (await bench.deliver()).state is State.SENT


async def test_lost_connections_mark_it_down_too_and_leave_their_messages_in_doubt() -> None:
    bench = MmsBench(*[Unknown(text="no answer within 60 s", down=True)] * DOWN_AFTER)
    for _ in range(DOWN_AFTER):
        bench.message = a_message()
        assert (await bench.deliver()).state is State.UNKNOWN
    assert list(bench.alarms) == ["sim is down"]


async def test_an_answer_brings_it_up_again_and_clears_the_alarm() -> None:
    bench = MmsBench(*[REFUSED_CONNECTION] * DOWN_AFTER, RefusedRecipient(code=2002, text="2002"))
    for _ in range(DOWN_AFTER):
        bench.message = a_message()
        await bench.deliver()
    bench.clock.advance(SECOND)
    bench.message = a_message()
    assert (await bench.deliver()).state is State.FAILED
    assert (bench.alarms, bench.changed) == ({}, ["sim", "sim"])
    assert bench.connection.fresh_since == bench.clock.now()


async def test_too_many_requests_slow_down_the_connection_and_not_only_the_message() -> None:
    bench = MmsBench(Temporary(text="3510 Throughput exceeded", code=3510, throttled=True))
    message = await bench.deliver()
    assert (message.state, message.attempts) == (State.ACCEPTED, 1)
    assert bench.connection.state.rate > 0
    assert not bench.connection.health.closed


# -- limits of a sender


async def test_beyond_its_day_a_sender_waits_for_the_next_with_a_reason_and_without_an_attempt() -> None:
    bench = MmsBench(OK, profile=altered(SIM, pace={"sender_daily": 1}))
    await bench.deliver()
    bench.message = a_message()
    message = await bench.deliver()
    tomorrow = (bench.clock.now() // DAY + 1) * DAY
    assert (message.state, message.attempts, message.due_at) == (State.ACCEPTED, 0, tomorrow)
    assert bench.event.reason == (
        "28444 has given sim 1 message today, which is all it may: its turn comes after 00:00 UTC"
    )
    assert len(bench.client.sent) == 1


@pytest.mark.parametrize(
    ("outcome", "counts"),
    [
        (OK, 1),
        (Unknown(text="lost", down=True), 1),
        (Temporary(text="HTTP 503"), 0),
        (REFUSES_US, 0),
        (RefusedRecipient(code=2002, text="2002"), 0),
    ],
    ids=lambda each: type(each).__name__,
)
async def test_only_what_the_carrier_has_or_may_have_counts_for_the_day(
    outcome: SubmitOutcome, counts: int
) -> None:
    bench = MmsBench(outcome, profile=altered(SIM, pace={"sender_daily": 1}))
    await bench.deliver()
    assert bench.store.queue.days.total() == counts
    assert await bench.delivery._caps.full("28444") is (counts == 1)


# -- a carrier without reports


async def test_what_a_carrier_without_reports_took_is_final_at_once_in_a_state_that_says_so() -> None:
    bench = MmsBench(OK, profile=altered(SIM, reports={"gives": Gives.NONE}))
    message = await bench.deliver()
    assert (message.state, message.due_at) == (State.UNREPORTED, None)
    assert [change.event.happening for change in bench.changes] == [H.SUBMIT, H.TAKEN, H.NEVER_REPORTED]
    assert bench.event.reason == "sim gives no reports"
    assert bench.told == [PostbackCode.N101]


async def test_what_was_taken_before_the_gateway_died_is_final_after_the_start() -> None:
    bench = MmsBench(message=a_message(state=State.SENT), profile=altered(SIM, reports={"gives": Gives.NONE}))
    assert (await bench.deliver()).state is State.UNREPORTED
    assert bench.client.sent == []


# -- messages that move


@pytest.mark.parametrize("state", [State.ACCEPTED, State.FALLBACK])
async def test_a_message_that_another_connection_has_by_now_is_not_sent(state: State) -> None:
    bench = MmsBench(message=a_message(connection="other", state=state))
    await bench.delivery.deliver(a_message())
    assert (bench.client.sent, bench.message.state, bench.message.connection) == ([], state, "other")
    assert bench.event.reason.startswith("not done, the message has moved on meanwhile: attempt 1 to sim")
