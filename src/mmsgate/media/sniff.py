"""What a file is, told from its bytes (R-05): the bytes decide, headers and file names are hints.

The table knows the types an MMS can carry and those people send by mistake, so that a refusal can say what came.
Nothing is decoded or inflated; at most some hundred kilobytes are looked at. Sources of the signatures: RFC 4867
(AMR), ISO/IEC 14496-12 and the MP4 registration authority (ftyp brands), ISO/IEC 11172-3 (MPEG audio frames), the
ASF specification, PKWARE's APPNOTE (zip), Apple's PassKit package format.
"""

import re
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from mmsgate.domain.media import MediaType, by_mime

#: `length` bytes of the file from `offset`, fewer at its end.
Peek = Callable[[int, int], bytes]

_HEAD = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Sniffed:
    """`type` is one of ours or None; `name` is what it is in words, empty if nobody knows."""

    type: MediaType | None
    name: str


UNKNOWN = Sniffed(type=None, name="")


def sniff_bytes(data: bytes) -> Sniffed:
    """What these bytes are."""
    return sniff(lambda offset, length: data[offset : offset + length], size=len(data))


def sniff(peek: Peek, *, size: int) -> Sniffed:
    """What a file of `size` bytes is; `peek` reads pieces of it."""
    head = peek(0, _HEAD)
    for magic, mime, name in _MAGIC:
        if head.startswith(magic):
            return _sniffed(mime, name)
    for look in (_iso_media, _riff, _bitmap, _asf, _zip, _mpeg_audio, _transport_stream, _text):
        if (found := look(head, peek, size)) is not None:
            return found
    return UNKNOWN


def _sniffed(mime: str, name: str = "") -> Sniffed:
    found = by_mime(mime) if mime else None
    return Sniffed(type=found, name=found.name if found else name)


# fmt: off
#: Signatures at the beginning of a file: bytes, the MIME type if it is one of ours, else a name.
_MAGIC: tuple[tuple[bytes, str, str], ...] = (
    (b"\xff\xd8\xff", "image/jpeg", ""),
    (b"GIF87a", "image/gif", ""),
    (b"GIF89a", "image/gif", ""),
    (b"\x89PNG\r\n\x1a\n", "image/png", ""),
    (b"#!AMR\n", "audio/amr", ""),
    (b"#!AMR-WB\n", "", "AMR wideband"),
    (b"#!AMR", "", "AMR with several channels"),
    (b"\x00\x00\x01\xba", "video/mpeg", ""),
    (b"\x00\x00\x01\xb3", "video/mpeg", ""),
    (b"%PDF-", "application/pdf", ""),
    (b"II*\x00", "", "TIFF"),
    (b"MM\x00*", "", "TIFF"),
    (b"\x00\x00\x01\x00", "", "an icon"),
    (b"8BPS", "", "Photoshop"),
    (b"\xff\x0a", "", "JPEG XL"),
    (b"\x00\x00\x00\x0cJXL ", "", "JPEG XL"),
    (b"\x00\x00\x00\x0cjP  ", "", "JPEG 2000"),
    (b"OggS", "", "Ogg"),
    (b"fLaC", "", "FLAC"),
    (b"MThd", "", "MIDI"),
    (b"FORM", "", "AIFF"),
    (b"\x1aE\xdf\xa3", "", "Matroska or WebM"),
    (b"FLV\x01", "", "Flash video"),
    (b"\x1f\x8b", "", "gzip"),
    (b"BZh", "", "bzip2"),
    (b"\xfd7zXZ\x00", "", "xz"),
    (b"7z\xbc\xaf\x27\x1c", "", "7-Zip"),
    (b"Rar!\x1a\x07", "", "RAR"),
    (b"MZ", "", "a Windows program"),
    (b"\x7fELF", "", "a Linux program"),
    (b"\xca\xfe\xba\xbe", "", "a program"),
    (b"\xcf\xfa\xed\xfe", "", "a macOS program"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "", "an old Office document"),
    (b"{\\rtf", "", "RTF"),
    (b"%!PS", "", "PostScript"),
)

