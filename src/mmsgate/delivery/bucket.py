"""A token bucket, and a family of them by key. Times are milliseconds, rates are a second; no IO."""

import math
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from mmsgate.clock import SECOND, Millis

K = TypeVar("K", bound=Hashable)

#: How many may go where no limit holds.
UNLIMITED = 1_000_000
#: What timers are late by must not be lost: a bucket by key keeps the tokens of so long a time at least.
LATENESS: Millis = 50


@dataclass(slots=True)
class TokenBucket:
    """`rate` tokens a second flow in, `burst` of them are kept; in any time no more than both are given out.

    A token may be taken before it is there: whoever takes it waits until then, and those after him longer. So the
    rate is kept exactly, however late the timers are, as long as somebody waits. A clock that is set back stops
    nothing: no time has passed then.
    """

    rate: float
    burst: float = 1
    _tokens: float = field(init=False)
    _at: Millis = field(default=0, init=False)

    def __post_init__(self) -> None:
        self._tokens = self.burst

    def take(self, now: Millis, count: int = 1) -> float:
        """Take tokens; milliseconds until the last of them is there."""
        self._fill(now)
        self._tokens -= count
        return max(0.0, -self._tokens) / self.rate * SECOND

    def room(self, now: Millis) -> int:
        """How many are there."""
        self._fill(now)
        return max(0, int(self._tokens))

    def free_at(self, now: Millis) -> Millis:
        """When the next one is there; `now` if one is."""
        self._fill(now)
        return now + math.ceil(max(0.0, 1 - self._tokens) / self.rate * SECOND)

    def change(self, rate: float, now: Millis) -> None:
        """Another rate from now on; what is there stays."""
        self._fill(now)
        self.rate = rate

    def _fill(self, now: Millis) -> None:
        passed = max(0, now - self._at) if self._at else 0
        self._tokens = min(self.burst, self._tokens + passed / SECOND * self.rate)
        self._at = now


class Buckets(Generic[K]):
    """A bucket for each key, with the rate that `rate_of` says of it; 0 is no limit. A changed rate begins anew."""

    def __init__(self, rate_of: Callable[[K], float]) -> None:
        self._rate_of = rate_of
        self._buckets: dict[K, TokenBucket] = {}

    def room(self, key: K, now: Millis) -> int:
        """How many may go now."""
        bucket = self._bucket(key)
        return UNLIMITED if bucket is None else bucket.room(now)

    def spend(self, key: K, count: int, now: Millis) -> None:
        """So many go."""
        bucket = self._bucket(key)
        if bucket is not None:
            bucket.take(now, count)

    def free_at(self, key: K, now: Millis) -> Millis:
        """When the next one may go."""
        bucket = self._bucket(key)
        return now if bucket is None else bucket.free_at(now)

    def _bucket(self, key: K) -> TokenBucket | None:
        rate = self._rate_of(key)
        if not rate:
            self._buckets.pop(key, None)
            return None
        bucket = self._buckets.get(key)
        if bucket is None or bucket.rate != rate:
            bucket = self._buckets[key] = TokenBucket(rate, burst=1 + rate * LATENESS / SECOND)
        return bucket
