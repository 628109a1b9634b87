"""Types told from bytes (R-05, R-32): what an MMS can carry, and what people send by mistake."""

import io
import struct
import warnings
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmsgate.domain.media import TYPES, MediaKind
from mmsgate.media.sniff import sniff, sniff_bytes


def box(brand: bytes, *compatible: bytes) -> bytes:
    body = brand + bytes(4) + b"".join(compatible)
    return struct.pack(">I", 8 + len(body)) + b"ftyp" + body + struct.pack(">I", 8) + b"moov"


def riff(form: bytes) -> bytes:
    return b"RIFF" + struct.pack("<I", 1000) + form + bytes(100)


def asf(*streams: str) -> bytes:
    header = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c") + bytes(300)
    return header + b"".join(bytes.fromhex(stream) for stream in streams)


def archive(*names: str, comment: bytes = b"") -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.comment = comment
        for name in names:
            file.writestr(name, "{}")
    return buffer.getvalue()


def mpeg(*headers: bytes, length: int) -> bytes:
    return b"".join(header + bytes(length - 4) for header in headers)


def id3(size: int) -> bytes:
    return b"ID3\x04\x00\x00" + bytes(size >> shift & 0x7F for shift in (21, 14, 7, 0)) + bytes(size)


WMV = "c0ef19bc4d5bcf11a8fd00805f5c442b"
WMA = "409e69f84d5bcf11a8fd00805f5c442b"
LAYER3 = b"\xff\xfb\x90\x00"  # MPEG-1, 128 kbit/s, 44.1 kHz: 417 bytes
PADDED = b"\xff\xfb\x92\x00"  # the same with one byte of padding
LAYER3_LSF = b"\xff\xf3\x40\xc0"  # MPEG-2, 32 kbit/s, 22.05 kHz: 104 bytes
LAYER2 = b"\xff\xfd\x80\x00"  # 128 kbit/s, 44.1 kHz: 417 bytes

OURS = [
    (b"\xff\xd8\xff\xe0\x00\x10JFIF", "image/jpeg"),
    (b"\xff\xd8\xff\xe1Exif", "image/jpeg"),
    (b"GIF87a\x01\x00", "image/gif"),
    (b"GIF89a\x01\x00", "image/gif"),
    (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "image/png"),
    (mpeg(LAYER3, LAYER3, length=417), "audio/mpeg"),
    (PADDED + bytes(414) + LAYER3, "audio/mpeg"),
    (mpeg(LAYER3_LSF, LAYER3_LSF, length=104), "audio/mpeg"),
    (id3(50_000) + mpeg(LAYER3, LAYER3, length=417), "audio/mpeg"),
    (id3(10) + bytes(700) + mpeg(LAYER3, LAYER3, length=417), "audio/mpeg"),
    (b"#!AMR\n\x3c" + bytes(31), "audio/amr"),
    (box(b"M4A ", b"isom"), "audio/mp4"),
    (riff(b"WAVE"), "audio/wav"),
    (riff(b"WEBP"), "image/webp"),
    (box(b"heic", b"mif1"), "image/heic"),
    (box(b"heix"), "image/heic"),
    (box(b"hevc", b"msf1"), "image/heic"),
    (box(b"mif1", b"heic"), "image/heic"),
    (box(b"msf1", b"hevc"), "image/heic"),
    (box(b"avif", b"mif1"), "image/avif"),
    (box(b"avis", b"msf1"), "image/avif"),
    (box(b"mif1", b"avif"), "image/avif"),
    (box(b"qt  "), "video/quicktime"),
    (struct.pack(">I", 8) + b"wide" + struct.pack(">I", 8) + b"mdat", "video/quicktime"),
    (struct.pack(">I", 5000) + b"mdat" + bytes(100), "video/quicktime"),
    (struct.pack(">I", 5000) + b"moov" + bytes(100), "video/quicktime"),
    (struct.pack(">I", 8) + b"free" + struct.pack(">I", 5000) + b"moov", "video/quicktime"),
    (box(b"3gp4", b"isom"), "video/3gpp"),
    (box(b"3gp5"), "video/3gpp"),
    (box(b"3gr6"), "video/3gpp"),
    (box(b"isom", b"iso2", b"avc1"), "video/mp4"),
    (box(b"mp42", b"qt  "), "video/mp4"),
    (box(b"M4V "), "video/mp4"),
    (box(b"xxxx", b"yyyy", b"isom"), "video/mp4"),
    (b"\x00\x00\x01\xba\x44\x00", "video/mpeg"),
    (b"\x00\x00\x01\xb3\x14\x00", "video/mpeg"),
    ((b"\x47" + bytes(187)) * 3, "video/mpeg"),
    (riff(b"AVI "), "video/x-msvideo"),
    (asf(WMA, WMV), "video/x-ms-wmv"),
    (b"BEGIN:VCARD\r\nVERSION:3.0", "text/x-vCard"),
    (b"\xef\xbb\xbf\r\n begin:vcard\n", "text/x-vCard"),
    ("\ufeffBEGIN:VCARD\n".encode("utf-16-le"), "text/x-vCard"),
    (b"BEGIN:VCALENDAR\r\n", "text/calendar"),
    (b"%PDF-1.7\n", "application/pdf"),
    (b"\xef\xbb\xbf%PDF-1.4\n", "application/pdf"),
    (archive("pass.json", "icon.png"), "application/vnd.apple.pkpass"),
    (archive("icon.png", "manifest.json", "pass.json", comment=b"c" * 300), "application/vnd.apple.pkpass"),
]

