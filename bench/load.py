"""The load: callers that post documents, the wait for the last postback, and the floor."""

import asyncio
import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from bench.gateway import sink
from bench.process import memory
from bench.wire import Connection

CLIENTS = 32
PATIENCE = 600.0  # seconds for all messages of a row


async def load(
    port: int, document: Callable[[int], bytes], count: int, *, clients: int = CLIENTS
) -> tuple[float, list[float]]:
    """Post `count` documents over keep-alive connections: seconds, and each answer's milliseconds, in order."""
    left = iter(range(count))
    times: list[float] = []

    async def client() -> None:
        connection = await Connection.open(port)
        for number in left:
            body = document(number)
            begun = time.perf_counter()
            status, answered = await connection.post("/ep/v1/", [("Content-Type", "text/xml")], [body])
            times.append((time.perf_counter() - begun) * 1000)
            assert status == 200, answered
            assert b"Success" in answered, answered
        connection.close()

    begun = time.perf_counter()
    await asyncio.gather(*(client() for _ in range(min(clients, count))))
    return time.perf_counter() - begun, sorted(times)


@dataclass(slots=True)
class Progress:
    """What the sink has counted, and when: pairs of a time in seconds and the submits taken by then.

    `memory` is the largest that the gateway had meanwhile, in bytes.
    """

    counts: dict[str, int] = field(default_factory=dict)
    taken: list[tuple[float, int]] = field(default_factory=list)
    memory: int = 0

    def steady_rate(self) -> float:
        """Submits per second in the middle half: without the start, when acceptance wants the CPU, and the end."""
        first, last = self.taken[0][1], self.taken[-1][1]
        quarter = (last - first) / 4
        middle = [entry for entry in self.taken if first + quarter <= entry[1] <= last - quarter]
        (begun, low), (ended, high) = middle[0], middle[-1]
        return (high - low) / (ended - begun) if ended > begun else 0.0


async def until_told(sink_port: int, count: int, pid: int) -> Progress:
    """Wait until every message's N102 has arrived."""
    connection = await Connection.open(sink_port)
    progress = Progress()
    deadline = time.perf_counter() + PATIENCE
    while progress.counts.get("N102", 0) < count:
        assert time.perf_counter() < deadline, f"not delivered within {PATIENCE:g} s: {progress.counts}"
        await asyncio.sleep(0.02)
        _, told = await connection.post("/counts", [], [b""])
        progress.counts = json.loads(told)
        progress.taken.append((time.perf_counter(), progress.counts.get("submits", 0)))
        progress.memory = max(progress.memory, memory(pid))
    connection.close()
    return progress


async def until_quiet(sink_port: int) -> None:
    """Wait until the sink has had nothing new for a second: what was accepted has been sent and reported."""
    connection = await Connection.open(sink_port)
    told, now = b"", b"nothing asked yet"
    while told != now:
        await asyncio.sleep(1)
        told = now
        _, now = await connection.post("/counts", [], [b""])
    connection.close()


async def tell_sink(sink_port: int, order: str) -> None:
    """``hold``: submits get no answer until ``release``."""
    connection = await Connection.open(sink_port)
    status, _ = await connection.post(f"/{order}", [], [b""])
    assert status == 200, order
    connection.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class Floor:
    """What a bare loop does with the same bytes: posts per second, milliseconds of its CPU each."""

    rate: float
    cpu_ms: float


async def floor(size: int, *, count: int, delay: int, connections: int) -> Floor:
    """`count` bodies of `size` bytes posted to the same kind of sink over that many connections."""
    body = [os.urandom(1000), bytes(size - 1000)]
    async with sink(delay, 0) as port:
        open_ones = [await Connection.open(port) for _ in range(connections)]
        left = iter(range(count))

        async def post(connection: Connection) -> None:
            for _ in left:
                await connection.post("/mm7", [("Content-Type", "multipart/related")], body)

        cpu, begun = time.process_time(), time.perf_counter()
        await asyncio.gather(*map(post, open_ones))
        cpu, seconds = time.process_time() - cpu, time.perf_counter() - begun
        for connection in open_ones:
            connection.close()
    return Floor(rate=count / seconds, cpu_ms=cpu / count * 1000)
