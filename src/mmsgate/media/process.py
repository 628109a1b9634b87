"""A child process with its output as streams.

asyncio's own, in uvloop, holds the loop up for 5 ms at each start, as it copies the whole process first. The
standard library's takes 0.3 ms. With a hundred videos waiting that is what other requests wait for.
"""

import asyncio
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import IO


class Process:
    """A running program: `stdout` and `stderr` are to be read until their ends, then it is to be waited for."""

    def __init__(self, child: subprocess.Popen[bytes]) -> None:
        self._child = child
        self.pid = child.pid
        self.stdout, self.stderr = asyncio.StreamReader(), asyncio.StreamReader()
        self._pipes: list[asyncio.ReadTransport] = []

    @classmethod
    async def start(cls, command: Sequence[str], folder: Path) -> "Process":
        """Starts it in `folder`, with an empty environment. Raises OSError if it can't be started.

        Its group is its own, as Ctrl-C is not meant for it; a session of its own would not do, as Linux shares the
        CPU between sessions whatever their niceness. It is a child of the loop's thread: the child of a thread that
        ends would end with it (PR_SET_PDEATHSIG).
        """
        process = cls(
            subprocess.Popen(  # noqa: ASYNC220, S603 (0.3 ms, see above; no shell, and the command is ours)
                command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0,
                env={}, cwd=folder, process_group=0,
            )
        )  # fmt: skip
        try:
            await process._connect()
        except BaseException:
            process.kill()
            await asyncio.shield(process.wait())
            raise
        return process

    async def _connect(self) -> None:
        for reader, pipe in ((self.stdout, self._child.stdout), (self.stderr, self._child.stderr)):
            assert pipe is not None
            await self._read(reader, pipe)

    async def _read(self, reader: asyncio.StreamReader, pipe: IO[bytes]) -> None:
        loop = asyncio.get_running_loop()
        transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), pipe)
        self._pipes.append(transport)

    @property
    def returncode(self) -> int | None:
        """None while it runs; minus the number of the signal that ended it."""
        return self._child.poll()

    def kill(self) -> None:
        """Ends it at once, if it still runs."""
        self._child.kill()

    async def wait(self) -> int:
        """Its status, when it has ended, and all that was its is closed."""
        status = self.returncode
        if status is None:
            status = await asyncio.to_thread(self._child.wait)
        for pipe in self._pipes:
            pipe.close()
        return status
