"""When the next submit_sm may leave: a token bucket, and what the SMSC's refusals have made of it. No IO.

An SMSC that answers ESME_RTHROTTLED or ESME_RMSGQFUL wants the whole connection slower. So everything stops for a
moment; then one message leaves alone, as a probe. Once one is taken, the rest follow at half the rate that the SMSC
had taken before, and the rate doubles every ten seconds until the next refusal or the profile's own rate. Each
refusal of a probe makes the stop twice as long.
"""

import math
from dataclasses import dataclass, field
from typing import Final

from mmsgate.bucket import TokenBucket
from mmsgate.clock import SECOND
from mmsgate.tally import Tally

#: The first stop and the longest one, in seconds.
FIRST_STOP: Final = 1.0
LONGEST_STOP: Final = 30.0
#: How long a probe keeps the others back when it is not answered.
PROBE_PATIENCE: Final = 5.0
#: The slowest it gets, in messages a second.
SLOWEST: Final = 1.0
#: Seconds in which the rate doubles after a stop, and how often it may until it is a limit no more.
DOUBLING: Final = 10.0
MOST_DOUBLINGS: Final = 20.0


@dataclass(slots=True, kw_only=True)
class Pace:
    """`rate` parts a second, 0 without a limit, `burst` of them at once. Times are seconds of a monotonic clock."""

    rate: float = 0.0
    burst: int = 1
    _bucket: TokenBucket | None = None
    _stopped_until: float = -math.inf
    _stops: int = 0  # without a message taken in between
    _slowed_at: float = -math.inf
    _slow: float = 0.0  # the rate after the stop, 0 without one
    _probe_until: float = -math.inf
    _probing: bool = False
    _taken: Tally = field(default_factory=Tally)

    def wait(self, now: float) -> float:
        """Seconds until the next message may leave; ask again then, an answer may have changed it. 0 is now."""
        if self.stopped(now):
            return self._stopped_until - now
        if self._probing and now < self._probe_until:
            return self._probe_until - now
        bucket = self._bucket_at(now)
        return bucket.wait(now * SECOND) / SECOND if bucket else 0.0

    def change(self, rate: float, burst: int) -> None:
        """The profile has another rate and burst; what has left and the SMSC's refusals keep their effect."""
        self.rate, self.burst = rate, burst

    def stopped(self, now: float) -> bool:
        """Whether nothing may leave at all."""
        return now < self._stopped_until

    def take(self, parts: int, now: float) -> None:
        """A message of so many parts leaves."""
        if self._probing:
            self._probe_until = now + PROBE_PATIENCE
        if bucket := self._bucket_at(now):
            bucket.take(now * SECOND, parts)

    def answered(self, now: float) -> bool:
        """The SMSC looked at a part and did not want it slower. Whether those may go now who waited for a probe."""
        self._taken.add(int(now))
        if not self._probing or self.stopped(now):
            return False
        self._stops, self._probing = 0, False
        return True

    def refused(self, left_at: float, now: float) -> bool:
        """The SMSC wants it slower; whether that is news. A part that left before the last stop brings none."""
        if left_at <= self._slowed_at:
            return False
        self._stops += 1
        self._slow = max(SLOWEST, self._taken.rate(int(now)) / 2)
        self._slowed_at = now
        self._stopped_until = now + min(FIRST_STOP * 2 ** (self._stops - 1), LONGEST_STOP)
        self._probing, self._probe_until = True, now
        if bucket := self._bucket_at(now):
            bucket.hold(self._stopped_until * SECOND, now * SECOND)
        return True

    def _bucket_at(self, now: float) -> TokenBucket | None:
        """The bucket, at the rate that holds now; None where there is no limit."""
        rate = self._rate(now)
        if not rate:
            return None
        if self._bucket is None:
            self._bucket = TokenBucket(rate, self.burst)
        self._bucket.change(rate, self.burst, now * SECOND)
        return self._bucket

    def _rate(self, now: float) -> float:
        """What holds now; 0 is no limit."""
        if not self._slow:
            return self.rate
        doublings = max(0.0, now - self._stopped_until) / DOUBLING
        regained = self._slow * 2**doublings if doublings < MOST_DOUBLINGS else 0.0
        if not regained or 0 < self.rate <= regained:
            self._slow = 0.0
            return self.rate
        return regained
