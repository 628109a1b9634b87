"""The daily cap of a sender on one connection."""

from typing import cast

import pytest

from mmsgate.clock import DAY, ManualClock
from mmsgate.delivery.caps import DailyCaps
from mmsgate.store import StoreFault
from mmsgate.store.queue import QueueRows
from tests.unit.delivery.fakes import FakeQueue

CLOCK_DAY = ManualClock().time // DAY


def caps(most: int, rows: FakeQueue | None = None) -> tuple[DailyCaps, ManualClock]:
    clock = ManualClock()
    return DailyCaps("sim", most, cast("QueueRows", rows or FakeQueue()), clock), clock


async def takes(days: DailyCaps, count: int, sender: str = "1") -> int:
    """How many of so many get a place."""
    return sum([await days.take(sender) is not None for _ in range(count)])


async def test_a_sender_may_give_so_many_and_another_as_many_more() -> None:
    days, _ = caps(2)
    assert (await takes(days, 4), await days.full("1"), await days.full("2")) == (2, True, False)
    assert await takes(days, 4, "2") == 2


async def test_zero_is_no_limit_and_nothing_is_counted() -> None:
    rows = FakeQueue()
    days, _ = caps(0, rows)
    assert (await takes(days, 1000), rows.days.total()) == (1000, 0)


async def test_what_the_carrier_does_not_have_does_not_count() -> None:
    days, _ = caps(1)
    for _ in range(3):
        place = await days.take("1")
        assert place is not None
        await days.give_back(place)
    assert await takes(days, 2) == 1


async def test_what_was_counted_before_the_start_counts() -> None:
    rows = FakeQueue()
    rows.days["sim", "1", CLOCK_DAY] = 2
    rows.days["sim", "1", CLOCK_DAY - 1] = 99
    rows.days["other", "1", CLOCK_DAY] = 99
    days, _ = caps(3, rows)
    assert await takes(days, 2) == 1


async def test_the_count_is_kept_and_begins_anew_at_midnight_utc() -> None:
    rows = FakeQueue()
    days, clock = caps(1, rows)
    assert await takes(days, 1) == 1
    assert rows.days == {("sim", "1", CLOCK_DAY): 1}
    assert days.next_day == (CLOCK_DAY + 1) * DAY
    clock.time = days.next_day - 1
    assert await takes(days, 1) == 0
    clock.advance(1)
    assert await takes(days, 1) == 1


async def test_a_place_is_given_back_to_the_day_that_it_was_taken_on() -> None:
    rows = FakeQueue()
    days, clock = caps(1, rows)
    place = await days.take("1")
    assert place is not None
    clock.time = days.next_day
    assert await takes(days, 1) == 1
    await days.give_back(place)
    assert rows.days == {("sim", "1", CLOCK_DAY): 0, ("sim", "1", CLOCK_DAY + 1): 1}


async def test_a_place_that_can_not_be_given_back_goes_on_counting(caplog: pytest.LogCaptureFixture) -> None:
    rows = FakeQueue()
    days, _ = caps(1, rows)
    place = await days.take("12065550123")
    assert place is not None
    rows.fault = StoreFault("the disk is full")
    await days.give_back(place)
    assert await days.full("12065550123")
    assert "goes on counting" in caplog.text
    assert "12065550123" not in caplog.text
