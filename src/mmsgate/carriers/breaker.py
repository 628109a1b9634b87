"""A circuit breaker: what fails again and again is not asked for a while, so that nobody waits for it."""

from mmsgate.clock import SECOND, Clock, Millis

#: Failures in a row, with no success between them, after which it opens.
MOST_FAILURES = 5
#: How long it stays open: after the first time, the second …; the last one is kept.
PAUSES: tuple[Millis, ...] = (5 * SECOND, 15 * SECOND, 30 * SECOND, 60 * SECOND)


class Breaker:
    """Closed at first. `admits` comes before a call, `succeeded` or `failed` after it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._failures = 0
        self._openings = 0
        self._until: Millis = 0
        self._on_trial = False

    @property
    def is_open(self) -> bool:
        """Whether it takes a trial to find out if things are well again."""
        return self._failures >= MOST_FAILURES

    def admits(self) -> bool:
        """Whether to call now. After the pause one call is the trial, and the others wait for what comes of it."""
        if not self.is_open:
            return True
        now = self._clock.now()
        if now < self._until:
            return False
        self._on_trial, self._until = True, now + self._pause
        return True

    def succeeded(self) -> None:
        self._failures = self._openings = 0
        self._on_trial = False

    def failed(self) -> None:
        """Opens it after the last failure that is borne, and for longer after a trial that failed."""
        if self.is_open and not self._on_trial:
            return  # it was under way when it opened
        self._failures += 1
        self._on_trial = False
        if self.is_open:
            self._openings += 1
            self._until = self._clock.now() + self._pause

    @property
    def _pause(self) -> Millis:
        return PAUSES[min(self._openings, len(PAUSES)) - 1]
