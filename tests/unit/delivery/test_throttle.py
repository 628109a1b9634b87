"""The rate of one connection, and what its carrier's complaints make of it."""

import pytest

from mmsgate.clock import MINUTE, SECOND, ManualClock
from mmsgate.delivery.throttle import SLOWEST, Throttle


def a_throttle(rate: float = 0.0, burst: int = 1) -> tuple[Throttle, ManualClock]:
    clock = ManualClock()
    clock.time -= clock.time % SECOND
    return Throttle(rate, burst, clock), clock


def sends(throttle: Throttle, clock: ManualClock, rate: int, seconds: int = 1) -> None:
    """So many a second leave."""
    for _ in range(seconds):
        for _ in range(rate):
            throttle.turn()
        clock.advance(SECOND)


def test_without_a_rate_nobody_waits() -> None:
    throttle, _ = a_throttle()
    assert [throttle.turn() for _ in range(1000)] == [0] * 1000
    assert throttle.ahead is None


def test_with_a_rate_each_waits_for_its_turn() -> None:
    throttle, _ = a_throttle(10, burst=2)
    assert [round(throttle.turn()) for _ in range(4)] == [0, 0, 100, 200]
    assert throttle.ahead == 11


def test_a_complaint_halves_the_rate_and_ten_seconds_bring_it_back() -> None:
    throttle, clock = a_throttle(100)
    assert throttle.complained()
    rates = []
    for _ in range(12):
        rates.append(throttle.limit)
        clock.advance(SECOND)
    assert rates == [50, 55, 60, 65, 70, 75, 80, 85, 90, 95, 100, 100]


def test_complaints_about_what_had_left_before_the_slowdown_are_no_news() -> None:
    throttle, clock = a_throttle(100)
    assert [throttle.complained() for _ in range(16)] == [True] + [False] * 15
    assert throttle.limit == 50
    clock.advance(SECOND)
    assert throttle.complained()
    assert throttle.limit == pytest.approx(27.5)


def test_it_never_stops_altogether() -> None:
    throttle, clock = a_throttle(3)
    for _ in range(20):
        clock.advance(SECOND)
        throttle.complained()
    assert throttle.limit == SLOWEST


def test_without_a_rate_the_half_of_what_left_is_the_limit_until_twice_as_much_has_gone_well() -> None:
    throttle, clock = a_throttle()
    sends(throttle, clock, 200)
    assert throttle.complained()
    assert throttle.limit == 100
    assert throttle.turn() == 0
    assert throttle.turn() == pytest.approx(10)
    clock.advance(10 * SECOND)
    assert throttle.limit == 200
    clock.advance(20 * SECOND)
    assert throttle.limit == 0
    assert [throttle.turn() for _ in range(1000)] == [0] * 1000


def test_nothing_leaves_before_the_time_that_the_carrier_names_but_a_minute_is_the_most() -> None:
    throttle, clock = a_throttle(100)
    throttle.complained(5 * SECOND)
    assert throttle.turn() == 5 * SECOND
    held = throttle.held
    clock.advance(5 * SECOND)
    assert (held, throttle.held) == (True, False)
    throttle.complained(3600 * SECOND)
    assert throttle.turn() == pytest.approx(MINUTE, abs=1)


@pytest.mark.parametrize("rate", [0.0, 100.0])
def test_after_that_time_they_leave_one_by_one_and_the_rate_comes_back_from_then_on(rate: float) -> None:
    throttle, clock = a_throttle(rate)
    sends(throttle, clock, 100)
    throttle.complained(30 * SECOND)
    assert [round(throttle.turn()) for _ in range(4)] == [30_000, 30_020, 30_040, 30_060]
    clock.advance(30 * SECOND)
    assert throttle.limit == 50
    clock.advance(SECOND)
    assert throttle.limit == 55


def test_a_later_time_that_the_carrier_names_counts_though_the_complaint_is_no_news() -> None:
    throttle, clock = a_throttle(100)
    assert throttle.complained(2 * SECOND)
    clock.advance(SECOND)
    assert not throttle.complained(5 * SECOND)
    assert throttle.turn() == pytest.approx(5 * SECOND)


def test_another_rate_of_the_profile_keeps_the_turns_that_were_taken_and_the_complaint() -> None:
    throttle, clock = a_throttle(10)
    for _ in range(10):
        throttle.turn()
    throttle.change(100, 1)
    assert throttle.turn() == pytest.approx(910)
    assert throttle.complained()
    throttle.change(80, 1)
    assert throttle.limit == 50
    clock.advance(6 * SECOND)
    assert throttle.limit == 80
