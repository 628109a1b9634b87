"""How many requests a second one connection gets: the profile's rate, and less while the carrier wants less.

A carrier that answers that we are too fast (3510, HTTP 429) gets half from then on: half of the present limit, or
of what left in the last second where there is none. After that every second brings a twentieth of the old rate
back, so that it is there again after ten. Where the profile has no rate, the limit is lifted at twice the rate that
was too fast.
"""

from dataclasses import dataclass, field

from mmsgate.bucket import TokenBucket
from mmsgate.clock import MINUTE, SECOND, Clock, Millis
from mmsgate.tally import Tally

#: The slowest it gets, in requests a second.
SLOWEST = 0.5
#: What a second without a complaint brings back, as a share of the rate at which the carrier complained.
REGAINED = 1 / 20
#: The longest that nothing leaves because the carrier named a time (Retry-After).
LONGEST_HOLD: Millis = 1 * MINUTE


@dataclass(slots=True)
class Slowdown:
    """Since when the carrier is spared, from which rate, and to which rate. A time that it names counts as well."""

    at: Millis
    before: float
    to: float

    def rate(self, now: Millis) -> float:
        """What it may get by now."""
        return self.to + self.before * REGAINED * max(0, (now - self.at) // SECOND)


@dataclass(slots=True)
class Throttle:
    """The turns of one connection. `rate` 0 is no limit."""

    rate: float
    burst: int
    clock: Clock
    _bucket: TokenBucket | None = field(default=None, init=False)
    _slowdown: Slowdown | None = field(default=None, init=False)
    _held_until: Millis = field(default=0, init=False)
    _tally: Tally = field(default_factory=Tally, init=False)

    def turn(self) -> float:
        """Take the next turn; how many milliseconds to wait for it."""
        now = self.clock.now()
        self._tally.add(now // SECOND)
        bucket = self._bucket_of(self.limit, now)
        return bucket.take(now) if bucket else 0.0

    def change(self, rate: float, burst: int) -> None:
        """The profile has another rate and burst; turns that are taken and complaints keep their effect."""
        self.rate, self.burst = rate, burst

    @property
    def held(self) -> bool:
        """Whether nothing may leave, because the carrier named a time."""
        return self.clock.now() < self._held_until

    @property
    def limit(self) -> float:
        """Requests a second now; 0 is no limit."""
        if self._slowdown is None:
            return self.rate
        regained = self._slowdown.rate(self.clock.now())
        if regained < (self.rate or 2 * self._slowdown.before):
            return regained
        self._slowdown = None
        return self.rate

    def complained(self, after: Millis | None = None) -> bool:
        """The carrier says that we are too fast, and when to come again; whether that is news.

        What left before the last slowdown brings none: it is the same complaint for a second.
        """
        now = self.clock.now()
        self._held_until = max(self._held_until, now + min(after or 0, LONGEST_HOLD))
        news = self._slowdown is None or now >= self._slowdown.at + SECOND
        if news:
            before = self.limit or float(max(1, self._tally.rate(now // SECOND)))
            self._slowdown = Slowdown(at=now, before=before, to=max(SLOWEST, before / 2))
        if self._slowdown is not None and self.held:
            self._slowdown.at = self._held_until  # while nothing leaves, nothing goes well
        if self.held and (bucket := self._bucket_of(self.limit, now)):
            bucket.hold(self._held_until, now)
        return news

    @property
    def ahead(self) -> int | None:
        """How many may stand before their turn: those of a second, two at least; None if nobody has to wait."""
        limit = self.limit
        return max(2, round(limit)) + self.burst - 1 if limit else None

    def _bucket_of(self, limit: float, now: Millis) -> TokenBucket | None:
        """The bucket, at that rate from now on; None where there is no limit."""
        if not limit:
            return None
        if self._bucket is None:
            self._bucket = TokenBucket(limit, self.burst)
        self._bucket.change(limit, self.burst, now)
        return self._bucket
