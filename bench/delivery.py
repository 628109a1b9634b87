"""Delivery alone: everything is queued first, then carriers of several speeds take it over several connections.

And the rate of a profile: what a carrier with a limit gets within 30 seconds.
"""

import bisect
import json
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from rich.table import Table

from bench.gateway import bench, until_idle
from bench.load import Floor, floor, load, tell_sink, until_told
from bench.media import file_name
from bench.process import cpu_seconds, yardstick
from bench.report import progress, table
from bench.templates import document, save
from bench.wire import Connection

SIZE = "31 KB"
DELAYS, CONNECTIONS = (0, 50, 200), (1, 16, 64)
#: A row with a slow carrier gets no more messages than it takes in that time, in seconds.
SPAN = 8
FEWEST = 40
#: Requests a second, and how long they are watched, in seconds.
RATES, WATCHED = (5.0, 50.0, 300.0), 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row. Rates are per second, CPU in milliseconds per message.

    `taken_rate` is that of the requests in the middle half; `delivered_rate` counts to the receiver's last N102.
    """

    delay: int
    connections: int
    count: int
    taken_rate: float
    delivered_rate: float
    cpu_ms: float
    floor: Floor
    yardstick_ms: float

    def cells(self) -> Iterable[str]:
        ideal = self.connections / self.delay * 1000 if self.delay else 0
        return (
            f"{self.delay} ms", str(self.connections), f"{self.count:,}", f"{self.taken_rate:,.1f}",
            f"{self.taken_rate / ideal:.0%}" if ideal else "-", f"{self.delivered_rate:,.1f}",
            f"{self.cpu_ms:.2f}", f"{self.floor.rate:,.1f}", f"{self.taken_rate / self.floor.rate:.0%}",
            f"{self.yardstick_ms:.0f}",
        )  # fmt: skip


async def measure(delay: int, connections: int, most: int, media: Path) -> Row:
    """One row: a fresh gateway, a full queue, and the rate of the middle half."""
    count = most if not delay else max(FEWEST, min(most, connections * SPAN * 1000 // delay))
    async with bench(delay, connections, media) as running:
        template = await save(running, file_name(SIZE))
        await load(running.port, lambda number: document(running, template, count + number), 5)
        await until_told(running.sink_port, 5, running.pid)
        await tell_sink(running.sink_port, "hold")
        await load(running.port, lambda number: document(running, template, number), count)
        await until_idle()
        yardstick_ms, cpu, begun = yardstick(), cpu_seconds(running.pid), time.perf_counter()
        await tell_sink(running.sink_port, "release")
        told = await until_told(running.sink_port, count + 5, running.pid)
        cpu, seconds = cpu_seconds(running.pid) - cpu, time.perf_counter() - begun
    each = told.counts["bytes"] // told.counts["submits"]
    return Row(
        delay=delay, connections=connections, count=count, taken_rate=told.steady_rate(),
        delivered_rate=count / seconds,
        cpu_ms=cpu / count * 1000, yardstick_ms=yardstick_ms,
        floor=await floor(each, count=count, delay=delay, connections=connections),
    )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """How a rate was kept: requests in the time that was watched, the most in any second, the most in any window
    beyond what the rate allows."""

    rate: float
    count: int
    most: int
    excess: float

    def cells(self) -> Iterable[str]:
        return (
            f"{self.rate:g}", f"{self.count:,}", f"{self.count / WATCHED:,.2f}",
            f"{self.count / WATCHED / self.rate - 1:+.2%}", str(self.most), f"{self.excess:.1f}",
        )  # fmt: skip


async def keep(rate: float, media: Path) -> Kept:
    """A queue that outlasts the time, to a carrier that may get so much."""
    count = round(rate * (WATCHED + 3))
    async with bench(0, 16, media, rate=rate) as running:
        template = await save(running, file_name(SIZE))
        await load(running.port, lambda number: document(running, template, number), count)
        await until_told(running.sink_port, count, running.pid)
        connection = await Connection.open(running.sink_port)
        _, told = await connection.post("/arrivals", [], [b""])
        connection.close()
    times: list[float] = json.loads(told)
    begun = times[0]
    return Kept(
        rate=rate, count=bisect.bisect_left(times, begun + WATCHED),
        most=max(bisect.bisect_left(times, at + 1) - index for index, at in enumerate(times)),
        excess=excess(times, rate),
    )  # fmt: skip


def excess(times: list[float], rate: float) -> float:
    """The most requests in any window beyond rate × its length."""
    most, least = 0.0, float("inf")
    for index, at in enumerate(times):
        least = min(least, index - at * rate)  # the window may begin here
        most = max(most, index + 1 - at * rate - least)
    return most


async def measure_all(count: int, media: Path) -> list[Table]:
    """Every speed over every number of connections; every rate."""
    speeds = table(
        f"sendSavedMMS, {SIZE}, all queued first, at most {count:,} messages a row",
        "carrier", "conns", "messages", "taken/s", "of conns/delay", "delivered/s", "CPU ms/msg", "floor/s",
        "of the floor", "yardstick",
    )  # fmt: skip
    for delay in DELAYS:
        for connections in CONNECTIONS:
            row = await measure(delay, connections, count, media)
            speeds.add_row(*row.cells())
            progress(f"delivery, {delay} ms, {connections} conns: {row.taken_rate:,.1f} taken/s")
    rates = table(
        f"the rate of a profile, over {WATCHED} s",
        "requests/s allowed", "requests", "a second", "off by", "most in 1 s", "most beyond rate × window",
    )  # fmt: skip
    for rate in RATES:
        kept = await keep(rate, media)
        rates.add_row(*kept.cells())
        progress(f"rate {rate:g}: {kept.count / WATCHED:.2f} requests a second")
    return [speeds, rates]