#: The brands of `ftyp` boxes: the MIME type if it is one of ours, else a name.
_BRANDS: tuple[tuple[str, str, str], ...] = (
    (r"3g[pegrsth].", "video/3gpp", ""),
    (r"3g2.", "", "3GPP2"),
    (r"M4[AB] ", "audio/mp4", ""),
    (r"M4P ", "", "protected M4A"),
    (r"qt  ", "video/quicktime", ""),
    (r"avi[fs]", "image/avif", ""),
    (r"he[iv][cxms]|mif1|msf1", "image/heic", ""),
    (r"iso[m2-9a-c]|mp4[12]|avc1|dash|M4V.|MSNV|mmp4|mp71|f4v |NDS.|XAVC", "video/mp4", ""),
    (r"crx ", "", "Canon raw"),
)
# fmt: on


def _iso_media(head: bytes, _peek: Peek, _size: int) -> Sniffed | None:
    """MP4 and its relatives: the major brand decides, then the compatible ones."""
    box = head[4:8]
    if box in (b"moov", b"mdat", b"wide", b"pnot") or (box in (b"free", b"skip") and b"moov" in head):
        return _sniffed("video/quicktime")
    if box != b"ftyp":
        return None
    length = min(struct.unpack(">I", head[:4])[0], len(head))
    brands = [head[8:12]] + [head[at : at + 4] for at in range(16, length - 3, 4)]
    if b"avif" in brands or b"avis" in brands:  # HEIF's own brand may come first
        return _sniffed("image/avif")
    for brand in brands:
        for pattern, mime, name in _BRANDS:
            if re.fullmatch(pattern, brand.decode("latin-1")):
                return _sniffed(mime, name)
    return _sniffed("", "an unknown relative of MP4")


def _riff(head: bytes, _peek: Peek, _size: int) -> Sniffed | None:
    if head[:4] != b"RIFF":
        return None
    mime, name = {
        b"WAVE": ("audio/wav", ""),
        b"AVI ": ("video/x-msvideo", ""),
        b"WEBP": ("image/webp", ""),
    }.get(head[8:12], ("", "an unknown RIFF file"))
    return _sniffed(mime, name)


def _bitmap(head: bytes, _peek: Peek, _size: int) -> Sniffed | None:
    """Two letters alone are too common: the reserved field behind the size must be zero as well."""
    return _sniffed("", "BMP") if head[:2] == b"BM" and head[6:10] == bytes(4) else None


_ASF = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
_ASF_VIDEO = bytes.fromhex("c0ef19bc4d5bcf11a8fd00805f5c442b")
_ASF_AUDIO = bytes.fromhex("409e69f84d5bcf11a8fd00805f5c442b")


def _asf(head: bytes, peek: Peek, _size: int) -> Sniffed | None:
    """Windows Media: the stream types named in the header tell video from sound."""
    if not head.startswith(_ASF):
        return None
    header = peek(0, 64 * 1024)
    if _ASF_VIDEO in header:
        return _sniffed("video/x-ms-wmv")
    return _sniffed("", "WMA" if _ASF_AUDIO in header else "ASF")


_END_OF_DIRECTORY = b"PK\x05\x06"
_DIRECTORY_ENTRY = b"PK\x01\x02"
_MOST_DIRECTORY = 64 * 1024  # bytes of a directory that are read
_MOST_ENTRIES = 1000
#: What a pass may unpack to, in bytes: a phone that opens it is not to be harmed.
MOST_UNPACKED = 20 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class _Directory:
    """A zip's central directory: each file's name and the bytes that it unpacks to.

    `whole` says that all of it was read and that it agrees with its end record.
    """

    names: tuple[bytes, ...] = ()
    unpacked: tuple[int, ...] = ()
    whole: bool = False


