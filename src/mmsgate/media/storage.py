"""Blobs: files kept under the SHA-256 of their bytes, so that equal files are kept once.

A blob that has been put survives a power cut: the file is synced, renamed, and its folder synced. Files are never
changed, only removed, and only when they are old: whoever puts or renews a blob may rely on it for `SAFE`. The age
is the file's modification time. All disk access is in threads.
"""

import asyncio
import hashlib
import os
import re
import tempfile
import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Protocol

from mmsgate.clock import HOUR, MINUTE, Clock, Millis
from mmsgate.http.spool import PREFIX

#: How long a blob that was put or renewed is not removed, whoever needs it or not.
SAFE: Millis = HOUR

_NAME = re.compile(r"[0-9a-f]{64}", re.ASCII)
_STRAY_AGE = 10 * MINUTE
_CACHE_SIZE = 64 * 1024 * 1024  # bytes
_CACHED_BLOB = 4 * 1024 * 1024  # bytes: larger blobs are read from disk each time


class BlobMissingError(LookupError):
    """No such blob is kept."""


class BlobStore(Protocol):
    """Where blobs are kept. A blob's name is the SHA-256 of its bytes in lower-case hex."""

    @property
    def incoming(self) -> Path:
        """The folder for temporary files; `put_file` takes them from there without copying."""
        ...

    async def put_file(self, path: Path, blob: str) -> bool:
        """Takes the file over, durably; its bytes must hash to `blob`. False if the blob was there already."""
        ...

    async def put_bytes(self, data: bytes) -> str:
        """Keeps the bytes, durably, and gives the blob's name."""
        ...

    async def take(self, path: Path) -> str:
        """Takes a file over whose hash is not known yet, durably, and gives the blob's name."""
        ...

    async def read(self, blob: str) -> bytes:
        """The bytes; callers share one object. Raises BlobMissingError."""
        ...

    async def path(self, blob: str) -> Path:
        """A local file with the bytes, for programs that want one. Raises BlobMissingError."""
        ...

    async def renew(self, blob: str) -> bool:
        """Whether the blob is kept; if so, it is not removed for `SAFE` from now on."""
        ...

    async def old(self) -> list[str]:
        """The blobs that nobody has put or renewed within `SAFE`."""
        ...

    async def delete_old(self, blob: str) -> bool:
        """Removes the blob, unless it has been put or renewed within `SAFE`; whether it did."""
        ...


