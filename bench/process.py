"""Processes of the benchmark, and what the operating system says of them."""

import asyncio
import contextlib
import os
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

TICK = os.sysconf("SC_CLK_TCK")


@dataclass(slots=True)
class Running:
    """A process under way; `rest` is what it had still to say when it was ended."""

    pid: int
    output: asyncio.StreamReader
    rest: str = ""


@contextlib.asynccontextmanager
async def process(*arguments: str, **environment: str) -> AsyncIterator[Running]:
    """A Python process that is ended afterwards."""
    started = await asyncio.create_subprocess_exec(
        sys.executable, *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        env={**os.environ, **environment},
    )  # fmt: skip
    assert started.stdout is not None
    running = Running(pid=started.pid, output=started.stdout)
    try:
        yield running
    finally:
        started.terminate()
        said, _ = await started.communicate()
        running.rest = said.decode()


def family(pid: int) -> list[int]:
    """The process and all below it."""
    found = [pid]
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            found += family(int(child))
    return found


def cpu_seconds(pid: int) -> float:
    """CPU time used so far by the process and everything below it."""
    return sum(_ticks(each) for each in family(pid)) / TICK


def _ticks(pid: int) -> int:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15]))  # utime, stime, and those of children that have ended


def exact_cpu_seconds(pid: int) -> float:
    """CPU time used so far by the process itself, to the nanosecond: ticks of 10 ms are too coarse for one job."""
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e9


def child_running(module: str) -> int:
    """The process below this one that runs that Python module."""
    below = family(os.getpid())[1:]
    return next(pid for pid in below if module.encode() in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0"))


def memory(pid: int) -> int:
    """The resident size of the process itself now, in bytes."""
    return _status(pid, "VmRSS")


def peak_memory(pid: int) -> int:
    """The largest resident size of the process itself, in bytes."""
    return _status(pid, "VmHWM")


def _status(pid: int, name: str) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith(name))
    return int(line.split()[1]) * 1024


def yardstick() -> float:
    """CPU milliseconds of a fixed piece of Python: shows how fast the machine was while a row was measured."""
    begun = time.process_time()
    for _ in range(1_000_000):
        pass
    return (time.process_time() - begun) * 1000
