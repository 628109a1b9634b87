"""The lane of one connection: takes from its queue what there is room for, and has it worked."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Protocol

from mmsgate.bucket import Buckets
from mmsgate.clock import Clock, Millis
from mmsgate.delivery.gate import Admission, Gate
from mmsgate.delivery.health import Standing
from mmsgate.delivery.queue import FairQueue
from mmsgate.domain.message import Message
from mmsgate.domain.state import WAITING
from mmsgate.pump import Pump
from mmsgate.store import Store, StoreFault
from mmsgate.trail import Trail

log = logging.getLogger("mmsgate.delivery")


class Delivers(Protocol):
    """What a lane does with a message that it has in hand."""

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
    """Works one queue. `slots` messages are in hand at most, and as many as the `gate` has room for.

    `accounts` are the limits of the accounts over all lanes, `senders` those of the senders on this one. `standing`
    says how the connection stands, for people. Timers and leases that run out are worked also while the gate is
    closed.
    """

    def __init__(
        self, name: str, delivery: Delivers, *, store: Store, clock: Clock, slots: int,
        gate: Admission | None = None, accounts: Buckets[int] | None = None, senders: Buckets[str] | None = None,
        standing: Callable[[], Standing] = lambda: Standing.UP,
    ) -> None:  # fmt: skip
        self.standing = standing
        self._name, self._delivery, self._clock = name, delivery, clock
        self._gate: Admission = gate or Gate(clock)
        self._rows = store.queue
        self._in_hand = 0
        self._fresh_from: Millis = 0
        self._arrived = 0  # messages that came since the last claim
        self._queue = FairQueue(
            name, self._rows, accounts=accounts or Buckets(lambda _: 0.0), senders=senders or Buckets(lambda _: 0.0)
        )
        self._pump: Pump[Message] = Pump(
            name, claim=self._claim, work=self._tracked, next_due=self._next_due, clock=clock, slots=slots,
            grace=delivery.patience, release=self._release,
        )  # fmt: skip
        self.start = self._pump.start

    def wake(self) -> None:
        """There is something new in the store, or there is room."""
        self._queue.look_again()
        self._pump.wake()

    async def halt(self) -> None:
        """Take nothing more in hand, and give back what nobody has begun."""
        await self._pump.halt()
        await self._give_back()

    async def stop(self) -> None:
        """End; what is under way is waited for."""
        await self.halt()
        await self._pump.stop()

    async def _give_back(self) -> None:
        try:
            await self._rows.give_all_back(self._name, now=self._clock.now())
        except StoreFault as fault:
            log.warning(
                "%s: messages could not be given back, their leases will bring them back: %s", self._name, fault
            )

    def left(self) -> None:
        """Messages have been moved from here to another lane."""
        self._queue.forget()

    def came(self) -> None:
        """Messages have been moved here: they are a backlog, beside which new ones get their share."""
        self._fresh_from = self._clock.now()

    def due(self, message: Message) -> bool:
        """That message has taken a step; whether it waits for its turn (again). Else it is in the queue no more."""
        if message.state not in WAITING:
            self._rows.let_go(message)
            return False
        self._arrived += 1
        self._queue.due(message)
        self._pump.wake()
        return True

    @property
    def in_hand(self) -> int:
        """Messages that are in hand."""
        return self._in_hand

    @property
    def gate(self) -> Admission:
        """What says how many may be."""
        return self._gate

    @property
    def up(self) -> bool:
        """Whether it is a good place for another message."""
        return self._gate.admits(self._in_hand + self._arrived)

    async def _claim(self, limit: int, now: Millis) -> list[Message]:
        until = now + self._delivery.lease
        await self._queue.look(now)
        taken = await self._queue.overdue(max(1, limit // 2), now, until)
        room = min(limit - len(taken), self._gate.room(self._in_hand))
        fresh_since = max(self._gate.fresh_since, self._fresh_from)
        try:
            taken += await self._queue.take(room, now, until, fresh_since=fresh_since)
        except BaseException:
            await self._queue.give_back(taken, now)
            raise
        self._in_hand += len(taken)
        self._arrived = 0
        return taken

    async def _tracked(self, message: Message) -> None:
        with Trail(tracking_id=message.tracking_id):
            await self._work(message)

    async def _work(self, message: Message) -> None:
        hold = self._rows.held(message)  # it may be over before the work is, and somebody else have the message
        try:
            await self._delivery.deliver(message)
            self._rows.end(message, hold)
        except asyncio.CancelledError:
            self._rows.end(message, hold)
            raise
        except Exception as error:
            log.exception("%s: %s could not be worked", self._name, message)
            await self._delivery.broken(message, error)
            self._rows.end(message, hold)  # else its lease brings it back
        finally:
            self._in_hand -= 1

    async def _release(self, messages: Sequence[Message]) -> None:
        self._in_hand -= len(messages)
        await self._rows.give_back(messages, now=self._clock.now())

    async def _next_due(self, default: Millis) -> Millis:
        """When to look again by itself: what is full is woken by what ends, what is closed opens at its time."""
        if self._gate.room(self._in_hand) > 0:
            return min(default, self._queue.next_due(), self._queue.next_look)
        now = self._clock.now()
        return min(default, self._gate.opens_at) if self._gate.opens_at > now else default