def _zip(head: bytes, peek: Peek, size: int) -> Sniffed | None:
    """A pass is a zip with pass.json at its top; its directory is read, nothing is inflated."""
    if not head.startswith((b"PK\x03\x04", _END_OF_DIRECTORY)):
        return None
    found = _directory(peek, size)
    if b"pass.json" in found.names:
        bad = _bad_pass(found)
        return _sniffed("", bad) if bad else _sniffed("application/vnd.apple.pkpass")
    if b"[Content_Types].xml" in found.names:
        return _sniffed("", "an Office document")
    return _sniffed("", "ZIP")


def _bad_pass(found: _Directory) -> str:
    """What a pass is that might harm whoever unpacks it; empty if it is a good one.

    Readers differ in what they believe of a directory that contradicts itself: such a one hides files from us.
    """
    unpacked, number = sum(found.unpacked), len(found.names)
    if unpacked > MOST_UNPACKED or number > _MOST_ENTRIES:
        return f"a pass of {number:,} files or more that unpack to {unpacked:,} bytes or more"
    if len(set(found.names)) < number:
        return "a pass in which two files have one name"
    if not found.whole:
        return f"a pass whose directory is broken or longer than {_MOST_DIRECTORY:,} bytes"
    return ""


def _directory(peek: Peek, size: int) -> _Directory:
    """The central directory, as far as its first 64 KB go."""
    start = max(size - 66_000, 0)
    tail = peek(start, 66_000)  # the end record and the longest comment
    at = tail.rfind(_END_OF_DIRECTORY)
    if at < 0 or len(tail) - at < 22:
        return _Directory()
    number, length, offset = struct.unpack_from("<HII", tail, at + 10)
    entries = list(_entries(peek(offset, min(length, _MOST_DIRECTORY))))
    names, unpacked, ends = zip(*entries, strict=True) if entries else ((), (), (0,))
    fits = ends[-1] == length <= _MOST_DIRECTORY and offset + length == start + at
    return _Directory(names=names, unpacked=unpacked, whole=fits and len(entries) == number)


