"""Whether a carrier connection takes our requests, and how many at once after it did not.

    up ──failures in a row──▶ down ──a probe is answered──▶ up, slowly: 2 at once, then 4, 8, … every 10 s
    up ──credentials refused──▶ paused ──a message is accepted, or other credentials──▶ up, slowly

While it is down or paused, nothing leaves until `opens_at`; then two requests may, as probes. A probe that does not
bring it up closes it again, for longer.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from mmsgate.clock import SECOND, Clock, Millis
from mmsgate.delivery.retry import pause_length

#: So many requests in a row that were refused a connection, timed out or met HTTP 5xx, and the connection is down.
DOWN_AFTER = 5
#: How long it is left alone, each time the probes fail again.
PROBES: Sequence[Millis] = (1 * SECOND, 2 * SECOND, 5 * SECOND, 10 * SECOND)
#: Requests at once of a connection that is probed, and at first when it is up again.
FEW = 2
#: How long it takes until twice as many may be under way.
DOUBLING: Millis = 10 * SECOND


class Standing(StrEnum):
    """How a connection stands."""

    UP = "up"
    DOWN = "down"  # it can't be reached, doesn't answer, or its server does not work
    PAUSED = "paused"  # it refuses our credentials


@dataclass(slots=True)
class Health:
    """The health of a connection with so many `connections`. Up at first.

    `on_change` is called when it goes down, is paused, is closed again after a probe, or comes up.
    """

    connections: int
    clock: Clock
    on_change: Callable[[], None] = lambda: None
    standing: Standing = field(default=Standing.UP, init=False)
    since: Millis = field(default=0, init=False)
    opens_at: Millis = field(default=0, init=False)
    #: When it came up again, the last time; messages accepted before are its backlog.
    up_since: Millis = field(default=0, init=False)
    _failures: int = field(default=0, init=False)  # in a row
    _tries: int = field(default=0, init=False)  # times that it was closed
    _slow_since: Millis | None = field(default=None, init=False)

    @property
    def closed(self) -> bool:
        """Nothing may leave now."""
        return self.opens_at > 0 and self.clock.now() < self.opens_at

    @property
    def slow(self) -> bool:
        """It is not up, or has not been for long."""
        if self.standing is Standing.UP and self._slow_since is None:
            return False
        return self.standing is not Standing.UP or self.window < self.connections

    @property
    def window(self) -> int:
        """How many requests may be under way."""
        if self.standing is not Standing.UP:
            return min(FEW, self.connections)
        if self._slow_since is None:
            return self.connections
        doublings = (self.clock.now() - self._slow_since) // DOUBLING
        window = FEW << min(doublings, 30)
        if window >= self.connections:
            self._slow_since = None
        return min(window, self.connections)

    def failed(self, *, after: Millis = 0) -> bool:
        """A request found nobody. Whether the connection is down now and was not before.

        The carrier wants to be left alone for `after` ms; it is, once it is down or paused.
        """
        self._failures += 1
        was_up = self.standing is Standing.UP
        if was_up and self._slow_since is not None:
            self._slow_since = self.clock.now()
        if was_up and self._failures < DOWN_AFTER:
            return False
        self._close(Standing.DOWN if was_up else self.standing, after)
        return was_up

    def refused(self) -> bool:
        """The carrier refuses our credentials. Whether it did not before."""
        news = self.standing is not Standing.PAUSED
        self._close(Standing.PAUSED)
        return news

    def answered(self, *, accepted: bool) -> bool:
        """An answer of MM7 came. Whether the connection is up now and was not before.

        Refused credentials are only over when a message is `accepted`.
        """
        self._failures = 0
        if self.standing is Standing.UP:
            return False
        if self.standing is Standing.PAUSED and not accepted:
            self._close(Standing.PAUSED)
            return False
        self._come_up()
        return True

    def renewed(self) -> None:
        """The connection goes to another place now, or with other credentials.

        A pause is over, gently; what is down is probed at once.
        """
        self._failures = self._tries = 0
        if self.standing is Standing.PAUSED:
            self._come_up()
        elif self.standing is Standing.DOWN:
            self.opens_at = 0

    def _come_up(self) -> None:
        now = self.clock.now()
        self.standing, self.since, self.opens_at, self._tries = Standing.UP, now, 0, 0
        self._slow_since = self.up_since = now
        self.on_change()

    def _close(self, standing: Standing, after: Millis = 0) -> None:
        """Let nothing leave for a time, `after` ms at least.

        Where it is closed for the same reason, the answers of what was under way make it no longer than they ask.
        """
        now = self.clock.now()
        if self.standing is standing and self.closed:
            self.opens_at = max(self.opens_at, now + after)
            return
        if self.standing is not standing:
            self.standing, self.since, self._tries = standing, now, 0
        self._tries += 1
        refused = standing is Standing.PAUSED
        length = pause_length(self._tries) if refused else PROBES[min(self._tries, len(PROBES)) - 1]
        self.opens_at = now + max(length, after)
        self.on_change()
