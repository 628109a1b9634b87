"""The daily cap of a sender on one connection."""

from typing import cast

from mmsgate.clock import DAY, ManualClock
from mmsgate.delivery.caps import DailyCaps
from mmsgate.store.queue import QueueRows
from tests.unit.delivery.fakes import FakeQueue

CLOCK_DAY = ManualClock().time // DAY


def caps(most: int, rows: FakeQueue | None = None) -> tuple[DailyCaps, ManualClock]:
    clock = ManualClock()
    return DailyCaps("sim", most, cast("QueueRows", rows or FakeQueue()), clock), clock


async def test_a_sender_may_give_so_many_and_another_as_many_more() -> None:
    days, _ = caps(2)
    assert [await days.take("1") for _ in range(4)] == [True, True, False, False]
    assert await days.take("2")


async def test_zero_is_no_limit() -> None:
    days, _ = caps(0)
    assert all([await days.take("1") for _ in range(1000)])


async def test_what_the_carrier_does_not_have_does_not_count() -> None:
    days, _ = caps(1)
    for _ in range(3):
        assert await days.take("1")
        days.give_back("1")
    assert await days.take("1")
    assert not await days.take("1")


async def test_what_was_counted_before_the_start_counts() -> None:
    rows = FakeQueue()
    rows.days["sim", "1", CLOCK_DAY] = 2
    rows.days["sim", "1", CLOCK_DAY - 1] = 99
    rows.days["other", "1", CLOCK_DAY] = 99
    days, _ = caps(3, rows)
    assert [await days.take("1"), await days.take("1")] == [True, False]


async def test_the_count_is_kept_and_begins_anew_at_midnight_utc() -> None:
    rows = FakeQueue()
    days, clock = caps(1, rows)
    assert await days.take("1")
    await days.count("1")
    assert rows.days == {("sim", "1", CLOCK_DAY): 1}
    assert days.next_day == (CLOCK_DAY + 1) * DAY
    clock.time = days.next_day - 1
    assert not await days.take("1")
    clock.advance(1)
    assert await days.take("1")
