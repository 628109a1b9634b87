"""One account's hostile files, and what another account notices of them.

An account sends, a few callers at a time, MMS of text and MMS with pictures that were never seen before: first
alone, then while a hundred MMS of its neighbour are under way at every moment, from the request to the last
postback: with honest pictures, and with bombs, endless animations, and videos that are cut off or last three
hours. No file is asked for twice.
"""

import asyncio
import contextlib
import itertools
import re
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from rich.table import Table

from bench import sources
from bench.gateway import NEIGHBOUR, NUMBER, Bench, bench, until_idle
from bench.load import load, until_quiet
from bench.process import peak_memory, yardstick
from bench.report import progress, table
from bench.sink import FRESH
from bench.wire import Connection

UNDER_WAY = 100  # messages of the neighbour at every moment
CALLERS = 4
TEXTS, PICTURES = 1_000, 150
WARM_UP = 50
_MOST_REQUESTS = 20_000  # requests in all: an end, should the measurement not come to one
_LONGEST_S = 120  # from an answer to the last postback
_HONEST, _PICTURE = "picture.jpg", (1632, 1224)  # 2 MP
_HOURS_3 = 3 * 3600
_NUMBERS = itertools.count()
_ROOM = b"\0\0\0\x0cfree"  # a box of ISO 14496-12, for the four bytes that the sink adds


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """Times of one kind of request in ms, in order: alone, beside honest requests, beside hostile ones."""

    kind: str
    alone: list[float]
    honest: list[float]
    hostile: list[float]
    yardstick_ms: float

    def cells(self) -> Iterator[str]:
        yield from (self.kind, f"{len(self.alone):,}")
        for part in (0.5, 0.99):
            alone, honest, hostile = (
                times[int(len(times) * part)] for times in (self.alone, self.honest, self.hostile)
            )
            yield from (f"{alone:.1f}", f"{honest:.1f}", f"{hostile:.1f}")
            yield from (f"{hostile / alone:.1f}", f"{hostile / honest:.1f}")
        yield f"{self.yardstick_ms:.0f}"


async def measure_all() -> Table:
    """MMS of text and MMS with pictures: alone, beside honest files of the neighbour, beside hostile ones."""
    columns = ("p{} ms alone", "honest", "hostile", "÷ alone", "÷ honest")
    shown = table(
        f"sendMMS of {CALLERS} callers beside {UNDER_WAY} under way for another account",
        "MMS", "messages", *(name.format(part) for part in (50, 99) for name in columns), "yardstick",
    )  # fmt: skip
    with tempfile.TemporaryDirectory(prefix="mmsgate-hostile-") as folder:
        media = Path(folder)
        hostile = _write_hostile(media)
        (media / _HONEST).write_bytes(sources.jpeg_photograph(_PICTURE))
        async with bench(0, 64, media) as running:
            rows, shown.caption = await _measure(running, hostile)
            await until_quiet(running.sink_port)
    for row in rows:
        shown.add_row(*row.cells())
    return shown


async def _measure(running: Bench, hostile: list[str]) -> tuple[list[Row], str]:
    await load(running.port, lambda _: _text(running), WARM_UP)
    yardstick_ms = yardstick()
    alone = await _both(running)
    progress("hostile: measured alone")
    async with _neighbour(running, [_HONEST]) as answers:
        honest = await _both(running)
    told = f"Answers to the neighbour: honest {_counted(answers)}"
    progress("hostile: measured beside honest requests")
    await until_quiet(running.sink_port)
    async with _neighbour(running, hostile) as answers:
        harmed = await _both(running)
    told += f"; hostile {_counted(answers)}. Peak of the gateway: {peak_memory(running.pid) / 1e6:.0f} MB"
    rows = [
        Row(kind=kind, alone=alone[kind], honest=honest[kind], hostile=harmed[kind], yardstick_ms=yardstick_ms)
        for kind in alone
    ]
    return rows, told


