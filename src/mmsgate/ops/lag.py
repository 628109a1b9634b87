"""How late the event loop is: what a task that wants to run has to wait, because others keep it busy."""

import asyncio
import time
from collections.abc import Iterator

from prometheus_client import Metric as Family
from prometheus_client.core import HistogramMetricFamily
from prometheus_client.registry import Collector

from mmsgate.ops.catalogue import LAG
from mmsgate.ops.deeds import Timing, buckets

#: Seconds between two looks.
EVERY = 0.5


class Lag(Collector):
    """Sleeps, and counts how much later than asked it wakes. `start` and `stop` may be called twice."""

    def __init__(self) -> None:
        self.timing = Timing()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        if self._task is None:
            self._task = asyncio.create_task(self._look(), name="event loop lag")

    async def stop(self) -> None:
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait({task})

    async def _look(self) -> None:
        while True:
            due = time.perf_counter() + EVERY  # the loop's own clock stands still while it is busy
            await asyncio.sleep(EVERY)
            self.timing.count += 1
            self.timing.add(max(0.0, time.perf_counter() - due))

    def collect(self) -> Iterator[Family]:
        family = HistogramMetricFamily(LAG.name, LAG.about, labels=())
        family.add_metric((), buckets(self.timing), self.timing.seconds)
        yield family
