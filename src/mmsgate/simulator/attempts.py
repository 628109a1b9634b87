"""What was tried before: how often for one message, and since when for one recipient."""

from collections import OrderedDict
from typing import TypeVar

from mmsgate.clock import Clock, Millis

_Key = TypeVar("_Key")

_REMEMBERED = 10_000  # messages and recipients; the longest unused are forgotten


class Attempts:
    """A bounded memory of attempts. `speed` makes the simulated carrier's time run faster than the clock's."""

    def __init__(self, clock: Clock, *, speed: float = 1.0) -> None:
        self._clock = clock
        self._speed = speed
        self._first: OrderedDict[str, Millis] = OrderedDict()
        self._counts: OrderedDict[tuple[str, str], int] = OrderedDict()

    def elapsed(self, number: str) -> Millis:
        """Milliseconds since the first attempt to `number`; this one is the first if there was none."""
        now = self._clock.now()
        first = self._first.setdefault(number, now)
        self._first.move_to_end(number)
        _trim(self._first)
        return round((now - first) * self._speed)

    def count(self, message: str, number: str) -> int:
        """Which attempt of this message to `number` this is, from 1."""
        key = (message, number)
        self._counts[key] = self._counts.pop(key, 0) + 1
        _trim(self._counts)
        return self._counts[key]

    def clear(self) -> None:
        """Everything is tried for the first time again."""
        self._first.clear()
        self._counts.clear()


def _trim(memory: OrderedDict[_Key, int]) -> None:
    while len(memory) > _REMEMBERED:
        memory.popitem(last=False)
