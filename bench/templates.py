"""sendSavedMMS: one template to many numbers.

Two rows a size. In the first the carrier answers at once, and acceptance and delivery share the CPU. In the second
it answers nobody until every message has been accepted: the queue is full then, which shows what a queued message
takes of memory, and what the acceptance and the delivery do by themselves.
"""

import asyncio
import re
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from rich.table import Table

from bench.gateway import Bench, bench, until_idle
from bench.load import CLIENTS, Floor, floor, load, tell_sink, until_told
from bench.media import SIZES, file_name
from bench.process import cpu_seconds, memory, yardstick
from bench.report import progress, table
from bench.wire import Connection

CONNECTIONS = 64
WARM_UP = 200
FIRST_NUMBER = 1_206_000_0000


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row. Rates are per second, times in milliseconds, memory in bytes, CPU per recipient."""

    size: str
    held: bool
    yardstick_ms: float
    accepted_rate: float
    p50: float
    p99: float
    delivered_rate: float
    cpu_ms: float
    memory_before: int
    memory_queued: int
    memory_peak: int
    floor: Floor
    counters: dict[str, int]

    def cells(self) -> Iterable[str]:
        done = self.counters
        return (
            self.size, "all queued first" if self.held else "at once", f"{self.accepted_rate:,.0f}",
            f"{self.p50:.1f}", f"{self.p99:.1f}", f"{self.delivered_rate:,.0f}", f"{self.cpu_ms:.2f}",
            f"{self.memory_before / 1e6:.0f}", f"{self.memory_queued / 1e6:.0f}" if self.held else "-",
            f"{self.memory_peak / 1e6:.0f}", f"{self.floor.rate:,.0f}", f"{self.floor.cpu_ms:.2f}",
            f"{self.cpu_ms / self.floor.cpu_ms:.1f}",
            f"{done['fetches']}, {done['decodes']}, {done['encodes']}", f"{self.yardstick_ms:.0f}",
        )  # fmt: skip


async def measure(size: str, count: int, media: Path, *, held: bool) -> Row:
    """One row: a fresh gateway, a template, a warm-up, then `count` recipients."""
    async with bench(0, CONNECTIONS, media) as running:
        template = await save(running, file_name(size))
        await load(running.port, lambda number: document(running, template, count + number), WARM_UP)
        await until_told(running.sink_port, WARM_UP, running.pid)
        await until_idle()
        if held:
            await tell_sink(running.sink_port, "hold")
        yardstick_ms, before = yardstick(), memory(running.pid)
        watch = asyncio.create_task(until_told(running.sink_port, count + WARM_UP, running.pid))
        cpu, begun = cpu_seconds(running.pid), time.perf_counter()
        seconds, times = await load(running.port, lambda number: document(running, template, number), count)
        queued, released = memory(running.pid), time.perf_counter()
        if held:
            begun = released
            await tell_sink(running.sink_port, "release")
        told = await watch
        total, cpu = time.perf_counter() - begun, cpu_seconds(running.pid) - cpu
    each = told.counts["bytes"] // told.counts["submits"]
    return Row(
        size=size, held=held, yardstick_ms=yardstick_ms, accepted_rate=count / seconds,
        p50=times[len(times) // 2], p99=times[int(len(times) * 0.99)], delivered_rate=count / total,
        cpu_ms=cpu / count * 1000, memory_before=before, memory_queued=queued, memory_peak=told.memory,
        floor=await floor(each, count=count, delay=0, connections=CONNECTIONS), counters=running.counters,
    )  # fmt: skip


async def save(running: Bench, name: str) -> str:
    """Save the template; its mms-id."""
    body = (
        f"<request><action>saveMMS</action><api-key>{running.key}</api-key><name>bench</name>"
        "<message-subject>Hello</message-subject><slide>"
        f"<image><url>http://127.0.0.1:{running.sink_port}/{name}</url></image>"
        "<message-text>Hello from the benchmark</message-text></slide></request>"
    ).encode()
    connection = await Connection.open(running.port)
    _, answered = await connection.post("/ep/v1/", [("Content-Type", "text/xml")], [body])
    connection.close()
    found = re.search(rb"<mms-id>(\d+)</mms-id>", answered)
    assert found, answered
    return found[1].decode()


def document(running: Bench, template: str, number: int) -> bytes:
    return (
        f"<request><action>sendSavedMMS</action><api-key>{running.key}</api-key><mms-id>{template}</mms-id>"
        f"<to>{FIRST_NUMBER + number}</to><from>28444</from><service-id>32113</service-id>"
        "<fallback-sms-text>You have a picture message:</fallback-sms-text></request>"
    ).encode()


async def measure_all(count: int, media: Path) -> Table:
    """Every size, the carrier answering at once and only when all is queued."""
    shown = table(
        f"sendSavedMMS, one template to {count:,} numbers, {CLIENTS} callers, {CONNECTIONS} connections",
        "MMS", "delivered", "accepted/s", "p50 ms", "p99 ms", "delivered/s", "CPU ms/recipient", "MB before",
        "MB queued", "MB peak", "floor/s", "floor CPU", "CPU ratio", "fetches, decodes, encodes", "yardstick",
    )  # fmt: skip
    for size in SIZES:
        for held in (False, True):
            row = await measure(size, count, media, held=held)
            shown.add_row(*row.cells())
            did = " ".join(f"{name}={number:,}" for name, number in row.counters.items())
            progress(f"sendSavedMMS {size}{', held' if held else ''}: {row.cpu_ms:.2f} ms CPU a recipient; {did}")
    return shown
