"""Many processes over one PostgreSQL, or `mmsgate serve` over SQLite, for the benchmark of scaling.

All of them are on this machine and keep their blobs in one folder. The workers can be made to stand still while
messages are accepted, so that they find a full queue.
"""

import asyncio
import contextlib
import os
import re
import signal
import tempfile
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

from tests.postgres import PostgresServer, drop_database, new_database

from bench.gateway import Bench, fill, free_port, prepare, sink, until_ready
from bench.load import tell_sink
from bench.process import Running, cpu_seconds, process
from mmsgate.carriers.profile import Pace
from mmsgate.clock import SystemClock
from mmsgate.store.schema import migrate_postgres

#: Connections over which the carrier reports.
REPORTERS = 64
#: After that time, in milliseconds: a phone takes seconds. A report that comes before its message's id is committed
#: costs a transaction more.
REPORT_AFTER = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What has been used and done since the processes were started: CPU in seconds by kind of process."""

    api: float
    workers: float
    database: float
    statements: int
    round_trips: int
    api_round_trips: int

    def __sub__(self, before: "Figures") -> "Figures":
        return Figures(
            api=self.api - before.api, workers=self.workers - before.workers,
            database=self.database - before.database, statements=self.statements - before.statements,
            round_trips=self.round_trips - before.round_trips,
            api_round_trips=self.api_round_trips - before.api_round_trips,
        )  # fmt: skip

    @property
    def cpu(self) -> float:
        """Of all processes."""
        return self.api + self.workers + self.database


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A process of the gateway, and where it tells its numbers."""

    running: Running
    ops_port: int

    def number(self, name: str) -> int:
        """One of its metrics."""
        with urlopen(f"http://127.0.0.1:{self.ops_port}/metrics", timeout=30) as answer:
            told = re.search(rf"^{name} (\S+)$", answer.read().decode(), re.MULTILINE)
        assert told, name
        return round(float(told[1]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """The processes of a row. With SQLite `api` does all, and there are no workers and no `server`."""

    bench: Bench
    api: Member
    workers: Sequence[Member]
    server: PostgresServer | None
    database: str = ""

    async def hold(self) -> None:
        """Nothing is delivered until `release`."""
        if self.server is None:
            await tell_sink(self.bench.sink_port, "hold")
        for worker in self.workers:
            os.kill(worker.running.pid, signal.SIGSTOP)

    async def release(self) -> None:
        """Go on, with all that waits."""
        for worker in self.workers:
            os.kill(worker.running.pid, signal.SIGCONT)
        await tell_sink(self.bench.sink_port, "release")

    async def figures(self) -> Figures:
        """What has been used and done so far; of workers that stand still what they did before."""
        return await asyncio.to_thread(self._figures)

    def _figures(self) -> Figures:
        return Figures(
            api=cpu_seconds(self.api.running.pid),
            workers=sum(cpu_seconds(worker.running.pid) for worker in self.workers),
            database=cpu_seconds(self.server.pid) if self.server else 0.0,
            statements=sum(each.number("mmsgate_store_statements_total") for each in (self.api, *self.workers)),
            round_trips=sum(worker.number("mmsgate_store_round_trips_total") for worker in self.workers),
            api_round_trips=self.api.number("mmsgate_store_round_trips_total"),
        )  # fmt: skip


@contextlib.asynccontextmanager
async def embedded(connections: int, media: Path) -> AsyncIterator[Cluster]:
    """`mmsgate serve` on SQLite."""
    async with _stage(media) as (folder, port, sink_port, stack):
        keys = await prepare(folder, sink_port, Pace(connections=connections))
        gateway = await _member(stack, "serve", folder, sink_port, port=port)
        yield Cluster(bench=_bench(gateway, port, sink_port, keys), api=gateway, workers=(), server=None)


@contextlib.asynccontextmanager
async def scaled(server: PostgresServer, workers: int, connections: int, media: Path) -> AsyncIterator[Cluster]:
    """One `mmsgate api` and that many workers on a database of their own."""
    async with _stage(media) as (folder, port, sink_port, stack):
        address = await new_database(server.address)
        stack.push_async_callback(drop_database, server.address, address)
        await migrate_postgres(address, now=SystemClock().now())
        keys = await fill(address, sink_port, Pace(connections=connections))
        api = await _member(stack, "api", folder, sink_port, address=address, port=port)
        members = [await _member(stack, "worker", folder, sink_port, address=address) for _ in range(workers)]
        yield Cluster(
            bench=_bench(api, port, sink_port, keys), api=api, workers=members, server=server, database=address
        )


@contextlib.asynccontextmanager
async def _stage(media: Path) -> AsyncIterator[tuple[Path, int, int, contextlib.AsyncExitStack]]:
    """A folder, the port that reports go to, and a sink."""
    async with contextlib.AsyncExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="mmsgate-bench-"))
        port = free_port()
        sink_port = await stack.enter_async_context(
            sink(0, port, media, reporters=REPORTERS, report_after=REPORT_AFTER)
        )
        yield Path(folder), port, sink_port, stack


async def _member(
    stack: contextlib.AsyncExitStack, role: str, folder: Path, sink_port: int, *, address: str = "", port: int = 0
) -> Member:
    ops_port = free_port()
    settings = {
        "MMSGATE_FETCH_ALLOW": f"127.0.0.1:{sink_port}", "MMSGATE_LOG_LEVEL": "warning", "COLUMNS": "200",
        "MMSGATE_OPS_PORT": str(ops_port), "MMSGATE_DATABASE_URL": address, "MMSGATE_IMAGE_WORKERS": "1",
        "MMSGATE_PUBLIC_URL": f"http://127.0.0.1:{port or 1}",
    }  # fmt: skip
    arguments = ["-m", "bench.gateway", role, "--data-dir", str(folder)]
    if port:
        arguments += ["--port", str(port)]
    running = await stack.enter_async_context(process(*arguments, **settings))
    await until_ready(running)
    return Member(running=running, ops_port=ops_port)


def _bench(api: Member, port: int, sink_port: int, keys: tuple[str, str]) -> Bench:
    return Bench(gateway=api.running, port=port, sink_port=sink_port, key=keys[0], neighbour=keys[1])
