"""Attempts, the scheduler, and the event stream."""

import asyncio
import logging

import pytest

from mmsgate.clock import ManualClock
from mmsgate.simulator import attempts as attempts_module
from mmsgate.simulator import events as events_module
from mmsgate.simulator.attempts import Attempts
from mmsgate.simulator.box import Box
from mmsgate.simulator.events import event_stream
from mmsgate.simulator.message import Kind, Message
from mmsgate.simulator.schedule import LoopScheduler


def test_attempts_count_per_message_and_time_runs_per_number() -> None:
    clock = ManualClock()
    attempts = Attempts(clock, speed=10)
    assert [attempts.count("a", "1"), attempts.count("a", "1"), attempts.count("b", "1")] == [1, 2, 1]
    assert attempts.elapsed("1") == 0
    clock.advance(300)
    assert (attempts.elapsed("1"), attempts.elapsed("2")) == (3000, 0)
    attempts.clear()
    assert (attempts.elapsed("1"), attempts.count("a", "1")) == (0, 1)


def test_attempts_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attempts_module, "_REMEMBERED", 2)
    attempts = Attempts(ManualClock())
    for message in "abc":
        attempts.count(message, "1")
    assert (attempts.count("c", "1"), attempts.count("a", "1")) == (2, 1)


async def test_the_scheduler_runs_jobs_in_order_and_survives_a_failure(caplog: pytest.LogCaptureFixture) -> None:
    scheduler = LoopScheduler(speed=1000)
    ran: list[str] = []
    done = asyncio.Event()

    async def first() -> None:
        ran.append("first")
        raise ValueError("a failing job")

    async def last() -> None:
        ran.append("last")
        done.set()

    scheduler.later(2000, last)
    scheduler.later(0, first)
    with caplog.at_level(logging.ERROR):
        await done.wait()
        await asyncio.sleep(0)
    assert ran == ["first", "last"]
    assert "a failing job" in caplog.text
    await scheduler.stop()


async def test_a_stopped_scheduler_cancels_what_runs_and_forgets_the_rest() -> None:
    scheduler = LoopScheduler()
    started = asyncio.Event()
    cancelled = asyncio.Event()

    async def endless() -> None:
        started.set()
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    scheduler.later(0, endless)
    scheduler.later(3_600_000, endless)
    await started.wait()
    await scheduler.stop()
    await scheduler.stop()
    assert cancelled.is_set()


def arrived(box: Box, to: str = "1") -> None:
    box.add(Message(kind=Kind.SMS, to=to, sender="2", received_at=0))


@pytest.fixture
def box(monkeypatch: pytest.MonkeyPatch) -> Box:
    monkeypatch.setattr(events_module, "BREATH", 0)
    return Box()


async def test_the_stream_says_hello_then_what_changes_then_ends_with_the_box(box: Box) -> None:
    arrived(box)
    stream = event_stream(box, revision=0, to="1")
    assert await anext(stream) == f'event: hello\ndata: {{"epoch": "{box.epoch}"}}\n\n'
    assert await anext(stream) == 'id: 1\nevent: message\ndata: {"id": 1, "to": "1", "kind": "SMS"}\n\n'
    arrived(box, "2")
    box.note("1", "told", at=0)
    assert await anext(stream) == ('id: 3\nevent: note\ndata: {"at": "1970-01-01T00:00:00Z", "text": "told"}\n\n')
    box.close()
    with pytest.raises(StopAsyncIteration):
        await anext(stream)


async def test_the_stream_begins_after_the_revision_it_is_given(box: Box) -> None:
    arrived(box)
    arrived(box)
    stream = event_stream(box, revision=1, to=None)
    await anext(stream)
    assert (await anext(stream)).startswith("id: 2\n")


async def test_emptying_the_boxes_ends_the_stream_with_another_epoch(box: Box) -> None:
    stream = event_stream(box, revision=0, to=None)
    await anext(stream)
    asyncio.get_running_loop().call_soon(box.clear)
    last = await anext(stream)
    assert box.epoch in last


async def test_silence_is_filled_with_comments(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events_module, "KEEP_ALIVE", 0.001)
    stream = event_stream(box, revision=0, to=None)
    await anext(stream)
    assert (await anext(stream)).startswith(":")
