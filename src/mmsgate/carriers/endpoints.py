"""Which of a carrier's endpoints is asked first."""

from collections.abc import Iterator

from mmsgate.clock import MINUTE, Clock, Millis

#: How long the endpoint that took over is asked first, before the first one of the profile is tried again.
STAY: Millis = MINUTE


class Endpoints:
    """The endpoints of a profile in the order in which they are tried.

    One that could be reached in place of the first stays in front: otherwise each message would wait for the first
    one's time-out anew. Now and then one request looks whether the first one is back, while the others go on.
    """

    def __init__(self, urls: tuple[str, ...], clock: Clock) -> None:
        self._urls, self._clock = urls, clock
        self._front, self._until = 0, 0

    def __iter__(self) -> Iterator[str]:
        now, front = self._clock.now(), self._front
        if front and now >= self._until:
            front, self._until = 0, now + STAY
        yield from self._urls[front:]
        yield from self._urls[:front]

    def reached(self, url: str) -> None:
        """That one took our bytes."""
        place = self._urls.index(url)
        if place != self._front:
            self._front, self._until = place, self._clock.now() + STAY
