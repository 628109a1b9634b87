"""``make bench``: what the gateway does, beside the floor of the same run.

The gateway, the sink (carrier, origin, receiver of postbacks) and the load are three processes on one machine.
Reports and postbacks are on. CPU is that of all the gateway's processes, from the request to the last postback. The
floor is a bare client loop that posts the same MM7 bytes to the same sink.
"""

import argparse
import asyncio
import contextlib
import json
import os
import platform
import socket
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import uvloop
from PIL import Image
from rich.console import Console
from rich.table import Table

from bench.process import cpu_seconds, peak_memory
from bench.wire import Connection
from mmsgate.carriers.profile import CarrierProfile, carrier_json
from mmsgate.clock import SystemClock
from mmsgate.domain.account import Account, PostbackSettings, Sender, hash_key
from mmsgate.domain.number import SenderType
from mmsgate.mm7.dialect import Dialect
from mmsgate.provision import new_api_key
from mmsgate.store import Store, migrate

SIZES = {"31 KB": 31_000, "321 KB": 321_000}
#: How long the sink takes to answer in ms, and the gateway's connections to it. Eight connections and 50 ms allow
#: 160 messages a second, which leaves CPU free: that row shows whether every connection is kept busy.
CARRIERS = ((0, 64), (50, 8), (50, 64))
CLIENTS = 32
WARM_UP = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """One row. Rates are per second, times in milliseconds, memory in bytes."""

    size: str = ""
    delay: int = 0
    connections: int = 0
    messages: int
    yardstick_ms: float
    accepted_rate: float
    p50: float
    p99: float
    delivered_rate: float
    steady_rate: float
    cpu_ms: float
    memory: int
    bytes_each: int
    floor_rate: float = 0.0
    floor_cpu_ms: float = 0.0


def jpeg(size: int) -> bytes:
    """A JPEG of exactly that many bytes: a small picture, filled up with comment segments."""
    path = Path(tempfile.mkdtemp()) / "x.jpg"
    Image.effect_noise((160, 120), 60).convert("RGB").save(path, quality=85)
    data = path.read_bytes()
    path.unlink()
    path.parent.rmdir()
    left = size - len(data)
    segments = b""
    while left > 0:
        length = min(left, 60_000) if left - min(left, 60_000) != 1 else left - 4
        length = max(length, 4)
        segments += b"\xff\xfe" + (length - 2).to_bytes(2) + os.urandom(length - 4).replace(b"\xff", b"\xfe")
        left -= length
    return data[:2] + segments + data[2:]


