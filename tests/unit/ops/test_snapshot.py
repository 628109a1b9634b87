"""Numbers that are read for a scrape."""

import asyncio
import logging
from collections.abc import Sequence

import pytest
from prometheus_client import CollectorRegistry

from mmsgate.errors import Fault
from mmsgate.ops import catalogue
from mmsgate.ops.snapshot import Reading, Snapshot


class Source:
    """Says a number that goes up with every reading, or fails."""

    def __init__(self) -> None:
        self.asked = 0
        self.fault: Exception | None = None

    async def __call__(self) -> Sequence[Reading]:
        self.asked += 1
        if self.fault is not None:
            raise self.fault
        return [
            Reading(metric=catalogue.LEASES, value=self.asked, labels=("acme",)),
            Reading(metric=catalogue.COMMITS, value=self.asked, seconds=2.5),
            Reading(metric=catalogue.WRITES, value=self.asked * 10),
        ]


def registry_of(snapshot: Snapshot) -> CollectorRegistry:
    registry = CollectorRegistry(auto_describe=False)
    registry.register(snapshot)
    return registry


async def test_a_refresh_reads_gauges_counters_and_summaries() -> None:
    snapshot, source = Snapshot(), Source()
    snapshot.add("source", source)
    await snapshot.refresh()
    await snapshot.refresh()
    value = registry_of(snapshot).get_sample_value
    assert value("mmsgate_leases", {"connection": "acme"}) == 2
    assert value("mmsgate_store_writes_total") == 20
    assert value("mmsgate_store_commit_duration_seconds_count") == 2
    assert value("mmsgate_store_commit_duration_seconds_sum") == 2.5


async def test_a_source_that_costs_much_is_not_asked_for_every_scrape() -> None:
    snapshot, dear, cheap = Snapshot(), Source(), Source()
    snapshot.add("dear", dear, every=3600)
    snapshot.add("cheap", cheap)
    for _ in range(3):
        await snapshot.refresh()
    assert (dear.asked, cheap.asked) == (1, 3)


async def test_a_source_that_fails_is_missing_and_counted_and_the_others_are_there(
    caplog: pytest.LogCaptureFixture,
) -> None:
    snapshot, source, other = Snapshot(), Source(), Source()
    snapshot.add("store", source)
    await snapshot.refresh()
    source.fault = Fault("the database is gone")

    async def read() -> Sequence[Reading]:
        await other()
        return [Reading(metric=catalogue.ALARMS, value=7)]

    snapshot.add("alarms", read)
    with caplog.at_level(logging.ERROR, "mmsgate.ops"):
        await snapshot.refresh()
    value = registry_of(snapshot).get_sample_value
    assert value("mmsgate_leases", {"connection": "acme"}) is None
    assert value("mmsgate_alarms") == 7
    assert value("mmsgate_scrape_faults_total", {"source": "store"}) == 1
    assert value("mmsgate_scrape_faults_total", {"source": "alarms"}) == 0
    assert "the numbers of store could not be read" in caplog.text


async def test_a_source_that_never_answers_does_not_hold_the_scrape() -> None:
    snapshot = Snapshot(patience=0.01)

    async def never() -> Sequence[Reading]:
        await asyncio.Event().wait()
        return ()

    snapshot.add("never", never)
    await snapshot.refresh()
    assert registry_of(snapshot).get_sample_value("mmsgate_scrape_faults_total", {"source": "never"}) == 1
