"""Obtaining media: one fetch for many, the cache, the faults and their order.

Sources: contract 5.4, rulings R-04 to R-06, R-32, R-34.
"""

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Sequence

import pytest

from mmsgate.clock import SECOND, ManualClock
from mmsgate.domain.account import STRICT_LIMITS, SourceLimits
from mmsgate.domain.media import MediaKind
from mmsgate.domain.slide import Medium
from mmsgate.http import HttpClient
from mmsgate.http.spool import SpoolError
from mmsgate.media.cage import ImageCage
from mmsgate.media.fetch_cache import CacheEntry
from mmsgate.media.fetcher import Fetcher, MediaFault, MediaRequest
from mmsgate.media.intake import Intake
from mmsgate.media.storage import FileBlobStore
from tests.integration.http.origin import Exchange, Handler, Origin
from tests.integration.media.pictures import DATA, animation, blank_png, image

JPEG = image("JPEG")
PDF = b"%PDF-1.4\n" + bytes(100)


class MemoryCache:
    """A FetchCache that forgets when the test ends."""

    def __init__(self) -> None:
        self.entries: dict[str, CacheEntry] = {}
        self.reads = 0

    async def get(self, url: str) -> CacheEntry | None:
        self.reads += 1
        return self.entries.get(url)

    async def put(self, entry: CacheEntry) -> None:
        self.entries[entry.url] = entry


@pytest.fixture
def cache() -> MemoryCache:
    return MemoryCache()


@pytest.fixture
async def fetcher(
    http: HttpClient, blobs: FileBlobStore, cage: ImageCage, cache: MemoryCache, clock: ManualClock
) -> AsyncIterator[Fetcher]:
    running = Fetcher(http=http, blobs=blobs, intake=Intake(blobs=blobs, cage=cage), cache=cache, clock=clock)
    yield running
    await running.stop()


def file(data: bytes, *, status: int = 200, **headers: str) -> Handler:
    async def handler(exchange: Exchange) -> None:
        await exchange.answer(data, status=status, **headers)

    return handler


def wish(url: str, kind: MediaKind = MediaKind.IMAGE, slide: int = 1) -> MediaRequest:
    return MediaRequest(slide=slide, kind=kind, url=url)


async def fault(fetcher: Fetcher, *wishes: MediaRequest, limits: SourceLimits | None = None) -> MediaFault:
    found = await fetcher.obtain(wishes, account="7", limits=limits)
    assert isinstance(found, MediaFault), found
    return found


async def media(fetcher: Fetcher, *wishes: MediaRequest) -> Sequence[Medium]:
    found = await fetcher.obtain(wishes, account="7")
    assert not isinstance(found, MediaFault), found
    return found


async def test_media_come_in_the_order_they_were_asked_for(
    fetcher: Fetcher, origin: Origin, blobs: FileBlobStore
) -> None:
    origin.routes |= {"/a.jpg": file(JPEG, Content_Type="image/jpeg"), "/b.pdf": file(PDF)}
    picture, flyer = await media(
        fetcher, wish(origin.url("/a.jpg")), wish(origin.url("/b.pdf"), MediaKind.PDF, slide=2)
    )
    assert (picture.mime, picture.width, picture.height) == ("image/jpeg", 64, 48)
    assert picture.source == origin.url("/a.jpg")
    assert (flyer.mime, flyer.kind, flyer.size) == ("application/pdf", MediaKind.PDF, len(PDF))
    assert await blobs.read(picture.blob) == JPEG
    assert await blobs.read(flyer.blob) == PDF
    assert list(blobs.incoming.iterdir()) == []


async def test_urls_are_fetched_at_the_same_time(fetcher: Fetcher, origin: Origin) -> None:
    both = asyncio.Barrier(2)

    async def meet(exchange: Exchange) -> None:
        await both.wait()
        await exchange.answer(PDF)

    origin.routes |= {"/a": meet, "/b": meet}
    found = await media(
        fetcher, wish(origin.url("/a"), MediaKind.PDF), wish(origin.url("/b"), MediaKind.PDF, slide=2)
    )
    assert len(found) == 2


