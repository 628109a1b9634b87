"""What was checked once is not decoded again, and no account's limit is passed by that (R-30)."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from mmsgate.clock import ManualClock
from mmsgate.domain.account import SourceLimits
from mmsgate.domain.media import ImageLimits, MediaKind
from mmsgate.domain.slide import Medium
from mmsgate.http import HttpClient
from mmsgate.media.cage import ImageCage, ImageOutcome
from mmsgate.media.fetcher import Fetcher, MediaFault
from mmsgate.media.intake import Intake
from mmsgate.media.storage import FileBlobStore
from tests.integration.http.origin import Origin
from tests.integration.media.pictures import animation, image
from tests.integration.media.test_fetcher import MemoryCache, file, media, wish

STRICTER = SourceLimits(frames=2)


class CountingCage(ImageCage):
    """A cage that counts what it was asked to decode."""

    checks = 0

    async def check(
        self, path: Path, mime: str, *, limits: ImageLimits | None = None, owner: str = ""
    ) -> ImageOutcome:
        self.checks += 1
        return await super().check(path, mime, limits=limits, owner=owner)


@pytest.fixture
async def cage() -> AsyncIterator[CountingCage]:
    running = CountingCage(workers=2)
    await running.start()
    yield running
    await running.stop()


class Process:
    """What one run of the gateway remembers, over the cache and the blobs of all runs."""

    def __init__(self, http: HttpClient, blobs: FileBlobStore, cage: ImageCage, clock: ManualClock) -> None:
        self._rooms = (http, blobs, cage, clock)
        self.uploads: dict[str, Medium] = {}
        self.cache = MemoryCache()
        self.fetcher = self._fetcher()

    def _fetcher(self) -> Fetcher:
        http, blobs, cage, clock = self._rooms
        intake = Intake(blobs=blobs, cage=cage)
        return Fetcher(
            http=http, blobs=blobs, intake=intake, cache=self.cache, clock=clock, own_uploads=self._upload
        )

    def restart(self) -> None:
        self.fetcher = self._fetcher()

    async def _upload(self, _account: str, url: str) -> Medium | None:
        return self.uploads.get(url)

    async def code(self, url: str, limits: SourceLimits = STRICTER) -> str:
        """How an account with these limits fares; empty if it gets the file."""
        found = await self.fetcher.obtain([wish(url)], account="8", limits=limits)
        return found.code if isinstance(found, MediaFault) else ""


@pytest.fixture
def process(http: HttpClient, blobs: FileBlobStore, cage: CountingCage, clock: ManualClock) -> Process:
    return Process(http, blobs, cage, clock)


@pytest.mark.parametrize("restarted", [False, True])
async def test_a_cached_animation_is_held_against_the_frames_of_whoever_sends_it(
    restarted: bool, process: Process, origin: Origin
) -> None:
    origin.routes |= {"/two.gif": file(animation(2)), "/three.gif": file(animation(3))}
    for name in ("/two.gif", "/three.gif"):
        await media(process.fetcher, wish(origin.url(name)))
    if restarted:
        process.restart()
    assert await process.code(origin.url("/three.gif")) == "E341"
    assert await process.code(origin.url("/two.gif")) == ""
    assert await process.code(origin.url("/three.gif"), SourceLimits()) == ""
    assert origin.hits == {"/two.gif": 1, "/three.gif": 1}


async def test_known_bytes_behind_another_address_are_held_against_the_frames_too(
    process: Process, origin: Origin
) -> None:
    origin.routes |= {"/a.gif": file(animation(3)), "/b.gif": file(animation(3))}
    await media(process.fetcher, wish(origin.url("/a.gif")))
    assert await process.code(origin.url("/b.gif")) == "E341"


async def test_an_uploaded_animation_is_held_against_the_frames_too(process: Process, blobs: FileBlobStore) -> None:
    blob = await blobs.put_bytes(animation(3))
    process.uploads["u"] = Medium(kind=MediaKind.IMAGE, blob=blob, mime="image/gif", size=100)
    assert await process.code("u") == "E341"
    assert await process.code("u", SourceLimits()) == ""


async def test_after_a_restart_an_animation_is_decoded_once_and_a_photo_not_at_all(
    process: Process, origin: Origin, cage: CountingCage
) -> None:
    origin.routes |= {"/a.gif": file(animation(3)), "/a.jpg": file(image("JPEG"))}
    await media(process.fetcher, wish(origin.url("/a.gif")), wish(origin.url("/a.jpg")))
    process.restart()
    cage.checks = 0
    for _ in range(2):
        found = await asyncio.gather(*(process.code(origin.url("/a.gif"), SourceLimits()) for _ in range(500)))
        assert set(found) == {""}
        assert await process.code(origin.url("/a.jpg")) == ""
    assert cage.checks == 1
