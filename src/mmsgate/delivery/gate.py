"""The gate of a carrier connection: closed while the carrier refuses us, so that the queue waits."""

from mmsgate.clock import Clock, Millis
from mmsgate.delivery.retry import pause_length


class Gate:
    """Open at first. Each `close` without an `open` in between keeps it closed longer."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._refusals = 0
        self.opens_at: Millis = 0

    @property
    def closed(self) -> bool:
        return self._clock.now() < self.opens_at

    def close(self) -> None:
        """The carrier refused us. While it is closed a further refusal (of what was under way) changes nothing."""
        if not self.closed:
            self._refusals += 1
            self.opens_at = self._clock.now() + pause_length(self._refusals)

    def open(self) -> None:
        """The carrier takes our requests."""
        self._refusals = 0
        self.opens_at = 0
