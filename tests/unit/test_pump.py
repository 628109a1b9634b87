"""The loop behind every queue: how much it claims, when it looks again, and how it stops."""

import asyncio
import random
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence

import pytest

from mmsgate import pump as pump_module
from mmsgate.clock import HOUR, ManualClock, Millis
from mmsgate.pump import Pump

PATIENCE = 5.0  # seconds, for what has to happen; a test that passes never waits for it


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing happens by the mere passing of time: a pump that sleeps only goes on when it is woken."""
    monkeypatch.setattr(pump_module, "PAUSE_AFTER_FAULT", 0.0)
    monkeypatch.setattr(pump_module, "MAX_SLEEP", HOUR)


async def turns(count: int = 20) -> None:
    """Let everything run that can run."""
    for _ in range(count):
        await asyncio.sleep(0)


async def until(event: asyncio.Event) -> None:
    async with asyncio.timeout(PATIENCE):
        await event.wait()


async def as_late_as_may_be(default: Millis) -> Millis:
    """Nothing is known to be due."""
    return default


class Queue:
    """Items that are due, and the claims that were made for them."""

    def __init__(self, items: Iterable[int] = ()) -> None:
        self.due = deque(items)
        self.limits: list[int] = []

    async def claim(self, limit: int, _now: Millis) -> list[int]:
        self.limits.append(limit)
        return [self.due.popleft() for _ in range(min(limit, len(self.due)))]


class Work:
    """Pieces of work that last until they are told to end."""

    def __init__(self) -> None:
        self.begun: list[int] = []
        self.done: list[int] = []
        self.cancelled: list[int] = []
        self.most_at_once = 0
        self._ends: dict[int, asyncio.Event] = {}
        self._all = asyncio.Event()
        self._expected = 0

    async def __call__(self, item: int) -> None:
        self.begun.append(item)
        self._ends[item] = asyncio.Event()
        self.most_at_once = max(self.most_at_once, len(self._ends))
        try:
            await self._ends[item].wait()
        except asyncio.CancelledError:
            self.cancelled.append(item)
            raise
        finally:
            del self._ends[item]
        self.done.append(item)

    def end(self, *items: int) -> None:
        for item in items:
            self._ends[item].set()

    def end_all(self) -> None:
        self.end(*self._ends)


def a_pump(
    queue: Queue,
    work: Callable[[int], Awaitable[None]],
    *,
    slots: int = 4,
    grace: float = PATIENCE,
    next_due: Callable[[Millis], Awaitable[Millis]] = as_late_as_may_be,
) -> Pump[int]:
    return Pump(
        "test", claim=queue.claim, work=work, next_due=next_due, clock=ManualClock(), slots=slots, grace=grace
    )


# -- how much is under way


@pytest.mark.parametrize("slots", [1, 2, 3, 4, 7])
async def test_no_more_than_its_slots_are_under_way(slots: int) -> None:
    queue, work = Queue(range(20)), Work()
    pump = a_pump(queue, work, slots=slots)
    pump.start()
    await turns()
    assert len(work.begun) == slots
    async with asyncio.timeout(PATIENCE):
        while len(work.done) < 20:
            work.end_all()
            await turns()
    assert work.most_at_once == slots
    assert sorted(work.done) == list(range(20))
    await pump.stop()


async def test_free_places_are_filled_in_halves() -> None:
    queue, work = Queue(range(100)), Work()
    pump = a_pump(queue, work, slots=6)
    pump.start()
    await turns()
    work.end(0, 1)
    await turns()
    pump.wake()
    await turns()
    assert queue.limits == [6]
    work.end(2)
    await turns()
    assert queue.limits == [6, 3]
    work.end_all()
    await pump.stop()


async def test_a_pump_with_one_slot_goes_on_after_each_piece() -> None:
    queue, work = Queue([1, 2]), Work()
    pump = a_pump(queue, work, slots=1)
    pump.start()
    await turns()
    work.end(1)
    await turns()
    assert work.begun == [1, 2]
    work.end(2)
    await pump.stop()


async def test_it_is_idle_only_while_nothing_is_under_way() -> None:
    queue, work = Queue([1]), Work()
    pump = a_pump(queue, work)
    idle = [pump.idle]
    pump.start()
    await turns()
    idle.append(pump.idle)
    work.end(1)
    await turns()
    idle.append(pump.idle)
    assert idle == [True, False, True]
    await pump.stop()


# -- when it looks again


async def test_an_empty_queue_is_not_asked_again_until_somebody_wakes_it() -> None:
    queue, work = Queue(), Work()
    pump = a_pump(queue, work)
    pump.start()
    await turns()
    assert queue.limits == [4]
    queue.due.append(1)
    pump.wake()
    await turns()
    assert work.begun == [1]
    work.end(1)
    await pump.stop()


async def test_a_wake_during_a_claim_is_not_lost() -> None:
    claiming, go_on, worked = asyncio.Event(), asyncio.Event(), asyncio.Event()
    queue = Queue()

    async def slow_claim(limit: int, now: Millis) -> list[int]:
        found = await queue.claim(limit, now)
        claiming.set()
        await go_on.wait()
        return found

    async def work(_: int) -> None:
        worked.set()

    pump: Pump[int] = Pump(
        "test", claim=slow_claim, work=work, next_due=as_late_as_may_be, clock=ManualClock(), slots=4
    )
    pump.start()
    await until(claiming)
    queue.due.append(1)
    pump.wake()
    go_on.set()
    await until(worked)
    await pump.stop()


async def test_a_wake_while_every_slot_is_busy_claims_nothing() -> None:
    queue, work = Queue(range(10)), Work()
    pump = a_pump(queue, work, slots=2)
    pump.start()
    await turns()
    pump.wake()
    await turns()
    assert queue.limits == [2]
    work.end_all()
    await pump.stop()


async def test_it_looks_again_when_the_next_piece_is_due() -> None:
    queue, worked = Queue(), asyncio.Event()

    async def work(_: int) -> None:
        worked.set()

    async def due_at_once(default: Millis) -> Millis:
        queue.due.append(1)
        return default - HOUR

    pump = a_pump(queue, work, next_due=due_at_once)
    pump.start()
    await until(worked)
    await pump.stop()


async def test_it_looks_again_after_the_longest_sleep_whatever_is_due_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pump_module, "MAX_SLEEP", 1)
    queue, worked = Queue(), asyncio.Event()

    async def work(_: int) -> None:
        worked.set()

    async def due_much_later(default: Millis) -> Millis:
        queue.due.append(1)  # by another process, without a word
        return default + HOUR

    pump = a_pump(queue, work, next_due=due_much_later)
    pump.start()
    await until(worked)
    await pump.stop()


# -- what goes wrong


async def test_a_claim_that_fails_is_made_again(caplog: pytest.LogCaptureFixture) -> None:
    queue, work = Queue([1]), Work()
    faults = [OSError("disk full"), OSError("disk full")]

    async def claim(limit: int, now: Millis) -> list[int]:
        if faults:
            raise faults.pop()
        return await queue.claim(limit, now)

    pump: Pump[int] = Pump(
        "lane of sim", claim=claim, work=work, next_due=as_late_as_may_be, clock=ManualClock(), slots=4
    )
    pump.start()
    await turns()
    assert work.begun == [1]
    assert [record.getMessage().startswith("lane of sim: ") for record in caplog.records] == [True, True]
    work.end(1)
    await pump.stop()


async def test_a_look_at_what_is_due_that_fails_does_not_end_the_pump() -> None:
    queue, work = Queue(), Work()
    faults = [OSError("the database could not be read")]

    async def next_due(default: Millis) -> Millis:
        if faults:
            queue.due.append(1)
            raise faults.pop()
        return default

    pump = a_pump(queue, work, next_due=next_due)
    pump.start()
    await turns()
    assert work.begun == [1]
    work.end(1)
    await pump.stop()


async def test_a_piece_of_work_that_fails_frees_its_slot_and_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    queue, tried = Queue(range(5)), []

    async def work(item: int) -> None:
        tried.append(item)
        raise ValueError(item)

    pump = a_pump(queue, work, slots=1)
    pump.start()
    await turns(60)
    assert tried == [0, 1, 2, 3, 4]
    assert pump.idle
    assert len(caplog.records) == 5
    await pump.stop()


# -- starting and stopping


async def test_starting_twice_makes_one_loop() -> None:
    queue = Queue()
    pump = a_pump(queue, Work())
    pump.start()
    pump.start()
    await turns()
    assert queue.limits == [4]
    await pump.stop()


async def test_stopping_before_the_start_and_twice_does_nothing() -> None:
    pump = a_pump(Queue(), Work())
    await pump.stop()
    pump.start()
    await turns()
    await pump.stop()
    await pump.stop()
    assert pump.idle


async def test_a_stopped_pump_claims_nothing_more() -> None:
    queue = Queue()
    pump = a_pump(queue, Work())
    pump.start()
    await turns()
    await pump.stop()
    queue.due.append(1)
    pump.wake()
    await turns()
    assert list(queue.due) == [1]


async def test_it_can_be_started_again() -> None:
    queue, work = Queue(), Work()
    pump = a_pump(queue, work)
    pump.start()
    await turns()
    await pump.stop()
    queue.due.append(1)
    pump.start()
    await turns()
    assert work.begun == [1]
    work.end(1)
    await pump.stop()


async def test_stop_waits_for_what_is_under_way_and_begins_nothing_new() -> None:
    queue, work = Queue(range(3)), Work()
    pump = a_pump(queue, work, slots=2)
    pump.start()
    await turns()
    stopping = asyncio.create_task(pump.stop())
    await turns()
    assert not stopping.done()
    work.end(0, 1)
    await stopping
    assert (work.done, work.begun, work.cancelled) == ([0, 1], [0, 1], [])


async def test_stop_cancels_what_is_late() -> None:
    queue, work = Queue([1, 2]), Work()
    pump = a_pump(queue, work, grace=0.0)
    pump.start()
    await turns()
    await pump.stop()
    assert sorted(work.cancelled) == [1, 2]
    assert pump.idle


async def test_stop_ends_a_claim_that_hangs() -> None:
    claiming = asyncio.Event()

    async def hangs(_limit: int, _now: Millis) -> list[int]:
        claiming.set()
        await asyncio.Event().wait()
        return []

    pump: Pump[int] = Pump(
        "test", claim=hangs, work=Work(), next_due=as_late_as_may_be, clock=ManualClock(), slots=1
    )
    pump.start()
    await until(claiming)
    async with asyncio.timeout(PATIENCE):
        await pump.stop()


@pytest.mark.parametrize("gives_back", [True, False])
@pytest.mark.parametrize("later", range(8))
async def test_what_a_claim_leased_while_the_stop_came_is_worked_or_given_back(
    later: int, gives_back: bool
) -> None:
    """Not left to its lease, which may be minutes; the stop comes `later` turns after the claim's end."""
    claiming, go_on = asyncio.Event(), asyncio.Event()
    queue, done, released = Queue([1, 2]), list[int](), list[int]()

    async def claim(limit: int, now: Millis) -> list[int]:
        claiming.set()
        await go_on.wait()
        return await queue.claim(limit, now)

    async def work(item: int) -> None:
        done.append(item)

    async def release(items: Sequence[int]) -> None:
        released.extend(items)

    pump: Pump[int] = Pump(
        "test", claim=claim, work=work, next_due=as_late_as_may_be, clock=ManualClock(), slots=4,
        release=release if gives_back else None,
    )  # fmt: skip
    pump.start()
    await until(claiming)
    go_on.set()
    await turns(later)
    await pump.stop()
    assert sorted([*done, *released, *queue.due]) == [1, 2]
    assert gives_back or not released


