"""Frees the storage: the fetch cache keeps to its cap, and files that nothing refers to are removed (R-34).

A file may be kept for a request that was then refused, or whose origin forbids a cache. Nothing refers to it, so it
is found by its age: whatever is about to be used has been put or renewed within the hour (`storage.SAFE`).
"""

import asyncio
from collections.abc import Sequence
from typing import Protocol

from mmsgate.clock import HOUR, Clock, Millis
from mmsgate.media.storage import BlobStore

SWEEP_EVERY: Millis = HOUR
#: Pages of old blobs in one round; the next round goes on from there.
PAGES_AT_ONCE = 50
_PAGE = 500  # names that the database is asked for at once
_AT_ONCE = 16  # removals under way: each takes several round trips where the storage is another machine


class References(Protocol):
    """Who needs which file."""

    async def trim(self, most: int, *, now: Millis) -> list[str]:
        """Forget the oldest fetches until they fit `most` bytes; the blobs that nothing needs now."""
        ...

    async def unneeded(self, blobs: list[str]) -> list[str]:
        """Those of the blobs that nothing refers to."""
        ...


class Janitor:
    """Cleans when it is told to; goes through all blobs once an hour, some pages a round.

    `cap` is the fetch cache's, in bytes. A round that fails leaves its page to the next.
    """

    def __init__(self, *, blobs: BlobStore, references: References, cap: int, clock: Clock) -> None:
        self._blobs, self._references, self._cap, self._clock = blobs, references, cap, clock
        self._swept_at = clock.now()
        self._after = ""  # where the sweep under way goes on

    async def clean(self) -> int:
        """How many files were removed."""
        removed = await self._remove(await self._references.trim(self._cap, now=self._clock.now()))
        if self._after or self._clock.now() - self._swept_at >= SWEEP_EVERY:
            removed += await self._sweep()
        return removed

    async def _sweep(self) -> int:
        removed = 0
        for _ in range(PAGES_AT_ONCE):
            page = await self._blobs.old(self._after)
            for start in range(0, len(page.names), _PAGE):
                names = list(page.names[start : start + _PAGE])
                removed += await self._remove(await self._references.unneeded(names))
            self._after = page.after
            if not page.after:
                self._swept_at = self._clock.now()
                break
        return removed

    async def _remove(self, blobs: Sequence[str]) -> int:
        removed = 0
        for start in range(0, len(blobs), _AT_ONCE):
            removed += sum(await asyncio.gather(*map(self._blobs.delete_old, blobs[start : start + _AT_ONCE])))
        return removed