async def test_a_thousand_at_once_are_one_fetch_and_one_store(
    fetcher: Fetcher, origin: Origin, cache: MemoryCache
) -> None:
    origin.routes["/a.jpg"] = file(JPEG)
    asked = [fetcher.obtain([wish(origin.url("/a.jpg"))], account="7") for _ in range(1000)]
    found = await asyncio.gather(*asked)
    assert all(one == found[0] and isinstance(one, list) for one in found)
    assert origin.hits["/a.jpg"] == 1
    assert dataclasses.asdict(fetcher.counters) == {"fetches": 1, "revalidations": 0, "hits": 999, "stored": 1}
    for _ in range(100):
        await media(fetcher, wish(origin.url("/a.jpg")))
    assert origin.hits["/a.jpg"] == 1
    assert cache.reads == 1  # the others never left memory


async def test_the_same_bytes_behind_two_urls_are_stored_once(fetcher: Fetcher, origin: Origin) -> None:
    origin.routes |= {"/a": file(JPEG), "/b": file(JPEG)}
    first, second = await media(fetcher, wish(origin.url("/a")), wish(origin.url("/b"), slide=2))
    assert first.blob == second.blob
    assert fetcher.counters.stored == 1


async def test_after_its_age_a_file_is_revalidated(fetcher: Fetcher, origin: Origin, clock: ManualClock) -> None:
    async def tagged(exchange: Exchange) -> None:
        if exchange.headers.get("if-none-match") == '"1"':
            await exchange.send(b"HTTP/1.1 304 X\r\nCache-Control: max-age=30\r\n\r\n")
        else:
            await exchange.answer(JPEG, ETag='"1"', Cache_Control="max-age=10")

    origin.routes["/"] = tagged
    (first,) = await media(fetcher, wish(origin.url("/")))
    clock.advance(9 * SECOND)
    assert await media(fetcher, wish(origin.url("/"))) == [first]
    assert origin.hits["/"] == 1
    clock.advance(1 * SECOND)
    assert await media(fetcher, wish(origin.url("/"))) == [first]
    assert origin.hits["/"] == 2
    clock.advance(29 * SECOND)
    assert await media(fetcher, wish(origin.url("/"))) == [first]
    assert origin.hits["/"] == 2
    assert (fetcher.counters.revalidations, fetcher.counters.stored) == (1, 1)


async def test_new_content_replaces_the_old(fetcher: Fetcher, origin: Origin, clock: ManualClock) -> None:
    origin.routes["/"] = file(JPEG, ETag='"1"')
    (old,) = await media(fetcher, wish(origin.url("/")))
    origin.routes["/"] = file(image("PNG"), ETag='"2"')
    clock.advance(60 * SECOND)
    (new,) = await media(fetcher, wish(origin.url("/")))
    assert (old.mime, new.mime) == ("image/jpeg", "image/png")


async def test_a_cached_file_whose_blob_is_gone_is_fetched_anew(
    fetcher: Fetcher, origin: Origin, clock: ManualClock, blobs: FileBlobStore
) -> None:
    origin.routes["/"] = file(JPEG, ETag='"1"', Cache_Control="max-age=3600")
    (first,) = await media(fetcher, wish(origin.url("/")))
    blobs.place(first.blob).unlink()
    clock.advance(61 * SECOND)
    assert await media(fetcher, wish(origin.url("/"))) == [first]
    assert "if-none-match" not in origin.seen[1].headers
    assert await blobs.renew(first.blob)


async def test_another_run_finds_what_was_kept(
    *,
    fetcher: Fetcher,
    http: HttpClient,
    blobs: FileBlobStore,
    cage: ImageCage,
    cache: MemoryCache,
    clock: ManualClock,
    origin: Origin,
) -> None:
    origin.routes["/"] = file(JPEG)
    first = await media(fetcher, wish(origin.url("/")))
    later = Fetcher(http=http, blobs=blobs, intake=Intake(blobs=blobs, cage=cage), cache=cache, clock=clock)
    assert await media(later, wish(origin.url("/"))) == first
    assert origin.hits["/"] == 1


