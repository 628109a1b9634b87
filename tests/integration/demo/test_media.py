"""The demo's media: each is what its name says, of the promised size, and served as a web server should."""

import hashlib
import io
import json
import re
import zipfile

import aiohttp
import pytest
from PIL import Image

from mmsgate.demo.files import FILES, MAX_AGE, DemoFile
from mmsgate.domain.media import TYPES

KB = 1024
MAGIC = {
    "photo.jpg": (0, b"\xff\xd8\xff"),
    "small.jpg": (0, b"\xff\xd8\xff"),
    "waves.gif": (0, b"GIF89a"),
    "chime.mp3": (0, b"ID3\x03"),
    "lake.mp4": (4, b"ftyp"),
    "card.vcf": (0, b"BEGIN:VCARD\r\nVERSION:3.0\r\n"),
    "party.ics": (0, b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\n"),
    "flyer.pdf": (0, b"%PDF-1.4"),
    "ticket.pkpass": (0, b"PK\x03\x04"),
}
SIZES = {  # at least, at most
    "photo.jpg": (320 * KB, 560 * KB),
    "small.jpg": (29 * KB, 33 * KB),
    "waves.gif": (1 * KB, 150 * KB),
    "chime.mp3": (10 * KB, 100 * KB),
    "lake.mp4": (50 * KB, 300 * KB),
}
BY_NAME = {file.name: file for file in FILES}


def content(name: str) -> bytes:
    return BY_NAME[name].path.read_bytes()


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_a_file_is_what_it_claims_to_be(file: DemoFile) -> None:
    start, magic = MAGIC[file.name]
    assert content(file.name)[start:].startswith(magic)
    least, most = SIZES.get(file.name, (1, 100 * KB))
    assert least <= file.size <= most
    kinds = {name: known.kind for known in TYPES for name in (known.mime, *known.aliases)}
    assert kinds[file.mime] == file.kind


def test_every_file_of_the_folder_is_served_and_explained() -> None:
    folder = FILES[0].path.parent
    assert {path.name for path in folder.iterdir()} == {*BY_NAME, "README.md"}
    explained = (folder / "README.md").read_text(encoding="utf-8")
    assert [name for name in BY_NAME if f"`{name}`" not in explained] == []


@pytest.mark.parametrize(("name", "size"), [("photo.jpg", (1080, 1440)), ("small.jpg", (480, 640))])
def test_a_photo_decodes(name: str, size: tuple[int, int]) -> None:
    with Image.open(io.BytesIO(content(name))) as image:
        image.load()
        assert (image.format, image.size, image.mode) == ("JPEG", size, "RGB")


def test_the_waves_move_for_ever() -> None:
    with Image.open(io.BytesIO(content("waves.gif"))) as image:
        assert getattr(image, "n_frames", 1) >= 10
        assert image.info["loop"] == 0


def test_the_film_is_h264_baseline_with_aac_and_its_index_comes_first() -> None:
    film = content("lake.mp4")
    assert film.index(b"moov") < film.index(b"mdat")
    configuration = film.index(b"avcC") + 4
    assert film[configuration : configuration + 2] == bytes([1, 66])  # version 1, profile Baseline
    assert b"mp4a" in film
    scale, duration = _movie_times(film)
    assert 3 <= duration / scale <= 5


def _movie_times(film: bytes) -> tuple[int, int]:
    start = film.index(b"mvhd") + 4 + 4 + 8  # type, version and flags, two dates
    return int.from_bytes(film[start : start + 4]), int.from_bytes(film[start + 4 : start + 8])


def test_the_calendar_and_the_card_are_whole_and_end_their_lines_in_crlf() -> None:
    for name, ends in [("card.vcf", "END:VCARD"), ("party.ics", "END:VCALENDAR")]:
        text = content(name).decode()
        assert text.endswith(f"{ends}\r\n")
        assert not re.search(r"[^\r]\n", text)
        assert max(map(len, text.splitlines())) <= 75


def test_the_flyer_has_one_page_and_its_index_points_at_its_objects() -> None:
    flyer = content("flyer.pdf")
    assert b"/Count 1" in flyer
    start = int(flyer.rsplit(b"startxref", 1)[1].split()[0])
    offsets = re.findall(rb"(\d{10}) 00000 n", flyer[start:])
    for number, offset in enumerate(offsets, start=1):
        assert flyer[int(offset) :].startswith(b"%d 0 obj" % number)


def test_the_ticket_is_a_pass_whose_manifest_is_right() -> None:
    with zipfile.ZipFile(io.BytesIO(content("ticket.pkpass"))) as ticket:
        files = {name: ticket.read(name) for name in ticket.namelist()}
    manifest = json.loads(files.pop("manifest.json"))
    assert manifest == {name: hashlib.sha1(data).hexdigest() for name, data in files.items()}
    assert {"pass.json", "icon.png"} <= set(files)
    described = json.loads(files["pass.json"])
    assert described["formatVersion"] == 1
    assert "eventTicket" in described


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
async def test_a_file_is_served_whole_with_its_type(file: DemoFile, browser: aiohttp.ClientSession) -> None:
    async with browser.get(f"/demo/{file.name}") as answer:
        assert answer.status == 200
        assert await answer.read() == content(file.name)
        assert answer.content_type == file.mime
        assert answer.headers["Content-Length"] == str(file.size)
        assert answer.headers["Cache-Control"] == f"public, max-age={MAX_AGE}"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        got = answer.headers
    async with browser.head(f"/demo/{file.name}") as answer:
        assert await answer.read() == b""
        assert answer.headers["Content-Length"] == str(file.size)
        assert answer.headers["ETag"] == got["ETag"]


async def test_who_has_a_file_need_not_fetch_it_again(browser: aiohttp.ClientSession) -> None:
    etag = BY_NAME["photo.jpg"].etag
    for known, status in [(etag, 304), (f'"x", W/{etag}', 304), ("*", 304), ('"x"', 200)]:
        async with browser.get("/demo/photo.jpg", headers={"If-None-Match": known}) as answer:
            assert (answer.status, answer.headers["ETag"]) == (status, etag)


async def test_a_film_can_be_fetched_in_ranges(browser: aiohttp.ClientSession) -> None:
    async with browser.get("/demo/lake.mp4", headers={"Range": "bytes=4-7"}) as answer:
        assert (answer.status, await answer.read()) == (206, b"ftyp")


@pytest.mark.parametrize("name", ["README.md", "nothing.jpg", "..%2Frouters.py", "..%2F..%2Fclock.py", "static/x"])
async def test_no_other_file_is_served(name: str, browser: aiohttp.ClientSession) -> None:
    async with browser.get(f"/demo/{name}") as answer:
        assert answer.status == 404


async def test_the_list_shows_every_file(browser: aiohttp.ClientSession) -> None:
    async with browser.get("/demo") as answer:  # redirected
        assert answer.url.path == "/demo/"
        page = await answer.text()
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert [name for name in BY_NAME if f'href="{name}"' not in page] == []
    for name in ["demo.css", "demo.js", "icon.svg"]:
        async with browser.get(f"/demo/static/{name}") as answer:
            assert answer.status == 200
            assert answer.content_type in {"text/css", "text/javascript", "image/svg+xml"}
