"""Group commit: writes that wait at the same time share a transaction, whichever engine runs it."""

import asyncio
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

    def __init__(self, transact: Callable[[list[Write]], Awaitable[None]]) -> None:
        self._transact = transact
        self._waiting: deque[Write] = deque()
        self._task: asyncio.Task[None] | None = None
        self.figures = Figures()

    async def write(self, work: Work[T]) -> T:
        """The result of `work` once it is committed."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        self._waiting.append(Write(work, future))
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
                count = min(len(self._waiting), MAX_BATCH)
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
        loop = asyncio.get_running_loop()
        until = loop.time() + GATHER
        seen = 0
        while seen < len(self._waiting) < MAX_BATCH and loop.time() < until:
            seen = len(self._waiting)
            await asyncio.sleep(0)


def fail_all(batch: list[Write], error: Exception) -> None:
    """None of them has been done."""
    for write in batch:
        write.fail(error)