OTHERS = [
    (box(b"3g2a"), "3GPP2"),
    (box(b"M4P "), "protected M4A"),
    (box(b"zzzz"), "an unknown relative of MP4"),
    (riff(b"RMID"), "an unknown RIFF file"),
    (asf(WMA), "WMA"),
    (asf(), "ASF"),
    (b"#!AMR-WB\n", "AMR wideband"),
    (b"#!AMR_MC1.0\n", "AMR with several channels"),
    (mpeg(LAYER2, LAYER2, length=417), "MP2"),
    (b"\xff\xf1\x50\x80" + bytes(100), "AAC"),
    (id3(20) + bytes(2000), "sound of an unknown kind behind an ID3 tag"),
    (b"BM\x36\x10\x00\x00\x00\x00\x00\x00\x36\x00", "BMP"),
    (b"II*\x00", "TIFF"),
    (b"\x1aE\xdf\xa3", "Matroska or WebM"),
    (b"OggS\x00", "Ogg"),
    (b"fLaC", "FLAC"),
    (b"<!DOCTYPE html><html>", "HTML"),
    (b"\xef\xbb\xbf\n<HTML lang=en>", "HTML"),
    (b"<!-- saved from --><!-- here --> <html>", "HTML"),
    (b"<?xml version='1.0'?><!DOCTYPE html PUBLIC 'x'><html>", "HTML"),
    (b"<h1>404 Not Found</h1>", "HTML"),
    (b"<svg xmlns='http://www.w3.org/2000/svg'>", "SVG"),
    (b"<?xml version='1.0'?>\n<!-- x -->\n<!DOCTYPE svg PUBLIC 'x'><svg>", "SVG"),
    (b"<?xml version='1.0'?><Error><Code>AccessDenied</Code></Error>", "XML"),
    (b"#EXTM3U\n#EXT-X-VERSION:3\n#EXTINF:10,\nfile:///etc/passwd\n", "an HLS playlist"),
    (b"\xef\xbb\xbf#EXTM3U\n", "an HLS playlist"),
    (b"ffconcat version 1.0\nfile '/etc/passwd'\n", "an ffmpeg concat script"),
    (b'{"error": "not found"}', "JSON"),
    (b'[\n  {"id": 1}]', "JSON"),
    (b"hello, world", "plain text"),
    ("Grüße aus der Küche\r\n".encode(), "plain text"),
    (("x" * 4095 + "ü").encode(), "plain text"),
    (b"BMW is a car", "plain text"),
    (b"<3 hearts", "plain text"),
    (b"file 'a.mp4'\nfile 'b.mp4'\n", "plain text"),
    (archive("a.txt"), "ZIP"),
    (archive("sub/pass.json"), "ZIP"),
    (archive("[Content_Types].xml", "word/document.xml"), "an Office document"),
    (b"PK\x03\x04 and nothing of a directory", "ZIP"),
    (b"MZ\x90\x00", "a Windows program"),
    (b"\x7fELF\x02", "a Linux program"),
    (b"\x1f\x8b\x08\x00", "gzip"),
]

UNKNOWN = [
    b"",
    b"\x00",
    b"hello\x00world",
    b"caf\xe9 in an old code page",
    b"  \r\n",
    LAYER3 + bytes(1000),  # one frame alone
    LAYER3 + bytes(413) + LAYER2,  # two frames of different kinds
    b"\xff\xfb\xf0\x00" + bytes(1000),  # a bit rate that does not exist
    b"\x47" + bytes(500),
    b"\x00\x00\x00\x20moo",
]


@pytest.mark.parametrize(("data", "mime"), OURS)
def test_types_that_an_mms_can_carry(data: bytes, mime: str) -> None:
    found = sniff_bytes(data)
    assert found.type is not None
    assert found.type.mime == mime


def test_every_type_of_the_table_is_recognised() -> None:
    files = {entry.mime for entry in TYPES if entry.kind is not MediaKind.TEXT}
    assert {mime for _, mime in OURS} == files


@pytest.mark.parametrize(("data", "name"), OTHERS)
def test_types_that_are_known_but_not_carried(data: bytes, name: str) -> None:
    found = sniff_bytes(data)
    assert (found.type, found.name) == (None, name)