def _entries(directory: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Each entry's name, what it unpacks to, and where the entry ends."""
    at = 0
    while directory[at : at + 4] == _DIRECTORY_ENTRY and len(directory) - at >= 46:
        unpacked, name, extra, comment = struct.unpack_from("<IHHH", directory, at + 24)
        end = at + 46 + name + extra + comment
        yield directory[at + 46 : at + 46 + name], unpacked, end
        at = end


def _mpeg_audio(head: bytes, peek: Peek, _size: int) -> Sniffed | None:
    """MPEG audio: two frames that follow one another, as a lone sync word is found in anything."""
    start = 0
    if tagged := head.startswith(b"ID3") and len(head) > 10:
        start = 10 + sum((byte & 0x7F) << shift for byte, shift in zip(head[6:10], (21, 14, 7, 0), strict=True))
    window = peek(start, _HEAD)
    for at in range(len(window) - 3 if tagged else 1):
        frame = _frame(window[at : at + 4])
        if frame is None:
            continue
        second = _frame(peek(start + at + frame.length, 4))
        if second is not None and second.kind == frame.kind:
            return _sniffed("audio/mpeg") if frame.layer == 3 else _sniffed("", f"MP{frame.layer}")
    if window[:1] == b"\xff" and window[1:2] in (b"\xf0", b"\xf1", b"\xf8", b"\xf9"):
        return _sniffed("", "AAC")
    return _sniffed("", "sound of an unknown kind behind an ID3 tag") if tagged else None


# kbit/s by (MPEG-1?, layer), ISO/IEC 11172-3 2.4.2.3 and 13818-3
_BITRATES = {
    (True, 1): (0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (True, 2): (0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (True, 3): (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (False, 1): (0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (False, 2): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (False, 3): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_SAMPLE_RATES = (44100, 48000, 32000)  # halved for MPEG-2, quartered for 2.5


@dataclass(frozen=True, slots=True, kw_only=True)
class _Frame:
    layer: int
    kind: tuple[int, int, int]  # version, layer, sample rate: the same in every frame of a file
    length: int


def _frame(header: bytes) -> _Frame | None:
    """The frame that a four-byte header announces; None if it is no header of a frame with a fixed bit rate."""
    if len(header) < 4 or header[0] != 0xFF or header[1] & 0xE0 != 0xE0:
        return None
    version, layer = header[1] >> 3 & 3, 4 - (header[1] >> 1 & 3)
    rate, frequency, padding = header[2] >> 4, header[2] >> 2 & 3, header[2] >> 1 & 1
    if version == 1 or layer == 4 or rate in (0, 15) or frequency == 3:
        return None
    bits = _BITRATES[version == 3, layer][rate] * 1000
    hertz = _SAMPLE_RATES[frequency] >> {3: 0, 2: 1, 0: 2}[version]
    if layer == 1:
        length = (12 * bits // hertz + padding) * 4
    else:
        length = (72 if layer == 3 and version != 3 else 144) * bits // hertz + padding
    return _Frame(layer=layer, kind=(version, layer, frequency), length=length)


def _transport_stream(head: bytes, _peek: Peek, _size: int) -> Sniffed | None:
    """MPEG-TS: a sync byte every 188 bytes."""
    synced = len(head) > 376 and all(head[at] == 0x47 for at in (0, 188, 376))
    return _sniffed("video/mpeg") if synced else None


_MARKUP = re.compile(r"(?:<\?xml.*?\?>|<!--.*?-->|\s)*(<.*)", re.DOTALL)
_HTML = re.compile(
    r"<(?:!doctype\s+html|html|head|body|title|meta|link|script|style|div|span|p|h[1-6]|a|br|table|img|iframe|center)"
    r"[\s>/]",
    re.IGNORECASE,
)


def _text(head: bytes, _peek: Peek, _size: int) -> Sniffed | None:
    """What a text begins with, byte order mark and white space aside."""
    text = _decoded(head).lstrip("\ufeff \t\r\n")
    start = text[:32].upper()
    if start.startswith("BEGIN:VCARD"):
        return _sniffed("text/vcard")
    if start.startswith("BEGIN:VCALENDAR"):
        return _sniffed("text/calendar")
    if text.startswith("%PDF-"):
        return _sniffed("application/pdf")
    return _markup(text) or _script(text)


def _markup(text: str) -> Sniffed | None:
    if not text.startswith("<"):
        return None
    markup = found.group(1) if (found := _MARKUP.match(text)) else text
    if _HTML.match(markup):
        return _sniffed("", "HTML")
    if re.match(r"<(?:!doctype\s+)?svg\b", markup, re.IGNORECASE):
        return _sniffed("", "SVG")
    return _sniffed("", "XML") if text.startswith("<?xml") else None


#: What ffmpeg would follow to other files, and the answers of a server that has no file to give.
_SCRIPTS = (
    (re.compile(r"#EXTM3U\b"), "an HLS playlist"),
    (re.compile(r"ffconcat version\b"), "an ffmpeg concat script"),
    (re.compile(r"\{\s*[\"}]|\[\s*[\"\[{\d\]-]"), "JSON"),
)
_NOT_IN_TEXT = re.compile(r"[\x00-\x08\x0e-\x1f\x7f\ufffd]")


def _script(text: str) -> Sniffed | None:
    """Text for programs and for people; None for what has bytes that no text has."""
    for start, name in _SCRIPTS:
        if start.match(text):
            return _sniffed("", name)
    readable = text[:-1]  # the last character may be cut in two
    return _sniffed("", "plain text") if readable.strip() and not _NOT_IN_TEXT.search(readable) else None


def _decoded(head: bytes) -> str:
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return head.decode("utf-16", "replace")
    return head.decode("utf-8", "replace")
