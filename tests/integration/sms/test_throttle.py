"""How fast parts leave over a real socket: the window, the rate, and an SMSC that wants it slower."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from mmsgate.sms.client import SmscConnection
from mmsgate.sms.outcome import SmsAccepted, SmsNotSent, SmsThrottled
from mmsgate.sms.outflow import Outflow
from mmsgate.sms.pace import FIRST_STOP
from mmsgate.sms.settings import SmscSettings
from tests.integration.sms.conftest import Desk, bound, connect, parts, submitting
from tests.integration.sms.smsc import DELIVER_SM, Link, Smsc

RTHROTTLED, RMSGQFUL = 0x58, 0x14


class Hands:
    """A clock that stands still until a test turns its hands, in seconds."""

    def __init__(self) -> None:
        self.time = 100.0

    def __call__(self) -> float:
        return self.time


@pytest.fixture
def hands() -> Hands:
    return Hands()


@pytest.fixture
async def slowed(settings: SmscSettings, desk: Desk, hands: Hands) -> AsyncIterator[SmscConnection]:
    """A connection by that clock."""
    connection = connect(settings, desk, now=hands)
    yield connection
    await connection.stop()


async def test_the_window_is_never_exceeded_in_whatever_order_answers_come(
    settings: SmscSettings, desk: Desk, smsc: Smsc
) -> None:
    connection = connect(replace(settings, window=7), desk)
    try:
        link = await bound(connection, smsc)
        answers = [submitting(connection) for _ in range(200)]
        unanswered = [await link.submit() for _ in range(7)]
        for number in range(200):
            submit = unanswered.pop(number * 7919 % len(unanswered))
            link.refuse(submit, 0x0B) if number % 5 == 0 else link.accept(submit, str(number))
            if number < 193:
                unanswered.append(await link.submit())
            link.deliver(b"id:1 stat:DELIVRD")
            await link.answer()  # it comes behind whatever had left before
            assert link.submits.empty()
        assert len(await asyncio.gather(*answers)) == 200
    finally:
        await connection.stop()


@pytest.mark.parametrize(("status", "name"), [(RTHROTTLED, "ESME_RTHROTTLED"), (RMSGQFUL, "ESME_RMSGQFUL")])
async def test_a_throttle_stops_the_whole_connection_and_the_link_stays(
    slowed: SmscConnection, smsc: Smsc, hands: Hands, status: int, name: str
) -> None:
    link = await bound(slowed, smsc)
    first = submitting(slowed)
    hands.time += 0.01
    link.refuse(await link.submit(), status)
    assert await first == SmsThrottled(status=status, name=name)
    outcome = await submitting(slowed)
    assert outcome == SmsNotSent(reason="held back: the SMSC has just refused others and wants it slower")
    link.deliver(b"id:1 stat:DELIVRD")
    assert (await link.answer())[0] == DELIVER_SM  # nothing left before it
    assert link.submits.empty()
    assert slowed.bound


async def test_after_the_stop_one_message_probes_and_the_others_follow_its_answer(
    slowed: SmscConnection, smsc: Smsc, hands: Hands
) -> None:
    link = await bound(slowed, smsc)
    first = submitting(slowed)
    link.refuse(await link.submit(), RTHROTTLED)
    await first
    hands.time += FIRST_STOP
    assert await slowed.turn(1, within=5)
    probe = submitting(slowed)
    waiting = asyncio.create_task(slowed.turn(1, within=5))
    submit = await link.submit()
    assert not waiting.done()
    hands.time += 1.5  # past the first turns of the slow rate
    link.accept(submit, "1")
    assert await probe == SmsAccepted(message_id="1")
    assert await waiting


async def test_a_queue_behind_a_throttle_is_refused_once_a_stop_and_not_once_a_message(
    settings: SmscSettings, smsc: Smsc, desk: Desk
) -> None:
    connection = connect(replace(settings, window=4), desk)
    try:
        link = await bound(connection, smsc)
        refusals = asyncio.create_task(_refuse_all(link))
        outcomes = await asyncio.gather(*(connection.submit(sms) for sms in parts() * 100))
        refusals.cancel()
        throttled = [outcome for outcome in outcomes if isinstance(outcome, SmsThrottled)]
        assert 1 <= len(throttled) <= 4
        assert len(throttled) + sum(isinstance(outcome, SmsNotSent) for outcome in outcomes) == 100
    finally:
        await connection.stop()


async def _refuse_all(link: Link) -> None:
    while True:
        link.refuse(await link.submit(), RTHROTTLED)


async def test_a_turn_that_does_not_come_in_time_is_no_turn(
    slowed: SmscConnection, smsc: Smsc, settings: SmscSettings, desk: Desk, hands: Hands
) -> None:
    connection = connect(replace(settings, rate=0.1), desk, now=hands)
    assert await connection.turn(1, within=5)
    assert not await connection.turn(1, within=0.05)
    hands.time += 10
    assert await connection.turn(1, within=5)


async def test_turns_come_at_the_rate_of_the_profile(settings: SmscSettings, desk: Desk) -> None:
    connection = connect(replace(settings, rate=500.0), desk)
    begun = time.monotonic()
    granted = await asyncio.gather(*(connection.turn(1, within=30) for _ in range(251)))
    assert all(granted)
    assert time.monotonic() - begun >= 0.47  # 250 turns after the first, less the slack


# -- two connections to one SMSC: a profile has changed, and the lane before it ends


@pytest.fixture
async def two(
    settings: SmscSettings, desk: Desk, hands: Hands
) -> AsyncIterator[tuple[SmscConnection, SmscConnection]]:
    outflow = Outflow(replace(settings, rate=10.0, window=2), now=hands)
    connections = tuple(
        SmscConnection(settings, on_receipt=desk.on_receipt, on_inbound=desk.on_inbound, outflow=outflow)
        for _ in range(2)
    )
    yield connections[0], connections[1]
    for connection in connections:
        await connection.stop()


async def test_what_one_connection_has_sent_leaves_no_turn_to_the_other(
    two: tuple[SmscConnection, SmscConnection], hands: Hands
) -> None:
    first, second = two
    assert await first.turn(1, within=5)
    assert not await second.turn(1, within=0.02)
    hands.time += 0.1
    assert await second.turn(1, within=5)
    assert not await first.turn(1, within=0.02)


async def test_what_is_unanswered_on_one_connection_takes_places_of_the_window_from_the_other(
    two: tuple[SmscConnection, SmscConnection], smsc: Smsc
) -> None:
    first, second = two
    old, new = await bound(first, smsc), await bound(second, smsc)
    before = [submitting(first) for _ in range(2)]
    unanswered = [await old.submit() for _ in before]
    after = submitting(second)
    new.deliver(b"id:1 stat:DELIVRD")
    await new.answer()  # it comes behind whatever had left before
    assert new.submits.empty()
    for submit in unanswered:
        old.accept(submit, "1")
    new.accept(await new.submit(), "2")
    assert await asyncio.gather(*before, after) == [SmsAccepted(message_id=each) for each in ("1", "1", "2")]


async def test_an_smsc_that_wanted_one_connection_slower_is_spared_by_the_other_too(
    two: tuple[SmscConnection, SmscConnection], smsc: Smsc, hands: Hands
) -> None:
    first, second = two
    link, _ = await bound(first, smsc), await bound(second, smsc)
    refused = submitting(first)
    hands.time += 0.01
    link.refuse(await link.submit(), RTHROTTLED)
    await refused
    assert isinstance(await submitting(second), SmsNotSent)
    assert not await second.turn(1, within=0.02)
    hands.time += FIRST_STOP
    assert await second.turn(1, within=5)


async def test_another_rate_of_the_profile_holds_from_then_on_and_gives_no_new_tokens(
    settings: SmscSettings, hands: Hands
) -> None:
    outflow = Outflow(replace(settings, rate=1.0, burst=5), now=hands)
    for _ in range(5):
        assert await outflow.turn(1, within=5)
    outflow.follow(replace(settings, rate=10.0, burst=5))
    assert not await outflow.turn(1, within=0.02)
    hands.time += 0.1
    assert await outflow.turn(1, within=5)
    assert not await outflow.turn(1, within=0.02)
