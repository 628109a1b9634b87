"""Frees the disk: the fetch cache keeps to its cap, and files that nothing refers to are removed (R-34).

A file may be kept for a request that was then refused, or whose origin forbids a cache. Nothing refers to it, so it
is found by its age: whatever is about to be used has been put or renewed within the hour (`storage.SAFE`).
"""

from typing import Protocol

from mmsgate.clock import HOUR, Clock, Millis
from mmsgate.media.storage import BlobStore

SWEEP_EVERY: Millis = HOUR
_PAGE = 500


class References(Protocol):
    """Who needs which file."""

    async def trim(self, most: int, *, now: Millis) -> list[str]:
        """Forget the oldest fetches until they fit `most` bytes; the blobs that nothing needs now."""
        ...

    async def unneeded(self, blobs: list[str]) -> list[str]:
        """Those of the blobs that nothing refers to."""
        ...


class Janitor:
    """Cleans when it is told to; sweeps the whole folder once an hour. `cap` is the fetch cache's, in bytes."""

    def __init__(self, *, blobs: BlobStore, references: References, cap: int, clock: Clock) -> None:
        self._blobs, self._references, self._cap, self._clock = blobs, references, cap, clock
        self._swept_at = clock.now()

    async def clean(self) -> int:
        """How many files were removed."""
        removed = 0
        for blob in await self._references.trim(self._cap, now=self._clock.now()):
            removed += await self._blobs.delete_old(blob)
        if self._clock.now() - self._swept_at >= SWEEP_EVERY:
            self._swept_at = self._clock.now()
            removed += await self._sweep()
        return removed

    async def _sweep(self) -> int:
        old, removed = await self._blobs.old(), 0
        for start in range(0, len(old), _PAGE):
            for blob in await self._references.unneeded(old[start : start + _PAGE]):
                removed += await self._blobs.delete_old(blob)
        return removed
