"""MIME multiparts, read and written byte for byte (RFC 2046 5.1, RFC 2387).

Our own, because the `email` package changes line ends inside binary parts. The writer gives a tuple of buffers
and never joins or copies a body; the reader takes what peers send (LF line ends, blanks after a boundary, a
preamble) but refuses a multipart without its end.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from types import MappingProxyType

from mmsgate.mm7.unreadable import CannotRead

MAX_PARTS = 100
MAX_HEADER_BLOCK = 16 * 1024  # bytes, of one part
MAX_DEPTH = 3
MAX_LOOK_ALIKES = 1000
MAX_BOUNDARY = 200  # RFC 2046 allows 70; some peers exceed it

Headers = tuple[tuple[str, str], ...]

_BLANK_LINE = re.compile(rb"\r?\n\r?\n")
_LINE_END = re.compile(rb"\r?\n")
_FOLD = re.compile(r"\r?\n[ \t]+")
_AFTER_BOUNDARY = re.compile(rb"(--)?[ \t]{0,200}+(?:\r?\n|\Z)")
_PARAMETER = re.compile(r';\s*([^\s=;"]+)\s*=\s*("(?:[^"\\]|\\.)*"|[^;]*)')
_ESCAPED = re.compile(r"\\(.)")
_TOKEN = re.compile(r"[A-Za-z0-9]{1,35}")
_TRIES = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class ContentType:
    """A Content-Type: `mime` in lower case, parameter names in lower case, values without their quotes."""

    mime: str = ""
    parameters: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def is_multipart(self) -> bool:
        return self.mime.startswith("multipart/")


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One body part: its headers in order and its bytes as they travel (still transfer-encoded)."""

    headers: Headers = ()
    body: bytes = b""

    def header(self, name: str) -> str:
        """The first header of that name in any case, empty if there is none."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), "")

    @property
    def content_type(self) -> ContentType:
        return parse_content_type(self.header("Content-Type"))


@lru_cache(maxsize=64)
def parse_content_type(value: str) -> ContentType:
    """A Content-Type header's value; what can't be read of it is left out. Remembered: a peer repeats its own."""
    value = value[:MAX_HEADER_BLOCK]
    parameters: dict[str, str] = {}
    for name, text in _PARAMETER.findall(value):
        quoted = len(text) > 1 and text[0] == text[-1] == '"'
        parameters.setdefault(name.lower(), _ESCAPED.sub(r"\1", text[1:-1]) if quoted else text.strip())
    return ContentType(mime=value.partition(";")[0].strip().lower(), parameters=parameters)


# -- writing


@dataclass(frozen=True, slots=True, kw_only=True)
class Boundaries:
    """The boundaries of a multipart in a multipart: a mark, and at most 40 letters and digits."""

    outer: str
    inner: str


def draw_boundaries(
    bodies: Callable[[str], Iterable[bytes]], token: Callable[[], str], *, mark: str = ""
) -> Boundaries:
    """Two boundaries that occur in no body: `mark`, and `token()` (1-35 random letters and digits) behind a name.

    `bodies(drawn)` gives those that may hold boundaries of that token: what was looked through before (`holds`)
    may be left out. Raises ValueError if `token` gives anything else or keeps hitting the bodies: then it is not
    random.
    """
    for _ in range(_TRIES):
        drawn = token()
        if not _TOKEN.fullmatch(drawn):
            raise ValueError(f"a boundary can't be made of {drawn!r}")
        if not any(holds(body, drawn) for body in bodies(drawn)):
            return Boundaries(outer=f"{mark}outer{drawn}", inner=f"{mark}inner{drawn}")
    raise ValueError("every boundary drawn occurs in the parts")


def holds(body: bytes, token: str) -> bool:
    """Whether a boundary of that token may occur in a body. Both end alike: one look rules out both."""
    return f"er{token}".encode() in body


def boundary_parameter(boundary: str) -> str:
    """The parameter of a Content-Type; in quotes where the boundary is no token (RFC 2045 5.1)."""
    return f"boundary={boundary}" if boundary.isalnum() else f'boundary="{boundary}"'


def write_headers(headers: Headers) -> bytes:
    """A header block with its closing blank line. Raises ValueError for a line end inside a header."""
    lines = [f"{name}: {value}" for name, value in headers]
    if any("\r" in line or "\n" in line for line in lines):
        raise ValueError("a header with a line end")
    return "".join(f"{line}\r\n" for line in (*lines, "")).encode()


def build(parts: Iterable[Part], boundary: str) -> tuple[bytes, ...]:
    """The multipart as buffers, from its first delimiter to its closing one (no line end after it).

    Bodies are passed on as the same objects. `boundary` must not occur in them (`draw_boundaries`).
    """
    buffers: list[bytes] = []
    line_end = ""
    for part in parts:
        buffers += [f"{line_end}--{boundary}\r\n".encode() + write_headers(part.headers), part.body]
        line_end = "\r\n"
    return (*buffers, f"{line_end}--{boundary}--".encode())


# -- reading


def parse(content_type: ContentType, body: bytes) -> tuple[Part, ...]:
    """The parts of one level. Raises `CannotRead` for a broken or oversized multipart."""
    boundary = content_type.parameters.get("boundary", "").rstrip()
    if not boundary or len(boundary) > MAX_BOUNDARY:
        raise CannotRead("the multipart names no usable boundary")
    parts: list[Part] = []
    for start, end in _spans(body, b"--" + boundary.encode(errors="replace")):
        if len(parts) == MAX_PARTS:
            raise CannotRead(f"the multipart has more than {MAX_PARTS} parts")
        parts.append(_part(body, start, end))
    return tuple(parts)


def leaves(part: Part, *, depth: int = 2) -> tuple[Part, ...]:
    """The part itself, or if it is a multipart, the parts at the ends of its branches, in order.

    `depth` is the level a multipart in `part` would have (the message itself is level 1). Raises `CannotRead` below
    level `MAX_DEPTH` and above `MAX_PARTS` leaves.
    """
    if not part.content_type.is_multipart:
        return (part,)
    if depth > MAX_DEPTH:
        raise CannotRead(f"multiparts nested deeper than {MAX_DEPTH}")
    found: list[Part] = []
    for inner in parse(part.content_type, part.body):
        found += leaves(inner, depth=depth + 1)
        if len(found) > MAX_PARTS:
            raise CannotRead(f"the multipart has more than {MAX_PARTS} parts")
    return tuple(found)


def _spans(body: bytes, dashed: bytes) -> Iterator[tuple[int, int]]:
    """Where each part lies, between its delimiters; the line end before a delimiter belongs to the delimiter."""
    start, misses = -1, 0
    for at in _line_starts(body, dashed):
        after = _AFTER_BOUNDARY.match(body, at + len(dashed))
        if after is None:  # a longer boundary that starts like ours
            misses += 1
            if misses > MAX_LOOK_ALIKES:
                raise CannotRead("too many lines that only look like the boundary")
            continue
        if start >= 0:
            end = at - (2 if body[at - 2 : at] == b"\r\n" else 1)
            yield start, max(start, end)
        if after[1]:
            return
        start = after.end()
    raise CannotRead("the multipart has no end" if start >= 0 else "the boundary does not occur in the body")


def _line_starts(body: bytes, prefix: bytes) -> Iterator[int]:
    """Where a line starts with `prefix`."""
    if body.startswith(prefix):
        yield 0
    at = body.find(b"\n" + prefix)
    while at >= 0:
        yield at + 1
        at = body.find(b"\n" + prefix, at + 1)


def _part(body: bytes, start: int, end: int) -> Part:
    no_headers = _LINE_END.match(body, start, end)
    if no_headers:
        return Part(body=body[no_headers.end() : end])
    blank = _BLANK_LINE.search(body, start, min(end, start + MAX_HEADER_BLOCK))
    if not blank:
        raise CannotRead(f"a part without an end of its headers within {MAX_HEADER_BLOCK:,} bytes")
    return Part(headers=_headers(body[start : blank.start()]), body=body[blank.end() : end])


def _headers(block: bytes) -> Headers:
    try:
        text = block.decode()
    except UnicodeDecodeError:
        text = block.decode("latin-1")
    lines = _FOLD.sub(" ", text).split("\n")
    pairs = (line.partition(":") for line in lines)
    return tuple((name.strip(), value.strip()) for name, colon, value in pairs if colon)
