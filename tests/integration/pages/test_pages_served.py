"""The page behind the fallback link over a real socket: documents, files, ranges, the beacon, hostile addresses."""

import asyncio
import base64
import hashlib
import re
import socket
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import pytest_asyncio
import uvicorn
from starlette.applications import Starlette

from mmsgate.clock import DAY, ManualClock
from mmsgate.domain.media import MediaKind
from mmsgate.domain.slide import Medium, Slide
from mmsgate.media.storage import BlobFault
from mmsgate.pages.page import Page
from mmsgate.pages.responses import HEADERS
from mmsgate.pages.routes import routes

pytestmark = pytest.mark.asyncio(loop_scope="module")

PERSON = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Safari/604.1"
WHATSAPP = "WhatsApp/2.24.1 A"
TOKEN = "Token0Of0A0Page0That0Lives"
EXPIRED = "Token0Of0A0Page0That0Is0Over"
BLACK = "Token0Of0A0Hostile0Message"
UNKNOWN = "Token0That0Nobody0Has0Made"

PHOTO = bytes(range(256)) * 40
VIDEO = b"video" * 3000
VCARD = b"BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Ann\r\nEND:VCARD\r\n"
SUBJECT = "Summer & more"
HOSTILE = "<script>alert('x')</script>\"><img src=x onerror=alert(1)>{{ 7 * 7 }}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()


