"""A download on its way to disk: hashed and written in threads, in pieces, never held in memory whole."""

import asyncio
import hashlib
import os
import tempfile
import threading
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

#: Names of temporary files begin with this; what a crash left behind is recognised by it.
PREFIX = "incoming-"

_PIECE = 1 << 18  # bytes gathered before a thread writes them


class SpoolError(Exception):
    """The disk did not take a download. The fault is ours, not the origin's."""


class Spool:
    """One temporary file in `folder`. End with `finish` or `discard`; `discard` after `finish` does nothing."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._waiting: list[bytes] = []
        self._waiting_size = 0
        self._hash = hashlib.sha256()
        self._file: BinaryIO | None = None
        self._path: Path | None = None
        self._over = False
        self._lock = threading.Lock()  # a cancelled write goes on in its thread; discarding waits for it
        self.size = 0

    async def take(self, data: bytes) -> None:
        """Adds bytes. Raises SpoolError if the disk refuses them."""
        self.size += len(data)
        self._waiting.append(data)
        self._waiting_size += len(data)
        if self._waiting_size >= _PIECE:
            await asyncio.to_thread(self._write, self._drained(), last=False)

    async def finish(self) -> tuple[Path, str]:
        """The file and the SHA-256 of its bytes in hex. The file is the caller's now; it is not yet synced."""
        await asyncio.to_thread(self._write, self._drained(), last=True)
        assert self._path is not None
        self._over = True
        return self._path, self._hash.hexdigest()

    def discard(self) -> None:
        """Removes the file in the background, unless it was finished."""
        if not self._over:
            self._over = True
            asyncio.get_running_loop().run_in_executor(None, self._remove)

    def _drained(self) -> list[bytes]:
        waiting, self._waiting, self._waiting_size = self._waiting, [], 0
        return waiting

    def _write(self, pieces: list[bytes], *, last: bool) -> None:
        with self._lock:
            if self._over:
                return
            data = b"".join(pieces)
            self._hash.update(data)
            try:
                file = self._opened()
                file.write(data)
                if last:
                    file.close()
            except OSError as error:
                raise SpoolError(f"a download could not be written: {error.strerror}") from error

    def _opened(self) -> BinaryIO:
        if self._file is None:
            handle, name = tempfile.mkstemp(prefix=PREFIX, dir=self._folder)
            self._path, self._file = Path(name), os.fdopen(handle, "wb")
        return self._file

    def _remove(self) -> None:
        with self._lock:
            if self._file is not None:
                with suppress(OSError):  # what it still buffers is not wanted
                    self._file.close()
            if self._path is not None:
                with suppress(FileNotFoundError):
                    self._path.unlink()
