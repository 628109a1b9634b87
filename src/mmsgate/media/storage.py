"""Blobs: files kept under the SHA-256 of their bytes, so that equal files are kept once. Here: on a local disk.

A blob that has been put survives a power cut: the file is synced, renamed, and its folder synced. Files are never
changed, only removed, and only when they are old: whoever puts or renews a blob may rely on it for `SAFE`. The age
is the file's modification time. All disk access is in threads.
"""

import asyncio
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import dropwhile
from pathlib import Path
from typing import Protocol

from mmsgate.clock import HOUR, Clock, Millis
from mmsgate.errors import Fault
from mmsgate.media.incoming import Incoming, digest, is_name, place_of
from mmsgate.media.memory import DEFAULT_SIZE, Memory

#: How long a blob that was put or renewed is not removed, whoever needs it or not.
SAFE: Millis = HOUR


class BlobMissingError(LookupError):
    """No such blob is kept."""


class BlobFault(Fault):
    """What keeps the blobs does not answer, or refuses; the same may go well a little later."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OldBlobs:
    """A page of old blobs. `after` is where the next page begins; empty if this was the last."""

    names: tuple[str, ...]
    after: str = ""


class BlobStore(Protocol):
    """Where blobs are kept. A blob's name is the SHA-256 of its bytes in lower-case hex.

    Besides what is said below, everything raises BlobFault where the storage is another machine, and OSError where
    the fault is the local disk's. `str` of a store says for people where it is.
    """

    @property
    def incoming(self) -> Path:
        """The folder for temporary files; `put_file` takes them from there without copying."""
        ...

    async def start(self) -> None:
        """Makes ready, or raises BlobFault with one sentence on what to do. May be called again."""
        ...

    async def stop(self) -> None:
        """Lets go of what `start` took."""
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

    async def old(self, after: str = "") -> OldBlobs:
        """A page of blobs that may be old, after the one that ended with `after`. It is `delete_old` that decides.

        All whom nobody has put or renewed for a few hours are on some page. A page takes bounded memory.
        """
        ...

    async def delete_old(self, blob: str) -> bool:
        """Removes the blob, unless it has been put or renewed within `SAFE`; whether it did."""
        ...


class FileBlobStore:
    """Blobs as files under `folder`: ``ab/cdef…``, temporary files in ``incoming``.

    `cache_size` bounds the bytes kept in memory for `read`.
    """

    def __init__(self, folder: Path, *, clock: Clock, cache_size: int = DEFAULT_SIZE) -> None:
        self._folder = folder
        self._clock = clock
        self._temporary = Incoming(folder / "incoming")
        self._memory = Memory(cache_size)
        self._age = threading.Lock()  # held between a look at a file's age and what follows from it

    def __str__(self) -> str:
        return f"files in {self._folder}"

    @property
    def incoming(self) -> Path:
        return self._temporary.folder

    async def start(self) -> None:
        """Makes the folders and removes temporary files that a crash left behind."""
        await asyncio.to_thread(self._temporary.prepare, self._clock.now())

    async def stop(self) -> None:
        """Nothing is held."""

    async def put_file(self, path: Path, blob: str) -> bool:
        return await asyncio.to_thread(self._keep, path, self.place(blob))

    async def put_bytes(self, data: bytes) -> str:
        path, blob = await asyncio.to_thread(self._temporary.write, data)
        await self.put_file(path, blob)
        return blob

    async def take(self, path: Path) -> str:
        blob = await asyncio.to_thread(digest, path)
        await self.put_file(path, blob)
        return blob

    async def read(self, blob: str) -> bytes:
        return await self._memory.read(blob, self._load)

    async def path(self, blob: str) -> Path:
        place = self.place(blob)
        if not await asyncio.to_thread(place.exists):
            raise BlobMissingError(blob)
        return place

    async def renew(self, blob: str) -> bool:
        return await asyncio.to_thread(self._renew, self.place(blob))

    async def old(self, after: str = "") -> OldBlobs:
        return await asyncio.to_thread(self._old, after)

    async def delete_old(self, blob: str) -> bool:
        deleted = await asyncio.to_thread(self._delete_old, self.place(blob))
        if deleted:
            self._memory.drop(blob)
        return deleted

    def place(self, blob: str) -> Path:
        """Where the blob is or would be. Raises ValueError for what is no name of a blob."""
        return place_of(self._folder, blob)

    async def _load(self, blob: str) -> bytes:
        try:
            return await asyncio.to_thread(self.place(blob).read_bytes)
        except FileNotFoundError as error:
            raise BlobMissingError(blob) from error

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

    def _old(self, after: str) -> OldBlobs:
        """A page is one of the 256 folders: `after` is the name of the folder before it."""
        folders = sorted(self._folder.glob("[0-9a-f][0-9a-f]"))
        folder = next(dropwhile(lambda each: each.name <= after, folders), None)
        if folder is None:
            return OldBlobs(names=())
        places = [place for place in folder.iterdir() if is_name(folder.name + place.name)]
        names = tuple(folder.name + place.name for place in places if self._is_old(place))
        return OldBlobs(names=names, after="" if folder is folders[-1] else folder.name)

    def _delete_old(self, place: Path) -> bool:
        with self._age:
            if not self._is_old(place):
                return False
            place.unlink(missing_ok=True)
            return True

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
