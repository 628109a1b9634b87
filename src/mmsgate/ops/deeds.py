"""Counts what rooms say that they have done. Prometheus asks for the sums.

On the way of every message: a look into one dictionary, two additions, a search in fourteen bounds. The library's
own counters and histograms take a lock for each and three times as long, which is why it only gets the sums.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from prometheus_client import Metric as Family
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector
from prometheus_client.utils import INF as INFINITY

from mmsgate.observe import Work
from mmsgate.ops import catalogue
from mmsgate.ops.catalogue import Metric

#: Upper bounds of histograms in seconds; the last one is the longest that any work here may take.
BOUNDS: Sequence[float] = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60)
#: So many pairs of labels of one kind of work at most: a mistake must not fill the memory.
MOST = 2000
#: What stands for the labels beyond.
REST = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """As which metrics a kind of work is shown: how often with both labels, how long with the first one."""

    count: Metric
    seconds: Metric | None = None


SHOWN: dict[Work, Shown] = {
    Work.HTTP: Shown(count=catalogue.HTTP_REQUESTS, seconds=catalogue.HTTP_SECONDS),
    Work.REQUEST: Shown(count=catalogue.API_REQUESTS, seconds=catalogue.API_SECONDS),
    Work.ACCEPT: Shown(count=catalogue.ACCEPTED, seconds=catalogue.ACCEPT_SECONDS),
    Work.STEP: Shown(count=catalogue.STEPS),
    Work.SUBMIT: Shown(count=catalogue.SUBMITS, seconds=catalogue.SUBMIT_SECONDS),
    Work.POSTBACK: Shown(count=catalogue.POSTBACKS, seconds=catalogue.POSTBACK_SECONDS),
    Work.REPORT: Shown(count=catalogue.REPORTS, seconds=catalogue.REPORT_SECONDS),
    Work.INBOUND: Shown(count=catalogue.INBOUND),
}


@dataclass(slots=True)
class Timing:
    """How often, and for how long: a histogram."""

    count: int = 0
    seconds: float = 0.0
    buckets: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS) + 1))

    def add(self, seconds: float) -> None:
        """There was one."""
        self.seconds += seconds
        self.buckets[bisect_left(BOUNDS, seconds)] += 1

    def merge(self, other: "Timing") -> None:
        """Those of another as well."""
        self.seconds += other.seconds
        self.buckets = [mine + more for mine, more in zip(self.buckets, other.buckets, strict=True)]


class Deeds(Collector):
    """An `Observe` that counts."""

    def __init__(self) -> None:
        self._timings: dict[tuple[Work, str, str], Timing] = {}

    def __call__(
        self, work: Work, where: str, outcome: str, seconds: float | None = None, tracking_id: str = ""
    ) -> None:
        timing = self._timings.get((work, where, outcome))
        if timing is None:
            timing = self._first(work, where, outcome)
        timing.count += 1
        if seconds is not None:
            timing.add(seconds)

    def _first(self, work: Work, where: str, outcome: str) -> Timing:
        """The first of its kind, unless there are too many kinds."""
        if sum(kind is work for kind, _, _ in self._timings) >= MOST:
            where = outcome = REST
        return self._timings.setdefault((work, where, outcome), Timing())

    def collect(self) -> Iterator[Family]:
        for work, shown in SHOWN.items():
            done = {key[1:]: timing for key, timing in self._timings.items() if key[0] is work}
            yield _counts(shown.count, done)
            if shown.seconds is not None:
                yield _seconds(shown.seconds, done)


def _counts(metric: Metric, done: dict[tuple[str, str], Timing]) -> Family:
    family = CounterMetricFamily(metric.name, metric.about, labels=metric.labels)
    sums: defaultdict[tuple[str, ...], int] = defaultdict(int)
    for labels, timing in done.items():
        sums[tuple(labels[: len(metric.labels)])] += timing.count
    for names, count in sums.items():
        family.add_metric(names, count)
    return family


def _seconds(metric: Metric, done: dict[tuple[str, str], Timing]) -> Family:
    family = HistogramMetricFamily(metric.name, metric.about, labels=metric.labels)
    sums: defaultdict[str, Timing] = defaultdict(Timing)
    for (where, _), timing in done.items():
        sums[where].merge(timing)
    for where, timing in sums.items():
        family.add_metric((where,), buckets(timing), timing.seconds)
    return family


def buckets(timing: Timing) -> list[tuple[str, float]]:
    """The buckets as Prometheus wants them: each with those below it."""
    found, below = [], 0
    for bound, count in zip((*BOUNDS, INFINITY), timing.buckets, strict=True):
        below += count
        found.append(("+Inf" if bound == INFINITY else str(float(bound)), float(below)))
    return found
