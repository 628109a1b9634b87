"""Blobs of a folder, copied to another storage. Those that are there already are not copied again."""

import asyncio
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from mmsgate.http.spool import PREFIX
from mmsgate.media.incoming import digest
from mmsgate.media.storage import BlobMissingError, BlobStore

#: Copies under way: each takes a round trip or two to the target.
_AT_ONCE = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Transferred:
    """How many blobs the target has now, how many of them are new, and which the source lacks or has damaged."""

    there: int
    new: int
    lost: tuple[str, ...]


async def transfer(
    blobs: Iterable[str], source: BlobStore, target: BlobStore, *, on_done: Callable[[int], None]
) -> Transferred:
    """Copy them; `on_done` is told how many are. Raises what the stores raise; then it can be run again."""
    names = list(blobs)
    found: list[bool | None] = []
    for start in range(0, len(names), _AT_ONCE):
        some = names[start : start + _AT_ONCE]
        found += await asyncio.gather(*(_copy(blob, source, target) for blob in some))
        on_done(len(found))
    lost = tuple(name for name, new in zip(names, found, strict=True) if new is None)
    return Transferred(there=len(names) - len(lost), new=found.count(True), lost=lost)


async def _copy(blob: str, source: BlobStore, target: BlobStore) -> bool | None:
    """Whether it is new in the target; None if the source has not got it."""
    if await target.renew(blob):
        return False
    try:
        path = await source.path(blob)
    except BlobMissingError:
        return None
    copy = target.incoming / f"{PREFIX}{blob}"
    try:
        await asyncio.to_thread(shutil.copyfile, path, copy)
        if await asyncio.to_thread(digest, copy) != blob:
            return None
        return await target.put_file(copy, blob)
    finally:
        await asyncio.to_thread(copy.unlink, missing_ok=True)