def _counted(answers: Counter[str]) -> str:
    return ", ".join(f"{number:,} {code}" for code, number in answers.most_common())


async def _both(running: Bench) -> dict[str, list[float]]:
    return {
        "text": await _times(running, lambda _: _text(running), TEXTS),
        "2 MP JPEG": await _times(running, lambda _: _own_picture(running), PICTURES),
    }


async def _times(running: Bench, document: Callable[[int], bytes], count: int) -> list[float]:
    await until_idle()
    _, times = await load(running.port, document, count, clients=CALLERS)
    return times


@contextlib.asynccontextmanager
async def _neighbour(running: Bench, files: list[str]) -> AsyncIterator[Counter[str]]:
    """Keeps so many messages of the neighbour under way, until they are refused or at their end; the answers."""
    answers: Counter[str] = Counter()
    left = itertools.islice(itertools.cycle(files), _MOST_REQUESTS)

    async def client() -> None:
        connection, sink = await Connection.open(running.port), await Connection.open(running.sink_port)
        try:
            for name in left:
                body = _with_file(running, name)
                status, answered = await connection.post("/ep/v1/", [("Content-Type", "text/xml")], [body])
                assert status == 200, answered
                code = re.search(rb"<error-code>(\w+)|Success", answered, re.IGNORECASE)
                assert code, answered
                answers[(code[1] or code[0]).decode()] += 1
                if accepted := re.search(rb"<tracking-id>([^<]+)<", answered):
                    async with asyncio.timeout(_LONGEST_S):
                        await sink.post(f"/ended/{accepted[1].decode()}", [], [b""])
        finally:
            connection.close()
            sink.close()

    callers = [asyncio.create_task(client()) for _ in range(UNDER_WAY)]
    try:
        while sum(answers.values()) < UNDER_WAY // 2:  # by then the others wait for their turns
            await asyncio.sleep(0.05)
            _raise_what_failed(callers)
        yield answers
        _raise_what_failed(callers)
    finally:
        for caller in callers:
            caller.cancel()
        await asyncio.gather(*callers, return_exceptions=True)


def _raise_what_failed(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        if task.done():
            task.result()


# ---- files ----


def _write_hostile(folder: Path) -> list[str]:
    """A hostile file of each kind; their names."""
    long = sources.long_video(folder / "long.mp4", _HOURS_3).read_bytes()
    files = {
        "huge.png": sources.png_bomb(30_000, 30_000, rows=100),
        "large.png": sources.png_bomb(5_000, 3_990),  # within the limit of 20 MP: it is decoded
        "frames.gif": sources.long_gif(10_000),
        "cut.mp4": long[: len(long) * 2 // 3] + _ROOM,
        "long.mp4": long + _ROOM,
    }
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return list(files)


# ---- documents ----


def _text(running: Bench) -> bytes:
    return _document(running.key, NUMBER, "<message-text>Hello from the benchmark</message-text>")


def _own_picture(running: Bench) -> bytes:
    return _document(running.key, NUMBER, f"<image>{_url(running, _HONEST)}</image>")


def _with_file(running: Bench, name: str) -> bytes:
    element = "video" if name.endswith("mp4") else "image"
    return _document(running.neighbour, NEIGHBOUR, f"<{element}>{_url(running, name)}</{element}>")


def _url(running: Bench, name: str) -> str:
    """One that was never asked for before."""
    return f"<url>http://127.0.0.1:{running.sink_port}{FRESH}{next(_NUMBERS)}/{name}</url>"


def _document(key: str, number: str, slide: str) -> bytes:
    return (
        f"<request><action>sendMMS</action><api-key>{key}</api-key><to>12065550100</to><from>{number}</from>"
        "<service-id>32113</service-id><name>bench</name><message-subject>Hello</message-subject>"
        f"<fallback-sms-text>You have a message:</fallback-sms-text><slide>{slide}</slide></request>"
    ).encode()
