"""Copies on the local disk of blobs that are kept elsewhere: a bounded folder, of which the least used go first.

The folder is all there is: no list of it is kept, so a crash leaves nothing wrong and several processes may share
it. A copy is whole under its name; it has been hashed and synced before it got it.
"""

import os
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from mmsgate.clock import Clock
from mmsgate.media.incoming import Incoming, place_of

#: What is left after room was made, as a part of the limit: looking through the folder is not done for each file.
_LEFT = 0.9


class Copies:
    """Files under `folder`, of at most `limit` bytes in all. Everything here is blocking: call it in a thread.

    Where several processes share the folder, each may go beyond the limit by a tenth of it before it looks again.
    A file that is being read when it is removed can be read to its end. One that was only named is gone, and who
    wanted it meets a FileNotFoundError: a fault of ours, after which it is fetched anew. For that, more than the
    limit must have been used meanwhile.
    """

    def __init__(self, folder: Path, *, limit: int, clock: Clock) -> None:
        self._folder, self._limit, self._clock = folder, limit, clock
        self.temporary = Incoming(folder / "incoming")
        self._size = 0  # with what others have added since the last look, it is more
        self._lock = threading.Lock()

    def prepare(self) -> None:
        """Makes the folders, removes what a crash left behind, and keeps to the limit, which may be a new one."""
        self.temporary.prepare(self._clock.now())
        with self._lock:
            self._make_room()

    def get(self, blob: str) -> Path | None:
        """The blob's copy, used now; None if there is none."""
        place = place_of(self._folder, blob)
        return place if self._touch(place) else None

    def read(self, blob: str) -> bytes | None:
        """The bytes of the blob's copy; None if there is none."""
        place = self.get(blob)
        with suppress(FileNotFoundError):  # it may have gone since
            return place.read_bytes() if place else None
        return None

    def keep(self, path: Path, blob: str) -> Path:
        """Takes the file over as the blob's copy. It must be on this disk, its bytes must hash to `blob`."""
        place = place_of(self._folder, blob)
        place.parent.mkdir(exist_ok=True)
        with path.open("rb") as file:
            os.fsync(file.fileno())  # else a power cut could leave the name without the bytes
            size = os.fstat(file.fileno()).st_size
        path.replace(place)
        self._touch(place)
        with self._lock:
            self._size += size
            if self._size > self._limit:
                self._make_room(keep=place)
        return place

    def drop(self, blob: str) -> None:
        """Removes the blob's copy, if there is one."""
        place_of(self._folder, blob).unlink(missing_ok=True)

    def _touch(self, place: Path) -> bool:
        with suppress(FileNotFoundError):
            seconds = self._clock.now() / 1000
            os.utime(place, (seconds, seconds))
            return True
        return False

    def _make_room(self, keep: Path | None = None) -> None:
        """Remove the least recently used, if all of them are more than the limit; the one to `keep` never."""
        found = sorted(self._found())
        self._size = sum(size for _, size, _ in found)
        if self._size <= self._limit:
            return
        for _, size, place in found:
            if place != keep:
                place.unlink(missing_ok=True)
                self._size -= size
            if self._size <= self._limit * _LEFT:
                return

    def _found(self) -> Iterator[tuple[float, int, Path]]:
        for place in self._folder.glob("[0-9a-f][0-9a-f]/*"):
            with suppress(FileNotFoundError):
                stat = place.stat()
                yield stat.st_mtime, stat.st_size, place