async def test_no_store_is_not_kept(fetcher: Fetcher, origin: Origin, cache: MemoryCache) -> None:
    origin.routes["/"] = file(JPEG, Cache_Control="no-store")
    await media(fetcher, wish(origin.url("/")))
    await media(fetcher, wish(origin.url("/")))
    assert origin.hits["/"] == 2
    assert cache.entries == {}


async def test_strict_fetches_for_each_request_and_demands_a_length(fetcher: Fetcher, origin: Origin) -> None:
    origin.routes["/a.jpg"] = file(JPEG, Content_Type="image/jpeg")
    for _ in range(2):
        found = await fetcher.obtain([wish(origin.url("/a.jpg"))], account="7", strict=True)
        assert not isinstance(found, MediaFault)
    assert origin.hits["/a.jpg"] == 2

    async def chunked(exchange: Exchange) -> None:
        await exchange.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        await exchange.send(b"%x\r\n%b\r\n0\r\n\r\n" % (len(JPEG), JPEG))

    origin.routes["/chunked.jpg"] = chunked
    refused = await fetcher.obtain([wish(origin.url("/chunked.jpg"))], account="7", strict=True)
    assert isinstance(refused, MediaFault)
    assert refused.code == "E351"
    assert (await media(fetcher, wish(origin.url("/chunked.jpg"))))[0].mime == "image/jpeg"


@pytest.mark.parametrize(("path", "accepted"), [("/a.jpg", True), ("/a", False), ("/a.bin", False)])
async def test_strict_wants_a_type_named(fetcher: Fetcher, origin: Origin, path: str, accepted: bool) -> None:
    origin.routes[path] = file(JPEG, Content_Type="application/octet-stream")
    found = await fetcher.obtain([wish(origin.url(path))], account="7", strict=True)
    assert isinstance(found, list) == accepted
    if isinstance(found, MediaFault):
        assert found.code == "E629"
    assert len(await media(fetcher, wish(origin.url(path)))) == 1


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (MediaKind.IMAGE, "E351"),
        (MediaKind.AUDIO, "E352"),
        (MediaKind.VIDEO, "E353"),
        (MediaKind.VCARD, "E355"),
        (MediaKind.ICAL, "E356"),
        (MediaKind.PDF, "E357"),
        (MediaKind.PASSBOOK, "E358"),
    ],
)
async def test_what_cannot_be_fetched(fetcher: Fetcher, origin: Origin, kind: MediaKind, code: str) -> None:
    origin.routes["/gone"] = file(b"", status=404)
    found = await fault(fetcher, wish(origin.url("/gone"), kind, slide=3))
    assert found == MediaFault(
        code=code,
        slide=3,
        kind=kind,
        reason=f"slide 3: {kind.label} from 127.0.0.1 could not be fetched: it answered HTTP 404",
    )


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (MediaKind.IMAGE, "E331"),
        (MediaKind.AUDIO, "E332"),
        (MediaKind.VIDEO, "E333"),
        (MediaKind.VCARD, "E335"),
        (MediaKind.ICAL, "E336"),
        (MediaKind.PDF, "E337"),
        (MediaKind.PASSBOOK, "E338"),
    ],
)
async def test_what_is_announced_too_big_is_not_downloaded(
    fetcher: Fetcher, origin: Origin, kind: MediaKind, code: str
) -> None:
    async def boast(exchange: Exchange) -> None:
        await exchange.send(b"HTTP/1.1 200 OK\r\nContent-Length: 60000000\r\n\r\n")

    origin.routes["/"] = boast
    found = await fault(fetcher, wish(origin.url("/"), kind))
    assert found.code == code
    assert "is too big: it announces 60,000,000 bytes" in found.reason


