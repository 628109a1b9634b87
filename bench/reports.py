"""Delivery reports over HTTP: a carrier's reports about messages that wait for them.

Of every hundred reports five have their MessageID altered on the way (capitals, a leading zero), five come a second
time, and one names a message that nobody knows. Each has to be matched or kept: the database tells afterwards.
"""

import asyncio
import random
import sqlite3
import tempfile
import time
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, replace
from pathlib import Path

from rich.table import Table

from bench.gateway import free_port, prepare, sink, until_ready
from bench.process import Running, exact_cpu_seconds, peak_memory, process, yardstick
from bench.report import progress, table
from bench.sink import NAMESPACE, REPORT
from bench.wire import Connection
from mmsgate.carriers.profile import Pace
from mmsgate.clock import DAY, SystemClock
from mmsgate.domain.account import PostbackSettings
from mmsgate.domain.change import normalise_id
from mmsgate.domain.message import Fallback, Message
from mmsgate.domain.number import SenderType
from mmsgate.domain.request import WireDialect
from mmsgate.domain.state import State
from mmsgate.store import Store, rows
from mmsgate.store.queries import queries

REPORTS = 100_000
ALTERED, TWICE, UNKNOWN = 0.05, 0.05, 0.01
DISORDER = 1000  # messages by which a report is early or late
CONNECTIONS = 64  # of the carrier
PATIENCE = 600.0  # seconds for the postbacks


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row. `lost` are reports that were neither matched nor kept: none may be."""

    postbacks: str
    rate: float
    p50: float
    p99: float
    cpu_us: float
    matched: int
    kept: int
    lost: int
    memory: int
    yardstick_ms: float

    def cells(self) -> Iterable[str]:
        return (
            self.postbacks, f"{self.rate:,.0f}", f"{self.p50:.1f}", f"{self.p99:.1f}", f"{self.cpu_us:.0f}",
            f"{self.matched:,}", f"{self.kept:,}", f"{self.lost:,}", f"{self.memory / 1e6:.0f}",
            f"{self.yardstick_ms:.0f}",
        )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """Reports to send, in order; `messages` is how many messages wait for them, numbered from 1."""

    messages: int
    bodies: list[bytes]


def traffic(count: int) -> Traffic:
    """`count` reports, the same ones in every run, in the order of sending give or take `DISORDER`."""
    chance = random.Random(42)  # the same in every run
    unknown, twice = int(count * UNKNOWN), int(count * TWICE)
    messages = count - unknown - twice
    numbers = range(1, messages + 1)
    altered = set(chance.sample(numbers, int(count * ALTERED)))
    found = [(n, report(f"0{carrier_id(n).upper()}" if n in altered else carrier_id(n), n)) for n in numbers]
    again = [(n + DISORDER, report(carrier_id(n), n)) for n in chance.sample(numbers, twice)]
    nobody = [(n, report(f"nobody{n}", messages + n)) for n in chance.sample(numbers, unknown)]
    timed = [(place + chance.uniform(0, DISORDER), body) for place, body in (*found, *again, *nobody)]
    return Traffic(messages=messages, bodies=[body for _, body in sorted(timed)])


def carrier_id(number: int) -> str:
    """As a carrier gives them: one says nothing of the next."""
    return f"a{number * 0x9E3779B97F4A7C15 % 2**60:015x}"


def report(message_id: str, number: int) -> bytes:
    whole = REPORT.format(ns=NAMESPACE, number=number, recipient=recipient(number))
    return whole.replace(f"<MessageID>m{number}<", f"<MessageID>{message_id}<").encode()


def recipient(number: int) -> str:
    """A number that is in no order either; no two are the same."""
    return f"12{number * 617_283_947 % 1_000_000_000:09}"


async def measure(count: int, *, told: bool) -> Row:
    """One row: a gateway over `count` reports' messages; with `told` the customer gets his N102."""
    sent = traffic(count)
    async with gateway(sent.messages, told=told) as (running, port, sink_port, database):
        yardstick_ms = yardstick()
        cpu, begun = exact_cpu_seconds(running.pid), time.perf_counter()
        times = await post_all(port, sent.bodies)
        seconds = time.perf_counter() - begun
        if told:
            await until_told(sink_port, sent.messages)
        cpu = exact_cpu_seconds(running.pid) - cpu
        peak = peak_memory(running.pid)
        matched, kept = outcome(database)
    return Row(
        postbacks="told" if told else "none", rate=count / seconds, p50=times[count // 2],
        p99=times[int(count * 0.99)], cpu_us=cpu / count * 1e6, matched=matched, kept=kept,
        lost=count - matched - kept, memory=peak, yardstick_ms=yardstick_ms,
    )  # fmt: skip


@asynccontextmanager
async def gateway(messages: int, *, told: bool) -> AsyncIterator[tuple[Running, int, int, Path]]:
    """A gateway whose messages all wait for their reports, its port, the receiver's port, its database."""
    with tempfile.TemporaryDirectory(prefix="mmsgate-bench-") as folder:
        data_dir, port = Path(folder), free_port()
        async with sink(0) as sink_port:
            await prepare(data_dir, sink_port, Pace(connections=CONNECTIONS))
            await fill(data_dir / "mmsgate.db", messages, told=told)
            arguments = ("-m", "bench.gateway", "serve", "--data-dir", folder, "--port", str(port))
            allow = f"127.0.0.1:{sink_port}"
            settings = {"MMSGATE_FETCH_ALLOW": allow, "MMSGATE_LOG_LEVEL": "warning", "MMSGATE_OPS_PORT": "0"}
            async with process(*arguments, **settings) as running:
                await until_ready(running)
                yield running, port, sink_port, data_dir / "mmsgate.db"


async def fill(database: Path, count: int, *, told: bool) -> None:
    """Messages that the carrier has taken, each with an id of its own."""
    store = Store(database)
    await store.start()
    account = next(a for a in (await store.accounts.directory()).accounts.values() if a.name == "bench")
    if not told:
        await store.accounts.update(replace(account, postback=PostbackSettings()))
    await store.stop()
    sql = {name: text.replace("{message}", rows.MESSAGE) for name, text in queries("messages").items()}
    with closing(sqlite3.connect(database, isolation_level=None)) as db:
        db.execute("BEGIN")
        for message in waiting_messages(account.id, count):
            verbatim = message.carrier_message_id
            db.execute(sql["insert_message"], rows.message_row(message))
            db.execute(sql["insert_tracking"], (message.tracking_id, message.id))
            db.execute(sql["insert_carrier_id"], ("bench", normalise_id(verbatim), verbatim, message.id, 0))
        db.execute("COMMIT")


def waiting_messages(account_id: int, count: int) -> Iterator[Message]:
    now = SystemClock().now()
    fallback = Fallback(enabled=False, text="", link=False, token="", expires_at=now)
    for number in range(1, count + 1):
        yield Message(
            id=number, tracking_id=f"{number:022}", account_id=account_id, mms_id=1, content_id=1,
            dialect=WireDialect.KEBAB, sender="28444", sender_type=SenderType.SHORT_CODE, sender_mask="",
            recipient=recipient(number), operator="31002", service_id="32113", fallback=fallback, accepted_at=now,
            expires_at=now + 3 * DAY, connection="bench", state=State.SENT, due_at=now + 3 * DAY, attempts=1,
            carrier_message_id=carrier_id(number), told=True, postbacks=1, updated_at=now,
        )  # fmt: skip


async def post_all(port: int, bodies: list[bytes]) -> list[float]:
    """Post the reports over keep-alive connections; each answer's milliseconds, in order."""
    left = iter(bodies)
    times: list[float] = []

    async def carrier() -> None:
        connection = await Connection.open(port)
        for body in left:
            begun = time.perf_counter()
            status, answered = await connection.post("/mm7/bench", [("Content-Type", "text/xml")], [body])
            times.append((time.perf_counter() - begun) * 1000)
            assert status == 200, answered
            assert b">1000<" in answered, answered
        connection.close()

    await asyncio.gather(*(carrier() for _ in range(CONNECTIONS)))
    return sorted(times)


async def until_told(sink_port: int, count: int) -> None:
    """Wait until every message's N102 has arrived."""
    connection = await Connection.open(sink_port)
    deadline = time.perf_counter() + PATIENCE
    told = b""
    while f'"N102": {count},'.encode() not in told:
        assert time.perf_counter() < deadline, f"not told within {PATIENCE:g} s: {told!r}"
        await asyncio.sleep(0.1)
        _, told = await connection.post("/counts", [], [b""])
    connection.close()


def outcome(database: Path) -> tuple[int, int]:
    """How many reports stand in a timeline, and how many are kept as orphans; every message is delivered."""
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as db:
        (matched,) = db.execute("SELECT count(*) FROM event WHERE data LIKE '%matched_by%'").fetchone()
        (kept,) = db.execute("SELECT count(*) FROM orphan WHERE matched IS NULL").fetchone()
        (open_ones,) = db.execute("SELECT count(*) FROM message WHERE state <> 'delivered'").fetchone()
    assert open_ones == 0, f"{open_ones} messages are not delivered"
    return int(matched), int(kept)


async def measure_all(count: int) -> Table:
    """Without and with a customer who is told."""
    shown = table(
        f"{count:,} delivery reports over {CONNECTIONS} connections: {ALTERED:.0%} altered, {TWICE:.0%} twice, "
        f"{UNKNOWN:.0%} unknown",
        "postbacks", "reports/s", "p50 ms", "p99 ms", "CPU µs/report", "matched", "kept", "lost", "peak MB",
        "yardstick",
    )  # fmt: skip
    for told in (False, True):
        row = await measure(count, told=told)
        shown.add_row(*row.cells())
        progress(f"reports, postbacks {row.postbacks}: {row.cpu_us:.0f} µs CPU each, {row.lost} lost")
    return shown
