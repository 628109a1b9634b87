"""The gate of a connection: closed while it can't be used, so that the queue waits."""

from typing import Protocol

from mmsgate.bucket import UNLIMITED
from mmsgate.clock import Clock, Millis
from mmsgate.delivery.retry import pause_length


class Admission(Protocol):
    """What a lane asks before it takes messages in hand."""

    @property
    def opens_at(self) -> Millis:
        """Nothing leaves before."""
        ...

    @property
    def fresh_since(self) -> Millis:
        """What became due before is the backlog of an outage; 0: there was none."""
        ...

    def room(self, in_hand: int) -> int:
        """How many more messages may be taken in hand."""
        ...

    def admits(self, waiting: int) -> bool:
        """Whether it is a good place for another message, behind so many that it has not sent."""
        ...


class Gate:
    """Open at first. Each `close` without an `open` in between keeps it closed longer."""

    fresh_since: Millis = 0

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._refusals = 0
        self.opens_at: Millis = 0

    @property
    def closed(self) -> bool:
        return self._clock.now() < self.opens_at

    def close(self) -> None:
        """The other side refused us. While it is closed, a further refusal (of what was under way) is no news."""
        if not self.closed:
            self._refusals += 1
            self.opens_at = self._clock.now() + pause_length(self._refusals)

    def open(self) -> None:
        """The other side takes our requests."""
        self._refusals = 0
        self.opens_at = 0

    def room(self, _: int) -> int:
        """As many as there are places, unless it is closed."""
        return 0 if self.closed else UNLIMITED

    def admits(self, _: int) -> bool:
        return not self.closed
