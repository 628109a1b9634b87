"""sendMMS: the same picture in every request, carriers of several speeds."""

import asyncio
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from rich.table import Table

from bench.gateway import Bench, bench
from bench.load import CLIENTS, Floor, floor, load, until_told
from bench.media import SIZES, file_name
from bench.process import cpu_seconds, peak_memory, yardstick
from bench.report import progress, table

#: How long the sink takes to answer in ms, and the gateway's connections to it. Eight connections and 50 ms allow
#: 160 messages a second, which leaves CPU free: that row shows whether every connection is kept busy.
CARRIERS = ((0, 64), (50, 8), (50, 64))
WARM_UP = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row. Rates are per second, times in milliseconds, memory in bytes."""

    size: str
    delay: int
    connections: int
    yardstick_ms: float
    accepted_rate: float
    p50: float
    p99: float
    delivered_rate: float
    steady_rate: float
    cpu_ms: float
    memory: int
    floor: Floor

    def cells(self) -> Iterable[str]:
        ideal = self.connections / self.delay * 1000 if self.delay else 0
        return (
            self.size, f"{self.delay} ms", str(self.connections), f"{self.accepted_rate:,.0f}", f"{self.p50:.1f}",
            f"{self.p99:.1f}", f"{self.delivered_rate:,.0f}", f"{self.cpu_ms:.2f}", f"{self.memory / 1e6:.0f}",
            f"{self.floor.rate:,.0f}", f"{self.floor.cpu_ms:.2f}", f"{self.cpu_ms / self.floor.cpu_ms:.1f}",
            f"{self.steady_rate / ideal:.0%}" if ideal else "-", f"{self.yardstick_ms:.0f}",
        )  # fmt: skip


async def measure(size: str, carrier: tuple[int, int], count: int, media: Path) -> Row:
    """One row: a fresh gateway, a warm-up, then `count` messages."""
    delay, connections = carrier
    async with bench(delay, connections, media) as running:
        body = document(running, file_name(size))
        await load(running.port, lambda _: body, WARM_UP)
        await until_told(running.sink_port, WARM_UP, running.pid)
        yardstick_ms = yardstick()
        cpu, begun = cpu_seconds(running.pid), time.perf_counter()
        watch = asyncio.create_task(until_told(running.sink_port, count + WARM_UP, running.pid))
        seconds, times = await load(running.port, lambda _: body, count)
        told = await watch
        total, cpu = time.perf_counter() - begun, cpu_seconds(running.pid) - cpu
        peak = peak_memory(running.pid)
    each = told.counts["bytes"] // told.counts["submits"]
    return Row(
        size=size, delay=delay, connections=connections, yardstick_ms=yardstick_ms, accepted_rate=count / seconds,
        p50=times[len(times) // 2], p99=times[int(len(times) * 0.99)], delivered_rate=count / total,
        steady_rate=told.steady_rate(), cpu_ms=cpu / count * 1000, memory=peak,
        floor=await floor(each, count=count, delay=delay, connections=connections),
    )  # fmt: skip


def document(running: Bench, name: str) -> bytes:
    return (
        f"<request><action>sendMMS</action><api-key>{running.key}</api-key><to>12065550100</to><from>28444</from>"
        "<service-id>32113</service-id><name>bench</name><message-subject>Hello</message-subject>"
        "<fallback-sms-text>You have a picture message:</fallback-sms-text>"
        f"<slide><image><url>http://127.0.0.1:{running.sink_port}/{name}</url></image>"
        "<message-text>Hello from the benchmark</message-text></slide></request>"
    ).encode()


async def measure_all(count: int, media: Path) -> Table:
    """Every size with every carrier."""
    shown = table(
        f"sendMMS, {CLIENTS} callers, {count:,} messages a row",
        "MMS", "carrier", "conns", "accepted/s", "p50 ms", "p99 ms", "delivered/s", "CPU ms/msg", "peak MB",
        "floor/s", "floor CPU", "CPU ratio", "of conns/delay", "yardstick",
    )  # fmt: skip
    for size in SIZES:
        for carrier in CARRIERS:
            row = await measure(size, carrier, count, media)
            shown.add_row(*row.cells())
            progress(f"sendMMS {size}, {row.delay} ms, {row.connections} conns: {row.cpu_ms:.2f} ms CPU a message")
    return shown
