"""Files that nothing refers to are removed, and no other."""

import hashlib
from pathlib import Path

import pytest

from mmsgate.clock import HOUR, ManualClock
from mmsgate.media.janitor import PAGES_AT_ONCE, Janitor
from mmsgate.media.storage import BlobFault, FileBlobStore, OldBlobs
from tests.integration.media.keepers import LONG, Keeper


class Needs:
    """Who needs which file."""

    def __init__(self) -> None:
        self.needed: set[str] = set()
        self.trimmed: list[str] = []

    async def trim(self, most: int, *, now: int) -> list[str]:
        assert most == 1000
        return self.trimmed

    async def unneeded(self, blobs: list[str]) -> list[str]:
        return [blob for blob in blobs if blob not in self.needed]


async def test_once_an_hour_old_files_that_nobody_needs_are_removed(
    keeper: Keeper,
) -> None:
    blobs, clock, references = keeper.store, keeper.clock, Needs()
    janitor = Janitor(blobs=blobs, references=references, cap=1000, clock=clock)
    refused, kept = await blobs.put_bytes(b"refused"), await blobs.put_bytes(b"kept")
    references.needed.add(kept)
    keeper.advance(LONG)
    young = await blobs.put_bytes(b"young")
    assert await janitor.clean() == 1
    assert [await blobs.renew(blob) for blob in (refused, kept, young)] == [False, True, True]
    assert await janitor.clean() == 0


async def test_what_the_cache_forgot_goes_at_once_unless_it_was_just_used(
    keeper: Keeper,
) -> None:
    blobs, clock, references = keeper.store, keeper.clock, Needs()
    old, used = await blobs.put_bytes(b"old"), await blobs.put_bytes(b"used")
    keeper.advance(LONG)
    janitor = Janitor(blobs=blobs, references=references, cap=1000, clock=clock)
    await blobs.renew(used)
    references.trimmed = [old, used]
    assert await janitor.clean() == 1
    assert [await blobs.renew(blob) for blob in (old, used)] == [False, True]


class Pages(FileBlobStore):
    """A store of a number of pages, each of one blob. `broken` is one that can't be had."""

    pages, broken = PAGES_AT_ONCE + 2, -1

    async def old(self, after: str = "") -> OldBlobs:
        number = int(after or 0)
        if number == self.broken:
            raise BlobFault
        name = hashlib.sha256(str(number).encode()).hexdigest()
        return OldBlobs(names=(name,), after=str(number + 1) if number + 1 < self.pages else "")


async def test_a_round_goes_through_some_pages_and_the_next_goes_on_from_there(
    tmp_path: Path, clock: ManualClock
) -> None:
    blobs = Pages(tmp_path, clock=clock)
    await blobs.start()
    names = [await blobs.put_bytes(str(number).encode()) for number in range(blobs.pages)]
    janitor = Janitor(blobs=blobs, references=Needs(), cap=1000, clock=clock)
    clock.advance(2 * HOUR)
    assert [await janitor.clean() for _ in range(3)] == [PAGES_AT_ONCE, 2, 0]
    assert not any([await blobs.renew(name) for name in names])


async def test_a_page_that_could_not_be_had_is_the_next_rounds_first(tmp_path: Path, clock: ManualClock) -> None:
    blobs = Pages(tmp_path, clock=clock)
    await blobs.start()
    for number in range(blobs.pages):
        await blobs.put_bytes(str(number).encode())
    janitor = Janitor(blobs=blobs, references=Needs(), cap=1000, clock=clock)
    clock.advance(2 * HOUR)
    blobs.broken = 3
    for _ in range(2):
        with pytest.raises(BlobFault):
            await janitor.clean()
    blobs.broken = -1
    assert await janitor.clean() == PAGES_AT_ONCE - 1
