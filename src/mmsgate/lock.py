"""The lock of a data folder: one gateway works on it at a time."""

import contextlib
import fcntl
from collections.abc import Iterator
from typing import IO

from mmsgate.config import Settings
from mmsgate.errors import Fault


class Locked(Fault):
    """Another gateway works on this data folder."""


@contextlib.contextmanager
def lock(settings: Settings) -> Iterator[None]:
    """One gateway per data folder: two would each take the other's leases for those of a dead one.

    Raises `Locked`. Whoever writes into the folder what only its own run means takes the lock before.
    """
    settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle: IO[str] = (settings.data_dir / "lock").open("w")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        handle.close()
        raise Locked(f"another mmsgate runs with the data folder {settings.data_dir}") from None
    try:
        yield
    finally:
        handle.close()