async def test_a_refused_address_names_the_setting(fetcher: Fetcher) -> None:
    found = await fault(fetcher, wish("http://169.254.169.254/latest/meta-data"))
    assert found.code == "E351"
    assert found.reason == (
        "slide 1: Image from 169.254.169.254 could not be fetched: 169.254.169.254 is a link-local address; "
        "fetch_allow does not list 169.254.169.254:80"
    )


@pytest.mark.parametrize(
    ("data", "mime", "size"),
    [
        (image("WEBP"), "image/webp", (64, 48)),
        (image("AVIF"), "image/avif", (64, 48)),
        ((DATA / "corners.heic").read_bytes(), "image/heic", (240, 320)),
        (b"\x00\x00\x00\x14ftypqt  \x00\x00\x00\x00qt  " + bytes(300), "video/quicktime", (0, 0)),
    ],
    ids=["webp", "avif", "heic", "mov"],
)
async def test_modern_types_are_taken_unless_the_account_is_strict(
    *, fetcher: Fetcher, origin: Origin, data: bytes, mime: str, size: tuple[int, int]
) -> None:
    """R-31."""
    kind = MediaKind.VIDEO if mime.startswith("video") else MediaKind.IMAGE
    origin.routes["/a"] = file(data, Content_Type=mime)
    (found,) = await media(fetcher, wish(origin.url("/a"), kind))
    assert (found.mime, (found.width, found.height)) == (mime, size)
    refused = await fetcher.obtain([wish(origin.url("/a"), kind)], account="7", strict=True)
    assert isinstance(refused, MediaFault)
    assert refused.code == "E229"


@pytest.mark.parametrize(
    ("data", "kind", "code"),
    [
        (b"<!DOCTYPE html><title>Not found</title>", MediaKind.IMAGE, "E229"),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", MediaKind.IMAGE, "E341"),
        (PDF, MediaKind.IMAGE, "E229"),
        (JPEG, MediaKind.AUDIO, "E229"),
        (JPEG, MediaKind.PDF, "E229"),
        (b"not a picture", MediaKind.IMAGE, "E229"),
        (b"no\x00type at all", MediaKind.IMAGE, "E629"),
        (b"", MediaKind.IMAGE, "E629"),
        (JPEG[:300], MediaKind.IMAGE, "E341"),
        (blank_png(14_000, 14_000), MediaKind.IMAGE, "E341"),
        (animation(301), MediaKind.IMAGE, "E341"),
    ],
    ids=[
        "html",
        "webp",
        "pdf",
        "jpeg as audio",
        "jpeg as pdf",
        "text",
        "unknown",
        "empty",
        "half",
        "bomb",
        "frames",
    ],
)
async def test_what_may_not_stand_there(
    *, fetcher: Fetcher, origin: Origin, blobs: FileBlobStore, data: bytes, kind: MediaKind, code: str
) -> None:
    origin.routes["/a.jpg"] = file(data, Content_Type="image/jpeg")
    found = await fault(fetcher, wish(origin.url("/a.jpg"), kind))
    assert found.code == code
    assert list(blobs.incoming.iterdir()) == []


async def test_the_first_in_document_order_answers_whichever_failed_first(fetcher: Fetcher, origin: Origin) -> None:
    second_failed = asyncio.Event()

    async def late(exchange: Exchange) -> None:
        await second_failed.wait()
        await exchange.answer(status=404)

    async def early(exchange: Exchange) -> None:
        await exchange.answer(status=500)
        second_failed.set()

    origin.routes |= {"/ok": file(PDF), "/late": late, "/early": early}
    found = await fault(
        fetcher,
        wish(origin.url("/ok"), MediaKind.PDF, slide=1),
        wish(origin.url("/late"), MediaKind.IMAGE, slide=2),
        wish(origin.url("/early"), MediaKind.AUDIO, slide=3),
    )
    assert (found.code, found.slide) == ("E351", 2)


