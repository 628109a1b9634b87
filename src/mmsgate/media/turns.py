"""Whose turn it is when many want the same few places: one owner after the other, however many each has waiting."""

import asyncio
from collections import Counter, OrderedDict, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Crowded(Exception):  # noqa: N818 (the state of an owner's queue, which the caller words for people)
    """An owner has as many waiting as it may have."""


class Turns:
    """A fair queue before `places` places, in which an owner may have `waiting` waiting.

    One place more is kept for an owner that has none: whoever fills all places with slow work holds up itself,
    not the first of another.
    """

    def __init__(self, places: int, *, waiting: int) -> None:
        self._places, self._most_waiting = places, waiting
        self._taken: Counter[str] = Counter()
        self._queues: OrderedDict[str, deque[asyncio.Future[None]]] = OrderedDict()  # whose turn is next, first

    @asynccontextmanager
    async def turn(self, owner: str) -> AsyncIterator[None]:
        """Waits for a place and holds it. Raises Crowded at once if too many of the owner wait."""
        await self._take(owner)
        try:
            yield
        finally:
            self._leave(owner)

    async def _take(self, owner: str) -> None:
        if owner not in self._queues and self._free(owner):
            self._taken[owner] += 1
            return
        queue = self._queues.setdefault(owner, deque())
        if sum(not called.done() for called in queue) >= self._most_waiting:
            raise Crowded
        called = asyncio.get_running_loop().create_future()
        queue.append(called)
        try:
            await called
        except asyncio.CancelledError:
            if not called.cancelled():  # called and cancelled in the same moment: the place goes to the next
                self._leave(owner)
            raise

    def _free(self, owner: str) -> bool:
        taken = self._taken.total()
        return taken < self._places or (taken == self._places and not self._taken[owner])

    def _leave(self, owner: str) -> None:
        self._taken[owner] -= 1
        if not self._taken[owner]:
            del self._taken[owner]
        while (following := next(filter(self._free, self._queues), None)) is not None:
            self._call(following)

    def _call(self, owner: str) -> None:
        """Gives a place to the first that still waits of an owner, who then stands behind the others."""
        queue = self._queues[owner]
        called = queue.popleft()
        if not queue:
            del self._queues[owner]
        if called.cancelled():  # its caller went away
            return
        if queue:
            self._queues.move_to_end(owner)
        self._taken[owner] += 1
        called.set_result(None)