async def test_with_a_way_to_give_work_back_stop_waits_for_the_claim_under_way() -> None:
    claiming, go_on = asyncio.Event(), asyncio.Event()
    work, released = Work(), list[int]()

    async def claim(_limit: int, _now: Millis) -> list[int]:
        claiming.set()
        await go_on.wait()
        return [1]

    async def release(items: Sequence[int]) -> None:
        released.extend(items)

    pump: Pump[int] = Pump(
        "test", claim=claim, work=work, next_due=as_late_as_may_be, clock=ManualClock(), slots=1,
        release=release,
    )  # fmt: skip
    pump.start()
    await until(claiming)
    stopping = asyncio.create_task(pump.stop())
    await turns()
    assert not stopping.done()
    go_on.set()
    await stopping
    assert (released, work.begun) == ([1], [])


async def test_a_stop_after_a_failed_claim_speaks_of_no_work_to_give_back(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(pump_module, "PAUSE_AFTER_FAULT", 3600.0)

    async def claim(_limit: int, _now: Millis) -> list[int]:
        raise OSError("disk full")

    pump: Pump[int] = Pump(
        "test", claim=claim, work=Work(), next_due=as_late_as_may_be, clock=ManualClock(), slots=1
    )
    pump.start()
    await turns()
    await pump.stop()
    assert [record.getMessage().split(",")[0] for record in caplog.records] == ["test: no work could be claimed"]


@pytest.mark.parametrize("seed", range(5))
async def test_random_starts_and_stops_lose_nothing_and_work_nothing_twice(seed: int) -> None:
    dice = random.Random(seed)
    queue, done, under_way = Queue(range(300)), [], 0

    async def claim(limit: int, now: Millis) -> list[int]:
        await asyncio.sleep(0)  # a stop may end the claim here, before anything was leased
        return await queue.claim(limit, now)

    async def work(item: int) -> None:
        nonlocal under_way
        under_way += 1
        assert under_way <= 5
        await turns(dice.randrange(4))
        under_way -= 1
        done.append(item)

    pump: Pump[int] = Pump("test", claim=claim, work=work, next_due=as_late_as_may_be, clock=ManualClock(), slots=5)
    for _ in range(150):
        match dice.randrange(4):
            case 0:
                pump.start()
            case 1:
                await pump.stop()
            case 2:
                pump.wake()
            case _:
                await turns(dice.randrange(6))
    pump.start()
    async with asyncio.timeout(PATIENCE):
        while queue.due:
            await turns()
    await pump.stop()
    assert sorted(done) == list(range(300))
