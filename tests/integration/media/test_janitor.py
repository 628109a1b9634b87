"""Files that nothing refers to are removed, and no other."""

from mmsgate.clock import HOUR, SECOND, ManualClock
from mmsgate.media.janitor import Janitor
from mmsgate.media.storage import FileBlobStore


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
    blobs: FileBlobStore, clock: ManualClock
) -> None:
    references = Needs()
    janitor = Janitor(blobs=blobs, references=references, cap=1000, clock=clock)
    refused, kept = await blobs.put_bytes(b"refused"), await blobs.put_bytes(b"kept")
    references.needed.add(kept)
    clock.advance(HOUR + SECOND)
    young = await blobs.put_bytes(b"young")
    assert await janitor.clean() == 1
    assert [await blobs.renew(blob) for blob in (refused, kept, young)] == [False, True, True]
    assert await janitor.clean() == 0


async def test_what_the_cache_forgot_goes_at_once_unless_it_was_just_used(
    blobs: FileBlobStore, clock: ManualClock
) -> None:
    references = Needs()
    old, used = await blobs.put_bytes(b"old"), await blobs.put_bytes(b"used")
    clock.advance(HOUR + SECOND)
    janitor = Janitor(blobs=blobs, references=references, cap=1000, clock=clock)
    await blobs.renew(used)
    references.trimmed = [old, used]
    assert await janitor.clean() == 1
    assert [await blobs.renew(blob) for blob in (old, used)] == [False, True]