@pytest.mark.parametrize("data", UNKNOWN)
def test_what_nobody_knows(data: bytes) -> None:
    found = sniff_bytes(data)
    assert (found.type, found.name) == (None, "")


def test_an_mp3s_first_frame_is_found_behind_a_large_tag_by_reading_little() -> None:
    data = id3(2_000_000) + mpeg(LAYER3, LAYER3, length=417)
    read = 0

    def peek(offset: int, length: int) -> bytes:
        nonlocal read
        read += length
        return data[offset : offset + length]

    assert sniff(peek, size=len(data)).name == "MP3"
    assert read < 10_000


def test_a_zip_directory_that_lies_about_its_place_and_size() -> None:
    data = bytearray(archive("pass.json"))
    end = data.rfind(b"PK\x05\x06")
    struct.pack_into("<II", data, end + 12, 0xFFFFFFFF, 0xFFFFFFF0)
    assert sniff_bytes(bytes(data)).name == "ZIP"


def a_pass(*unpacked: int, names: tuple[str, ...] = (), more: bytes = b"") -> bytearray:
    """A pass whose files claim to unpack to so many bytes; `more` goes into its first entry's extra field."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it says so if a name stands twice
        for number in range(len(unpacked)):
            info = zipfile.ZipInfo(names[number] if names else "pass.json" if not number else f"{number}.png")
            file.writestr(info, b"")
            info.file_size = unpacked[number]
            info.extra = more if not number else b""
    return bytearray(buffer.getvalue())


PASS = "application/vnd.apple.pkpass"
LARGE = 15 * 1024 * 1024
BROKEN = "a pass whose directory is broken or longer than 65,536 bytes"


def test_a_pass_may_unpack_to_twenty_mebibytes_and_no_more() -> None:
    found = sniff_bytes(bytes(a_pass(10 * 1024 * 1024, 10 * 1024 * 1024)))
    assert found.type is not None
    assert found.type.mime == PASS
    bomb = sniff_bytes(bytes(a_pass(10 * 1024 * 1024, 10 * 1024 * 1024 + 1)))
    assert (bomb.type, bomb.name) == (None, "a pass of 2 files or more that unpack to 20,971,521 bytes or more")


def test_files_of_one_name_count_each() -> None:
    bomb = a_pass(2, LARGE, LARGE, names=("pass.json", "a.png", "a.png"))
    assert sniff_bytes(bytes(bomb)).name == "a pass of 3 files or more that unpack to 31,457,282 bytes or more"


def test_a_pass_in_which_a_name_stands_twice_is_none() -> None:
    for names in (("pass.json", "a.png", "a.png"), ("pass.json", "a.png", "pass.json")):
        found = sniff_bytes(bytes(a_pass(2, 5, 5, names=names)))
        assert (found.type, found.name) == (None, "a pass in which two files have one name")


def extra(length: int) -> bytes:
    """An extra field of that many bytes."""
    return struct.pack("<HH", 0xCAFE, length - 4) + bytes(length - 4)


def test_a_pass_with_more_directory_than_is_read_is_none() -> None:
    most = 64 * 1024 - 2 * 46 - len("pass.json1.png")
    assert sniff_bytes(bytes(a_pass(2, 2, more=extra(most)))).type is not None
    for length, second in ((most + 1, 2), (65_500, LARGE * 2)):
        found = sniff_bytes(bytes(a_pass(2, second, more=extra(length))))
        assert (found.type, found.name) == (None, BROKEN)


@pytest.mark.parametrize(("at", "layout", "change"), [(10, "<H", -1), (10, "<H", 1), (12, "<I", -5), (12, "<I", 5)])
def test_a_pass_whose_end_record_says_otherwise_than_its_directory_is_none(
    at: int, layout: str, change: int
) -> None:
    data = a_pass(2, 5)
    where = data.rfind(b"PK\x05\x06") + at
    (said,) = struct.unpack_from(layout, data, where)
    struct.pack_into(layout, data, where, said + change)
    found = sniff_bytes(bytes(data))
    assert (found.type, found.name) == (None, BROKEN)


def test_a_pass_with_a_second_directory_behind_its_first_is_none() -> None:
    """Some readers go by the directory's offset, others by its end: each would see another pass."""
    good, bomb = a_pass(2), a_pass(2 * LARGE)
    assert len(good) == len(bomb)
    end = good.rfind(b"PK\x05\x06")
    start = good.find(b"PK\x01\x02")
    data = good[:end] + bomb[start:end] + good[end:]
    found = sniff_bytes(bytes(data))
    assert (found.type, found.name) == (None, BROKEN)


@given(st.binary(max_size=600), st.sampled_from([data for data, _ in OURS + OTHERS]), st.integers(0, 64))
def test_no_bytes_raise(noise: bytes, start: bytes, keep: int) -> None:
    for data in (noise, start[:keep] + noise, start + noise):
        found = sniff_bytes(data)
        assert found.type is None or found.name  # what is ours has a name for people
