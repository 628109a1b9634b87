"""One lane per carrier connection and SMSC: claims by (connection, due), so no backlog hides another's."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from mmsgate.clock import Clock, Millis
from mmsgate.delivery.gate import Gate
from mmsgate.domain.message import Message
from mmsgate.pump import Pump
from mmsgate.store import Store

log = logging.getLogger("mmsgate.delivery")


class Delivers(Protocol):
    """What a lane does with a claimed message."""

    @property
    def lease(self) -> Millis:
        """How long one attempt may take."""
        ...

    @property
    def patience(self) -> float:
        """Seconds that a request under way may need to its end."""
        ...

    async def deliver(self, message: Message) -> None:
        """Take the message one attempt further."""
        ...

    async def broken(self, message: Message, error: Exception) -> None:
        """`deliver` failed with what it does not know: record it, so that a person can read it."""
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
            name, claim=self._claim, work=self._work, next_due=self._next_due, clock=clock, slots=slots,
            grace=delivery.patience, release=self._release,
        )  # fmt: skip
        self.start, self.stop, self.wake = self._pump.start, self._pump.stop, self._pump.wake

    @property
    def up(self) -> bool:
        """Whether it claims messages now."""
        return self._gate is None or not self._gate.closed

    async def _claim(self, limit: int, now: Millis) -> list[Message]:
        if self._gate is not None and self._gate.closed:
            return []
        return await self._store.messages.claim(
            self._name, now=now, lease=now + self._delivery.lease, owner=self._owner, limit=limit
        )

    async def _work(self, message: Message) -> None:
        try:
            await self._delivery.deliver(message)
        except Exception as error:
            log.exception("%s: %s could not be worked", self._name, message)
            await self._delivery.broken(message, error)

    async def _release(self, messages: Sequence[Message]) -> None:
        await self._store.messages.release(messages, at=self._clock.now(), owner=self._owner)

    def _next_due(self, default: Millis) -> Millis:
        due = self._store.messages.next_due(self._name, default=default)
        return max(due, self._gate.opens_at) if self._gate is not None else due


class Dispatcher:
    """The lanes that there are. A message for a connection without a lane waits in the store."""

    def __init__(self) -> None:
        self._lanes: dict[str, Lane] = {}
        self._closers: dict[str, Callable[[], Awaitable[None]]] = {}
        self._closing: set[asyncio.Task[None]] = set()

    @property
    def connections(self) -> frozenset[str]:
        """The names of the lanes that there are."""
        return frozenset(self._lanes)

    def is_up(self, name: str) -> bool:
        """Whether there is a lane of that name that claims messages now."""
        lane = self._lanes.get(name)
        return lane is not None and lane.up

    def open(self, name: str, lane: Lane, close: Callable[[], Awaitable[None]]) -> None:
        """Start a lane, in place of an older one of that name. `close` frees what it works with."""
        self.shut(name)
        self._lanes[name], self._closers[name] = lane, close
        lane.start()

    def shut(self, name: str) -> None:
        """Stop a lane, if there is one, in the background: what is under way there may take its time."""
        if lane := self._lanes.pop(name, None):
            task = asyncio.create_task(_close(lane, self._closers.pop(name)), name=f"closing {name}")
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)

    def wake(self, connection: str) -> None:
        """Something is due for that connection."""
        if lane := self._lanes.get(connection):
            lane.wake()

    async def stop(self) -> None:
        """Stop all lanes; requests under way are waited for."""
        for name in list(self._lanes):
            self.shut(name)
        await asyncio.gather(*self._closing)


async def _close(lane: Lane, close: Callable[[], Awaitable[None]]) -> None:
    await lane.stop()
    await close()
