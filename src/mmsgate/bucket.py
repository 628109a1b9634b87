"""A token bucket, and a family of them by key. Times are milliseconds of any clock, rates are a second; no IO.

It is kept as one moment, that at which the bucket was or will be empty; so what has been promised to those who wait
stays as it is when the rate changes.
"""

import math
from collections.abc import Callable, Collection, Hashable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from mmsgate.clock import SECOND, Millis

K = TypeVar("K", bound=Hashable)

#: How many may go where no limit holds.
UNLIMITED = 1_000_000
#: Whoever waited for his token may come so late and lose nothing by it: a busy loop does not slow the rate.
LATENESS: Millis = 50
#: Milliseconds since 1970 as a float are exact to a quarter of a microsecond: less than this is no time.
GRAIN = 1e-3
#: A key of which nothing went for so long is out of use.
LATELY: Millis = 10 * SECOND
#: So many buckets are kept before the first look for those that are full.
FEW_KEYS = 1000


@dataclass(slots=True)
class TokenBucket:
    """`rate` tokens a second flow in, `burst` of them are kept; in any time no more than both are given out.

    A token may be taken before it is there: whoever takes it waits until then, and those after him longer. So the
    rate is kept exactly, however late the timers are, as long as somebody waits. What flows in while somebody who
    was told to wait is late is kept too, for `LATENESS`. A clock that is set back stops nothing: no time passes.
    """

    rate: float
    burst: float = 1
    _empty_at: float = field(default=-math.inf, init=False)
    _awaited: bool = field(default=False, init=False)  # somebody was told to wait for the next token
    _seen: float = field(default=-math.inf, init=False)

    def take(self, now: float, count: int = 1) -> float:
        """Take tokens; milliseconds until the first of them is there. The others are a debt."""
        wait = self.wait(now)
        self._empty_at += count / self.rate * SECOND
        return wait

    def wait(self, now: float) -> float:
        """Milliseconds until the next token is there; who asks takes it then."""
        self._look(now)
        wait = self._next - now
        if wait < GRAIN:
            return 0.0
        self._awaited = True
        return wait

    def room(self, now: float) -> int:
        """How many are there."""
        self._look(now)
        return max(0, int((now - self._empty_at + GRAIN) / SECOND * self.rate))

    def full(self, now: float) -> bool:
        """Whether it is as good as new."""
        self._look(now)
        return self._empty_at <= now - self._depth + GRAIN

    def change(self, rate: float, burst: float, now: float) -> None:
        """Another rate and burst from now on. The tokens that are there stay, and what was promised."""
        self._look(now)
        if self._empty_at < now:
            self._empty_at = now - (now - self._empty_at) * self.rate / rate
        self.rate, self.burst = rate, burst

    def hold(self, until: float, now: float) -> None:
        """Nobody gets a token before; then there is one, and the others follow at the rate."""
        self._look(now)
        self._empty_at = max(self._empty_at, until - self._interval)

    @property
    def _interval(self) -> float:
        return SECOND / self.rate

    @property
    def _depth(self) -> float:
        """How long a full bucket took to fill."""
        return self.burst * self._interval

    @property
    def _next(self) -> float:
        """When the next token is or was there."""
        return self._empty_at + self._interval

    def _look(self, now: float) -> None:
        """Drop what is too much by now."""
        if now < self._seen:
            self._empty_at -= self._seen - now
        self._seen = now
        self._awaited = self._awaited and now - self._next <= LATENESS
        if not self._awaited:
            self._empty_at = max(self._empty_at, now - self._depth)


class Buckets(Generic[K]):
    """A bucket for each key, with the rate that `rate_of` says of it now; 0 is no limit.

    A full bucket says nothing, so it is not kept for long: there are hardly more than keys that are in use.
    """

    def __init__(self, rate_of: Callable[[K], float]) -> None:
        self._rate_of = rate_of
        self._buckets: dict[K, TokenBucket] = {}
        self._spent_at: dict[K, Millis] = {}
        self._look_at = FEW_KEYS

    @property
    def kept(self) -> int:
        """How many buckets there are."""
        return len(self._buckets)

    def used(self, now: Millis) -> Collection[K]:
        """Those that have a limit, and of which something went lately."""
        self._spent_at = {key: at for key, at in self._spent_at.items() if now - at < LATELY}
        return self._spent_at.keys()

    def room(self, key: K, now: Millis) -> int:
        """How many may go now."""
        bucket = self._bucket(key, now)
        return UNLIMITED if bucket is None else bucket.room(now)

    def spend(self, key: K, count: int, now: Millis) -> None:
        """So many go."""
        bucket = self._bucket(key, now)
        if bucket is not None:
            bucket.take(now, count)
            if count:
                self._spent_at[key] = now

    def free_at(self, key: K, now: Millis) -> Millis:
        """When the next one may go; `now` if one may."""
        bucket = self._bucket(key, now)
        return now if bucket is None else now + math.ceil(bucket.wait(now) - GRAIN)

    def _bucket(self, key: K, now: Millis) -> TokenBucket | None:
        rate = self._rate_of(key)
        if not rate:
            self._buckets.pop(key, None)
            return None
        bucket = self._buckets.get(key)
        if bucket is None:
            if len(self._buckets) >= self._look_at:
                self._drop_full(now)
                self.used(now)
            bucket = self._buckets[key] = TokenBucket(rate)
        if bucket.rate != rate:
            bucket.change(rate, bucket.burst, now)
        return bucket

    def _drop_full(self, now: Millis) -> None:
        self._buckets = {key: bucket for key, bucket in self._buckets.items() if not bucket.full(now)}
        self._look_at = max(FEW_KEYS, 2 * len(self._buckets))
