"""Scaling: what a message costs with one, two and four workers on PostgreSQL, beside `serve` on SQLite.

A template goes to many numbers. First everything is accepted while the workers stand still, then they find a full
queue. The database's floor is a bare ``COPY`` of all the rows that the messages have left, into an empty database
on the same server, in the same run. Rounds take turns through all rows; each figure is the median of its rounds.
"""

import os
import statistics
import time
from collections.abc import Callable, Iterable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path

import asyncpg
from rich.table import Table
from tests.postgres import PostgresServer, drop_database, new_database, own_server

from bench.cluster import Cluster, Figures, embedded, scaled
from bench.gateway import until_idle
from bench.load import load, until_told
from bench.media import file_name
from bench.process import cpu_seconds, yardstick
from bench.report import progress, table
from bench.templates import document, save
from mmsgate.clock import SystemClock
from mmsgate.store.schema import migrate_postgres

SIZE = "31 KB"
CONNECTIONS = 128
WORKERS = (1, 2, 4)
WARM_UP = 300
ROUNDS = 3
#: Where a message leaves rows.
TABLES = ("message", "tracking", "page", "event", "postback", "carrier_id")

Make = Callable[[], AbstractAsyncContextManager[Cluster]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """One row, measured once: what `count` messages took to be accepted, and to be delivered in so many seconds.

    `taken_rate` is how many the carrier took a second in the middle half, `wal` the bytes of WAL for
    each.
    """

    count: int
    accepted: Figures
    accept_seconds: float
    delivered: Figures
    taken_rate: float
    seconds: float
    left: "Left"
    wal: float
    load: float
    yardstick_ms: float

    def each(self, seconds: float) -> float:
        """CPU milliseconds per message."""
        return seconds / self.count * 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """What a message has left in PostgreSQL: bytes of tables and indexes. `copied` is the CPU in seconds of the
    floor. Both are 0 with SQLite.
    """

    disk: float = 0.0
    copied: float = 0.0


async def measure(make: Make, count: int) -> Round:
    """One row, once: fresh processes, a warm-up, a full queue."""
    async with make() as cluster:
        bench = cluster.bench
        template = await save(bench, file_name(SIZE))
        await load(bench.port, lambda number: document(bench, template, count + number), WARM_UP)
        await until_told(bench.sink_port, WARM_UP, bench.pid)
        await until_idle()
        yardstick_ms, average = yardstick(), os.getloadavg()[0]
        begun, written = await cluster.figures(), await wal(cluster)
        await cluster.hold()
        accept_seconds, _ = await load(bench.port, lambda number: document(bench, template, number), count)
        queued = time.perf_counter()
        await cluster.release()
        between = await cluster.figures()
        told = await until_told(bench.sink_port, count + WARM_UP, bench.pid)
        seconds = time.perf_counter() - queued
        await until_idle()
        ended, written = await cluster.figures(), await wal(cluster) - written
        left = await left_by(cluster.server, cluster.database, count + WARM_UP) if cluster.server else Left()
    return Round(
        count=count, accepted=between - begun, accept_seconds=accept_seconds, delivered=ended - between,
        seconds=seconds, taken_rate=told.steady_rate(),
        left=left, wal=written / count, load=average, yardstick_ms=yardstick_ms,
    )  # fmt: skip


async def left_by(server: PostgresServer, address: str, count: int) -> Left:
    """What so many messages have left."""
    source = await asyncpg.connect(address)
    disk = await source.fetchval(
        "SELECT sum(pg_total_relation_size(relid)) FROM unnest($1::text[]) AS name, "
        "pg_partition_tree(name::regclass)",
        list(TABLES),
    )
    await source.close()
    return Left(disk=float(disk) / count, copied=await floor(server, address) / count)


async def wal(cluster: Cluster) -> float:
    """Bytes of WAL that the server has written so far, for whichever database."""
    if not cluster.database:
        return 0.0
    connection = await asyncpg.connect(cluster.database)
    written = await connection.fetchval("SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn")
    await connection.close()
    return float(written)


async def floor(server: PostgresServer, address: str) -> float:
    """The database's CPU seconds for a bare COPY of the same rows with their indexes, a transaction a table."""
    found = {}
    source = await asyncpg.connect(address)
    for name in TABLES:
        found[name] = await source.fetch(f"SELECT * FROM {name}")
    await source.close()
    empty = await new_database(server.address)
    await migrate_postgres(empty, now=SystemClock().now())
    goal = await asyncpg.connect(empty)
    begun = cpu_seconds(server.pid)
    for name, rows in found.items():
        await goal.copy_records_to_table(name, records=rows, columns=list(rows[0].keys()))
    used = cpu_seconds(server.pid) - begun
    await goal.close()
    await drop_database(server.address, empty)
    return used


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """All rounds of one row."""

    name: str
    rounds: list[Round]

    def median(self, figure: Callable[[Round], float]) -> float:
        return statistics.median(map(figure, self.rounds))

    @property
    def cpu(self) -> float:
        """CPU milliseconds per delivered message, of all processes."""
        return self.median(lambda each: each.each(each.delivered.cpu))

    def cells(self, base: "Row") -> Iterable[str]:
        def shown(figure: Callable[[Figures], float], digits: int = 2) -> str:
            return f"{self.median(lambda each: figure(each.delivered) / each.count):.{digits}f}"

        yield from (self.name, f"{self.median(lambda each: each.count / each.accept_seconds):,.0f}")
        yield f"{self.median(lambda each: each.taken_rate):,.0f}"
        yield f"{self.median(lambda each: each.count / each.seconds):,.0f}"
        yield f"{self.median(lambda each: each.each(each.accepted.cpu)):.2f}"
        for kind in (lambda all_: all_.api, lambda all_: all_.workers, lambda all_: all_.database):
            yield f"{self.median(lambda each, kind=kind: each.each(kind(each.delivered))):.2f}"  # type: ignore[misc]
        yield from (f"{self.cpu:.2f}", f"{self.cpu / base.cpu:.2f}")
        yield shown(lambda all_: all_.statements, 1)
        yield from (shown(lambda all_: all_.round_trips), shown(lambda all_: all_.api_round_trips))
        yield from self._beside_the_floor()
        yield f"{self.median(lambda each: each.load):.1f}"
        yield f"{self.median(lambda each: each.yardstick_ms):.0f}"

    def _beside_the_floor(self) -> Iterable[str]:
        if not self.rounds[0].left.copied:
            return ("–",) * 5
        whole = self.median(lambda each: each.each(each.accepted.database + each.delivered.database))
        copied = self.median(lambda each: each.left.copied * 1000)
        return (f"{whole:.2f}", f"{copied:.3f}", f"{whole / copied:.1f}", *self._kept())

    def _kept(self) -> Iterable[str]:
        yield f"{self.median(lambda each: each.left.disk) / 1000:.1f}"
        yield f"{self.median(lambda each: each.wal) / 1000:.1f}"


async def measure_all(count: int, rounds: int, media: Path, *, workers: Iterable[int] = WORKERS) -> Table:
    """SQLite, and every number of workers; they take turns."""
    with own_server(fsync=True) as server:
        makes: dict[str, Make] = {"SQLite": lambda: embedded(CONNECTIONS, media)}
        for number in workers:
            makes[f"{number} worker{'s' * (number > 1)}"] = _scaled(server, number, media)
        rows = {name: Row(name=name, rounds=[]) for name in makes}
        for number in range(rounds):
            for name, make in makes.items():
                found = await measure(make, count)
                rows[name].rounds.append(found)
                progress(
                    f"scale, round {number + 1}, {name}: {found.taken_rate:,.0f}/s, "
                    f"{found.each(found.delivered.cpu):.2f} ms (api {found.each(found.delivered.api):.2f}, workers "
                    f"{found.each(found.delivered.workers):.2f}, database "
                    f"{found.each(found.delivered.database):.2f}), round trips "
                    f"{found.delivered.round_trips / count:.3f} + {found.delivered.api_round_trips / count:.3f}, "
                    f"load {found.load:.1f}"
                )
    return _table(list(rows.values()), count, rounds)


def _scaled(server: PostgresServer, workers: int, media: Path) -> Make:
    return lambda: scaled(server, workers, CONNECTIONS, media)


def _table(rows: list[Row], count: int, rounds: int) -> Table:
    shown = table(
        f"One template to {count:,} numbers, all queued first, {CONNECTIONS} connections, medians of {rounds}",
        "processes", "accepted/s", "taken/s", "delivered/s", "CPU ms to accept", "to deliver: api", "workers",
        "PostgreSQL", "all", "÷ 1 worker", "statements", "round trips, workers", "api", "PostgreSQL in all", "COPY",
        "÷ COPY", "KB on disk", "KB of WAL", "load", "yardstick",
    )  # fmt: skip
    base = next((row for row in rows if row.name == "1 worker"), rows[0])
    for row in rows:
        shown.add_row(*row.cells(base))
    return shown
