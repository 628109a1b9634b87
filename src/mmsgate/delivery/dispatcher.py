"""The lanes that there are, one per carrier connection and SMSC, so that no backlog hides another's."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from mmsgate.delivery.lane import Lane
from mmsgate.domain.message import Message


class Dispatcher:
    """The lanes that there are. A message for a connection without a lane waits in the store.

    `on_stuck` is called for each message that is due at a connection that is not up.
    """

    def __init__(self) -> None:
        self._lanes: dict[str, Lane] = {}
        self._closers: dict[str, Callable[[], Awaitable[None]]] = {}
        self._closing: set[asyncio.Task[None]] = set()
        self.on_stuck: Callable[[Message], None] = lambda message: None

    @property
    def lanes(self) -> Mapping[str, Lane]:
        """The lanes that there are, by name."""
        return self._lanes

    @property
    def connections(self) -> frozenset[str]:
        """The names of the lanes that there are."""
        return frozenset(self._lanes)

    def open(self, name: str, lane: Lane, close: Callable[[], Awaitable[None]]) -> None:
        """Start a lane, in place of an older one of that name. `close` frees what it works with."""
        self.shut(name)
        self._lanes[name], self._closers[name] = lane, close
        lane.start()

    def shut(self, name: str) -> None:
        """Stop a lane, if there is one, in the background: what is under way there may take its time."""
        if lane := self._lanes.pop(name, None):
            task = asyncio.create_task(self._close(name, lane, self._closers.pop(name)), name=f"closing {name}")
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)

    def wake(self, connection: str) -> None:
        """Something is due for that connection."""
        if lane := self._lanes.get(connection):
            lane.wake()

    def due(self, message: Message) -> None:
        """That message has taken a step: it waits for its turn at its connection (again), or for something else."""
        lane = self._lanes.get(message.connection)
        if lane is None:
            return
        was_up = lane.up  # this one may be the last that tries whether it is
        if lane.due(message) and not was_up:
            self.on_stuck(message)

    def moved(self, origin: str, goal: str) -> None:
        """Messages have been moved from one connection to another."""
        if lane := self._lanes.get(origin):
            lane.left()
        if lane := self._lanes.get(goal):
            lane.came()

    def is_up(self, connection: str) -> bool:
        """Whether that connection is a good place for another message: there is one of that name, and it is up."""
        lane = self._lanes.get(connection)
        return lane is not None and lane.up

    async def _close(self, name: str, lane: Lane, close: Callable[[], Awaitable[None]]) -> None:
        await lane.halt()
        self.wake(name)  # what it gave back is for the lane in its place, however long the rest takes
        await lane.stop()
        await close()
        self.wake(name)

    async def stop(self) -> None:
        """Stop all lanes; requests under way are waited for."""
        for name in list(self._lanes):
            self.shut(name)
        await asyncio.gather(*self._closing)
