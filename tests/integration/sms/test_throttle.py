"""How fast parts leave over a real socket: the window, the rate, and an SMSC that wants it slower."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from mmsgate.sms.client import SmscConnection
from mmsgate.sms.outcome import SmsAccepted, SmsNotSent, SmsThrottled
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