@dataclass(slots=True, kw_only=True)
class Site:
    """The room under test, its folder of blobs, and what it told about views."""

    port: int
    folder: Path
    clock: ManualClock
    pages: dict[str, Page]
    views: list[tuple[str, bool]] = field(default_factory=list)
    lookups: list[str] = field(default_factory=list)
    out_of_reach: bool = False
    viewed: asyncio.Event = field(default_factory=asyncio.Event)

    async def page(self, token: str) -> Page | None:
        self.lookups.append(token)
        return self.pages.get(token)

    async def path(self, blob: str) -> Path:
        if self.out_of_reach:
            raise BlobFault
        return self.folder / blob

    async def on_view(self, token: str, robot: bool) -> None:
        self.views.append((token, robot))
        self.viewed.set()

    async def ask(self, target: str, method: str = "GET", /, agent: str = PERSON, **headers: str) -> Answer:
        """One request on a connection of its own; `target` goes out as it is."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        lines = [f"{method} {target} HTTP/1.1", "Host: localhost", "Connection: close", f"User-Agent: {agent}"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
        answer = await asyncio.wait_for(reader.read(), 20)
        writer.close()
        await writer.wait_closed()
        head, _, body = answer.partition(b"\r\n\r\n")
        first, *rest = head.decode("latin-1").split("\r\n")
        pairs = (line.partition(": ") for line in rest)
        return Answer(
            status=int(first.split()[1]), headers={name.lower(): value for name, _, value in pairs}, body=body
        )

    def medium(self, kind: MediaKind, mime: str, content: bytes, *, width: int = 0, height: int = 0) -> Medium:
        blob = hashlib.sha256(content).hexdigest()
        (self.folder / blob).write_bytes(content)
        return Medium(kind=kind, blob=blob, mime=mime, size=len(content), width=width, height=height)

    def add(self, token: str, *slides: Slide, subject: str = SUBJECT, life: int = 365 * DAY) -> None:
        now = self.clock.now()
        self.pages[token] = Page(
            token=token, account_id=1, subject=subject, slides=slides, created_at=now, expires_at=now + life
        )


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    listener = socket.create_server(("127.0.0.1", 0))
    site = Site(
        port=listener.getsockname()[1], folder=tmp_path_factory.mktemp("blobs"), clock=ManualClock(), pages={}
    )
    app = Starlette(routes=routes(site, site, clock=site.clock, on_view=site.on_view))
    config = uvicorn.Config(app, lifespan="off", ws="none", log_config=None, access_log=False)
    running = uvicorn.Server(config)
    task = asyncio.create_task(running.serve(sockets=[listener]))
    yield site
    running.should_exit = True
    await task


@pytest.fixture
def site(server: Site) -> Site:
    server.clock.time = ManualClock().time
    server.pages.clear()
    server.views.clear()
    server.lookups.clear()
    server.viewed = asyncio.Event()
    server.out_of_reach = False
    slides = (
        Slide(
            text="First line\nsecond line, see https://example.com/a?b=1&c=2.",
            media=(
                server.medium(MediaKind.IMAGE, "image/jpeg", PHOTO, width=640, height=480),
                server.medium(MediaKind.AUDIO, "audio/mpeg", b"ID3" + b"a" * 500),
            ),
        ),
        Slide(media=(server.medium(MediaKind.IMAGE, "image/png", b"\x89PNG" + b"p" * 100),)),
        Slide(text="A film", media=(server.medium(MediaKind.VIDEO, "video/mp4", VIDEO, width=320, height=240),)),
        Slide(media=(server.medium(MediaKind.VIDEO, "video/3gpp", b"3gp" * 99),)),
        Slide(media=(server.medium(MediaKind.VCARD, "text/x-vCard", VCARD),)),
        Slide(media=(server.medium(MediaKind.ICAL, "text/calendar", b"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n"),)),
        Slide(media=(server.medium(MediaKind.PDF, "application/pdf", b"%PDF-1.7 " + b"0" * 4000),)),
        Slide(media=(server.medium(MediaKind.PASSBOOK, "application/vnd.apple.pkpass", b"PK\3\4pass"),)),
    )
    server.add(TOKEN, *slides)
    server.add(EXPIRED, *slides, life=0)
    server.add(BLACK, Slide(text=HOSTILE), subject=HOSTILE)
    return server


def assert_private(answer: Answer) -> None:
    for name, value in HEADERS.items():
        assert answer.headers[name.lower()] == value
    assert "set-cookie" not in answer.headers


# the page


async def test_the_page_shows_subject_and_every_slide_in_order(site: Site) -> None:
    answer = await site.ask(f"/m/{TOKEN}")
    assert answer.status == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "<title>Summer &amp; more</title>" in answer.text
    assert '<html lang="en">' in answer.text
    wanted = ["photo-1.jpg", "audio-1.mp3", "First line\nsecond line", "photo-2.png", "video-1.mp4", "A film",
              "video-2.3gp", "contact-1.vcf", "event-1.ics", "document-1.pdf", "pass-1.pkpass"]  # fmt: skip
    places = [answer.text.index(item) for item in wanted]
    assert places == sorted(places)
    assert answer.text.count('<section class="slide"') == 8


async def test_every_address_in_the_page_is_relative_and_answers(site: Site) -> None:
    text = (await site.ask(f"/m/{TOKEN}")).text
    addresses = set(re.findall(r'(?:src|href)="([^"]+)"', text)) - {"https://example.com/a?b=1&amp;c=2"}
    assert len(addresses) >= 10
    for address in addresses:
        assert not address.startswith(("/", "http"))
        assert (await site.ask(f"/m/{address}")).status == 200, address


async def test_nothing_jumps_and_only_the_first_picture_is_loaded_at_once(site: Site) -> None:
    text = (await site.ask(f"/m/{TOKEN}")).text
    first, second = re.findall(r"<img [^>]*>", text)
    assert 'width="640" height="480"' in first
    assert "loading" not in first
    assert 'loading="lazy"' in second
    assert "width=" not in second  # not known
    film = re.findall(r"<video [^>]*>", text)[0]
    assert 'width="320" height="240"' in film
    assert 'controls playsinline preload="metadata"' in film
    assert "poster" not in film


async def test_links_in_texts_lead_away_without_a_trace(site: Site) -> None:
    text = (await site.ask(f"/m/{TOKEN}")).text
    link = '<a href="https://example.com/a?b=1&amp;c=2" rel="noopener noreferrer nofollow">'
    assert link + "https://example.com/a?b=1&amp;c=2</a>." in text


async def test_the_page_is_private_strict_and_works_from_one_document(site: Site) -> None:
    answer = await site.ask(f"/m/{TOKEN}")
    assert_private(answer)
    assert answer.headers["cache-control"] == "private, no-cache"
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert '<meta name="robots" content="noindex, nofollow, noarchive">' in answer.text
    assert "<link" not in answer.text
    assert not re.search(r"\son\w+=|\sstyle=", answer.text)


async def test_the_policy_admits_exactly_the_style_of_the_page(site: Site) -> None:
    answer = await site.ask(f"/m/{TOKEN}")
    (style,) = re.findall(r"<style>(.*?)</style>", answer.text, re.DOTALL)
    digest = hashlib.sha256(style.encode()).digest()
    (admitted,) = re.findall(r"style-src 'sha256-([^']+)'", answer.headers["content-security-policy"])
    assert admitted == base64.b64encode(digest).decode()


async def test_hostile_words_are_only_words(site: Site) -> None:
    text = (await site.ask(f"/m/{BLACK}")).text
    assert text.count("<script") == 1  # the beacon's
    assert "<img" not in text
    assert "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&#34;&gt;&lt;img src=x" in text
    assert "{{ 7 * 7 }}" in text


async def test_half_a_surrogate_pair_does_no_harm(site: Site) -> None:
    site.add("HalfOfASurrogatePairHere", Slide(text="a\ud800b"))
    answer = await site.ask("/m/HalfOfASurrogatePairHere")
    assert answer.status == 200
    assert "a?b" in answer.text


async def test_a_page_without_subject_has_a_title_all_the_same(site: Site) -> None:
    site.add("PageWithoutAnySubject0", Slide(text="x"), subject="")
    text = (await site.ask("/m/PageWithoutAnySubject0")).text
    assert "<title>A message for you</title>" in text
    assert '<h1 class="unseen">' in text


async def test_head_answers_as_get_without_a_body(site: Site) -> None:
    for target in (f"/m/{TOKEN}", f"/m/{TOKEN}/photo-1.jpg", f"/m/{UNKNOWN}", f"/m/{EXPIRED}"):
        got, head = await site.ask(target), await site.ask(target, "HEAD")
        assert (head.status, head.body) == (got.status, b"")
        assert head.headers["content-length"] == got.headers["content-length"]


async def test_the_page_is_compressed_for_those_who_ask(site: Site) -> None:
    answer = await site.ask(f"/m/{TOKEN}", Accept_Encoding="gzip")
    assert answer.headers["content-encoding"] == "gzip"
    assert len(answer.body) < 5000


# nothing to show


@pytest.mark.parametrize("tail", ["", "/photo-1.jpg", "/photo-1.jpg?download=1", "/nothing.jpg"])
async def test_an_expired_page_answers_410_and_says_nothing_of_its_content(site: Site, tail: str) -> None:
    answer = await site.ask(f"/m/{EXPIRED}{tail}")
    assert answer.status == 410
    assert_private(answer)
    assert "This message has expired" in answer.text
    for secret in ("Summer", "First line", "photo", EXPIRED, "<script"):
        assert secret not in answer.text


async def test_a_page_and_its_files_end_together(site: Site) -> None:
    site.clock.advance(365 * DAY - 1)
    assert (await site.ask(f"/m/{TOKEN}")).status == 200
    assert (await site.ask(f"/m/{TOKEN}/photo-1.jpg")).headers["cache-control"] == "private, max-age=0, immutable"
    site.clock.advance(1)
    assert (await site.ask(f"/m/{TOKEN}")).status == 410
    assert (await site.ask(f"/m/{TOKEN}/photo-1.jpg", Range="bytes=0-1")).status == 410
    assert (await site.ask(f"/m/{TOKEN}/seen", "POST")).status == 410
    assert site.views == []


async def test_an_unknown_page_answers_404_in_the_same_look(site: Site) -> None:
    unknown, expired = await site.ask(f"/m/{UNKNOWN}"), await site.ask(f"/m/{EXPIRED}")
    assert unknown.status == 404
    assert_private(unknown)
    assert unknown.headers["content-security-policy"] == expired.headers["content-security-policy"]
    assert UNKNOWN not in unknown.text


@pytest.mark.parametrize(
    "target",
    [
        "/m/", "/m/short", "/m/" + "a" * 21, "/m/" + "a" * 65, "/m/" + "a" * 9000, "/m/" + "a/" * 3000,
        "/m/%00", f"/m/{TOKEN}%00", f"/m/{TOKEN}/%00", f"/m/{TOKEN}/photo-1.jpg%00", f"/m/{TOKEN}%0a",
        f"/m/{TOKEN}/", f"/m/{TOKEN}/../{TOKEN}/photo-1.jpg", f"/m/{TOKEN}/..%2f..%2fetc%2fpasswd",
        f"/m/{TOKEN}/%2e%2e", f"/m/{TOKEN}/....//photo-1.jpg", f"/m/{TOKEN}/..\\photo-1.jpg", f"/m/{TOKEN}/%c0%ae",
        f"/m/{TOKEN}/%ff%fe", f"/m/{TOKEN}/photo-2.jpg", f"/m/{TOKEN}/photo-1.png", f"/m/{TOKEN}/photo-9.jpg",
        f"/m/{TOKEN}/photo--1.jpg", f"/m/{TOKEN}/photo-1.html", f"/m/{TOKEN}/seen", "/m/assets/page.css",
        "/m/assets/../../etc/passwd", f"/m/' OR 1=1 --{TOKEN}".replace(" ", "%20"),
    ],
)  # fmt: skip
async def test_a_hostile_or_wrong_address_is_404(site: Site, target: str) -> None:
    answer = await site.ask(target)
    assert answer.status == 404
    assert "Nothing here" in answer.text
    assert set(site.lookups) <= {TOKEN}  # nothing but a well-formed token is ever looked up


async def test_a_file_lost_from_disk_is_our_fault_and_is_logged(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    photo = site.pages[TOKEN].file("photo-1.jpg")
    assert photo is not None
    (site.folder / photo.medium.blob).unlink()
    answer = await site.ask(f"/m/{TOKEN}/photo-1.jpg")
    assert answer.status == 500
    assert "Something went wrong" in answer.text
    assert "photo-1.jpg" in caplog.text
    assert TOKEN not in caplog.text


async def test_a_file_whose_storage_does_not_answer_is_for_later(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    site.out_of_reach = True
    answer = await site.ask(f"/m/{TOKEN}/photo-1.jpg")
    assert answer.status == 503
    assert "Not available right now" in answer.text
    assert "photo-1.jpg" in caplog.text
    assert TOKEN not in caplog.text
    site.out_of_reach = False
    assert (await site.ask(f"/m/{TOKEN}/photo-1.jpg")).status == 200


# files


@pytest.mark.parametrize(
    ("name", "mime"),
    [
        ("photo-1.jpg", "image/jpeg"), ("photo-2.png", "image/png"), ("audio-1.mp3", "audio/mpeg"),
        ("video-1.mp4", "video/mp4"), ("video-2.3gp", "video/3gpp"), ("contact-1.vcf", "text/vcard; charset=utf-8"),
        ("event-1.ics", "text/calendar; charset=utf-8"), ("document-1.pdf", "application/pdf"),
        ("pass-1.pkpass", "application/vnd.apple.pkpass"),
    ],
)  # fmt: skip
async def test_every_file_has_its_type_its_name_and_its_ranges(site: Site, name: str, mime: str) -> None:
    answer = await site.ask(f"/m/{TOKEN}/{name}", Accept_Encoding="gzip")
    assert answer.status == 200
    assert_private(answer)
    assert answer.headers["content-type"] == mime
    assert answer.headers["content-disposition"] == f'inline; filename="{name}"'
    assert answer.headers["accept-ranges"] == "bytes"
    assert "content-encoding" not in answer.headers
    part = await site.ask(f"/m/{TOKEN}/{name}", Range="bytes=1-3")
    assert (part.status, part.body) == (206, answer.body[1:4])
    saved = await site.ask(f"/m/{TOKEN}/{name}?download=1")
    assert saved.headers["content-disposition"] == f'attachment; filename="{name}"'
    assert saved.body == answer.body


@pytest.mark.parametrize(
    ("wanted", "start", "end"),
    [
        ("bytes=0-1", 0, 2),
        ("bytes=100-", 100, 15000),
        ("bytes=-500", 14500, 15000),
        ("bytes=14000-99999", 14000, 15000),
    ],
)
async def test_video_streams_by_ranges(site: Site, wanted: str, start: int, end: int) -> None:
    answer = await site.ask(f"/m/{TOKEN}/video-1.mp4", Range=wanted)
    assert answer.status == 206
    assert answer.body == VIDEO[start:end]
    assert answer.headers["content-range"] == f"bytes {start}-{end - 1}/15000"
    assert answer.headers["content-length"] == str(end - start)
    assert_private(answer)


async def test_a_range_beyond_the_file_is_416(site: Site) -> None:
    answer = await site.ask(f"/m/{TOKEN}/video-1.mp4", Range="bytes=15000-")
    assert (answer.status, answer.body) == (416, b"")
    assert answer.headers["content-range"] == "bytes */15000"
    assert_private(answer)


@pytest.mark.parametrize("wanted", ["bytes=0-1,5-6", "bytes=x-y", "lines=0-1", "bytes=9-2"])
async def test_several_or_unreadable_ranges_are_the_whole_file(site: Site, wanted: str) -> None:
    answer = await site.ask(f"/m/{TOKEN}/video-1.mp4", Range=wanted)
    assert (answer.status, answer.body) == (200, VIDEO)


async def test_a_range_counts_on_get_only(site: Site) -> None:
    answer = await site.ask(f"/m/{TOKEN}/video-1.mp4", "HEAD", Range="bytes=0-1")
    assert (answer.status, answer.headers["content-length"]) == (200, "15000")


async def test_a_part_is_joined_only_to_the_same_content(site: Site) -> None:
    target = f"/m/{TOKEN}/video-1.mp4"
    whole = await site.ask(target)
    etag, date = whole.headers["etag"], whole.headers["last-modified"]
    for condition, status in ((etag, 206), (date, 206), (f"W/{etag}", 200), ('"other"', 200)):
        assert (await site.ask(target, Range="bytes=5-", If_Range=condition)).status == status, condition


async def test_a_browser_that_has_the_file_is_not_sent_it_again(site: Site) -> None:
    target = f"/m/{TOKEN}/photo-1.jpg"
    etag = (await site.ask(target)).headers["etag"]
    for known in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        answer = await site.ask(target, If_None_Match=known)
        assert (answer.status, answer.body) == (304, b"")
        assert answer.headers["etag"] == etag
    assert (await site.ask(target, If_None_Match='"other"')).status == 200


async def test_a_file_is_kept_a_day_and_never_beyond_the_expiry(site: Site) -> None:
    target = f"/m/{TOKEN}/photo-1.jpg"
    assert (await site.ask(target)).headers["cache-control"] == "private, max-age=86400, immutable"
    site.clock.advance(365 * DAY - 90_500)
    assert (await site.ask(target)).headers["cache-control"] == "private, max-age=90, immutable"


# views


async def test_a_view_counts_only_after_the_beacon(site: Site) -> None:
    text = (await site.ask(f"/m/{TOKEN}")).text
    assert site.views == []
    (beacon,) = re.findall(r'data-seen="([^"]+)"', text)
    answer = await site.ask(f"/m/{beacon}", "POST", Content_Length="0")
    assert (answer.status, answer.body) == (204, b"")
    assert_private(answer)
    assert site.views == [(TOKEN, False)]


async def test_a_robot_is_counted_apart_and_once(site: Site) -> None:
    await site.ask(f"/m/{TOKEN}", "HEAD", agent=WHATSAPP)
    await site.ask(f"/m/{TOKEN}", agent=WHATSAPP)
    await asyncio.wait_for(site.viewed.wait(), 20)
    await site.ask(f"/m/{TOKEN}/seen", "POST", agent=WHATSAPP, Content_Length="0")
    assert site.views == [(TOKEN, True)]


async def test_neither_unknown_nor_expired_pages_are_counted(site: Site) -> None:
    for token, status in ((UNKNOWN, 404), (EXPIRED, 410)):
        await site.ask(f"/m/{token}", agent=WHATSAPP)
        assert (await site.ask(f"/m/{token}/seen", "POST", Content_Length="0")).status == status
    assert site.views == []


@pytest.mark.parametrize("target", [f"/m/{TOKEN}", f"/m/{TOKEN}/photo-1.jpg"])
async def test_pages_take_no_other_method(site: Site, target: str) -> None:
    assert (await site.ask(target, "PUT", Content_Length="0")).status == 405
    assert site.lookups == []


async def test_the_script_may_be_kept_for_ever_and_is_small(site: Site) -> None:
    (address,) = re.findall(r'<script src="([^"]+)"', (await site.ask(f"/m/{TOKEN}")).text)
    answer = await site.ask(f"/m/{address}")
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert_private(answer)
    assert len(answer.body) < 1500


async def test_robots_are_kept_out(site: Site) -> None:
    answer = await site.ask("/robots.txt")
    assert answer.text == "User-agent: *\nDisallow: /\n"
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"


async def test_a_browser_that_asks_for_an_icon_is_not_told_of_an_error(site: Site) -> None:
    assert (await site.ask("/favicon.ico")).status == 204
