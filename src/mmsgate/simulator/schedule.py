"""What happens later: reports and receipts, after the delays of the table."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Protocol

from mmsgate.clock import Millis

_log = logging.getLogger(__name__)

Job = Callable[[], Awaitable[None]]


class Scheduler(Protocol):
    """Runs jobs after a delay, those of equal delay in the order given."""

    def later(self, delay: Millis, job: Job) -> None:
        """Run `job` after `delay` milliseconds of the simulated carrier's time."""
        ...


class LoopScheduler:
    """A scheduler on the running event loop; `speed` divides every delay."""

    def __init__(self, speed: float = 1.0) -> None:
        self._speed = speed
        self._timers: set[asyncio.TimerHandle] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    def later(self, delay: Millis, job: Job) -> None:
        """As the protocol says. Call it from the event loop only."""

        def due() -> None:
            self._timers.discard(timer)
            self._start(job)

        timer = asyncio.get_running_loop().call_later(delay / 1000 / self._speed, due)
        self._timers.add(timer)

    async def stop(self) -> None:
        """Forget what has not begun and cancel what has. Safe to call twice."""
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()
        running = list(self._tasks)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    def _start(self, job: Job) -> None:
        task = asyncio.get_running_loop().create_task(_run(job))
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        """One job's failure stops no other; its trail goes to the log."""
        self._tasks.discard(task)
        problem = None if task.cancelled() else task.exception()
        if problem:
            _log.error("a simulated report or receipt failed", exc_info=problem)


async def _run(job: Job) -> None:
    await job()
