"""The files behind pages and inbound messages, wherever they are kept.

They are always given out by this program, never by a redirect to the storage: what is said of a file (its policy,
its disposition, how long it may be kept) and when it has expired is decided here, and phones don't reach a storage
that stands in a closed network.
"""

import asyncio
import logging
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from mmsgate.media.storage import BlobFault, BlobMissingError
from mmsgate.pages.html import Notice

_log = logging.getLogger(__name__)


class BlobPaths(Protocol):
    """Where the bytes of media lie."""

    async def path(self, blob: str) -> Path:
        """A local file with the bytes. Raises BlobMissingError, and BlobFault if they can't be had now."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalFile:
    """A file that can be given out."""

    path: Path
    stat: os.stat_result


async def local_file(blobs: BlobPaths, blob: str, what: str) -> LocalFile | Notice:
    """The file of a blob, or what to say instead. `what` says whose it is, for the log."""
    try:
        path = await blobs.path(blob)
        return LocalFile(path=path, stat=await asyncio.to_thread(path.stat))
    except (BlobMissingError, FileNotFoundError):
        _log.exception("%s, blob %s, is gone", what, blob)
        return Notice.BROKEN
    except BlobFault:
        _log.exception("%s, blob %s, can't be had now", what, blob)
        return Notice.LATER
