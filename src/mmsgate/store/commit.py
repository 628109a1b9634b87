"""Group commit: writes that wait at the same time share a transaction, whichever engine runs it."""

import asyncio
import contextlib
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from mmsgate.store.engine import Figures, StoreFault, Work

log = logging.getLogger("mmsgate.store")

T = TypeVar("T")

#: Writes in one transaction at most: bounds how long the loop is busy with one batch (about 5 ms in SQLite).
MAX_BATCH = 128
#: How long a batch may grow, in seconds, while each turn of the event loop brings more writes.
GATHER = 0.008


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How batches grow: to `most` writes, and under load until as many wait as were in the last one (or in half of
    the one before), for `linger` seconds at most.

    A server is asked a dozen times for each transaction, however much is in it. Those who wait for one transaction
    have their next writes at about the same time, so that it pays to wait for the last of them.
    """

    most: int = MAX_BATCH
    linger: float = 0.0


#: A batch of fewer writes is no load, and the next one waits for nobody.
MANY = 8


@dataclass(frozen=True, slots=True, eq=False)
class Write:
    """A write that somebody waits for. One who has been cancelled is not told; the write is done all the same."""

    work: Work[Any]
    future: asyncio.Future[Any]

    def end(self, result: object) -> None:
        """It is on stable storage."""
        if not self.future.done():
            self.future.set_result(result)

    def fail(self, error: Exception) -> None:
        """It has not been done, or nobody knows."""
        if not self.future.done():
            self.future.set_exception(error)


class GroupCommit:
    """Gathers writes and hands them on, a transaction's worth at a time; the next batch grows meanwhile.

    `transact` ends or fails each write that it is given, and raises nothing.
    """

    def __init__(self, transact: Callable[[list[Write]], Awaitable[None]], pace: Pace = Pace()) -> None:
        self._transact, self._pace = transact, pace
        self._hoped_for = 0
        self._complete = asyncio.Event()
        self._waiting: deque[Write] = deque()
        self._task: asyncio.Task[None] | None = None
        self.figures = Figures()

    async def write(self, work: Work[T]) -> T:
        """The result of `work` once it is committed."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        self._waiting.append(Write(work, future))
        if len(self._waiting) >= self._hoped_for:
            self._complete.set()
        if self._task is None:
            self._task = loop.create_task(self._drain(), name="store-writer")
        return await future

    async def stop(self) -> None:
        """Wait until everything that was asked for is done."""
        while self._task is not None:
            await asyncio.wait({self._task})

    async def _drain(self) -> None:
        try:
            while self._waiting:
                await self._gather()
                count = min(len(self._waiting), self._pace.most)
                self._hoped_for = max(count, self._hoped_for // 2)
                began = time.perf_counter()
                await self._end([self._waiting.popleft() for _ in range(count)])
                self.figures.writes += count
                self.figures.seconds += time.perf_counter() - began
        finally:
            self._task = None

    async def _end(self, batch: list[Write]) -> None:
        """Whatever happens, nobody waits for ever."""
        try:
            await self._transact(list(batch))
        except Exception as error:
            log.exception("a transaction of %d writes failed in a way that nobody foresaw", len(batch))
            fail_all(batch, StoreFault(f"the database failed: {type(error).__name__}: {error}"))

    async def _gather(self) -> None:
        """Let the batch grow while the loop is busy with what makes more writes; an idle one waits for nothing."""
        if self._pace.linger and self._hoped_for >= MANY:
            await self._linger()
        loop = asyncio.get_running_loop()
        until = loop.time() + GATHER
        seen = 0
        while seen < len(self._waiting) < self._pace.most and loop.time() < until:
            seen = len(self._waiting)
            await asyncio.sleep(0)

    async def _linger(self) -> None:
        """Wait for those who waited for the last batch, but not for long."""
        if len(self._waiting) < self._hoped_for:
            self._complete.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._pace.linger):
                    await self._complete.wait()


def fail_all(batch: list[Write], error: Exception) -> None:
    """None of them has been done."""
    for write in batch:
        write.fail(error)
