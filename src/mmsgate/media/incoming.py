"""Files that are not blobs yet, and what makes a name of their bytes."""

import hashlib
import os
import re
import tempfile
from contextlib import suppress
from pathlib import Path

from mmsgate.clock import MINUTE, Millis
from mmsgate.http.spool import PREFIX

_NAME = re.compile(r"[0-9a-f]{64}", re.ASCII)
_STRAY_AGE = 10 * MINUTE


def place_of(folder: Path, blob: str) -> Path:
    """Where a blob's file is or would be: ``ab/cdef…``. Raises ValueError for what is no name of a blob."""
    checked(blob)
    return folder / blob[:2] / blob[2:]


def is_name(text: str) -> bool:
    """Whether it is the name of a blob: a SHA-256 in lower-case hex."""
    return bool(_NAME.fullmatch(text))


def checked(blob: str) -> str:
    """The name of a blob. Raises ValueError for anything else: a name is made into a path."""
    if not is_name(blob):
        raise ValueError(f"{blob!r} is no name of a blob")
    return blob


def digest(path: Path) -> str:
    """The name of the blob that the file would be. Blocking: call it in a thread."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class Incoming:
    """The folder of temporary files. Everything here is blocking: call it in a thread."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def prepare(self, now: Millis) -> None:
        """Makes the folder and removes what a crash left in it. Young files stay: others may be writing them."""
        self.folder.mkdir(parents=True, exist_ok=True)
        for stray in self.folder.glob(f"{PREFIX}*"):
            with suppress(FileNotFoundError):
                if stray.stat().st_mtime * 1000 < now - _STRAY_AGE:
                    stray.unlink()

    def open(self) -> tuple[int, Path]:
        """A new file, open for writing; the caller moves or removes it."""
        handle, name = tempfile.mkstemp(prefix=PREFIX, dir=self.folder)
        return handle, Path(name)

    def write(self, data: bytes) -> tuple[Path, str]:
        """A new file with the bytes, and the name of the blob that it would be. It is not yet synced."""
        handle, path = self.open()
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        return path, hashlib.sha256(data).hexdigest()
