"""Parts of messages as HTTP responses: a safe type, ranges for players, a tag for caches (RFC 9110: 14, 8.8.3)."""

import codecs
import re
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response

from mmsgate.domain.media import MediaKind
from mmsgate.simulator.message import Part

_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})", re.ASCII)
_PICTURES = frozenset({"image/jpeg", "image/gif", "image/png", "image/webp", "image/bmp"})
_OBJECTS = frozenset({MediaKind.VCARD, MediaKind.ICAL, MediaKind.PDF, MediaKind.PASSBOOK})
_SCRIPTABLE = re.compile(r"html|svg|xml|script|smil")
_UNSAFE_NAME = re.compile(r"[^A-Za-z0-9._-]+")

#: Nothing that a part holds may run or load anything, whoever opens it.
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "private, no-cache",  # ids begin anew with the process: always ask, the tag answers
    "Accept-Ranges": "bytes",
}


def part_response(request: Request, part: Part) -> Response:
    """The part, the range of it that was asked for, or the news that it has not changed."""
    tag = f'"{part.sha256}"'
    headers = _HEADERS | {"ETag": tag, "Content-Disposition": _disposition(part)}
    if request.headers.get("if-none-match") in (tag, "*"):
        return Response(status_code=304, headers=headers)
    media_type = served_type(part)
    asked = request.headers.get("range", "")
    if asked and request.headers.get("if-range", tag) == tag and (found := _RANGE.fullmatch(asked)):
        return _range_response(part.body, found.group(1), found.group(2), headers, media_type)
    return Response(part.body, headers=headers | {"Content-Type": media_type})


def served_type(part: Part) -> str:
    """The type under which a browser gets it; what could run script is plain text."""
    if part.type in _PICTURES or (part.type.startswith(("audio/", "video/")) and not _SCRIPTABLE.search(part.type)):
        return part.type
    if part.type == "text/plain":
        return f"text/plain; charset={_charset(part.content_type)}"
    if part.kind in _OBJECTS:
        return part.type
    return "text/plain; charset=utf-8" if _SCRIPTABLE.search(part.type) else "application/octet-stream"


def _charset(content_type: str) -> str:
    found = re.search(r"charset=([A-Za-z0-9._-]{1,40})", content_type.replace('"', ""), re.IGNORECASE)
    try:
        return codecs.lookup(found.group(1)).name if found else "utf-8"
    except LookupError:
        return "utf-8"


def _disposition(part: Part) -> str:
    """Shown in place if a slide can show it, else a download; the name is a suggestion without a path."""
    shown = part.playable and (part.type in _PICTURES or part.type.startswith(("audio/", "video/", "text/plain")))
    name = part.name.replace("\\", "/").rpartition("/")[2] or "part"
    plain = _UNSAFE_NAME.sub("_", name)
    kind = "inline" if shown else "attachment"
    return f"{kind}; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def _range_response(body: bytes, first: str, last: str, headers: dict[str, str], media_type: str) -> Response:
    size = len(body)
    start, end = _bounds(first, last, size)
    if start >= end:
        return Response(status_code=416, headers=headers | {"Content-Range": f"bytes */{size}"})
    return Response(
        body[start:end],
        status_code=206,
        headers=headers | {"Content-Type": media_type, "Content-Range": f"bytes {start}-{end - 1}/{size}"},
    )


def _bounds(first: str, last: str, size: int) -> tuple[int, int]:
    """The half-open range; an empty one cannot be satisfied."""
    if not first:
        return (max(0, size - int(last)), size) if last else (0, 0)
    return int(first), min(size, int(last) + 1 if last else size)