async def test_limits_are_held_against_cached_files_too(fetcher: Fetcher, origin: Origin) -> None:
    origin.routes |= {"/a.jpg": file(JPEG), "/a.gif": file(animation(3))}
    await media(fetcher, wish(origin.url("/a.jpg")), wish(origin.url("/a.gif")))
    size = await fault(fetcher, wish(origin.url("/a.jpg")), limits=SourceLimits(image=100))
    gif = await fault(fetcher, wish(origin.url("/a.gif")), limits=SourceLimits(gif=100))
    pixels = await fault(fetcher, wish(origin.url("/a.jpg")), limits=SourceLimits(jpeg_pixels=1000))
    assert (size.code, gif.code, pixels.code) == ("E331", "E331", "E341")
    assert origin.hits == {"/a.jpg": 1, "/a.gif": 1}


async def test_files_the_account_uploaded_are_not_fetched(
    http: HttpClient, blobs: FileBlobStore, cage: ImageCage, clock: ManualClock, origin: Origin
) -> None:
    own = Medium(kind=MediaKind.PDF, blob="ab" * 32, mime="application/pdf", size=9)

    async def uploads(account: str, url: str) -> Medium | None:
        return own if (account, url) == ("7", origin.url("/mine")) else None

    origin.routes["/mine"] = file(b"", status=403)
    intake = Intake(blobs=blobs, cage=cage)
    fetcher = Fetcher(http=http, blobs=blobs, intake=intake, cache=MemoryCache(), clock=clock, own_uploads=uploads)
    mine = wish(origin.url("/mine"), MediaKind.PDF)
    assert await fetcher.obtain([mine], account="7") == [dataclasses.replace(own, source=mine.url)]
    assert origin.hits["/mine"] == 0
    assert (await fault(fetcher, wish(origin.url("/mine"), MediaKind.IMAGE))).code == "E229"
    stranger = await fetcher.obtain([mine], account="8")
    assert isinstance(stranger, MediaFault)
    assert stranger.code == "E357"


async def test_whoever_hangs_up_leaves_the_fetch_to_the_others(fetcher: Fetcher, origin: Origin) -> None:
    reached, release = asyncio.Event(), asyncio.Event()

    async def slow(exchange: Exchange) -> None:
        reached.set()
        await release.wait()
        await exchange.answer(PDF)

    origin.routes["/"] = slow
    first = asyncio.create_task(media(fetcher, wish(origin.url("/"), MediaKind.PDF)))
    second = asyncio.create_task(media(fetcher, wish(origin.url("/"), MediaKind.PDF)))
    await reached.wait()
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    release.set()
    assert len(await second) == 1
    assert origin.hits["/"] == 1


async def test_our_own_disk_is_no_fault_of_the_origin(
    fetcher: Fetcher, origin: Origin, blobs: FileBlobStore
) -> None:
    origin.routes["/"] = file(JPEG)
    blobs.incoming.rmdir()
    with pytest.raises(SpoolError):
        await fetcher.obtain([wish(origin.url("/"))], account="7")


async def test_stopping_twice_ends_what_is_under_way(fetcher: Fetcher, origin: Origin) -> None:
    reached = asyncio.Event()

    async def stalled(exchange: Exchange) -> None:
        reached.set()
        await exchange.stall()

    origin.routes["/"] = stalled
    pending = asyncio.create_task(fetcher.obtain([wish(origin.url("/"))], account="7"))
    await reached.wait()
    await fetcher.stop()
    await fetcher.stop()
    with pytest.raises(asyncio.CancelledError):
        await pending


def test_the_default_limits_are_the_rulings() -> None:
    limits = SourceLimits()
    megabytes = [limits.of(kind) // 1024**2 for kind in (MediaKind.IMAGE, MediaKind.AUDIO, MediaKind.VIDEO)]
    assert megabytes == [10, 10, 50]
    assert limits.of(MediaKind.PASSBOOK) == 2 * 1024**2
    assert STRICT_LIMITS.gif == 1024 * 1024
