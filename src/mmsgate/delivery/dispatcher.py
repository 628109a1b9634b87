"""One lane per carrier connection and SMSC: claims by (connection, due), so no backlog hides another's."""

from collections.abc import Awaitable, Callable
from typing import Protocol

from mmsgate.clock import Clock, Millis
from mmsgate.delivery.gate import Gate
from mmsgate.domain.message import Message
from mmsgate.pump import Pump
from mmsgate.store import Store


class Delivers(Protocol):
    """What a lane does with a claimed message."""

    @property
    def lease(self) -> Millis:
        """How long one attempt may take."""
        ...

    async def deliver(self, message: Message) -> None:
        """Take the message one attempt further."""
        ...


class Lane:
    """The queue of one connection. `slots` messages are worked at once; a closed `gate` stops the claiming."""

    def __init__(
        self, name: str, delivery: Delivers, *, store: Store, clock: Clock, owner: str, slots: int,
        gate: Gate | None = None,
    ) -> None:  # fmt: skip
        self._name, self._delivery, self._store = name, delivery, store
        self._clock, self._owner, self._gate = clock, owner, gate
        self._pump: Pump[Message] = Pump(
            name, claim=self._claim, work=delivery.deliver, next_due=self._next_due, clock=clock, slots=slots
        )
        self.start, self.stop, self.wake = self._pump.start, self._pump.stop, self._pump.wake

    async def _claim(self, limit: int, now: Millis) -> list[Message]:
        if self._gate is not None and self._gate.closed:
            return []
        return await self._store.messages.claim(
            self._name, now=now, lease=now + self._delivery.lease, owner=self._owner, limit=limit
        )

    def _next_due(self, default: Millis) -> Millis:
        due = self._store.messages.next_due(self._name, default=default)
        return max(due, self._gate.opens_at) if self._gate is not None else due


class Dispatcher:
    """The lanes that there are. A message for a connection without a lane waits in the store."""

    def __init__(self) -> None:
        self._lanes: dict[str, Lane] = {}
        self._closers: dict[str, Callable[[], Awaitable[None]]] = {}

    async def open(self, name: str, lane: Lane, close: Callable[[], Awaitable[None]]) -> None:
        """Start a lane, in place of an older one of that name. `close` frees what it works with."""
        await self.shut(name)
        self._lanes[name], self._closers[name] = lane, close
        lane.start()

    async def shut(self, name: str) -> None:
        """Stop a lane, if there is one."""
        if lane := self._lanes.pop(name, None):
            await lane.stop()
            await self._closers.pop(name)()

    def wake(self, connection: str) -> None:
        """Something is due for that connection."""
        if lane := self._lanes.get(connection):
            lane.wake()

    async def stop(self) -> None:
        for name in list(self._lanes):
            await self.shut(name)
