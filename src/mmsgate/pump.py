"""A pump: claims due work, runs a bounded number of pieces at once, sleeps until more is due.

Every queue of the gateway (a carrier's messages, a receiver's postbacks) is worked by one of these.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from mmsgate.clock import SECOND, Clock, Millis
from mmsgate.errors import Fault

log = logging.getLogger("mmsgate.pump")

T = TypeVar("T")

#: Another process may add work without a word: look at least this often.
MAX_SLEEP: Millis = 1 * SECOND
#: How long to wait after a claim that failed.
PAUSE_AFTER_FAULT = 1.0


class Pump(Generic[T]):
    """Keeps up to `slots` pieces of work going.

    `claim(limit, now)` leases work; `work(item)` does one piece and handles its own failures (what it lets
    through is logged, the lease brings the piece back); `next_due(default)` says when to look again. `wake` says
    that something is due now. It claims when `refill` slots are free; half of them by default keeps
    them busy and the claims few. `start` and `stop` may be called twice; `stop` lets what is under way finish, for
    `grace` seconds at most, and hands to `release` what was claimed and not begun (without it, that is begun too).
    """

    def __init__(
        self,
        name: str,
        *,
        claim: Callable[[int, Millis], Awaitable[Sequence[T]]],
        work: Callable[[T], Awaitable[None]],
        next_due: Callable[[Millis], Awaitable[Millis]],
        clock: Clock,
        slots: int,
        grace: float = 10.0,
        refill: int | None = None,
        release: Callable[[Sequence[T]], Awaitable[None]] | None = None,
    ) -> None:
        self.name = name
        self._claim, self._work, self._next_due = claim, work, next_due
        self._clock, self._slots, self._grace, self._release = clock, slots, grace, release
        self._refill = refill or max(1, slots // 2)
        self._signal = asyncio.Event()
        self._running: set[asyncio.Task[None]] = set()
        self._loop_task: asyncio.Task[None] | None = None
        self._claiming: asyncio.Future[Sequence[T]] | None = None

    def start(self) -> None:
        if self._loop_task is None:
            self._loop_task = asyncio.create_task(self._loop(), name=f"pump {self.name}")

    def wake(self) -> None:
        """Something may be due."""
        self._signal.set()

    @property
    def idle(self) -> bool:
        """Nothing is under way."""
        return not self._running

    async def halt(self) -> None:
        """Claim nothing any more; what is under way goes on."""
        task, self._loop_task = self._loop_task, None
        if task is not None:
            task.cancel()
            await asyncio.wait({task})
        await self._give_back()

    async def stop(self) -> None:
        await self.halt()
        if self._running:
            await asyncio.wait(self._running, timeout=self._grace)
        for late in list(self._running):
            late.cancel()
        if self._running:
            await asyncio.wait(self._running)

    async def _loop(self) -> None:
        while True:
            try:
                await self._turn()
            except Fault as fault:
                self._claiming = None  # nothing was leased
                log.warning("%s: no work could be claimed, trying again: %s", self.name, fault)
                await asyncio.sleep(PAUSE_AFTER_FAULT)
            except Exception:
                self._claiming = None
                log.exception("%s: no work could be claimed, trying again in %g s", self.name, PAUSE_AFTER_FAULT)
                await asyncio.sleep(PAUSE_AFTER_FAULT)

    async def _turn(self) -> None:
        """Claim as much as there is room for; sleep if there was no more."""
        self._signal.clear()
        free = self._slots - len(self._running)
        if free < self._refill:
            await self._signal.wait()
            return
        self._claiming = asyncio.ensure_future(self._claim(free, self._clock.now()))
        items = await asyncio.shield(self._claiming)
        self._claiming = None
        self._begin(items)
        if len(items) < free:
            await self._sleep()

    def _begin(self, items: Sequence[T]) -> None:
        for item in items:
            task = asyncio.create_task(self._work_one(item))
            self._running.add(task)
            task.add_done_callback(self._done)

    async def _give_back(self) -> None:
        """A claim that was under way when the loop ended has leased work that nobody does."""
        claiming, self._claiming = self._claiming, None
        if claiming is None:
            return
        if self._release is not None:
            await asyncio.wait({claiming}, timeout=self._grace)
        if not claiming.done():
            claiming.cancel()
            return
        try:
            items = claiming.result()
            if self._release is None:
                self._begin(items)
            else:
                await self._release(items)
        except Exception:
            log.exception("%s: work could not be given back; its lease will bring it back", self.name)

    async def _work_one(self, item: T) -> None:
        try:
            await self._work(item)
        except Exception:
            log.exception("%s: a piece of work failed; its lease will bring it back", self.name)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        if self._slots - len(self._running) >= self._refill:
            self._signal.set()

    async def _sleep(self) -> None:
        """Until somebody wakes us, the next piece is due, or another process may have added some."""
        now = self._clock.now()
        until = min(await self._next_due(now + MAX_SLEEP), now + MAX_SLEEP)
        try:
            async with asyncio.timeout(max(until - now, 1) / 1000):
                await self._signal.wait()
        except TimeoutError:
            return
