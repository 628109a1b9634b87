"""Slides, dialects and foreign messages for the MM7 tests."""

from pathlib import Path

from mmsgate.domain.media import MediaKind
from mmsgate.domain.slide import Medium, Slide
from mmsgate.mm7.content import Body, EncodedContent, encode_content
from mmsgate.mm7.dialect import Dialect
from mmsgate.mm7.submit import HttpMessage, SubmitReq

PEERS = Path(__file__).parents[2] / "golden" / "mm7" / "peers"

JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\r\n--inner\r\n\x00\n\r\xff\xd9"
GIF = b"GIF89a\x01\x00\x01\x00\x00\x00\x00;"
BLOBS = {
    "jpeg": JPEG,
    "gif": GIF,
    "mp3": b"ID3\x04\r\n",
    "mp4": b"\x00\x00\x00\x18ftypmp42",
    "vcf": b"BEGIN:VCARD\r\n",
}

IMAGE = Medium(kind=MediaKind.IMAGE, blob="jpeg", mime="image/jpeg", size=len(JPEG))
ANIMATION = Medium(kind=MediaKind.IMAGE, blob="gif", mime="image/gif", size=len(GIF))
SOUND = Medium(kind=MediaKind.AUDIO, blob="mp3", mime="audio/mpeg", size=6)
FILM = Medium(kind=MediaKind.VIDEO, blob="mp4", mime="video/mp4", size=12)
CARD = Medium(kind=MediaKind.VCARD, blob="vcf", mime="text/x-vCard", size=13)

HELLO = (Slide(text="Hi", media=(IMAGE,)),)
DIALECT = Dialect(vaspid="v", vasid="28444mms", id_domain="gw.example")
REQUEST = SubmitReq(
    transaction_id="42",
    sender="28444",
    recipient="12399471613",
    timestamp=1_767_346_247_000,
    expiry=1_767_605_447_000,
    subject="Hello",
)


def encoded(
    slides: tuple[Slide, ...] = HELLO, dialect: Dialect = DIALECT, token: str = "1", *, fitted: bool = False
) -> EncodedContent:
    """The content with predictable names and boundaries."""
    bodies = {name: Body.of(data, dialect.encoding) for name, data in BLOBS.items()}
    return encode_content(slides, bodies, dialect=dialect, content_id="7", token=lambda: token, fitted=fitted)


def as_http(message: HttpMessage) -> bytes:
    """The message as a golden file shows it: headers, a blank line, the body."""
    head = "".join(f"{name}: {value}\r\n" for name, value in message.headers.items())
    return f"{head}\r\n".encode() + b"".join(message.buffers)


def peer(name: str) -> tuple[int, dict[str, str], bytes]:
    """A captured message of a real peer: HTTP status (0 for a request), headers, body."""
    head, _, body = (PEERS / f"{name}.http").read_bytes().partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines)
    assert int(headers["Content-Length"]) == len(body)
    return int(first.split()[1]) if first.startswith("HTTP/") else 0, headers, body
