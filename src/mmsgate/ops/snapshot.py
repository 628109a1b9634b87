"""Numbers that are read when they are asked for: sources are awaited first, then the readings are shown.

Prometheus' library collects without waiting, and reading the store waits; so a scrape refreshes, then collects.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field

from prometheus_client import Metric as Family
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, SummaryMetricFamily
from prometheus_client.registry import Collector

from mmsgate.ops.catalogue import SCRAPE_FAULTS, Kind, Metric

log = logging.getLogger("mmsgate.ops")

#: Seconds that one source may take; scrapes are given up after ten.
PATIENCE = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One number of a metric; a summary has the `seconds` of its `value` things too."""

    metric: Metric
    value: float
    labels: tuple[str, ...] = ()
    seconds: float = 0.0


Read = Callable[[], Awaitable[Sequence[Reading]]]


@dataclass(slots=True, kw_only=True)
class _Source:
    read: Read
    every: float  # seconds
    read_at: float = float("-inf")
    readings: Sequence[Reading] = field(default=())


class Snapshot(Collector):
    """The readings of all sources, as fresh as `refresh` made them."""

    def __init__(self, *, patience: float = PATIENCE) -> None:
        self._patience = patience
        self._sources: dict[str, _Source] = {}
        self._faults: Counter[str] = Counter()
        self._turn = asyncio.Lock()

    def add(self, name: str, read: Read, *, every: float = 0.0) -> None:
        """Ask that source too, once in `every` seconds at most: for what costs more than a look."""
        self._sources[name] = _Source(read=read, every=every)

    async def refresh(self) -> None:
        """Ask all sources. One that fails is missing until the next time: old numbers would pass for new ones."""
        async with self._turn:
            now = asyncio.get_running_loop().time()
            for name, source in self._sources.items():
                if now - source.read_at >= source.every:
                    source.readings, source.read_at = await self._ask(name, source.read), now

    async def _ask(self, name: str, read: Read) -> Sequence[Reading]:
        try:
            async with asyncio.timeout(self._patience):
                return await read()
        except Exception:
            self._faults[name] += 1
            log.exception("the numbers of %s could not be read; the scrape goes without them", name)
            return ()

    def collect(self) -> Iterator[Family]:
        found: dict[Metric, list[Reading]] = {}
        for source in self._sources.values():
            for reading in source.readings:
                found.setdefault(reading.metric, []).append(reading)
        faults = [Reading(metric=SCRAPE_FAULTS, value=self._faults[name], labels=(name,)) for name in self._sources]
        for metric, readings in {**found, SCRAPE_FAULTS: faults}.items():
            yield _family(metric, readings)


def _family(metric: Metric, readings: Sequence[Reading]) -> Family:
    if metric.kind is Kind.SUMMARY:
        summary = SummaryMetricFamily(metric.name, metric.about, labels=metric.labels)
        for each in readings:
            summary.add_metric(each.labels, int(each.value), each.seconds)
        return summary
    made = CounterMetricFamily if metric.kind is Kind.COUNTER else GaugeMetricFamily
    family = made(metric.name, metric.about, labels=metric.labels)
    for each in readings:
        family.add_metric(each.labels, each.value)
    return family