@contextlib.asynccontextmanager
async def process(*arguments: str, **environment: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """A Python process that is ended afterwards."""
    running = await asyncio.create_subprocess_exec(
        sys.executable, *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        env={**os.environ, **environment},
    )  # fmt: skip
    try:
        yield running
    finally:
        running.terminate()
        await running.communicate()


@contextlib.asynccontextmanager
async def sink(delay: int, report_port: int, folder: Path) -> AsyncIterator[int]:
    """A sink; its port."""
    async with process("-m", "bench.sink", str(delay), str(report_port), str(folder)) as running:
        assert running.stdout is not None
        line = await running.stdout.readline()
        yield int(line)


async def prepare(data_dir: Path, sink_port: int, connections: int) -> str:
    """An account, a number and the sink as carrier; the API key."""
    migrate(data_dir / "mmsgate.db")
    store = Store(data_dir / "mmsgate.db")
    await store.start()
    now = SystemClock().now()
    account = Account(id=0, name="bench", postback=PostbackSettings(url=f"http://127.0.0.1:{sink_port}/postbacks"))
    account_id = await store.accounts.create("bench", account, at=now)
    key = new_api_key()
    await store.accounts.add_key(account_id, hash_key(key), label="bench", hint="", at=now)
    sender = Sender(number="28444", type=SenderType.SHORT_CODE, services=("32113",))
    await store.accounts.put_sender(account_id, sender)
    carrier = CarrierProfile(
        name="bench", url=f"http://127.0.0.1:{sink_port}/mm7", username="u", password="p", connections=connections,
        dialect=Dialect(vaspid="v", vasid="28444mms"),
    )  # fmt: skip
    await store.accounts.put_carrier("bench", carrier_json(carrier))
    await store.stop()
    return key


def document(key: str, media_port: int, name: str) -> bytes:
    return (
        f"<request><action>sendMMS</action><api-key>{key}</api-key><to>12065550100</to><from>28444</from>"
        "<service-id>32113</service-id><name>bench</name><message-subject>Hello</message-subject>"
        "<fallback-sms-text>You have a picture message:</fallback-sms-text>"
        f"<slide><image><url>http://127.0.0.1:{media_port}/{name}</url></image>"
        "<message-text>Hello from the benchmark</message-text></slide></request>"
    ).encode()


async def load(port: int, body: bytes, count: int) -> tuple[float, list[float]]:
    """Post the document `count` times over keep-alive connections: seconds, and each answer's milliseconds."""
    left = iter(range(count))
    times: list[float] = []

    async def client() -> None:
        connection = await Connection.open(port)
        for _ in left:
            begun = time.perf_counter()
            status, answered = await connection.post("/ep/v1/", [("Content-Type", "text/xml")], [body])
            times.append((time.perf_counter() - begun) * 1000)
            assert status == 200, answered
            assert b"Success" in answered, answered
        connection.close()

    begun = time.perf_counter()
    await asyncio.gather(*(client() for _ in range(min(CLIENTS, count))))
    return time.perf_counter() - begun, times


@dataclass(slots=True)
class Progress:
    """What the sink has counted, and when: pairs of a time in seconds and the submits taken by then."""

    counts: dict[str, int] = field(default_factory=dict)
    taken: list[tuple[float, int]] = field(default_factory=list)

    def steady_rate(self) -> float:
        """Submits per second in the middle half: without the start, when acceptance wants the CPU, and the end."""
        first, last = self.taken[0][1], self.taken[-1][1]
        quarter = (last - first) / 4
        middle = [entry for entry in self.taken if first + quarter <= entry[1] <= last - quarter]
        (begun, low), (ended, high) = middle[0], middle[-1]
        return (high - low) / (ended - begun) if ended > begun else 0.0


async def until_told(sink_port: int, count: int) -> Progress:
    """Wait until every message's N102 has arrived."""
    connection = await Connection.open(sink_port)
    progress = Progress()
    deadline = time.perf_counter() + 300
    while progress.counts.get("N102", 0) < count:
        assert time.perf_counter() < deadline, f"not delivered within 300 s: {progress.counts}"
        await asyncio.sleep(0.02)
        _, told = await connection.post("/counts", [], [b""])
        progress.counts = json.loads(told)
        progress.taken.append((time.perf_counter(), progress.counts.get("submits", 0)))
    connection.close()
    return progress


async def measure(size: str, carrier: tuple[int, int], count: int, media: Path) -> Figures:
    """One row: a fresh gateway, a warm-up, then `count` messages."""
    delay, connections = carrier
    with tempfile.TemporaryDirectory(prefix="mmsgate-bench-") as folder:
        data_dir = Path(folder)
        port = free_port()
        async with sink(delay, port, media) as sink_port:
            key = await prepare(data_dir, sink_port, connections)
            arguments = ("-m", "mmsgate", "serve", "--data-dir", str(data_dir), "--port", str(port))
            allow = f"127.0.0.1:{sink_port}"
            settings = {"MMSGATE_FETCH_ALLOW": allow, "MMSGATE_LOG_LEVEL": "warning", "COLUMNS": "200"}
            async with process(*arguments, **settings) as gateway:
                await until_ready(gateway)
                body = document(key, sink_port, f"{size.split(maxsplit=1)[0]}.jpg")
                await load(port, body, WARM_UP)
                await until_told(sink_port, WARM_UP)
                return replace(
                    await timed(gateway.pid, port, sink_port, body, count),
                    size=size, delay=delay, connections=connections,
                )  # fmt: skip


async def timed(pid: int, port: int, sink_port: int, body: bytes, count: int) -> Figures:
    yardstick_ms = yardstick()
    cpu, begun = cpu_seconds(pid), time.perf_counter()
    told = asyncio.create_task(until_told(sink_port, count + WARM_UP))
    seconds, times = await load(port, body, count)
    progress = await told
    total, cpu = time.perf_counter() - begun, cpu_seconds(pid) - cpu
    times.sort()
    return Figures(
        messages=count, yardstick_ms=yardstick_ms, accepted_rate=count / seconds, p50=times[len(times) // 2],
        p99=times[int(len(times) * 0.99)], delivered_rate=count / total, cpu_ms=cpu / count * 1000,
        memory=peak_memory(pid), steady_rate=progress.steady_rate(),
        bytes_each=progress.counts["bytes"] // progress.counts["submits"],
    )  # fmt: skip


def yardstick() -> float:
    """CPU milliseconds of a fixed piece of Python: shows how fast the machine was while a row was measured."""
    begun = time.process_time()
    for _ in range(1_000_000):
        pass
    return (time.process_time() - begun) * 1000


async def until_ready(gateway: asyncio.subprocess.Process) -> None:
    assert gateway.stdout is not None
    while b"ready" not in (line := await gateway.stdout.readline()):
        assert line, "the gateway ended at once"


async def floor(figures: Figures, media: Path) -> Figures:
    """The same number of bytes posted by a bare loop over as many connections."""
    body = [os.urandom(1000), bytes(figures.bytes_each - 1000)]
    async with sink(figures.delay, 0, media) as port:
        connections = [await Connection.open(port) for _ in range(figures.connections)]
        left = iter(range(figures.messages))

        async def post(connection: Connection) -> None:
            for _ in left:
                await connection.post("/mm7", [("Content-Type", "multipart/related")], body)

        cpu, begun = time.process_time(), time.perf_counter()
        await asyncio.gather(*(post(connection) for connection in connections))
        cpu, seconds = time.process_time() - cpu, time.perf_counter() - begun
        for connection in connections:
            connection.close()
    return replace(figures, floor_rate=figures.messages / seconds, floor_cpu_ms=cpu / figures.messages * 1000)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def show(rows: Sequence[Figures]) -> None:
    table = Table(
        title=f"sendMMS, {CLIENTS} callers; {os.cpu_count()} cores, {platform.machine()}, "
        f"Python {platform.python_version()}"
    )
    for column in (
        "MMS", "carrier", "conns", "accepted/s", "p50 ms", "p99 ms", "delivered/s", "CPU ms/msg", "peak MB",
        "floor/s", "floor CPU", "CPU ratio", "of conns/delay", "yardstick",
    ):  # fmt: skip
        table.add_column(column, justify="right")
    for row in rows:
        ideal = row.connections / row.delay * 1000 if row.delay else 0
        table.add_row(
            row.size, f"{row.delay} ms", str(row.connections), f"{row.accepted_rate:,.0f}", f"{row.p50:.1f}",
            f"{row.p99:.1f}", f"{row.delivered_rate:,.0f}", f"{row.cpu_ms:.2f}", f"{row.memory / 1e6:.0f}",
            f"{row.floor_rate:,.0f}",
            f"{row.floor_cpu_ms:.2f}", f"{row.cpu_ms / row.floor_cpu_ms:.1f}",
            f"{row.steady_rate / ideal:.0%}" if ideal else "-", f"{row.yardstick_ms:.0f}",
        )  # fmt: skip
    Console(width=160).print(table)


async def main(count: int) -> None:
    rows: list[Figures] = []
    with tempfile.TemporaryDirectory(prefix="mmsgate-media-") as folder:
        media = Path(folder)
        for name, size in SIZES.items():
            (media / f"{name.split()[0]}.jpg").write_bytes(jpeg(size))
        for name in SIZES:
            for carrier in CARRIERS:
                figures = await measure(name, carrier, count, media)
                rows.append(await floor(figures, media))
                print(
                    f"{name}, {carrier[0]} ms, {carrier[1]} connections: {figures.cpu_ms:.2f} ms CPU a message",
                    file=sys.stderr,
                )
    show(rows)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--messages", type=int, default=2000, help="messages a row (default: 2000)")
    uvloop.run(main(parser.parse_args().messages))
