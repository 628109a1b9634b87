"""Token buckets: the rate is kept to the token, and never exceeded by more than the burst."""

import random

import pytest

from mmsgate.bucket import FEW_KEYS, LATENESS, UNLIMITED, Buckets, TokenBucket
from mmsgate.clock import SECOND, Millis

START: Millis = 1_767_346_247_000


def departures(bucket: TokenBucket, count: int, *, late: int = 0) -> list[float]:
    """When so many leave, one after the other: each takes its turn when the one before has left, which is up to
    `late` ms after its time if it had to wait."""
    roll, now, left = random.Random(7), float(START), []
    for _ in range(count):
        wait = bucket.take(now)
        now += wait + (roll.uniform(0, late) if wait else 0)
        left.append(now)
    return left


def most_beyond(left: list[float], rate: float) -> float:
    """The most that left in any window beyond rate × its length."""
    most, least = 0.0, float("inf")
    for index, at in enumerate(left):
        least = min(least, index - at / SECOND * rate)
        most = max(most, index + 1 - at / SECOND * rate - least)
    return most


@pytest.mark.parametrize("rate", [0.5, 1, 3, 50, 333, 1000])
@pytest.mark.parametrize("burst", [1, 5])
def test_no_window_holds_more_than_the_rate_and_the_burst(rate: float, burst: int) -> None:
    assert most_beyond(departures(TokenBucket(rate, burst), 400), rate) <= burst + 0.01


@pytest.mark.parametrize("rate", [0.5, 50, 1000])
def test_who_comes_late_finds_what_came_in_meanwhile_and_no_more(rate: float) -> None:
    left = departures(TokenBucket(rate, 1), 400, late=30)
    assert most_beyond(left, rate) <= 1 + rate * LATENESS / SECOND


@pytest.mark.parametrize("rate", [3, 50, 333, 1000])
@pytest.mark.parametrize("late", [0, 4, 30])
def test_the_rate_is_kept_within_one_per_cent_however_late_the_timers_are(rate: float, late: int) -> None:
    """Each takes its turn when the one before has left."""
    left = departures(TokenBucket(rate, 1), 30 * round(rate), late=late)
    assert (len(left) - 1) / (left[-1] - left[0]) * SECOND == pytest.approx(rate, rel=0.01)


@pytest.mark.parametrize("rate", [3, 50, 333, 1000])
def test_the_rate_is_kept_within_one_per_cent_by_those_who_ask_before_they_take(rate: float) -> None:
    bucket, roll, now, count = TokenBucket(rate, 1), random.Random(7), float(START), 0
    while now < START + 30 * SECOND:
        while wait := bucket.wait(now):
            now += wait + roll.uniform(0, 30)
        bucket.take(now)
        count += 1
    assert count == pytest.approx(30 * rate, rel=0.01, abs=1)


def test_turns_may_be_taken_long_before_they_come() -> None:
    bucket = TokenBucket(10, 1)
    assert [round(bucket.take(START)) for _ in range(4)] == [0, 100, 200, 300]
    assert bucket.take(START + 350) == pytest.approx(50)


def test_an_idle_bucket_keeps_the_burst_and_no_more() -> None:
    bucket = TokenBucket(10, 3)
    bucket.take(START)
    later = START + 3600 * SECOND
    assert [round(bucket.take(later)) for _ in range(5)] == [0, 0, 0, 100, 200]


def test_a_clock_that_is_set_back_neither_stops_nor_opens_it() -> None:
    bucket = TokenBucket(10, 1)
    bucket.take(START)
    assert bucket.take(START - 3600 * SECOND) == pytest.approx(100)
    assert bucket.take(START - 3600 * SECOND + 100) == pytest.approx(100)


def test_another_rate_counts_from_now_on() -> None:
    bucket = TokenBucket(10, 1)
    bucket.take(START)
    bucket.change(1, 1, START)
    assert bucket.take(START) == pytest.approx(1000)
    assert bucket.wait(START) == pytest.approx(2000)


def test_what_was_promised_stays_when_the_rate_changes_and_so_do_the_tokens() -> None:
    bucket = TokenBucket(10, 5)
    for _ in range(8):
        bucket.take(START)
    bucket.change(1, 5, START)
    assert bucket.wait(START) == pytest.approx(300 + 1000)
    bucket = TokenBucket(10, 5)
    bucket.take(START, 2)
    bucket.change(1000, 5, START)
    assert bucket.room(START) == 3
    bucket.change(1000, 2, START)
    assert bucket.room(START) == 2


def test_after_a_hold_they_leave_one_by_one() -> None:
    bucket = TokenBucket(10, 5)
    bucket.hold(START + 5 * SECOND, START)
    assert [round(bucket.take(START + SECOND)) for _ in range(3)] == [4000, 4100, 4200]


def test_several_tokens_are_a_debt_for_those_who_come_after() -> None:
    bucket = TokenBucket(10, 1)
    assert bucket.take(START, 20) == 0
    assert bucket.wait(START) == pytest.approx(2000)


def test_each_key_has_a_bucket_of_its_own_and_one_without_a_rate_has_none() -> None:
    rates = {"slow": 1.0, "fast": 100.0, "free": 0.0}
    buckets: Buckets[str] = Buckets(lambda key: rates[key])
    assert [buckets.room(key, START) for key in rates] == [1, 1, UNLIMITED]
    for key in rates:
        buckets.spend(key, 1, START)
    assert [buckets.room(key, START) for key in rates] == [0, 0, UNLIMITED]
    assert [buckets.free_at(key, START) for key in rates] == [START + 1000, START + 10, START]
    rates["free"] = 1.0
    assert buckets.room("free", START) == 1


def test_a_changed_rate_gives_nobody_new_tokens() -> None:
    rate = 1.0
    buckets: Buckets[str] = Buckets(lambda _: rate)
    buckets.spend("1", 1, START)
    rate = 10.0
    assert buckets.room("1", START) == 0
    assert buckets.free_at("1", START) == START + 100


def test_buckets_that_are_full_are_not_kept_and_the_others_are() -> None:
    buckets: Buckets[int] = Buckets(lambda key: 0.001 if key < 10 else 10.0)
    for key in range(20 * FEW_KEYS):
        buckets.spend(key, 1, START + key)
    assert buckets.kept <= FEW_KEYS
    assert [buckets.room(key, START + 20 * FEW_KEYS) for key in range(10)] == [0] * 10
