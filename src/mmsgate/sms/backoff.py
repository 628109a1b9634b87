"""How long to wait before connecting to an SMSC again."""

import asyncio
from collections.abc import Callable

from aiosmpplib import AbstractRetryTimer  # type: ignore[import-untyped]  # no py.typed

from mmsgate.clock import SECOND, Millis, jittered


class Backoff(AbstractRetryTimer):  # type: ignore[misc]  # the base class has no types
    """How long until the next try to connect: doubling, give or take a fifth, up to the longest."""

    def __init__(self, first: Millis, longest: Millis, roll: Callable[[], float]) -> None:
        self._first = first
        self._longest = longest
        self._roll = roll
        self._next = first

    async def wait(self) -> None:
        delay = jittered(self._next, roll=self._roll)
        self._next = min(2 * self._next, self._longest)
        await asyncio.sleep(delay / SECOND)

    def reset(self) -> None:
        """The bind succeeded."""
        self._next = self._first

    def lengthen(self) -> None:
        """The next wait is the longest."""
        self._next = self._longest

    @property
    def longest(self) -> bool:
        """Whether the waits have grown as long as they get."""
        return self._next >= self._longest

    def next_delay(self) -> float:
        """Seconds, before jitter."""
        return self._next / SECOND
