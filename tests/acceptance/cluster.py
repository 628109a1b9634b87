"""Many processes over one database: two APIs, three workers, one for media, as the command line starts them."""

import asyncio
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

START_WITHIN = 60.0


@dataclass(slots=True, kw_only=True)
class Process:
    """One role of the gateway; may be killed and started again."""

    role: str
    data_dir: Path
    environment: Mapping[str, str]
    arguments: Sequence[str] = ()
    process: asyncio.subprocess.Process | None = None
    url: str = ""
    ops_url: str = ""
    output: list[str] = field(default_factory=list)
    _reader: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Start it; it says that it is ready."""
        assert await self.started(), "".join(self.output)

    async def started(self) -> bool:
        """Start it and wait until it says that it is ready, or has ended."""
        self.ops_url = ""
        self.process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "mmsgate", self.role, "--data-dir", str(self.data_dir), *self.arguments,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
            env={**os.environ, "COLUMNS": "200", "MMSGATE_OPS_PORT": "0", **self.environment},
        )  # fmt: skip
        ready = asyncio.Event()
        self._reader = asyncio.create_task(self._read(self.process, ready))
        async with asyncio.timeout(START_WITHIN):
            await ready.wait()
        if self.process.returncode is None:
            return True
        await self._ended()
        return False

    async def _read(self, process: asyncio.subprocess.Process, ready: asyncio.Event) -> None:
        assert process.stdout is not None
        async for raw in process.stdout:
            line = raw.decode(errors="replace")
            self.output.append(line)
            if f"mmsgate {self.role} is ready" in line:
                self.url = line.partition(" at ")[2].strip()
                ready.set()
            elif line.startswith("  metrics "):
                self.ops_url = line.rpartition(" ")[2].strip().removesuffix("/metrics")
        await process.wait()
        ready.set()

    async def kill(self) -> None:
        """As a power cut would."""
        assert self.process is not None
        self.process.kill()
        await self._ended()

    async def stop(self) -> int:
        """By SIGTERM; its exit status."""
        if self.process is None:
            return 0
        if self.process.returncode is None:
            self.process.terminate()
        return await self._ended()

    async def _ended(self) -> int:
        assert self.process is not None
        async with asyncio.timeout(90):
            status = await self.process.wait()
            if self._reader is not None:
                await self._reader
        self.process = self._reader = None
        return status


async def command(environment: Mapping[str, str], *arguments: str) -> str:
    """What a command says."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "mmsgate", *arguments, stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT, env={**os.environ, **environment},
    )  # fmt: skip
    output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()
    return output.decode()