class FileBlobStore:
    """Blobs as files under `folder`: ``ab/cdef…``, temporary files in ``incoming``.

    `cache_size` bounds the bytes kept in memory for `read`.
    """

    def __init__(self, folder: Path, *, clock: Clock, cache_size: int = _CACHE_SIZE) -> None:
        self._folder = folder
        self._clock = clock
        self._cache = _Cache(cache_size)
        self._reading: dict[str, asyncio.Task[bytes]] = {}
        self._age = threading.Lock()  # held between a look at a file's age and what follows from it

    @property
    def incoming(self) -> Path:
        return self._folder / "incoming"

    async def start(self) -> None:
        """Makes the folders and removes temporary files that a crash left behind. May be called again.

        Young ones stay: another process may be writing them.
        """
        await asyncio.to_thread(self._prepare)

    def _prepare(self) -> None:
        self.incoming.mkdir(parents=True, exist_ok=True)
        for stray in self.incoming.glob(f"{PREFIX}*"):
            with suppress(FileNotFoundError):
                if stray.stat().st_mtime * 1000 < self._clock.now() - _STRAY_AGE:
                    stray.unlink()

    async def put_file(self, path: Path, blob: str) -> bool:
        return await asyncio.to_thread(self._keep, path, self.place(blob))

    async def put_bytes(self, data: bytes) -> str:
        path, blob = await asyncio.to_thread(self._written, data)
        await self.put_file(path, blob)
        return blob

    async def take(self, path: Path) -> str:
        blob = await asyncio.to_thread(_digest, path)
        await self.put_file(path, blob)
        return blob

    async def read(self, blob: str) -> bytes:
        cached = self._cache.get(blob)
        if cached is not None:
            return cached
        task = self._reading.get(blob)
        if task is None:
            task = asyncio.ensure_future(self._load(blob))
            self._reading[blob] = task
            task.add_done_callback(lambda _: self._reading.pop(blob, None))
        return await asyncio.shield(task)

    async def path(self, blob: str) -> Path:
        place = self.place(blob)
        if not await asyncio.to_thread(place.exists):
            raise BlobMissingError(blob)
        return place

    async def renew(self, blob: str) -> bool:
        return await asyncio.to_thread(self._renew, self.place(blob))

    async def old(self) -> list[str]:
        return await asyncio.to_thread(self._old)

    async def delete_old(self, blob: str) -> bool:
        deleted = await asyncio.to_thread(self._delete_old, self.place(blob))
        if deleted:
            self._cache.drop(blob)
        return deleted

    def place(self, blob: str) -> Path:
        """Where the blob is or would be. Raises ValueError for what is no name of a blob."""
        if not _NAME.fullmatch(blob):  # a name is made into a path
            raise ValueError(f"{blob!r} is no name of a blob")
        return self._folder / blob[:2] / blob[2:]

    async def _load(self, blob: str) -> bytes:
        try:
            data = await asyncio.to_thread(self.place(blob).read_bytes)
        except FileNotFoundError as error:
            raise BlobMissingError(blob) from error
        self._cache.put(blob, data)
        return data

    def _renew(self, place: Path) -> bool:
        with self._age:
            return self._touch(place)

    def _touch(self, place: Path) -> bool:
        with suppress(FileNotFoundError):
            seconds = self._clock.now() / 1000
            os.utime(place, (seconds, seconds))
            return True
        return False

    def _is_old(self, place: Path) -> bool:
        with suppress(FileNotFoundError):
            return place.stat().st_mtime * 1000 < self._clock.now() - SAFE
        return False

    def _old(self) -> list[str]:
        files = self._folder.glob("[0-9a-f][0-9a-f]/*")
        return [place.parent.name + place.name for place in files if self._is_old(place)]

    def _delete_old(self, place: Path) -> bool:
        with self._age:
            if not self._is_old(place):
                return False
            place.unlink(missing_ok=True)
            return True

    def _written(self, data: bytes) -> tuple[Path, str]:
        handle, name = tempfile.mkstemp(prefix=PREFIX, dir=self.incoming)
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        return Path(name), hashlib.sha256(data).hexdigest()

    def _keep(self, path: Path, place: Path) -> bool:
        """File, then name, then folder: whatever is found under a blob's name is whole."""
        if self._renew(place):
            path.unlink()
            _sync_folder(place.parent)  # a killed process may have renamed it and not come to this
            return False
        fresh = not place.parent.exists()
        place.parent.mkdir(exist_ok=True)
        with path.open("rb") as file:
            os.fsync(file.fileno())
        with self._age:
            new = not self._touch(place)  # another thread may have been faster
            path.rename(place)
            self._touch(place)
        _sync_folder(place.parent)
        if fresh:
            _sync_folder(self._folder)
        return new


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sync_folder(folder: Path) -> None:
    with _opened(folder) as handle:
        os.fsync(handle)


@contextmanager
def _opened(folder: Path) -> Iterator[int]:
    handle = os.open(folder, os.O_RDONLY)
    try:
        yield handle
    finally:
        os.close(handle)


class _Cache:
    """The most recently read blobs, up to a number of bytes."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._size = 0
        self._blobs: OrderedDict[str, bytes] = OrderedDict()

    def get(self, blob: str) -> bytes | None:
        data = self._blobs.get(blob)
        if data is not None:
            self._blobs.move_to_end(blob)
        return data

    def put(self, blob: str, data: bytes) -> None:
        if len(data) > min(self._limit, _CACHED_BLOB):
            return
        self.drop(blob)
        self._blobs[blob] = data
        self._size += len(data)
        while self._size > self._limit:
            self._size -= len(self._blobs.popitem(last=False)[1])

    def drop(self, blob: str) -> None:
        with suppress(KeyError):
            self._size -= len(self._blobs.pop(blob))
