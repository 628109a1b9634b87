"""Token buckets: the rate is kept to the token, and never exceeded by more than the burst."""

import random

import pytest

from mmsgate.clock import SECOND, Millis
from mmsgate.delivery.bucket import UNLIMITED, Buckets, TokenBucket

START: Millis = 1_767_346_247_000


def departures(bucket: TokenBucket, count: int, *, late: int = 0) -> list[float]:
    """When so many leave, one after the other: each takes its turn when the one before has left, up to `late` ms
    later than it might."""
    roll, now, left = random.Random(7), START, []
    for _ in range(count):
        leaves = now + bucket.take(now)
        left.append(leaves)
        now = int(leaves) + roll.randint(0, late)
    return left


@pytest.mark.parametrize("rate", [0.5, 1, 3, 50, 333, 1000])
@pytest.mark.parametrize("burst", [1, 5])
def test_no_window_holds_more_than_the_rate_and_the_burst(rate: float, burst: int) -> None:
    left = departures(TokenBucket(rate, burst), 400, late=30)
    for first in range(0, 400, 7):
        for last in range(first, 400, 11):
            allowed = (left[last] - left[first]) / SECOND * rate + burst
            assert last - first + 1 <= allowed + 1e-3


@pytest.mark.parametrize("rate", [3, 50, 333, 1000])
def test_the_rate_is_kept_to_the_token_as_long_as_somebody_waits(rate: float) -> None:
    """Turns are taken a second ahead, so that it does not matter how late the timers are."""
    bucket = TokenBucket(rate, 1)
    roll, now, count = random.Random(7), START, 0
    while now < START + 30 * SECOND:
        while bucket.free_at(now) < now + SECOND:
            bucket.take(now)
            count += 1
        now += roll.randint(1, 500)
    assert count == pytest.approx(31 * rate, rel=0.02, abs=2)


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
    bucket.change(1, START)
    assert bucket.take(START) == pytest.approx(1000)
    assert bucket.free_at(START) == START + 2000


def test_each_key_has_a_bucket_of_its_own_and_one_without_a_rate_has_none() -> None:
    rates = {"slow": 1.0, "fast": 100.0, "free": 0.0}
    buckets: Buckets[str] = Buckets(lambda key: rates[key])
    assert [buckets.room(key, START) for key in rates] == [1, 6, UNLIMITED]
    for key in rates:
        buckets.spend(key, 1, START)
    assert [buckets.room(key, START) for key in rates] == [0, 5, UNLIMITED]
    assert [buckets.free_at(key, START) for key in rates] == [START + 950, START, START]
    rates["slow"] = 100.0
    assert buckets.room("slow", START) == 6
