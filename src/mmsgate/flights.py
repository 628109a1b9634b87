"""Work that many ask for at once and that is done once."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from functools import partial
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Flights(Generic[K, V]):
    """One piece of work under way for each key; whoever asks meanwhile joins it.

    It outlives whoever asked first: a caller that is cancelled goes away, the work goes on.
    """

    def __init__(self) -> None:
        self._under_way: dict[K, asyncio.Future[V]] = {}

    async def join(self, key: K, work: Callable[[], Awaitable[V]]) -> V:
        """What `work` gives, or gave to those who came before."""
        flight = self._under_way.get(key)
        if flight is None:
            flight = self._under_way[key] = asyncio.ensure_future(work())
            flight.add_done_callback(partial(self._landed, key))
        return await asyncio.shield(flight)

    def _landed(self, key: K, flight: asyncio.Future[V]) -> None:
        del self._under_way[key]
        if not flight.cancelled():
            flight.exception()  # if nobody waits any more, nobody has to be told
