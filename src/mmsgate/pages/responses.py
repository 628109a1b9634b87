"""Answers of this room: HTML, and files by byte ranges. Every one carries the headers that keep a page private."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import formatdate
from pathlib import Path

from starlette.datastructures import Headers
from starlette.responses import FileResponse, Response
from starlette.types import Receive, Scope, Send

from mmsgate.clock import DAY, Millis
from mmsgate.pages.html import POLICY, Notice, notice_html
from mmsgate.pages.ranges import Span, span

#: Files may be kept by the browser this long at most, and never beyond the page's expiry.
MAX_AGE: Millis = DAY

HEADERS: Mapping[str, str] = {
    "X-Robots-Tag": "noindex, nofollow, noarchive",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


def html(document: bytes, *, status: int = 200) -> Response:
    """A document that nobody stores without asking again: it must be gone when the page has expired."""
    headers = {**HEADERS, "Content-Security-Policy": POLICY, "Cache-Control": "private, no-cache"}
    return Response(document, status_code=status, headers=headers, media_type="text/html")


def notice(what: Notice) -> Response:
    """The page that says why there is nothing to see."""
    return html(notice_html(what), status=what.status)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hosted:
    """What is said of a file: `attach` has the browser save it; `policy` is what it may do where it is shown."""

    name: str
    mime: str
    etag: str
    created_at: Millis
    expires_at: Millis
    attach: bool = False
    policy: str = "frame-ancestors 'none'"  # more would break browsers' viewers of PDF and video


def file_response(
    file: Hosted,
    path: Path,
    *,
    stat: os.stat_result,
    request: Headers,
    method: str,
    now: Millis,
) -> Response:
    """`file`, or the part of it that was asked for: 200, 206, 304 or 416."""
    headers = _file_headers(file, now)
    if _known(request.get("if-none-match"), file.etag):
        return Response(status_code=304, headers=headers)
    wanted = span(_range(request, headers, method), stat.st_size)
    if wanted and wanted.empty:
        return Response(status_code=416, headers={**HEADERS, "Content-Range": f"bytes */{stat.st_size}"})
    disposition = "attachment" if file.attach or file.mime == "application/octet-stream" else "inline"
    return _PartOfFile(
        path, headers=headers, media_type=file.mime, filename=file.name, stat_result=stat,
        content_disposition_type=disposition, wanted=wanted,
    )  # fmt: skip


def _file_headers(file: Hosted, now: Millis) -> dict[str, str]:
    seconds = max(min(MAX_AGE, file.expires_at - now) // 1000, 0)
    return {
        **HEADERS,
        "Content-Security-Policy": file.policy,
        "Cache-Control": f"private, max-age={seconds}, immutable",
        "ETag": file.etag,
        # of its message, not of the file on this host's disk: the same on every host
        "Last-Modified": formatdate(file.created_at // 1000, usegmt=True),
    }


def _known(if_none_match: str | None, etag: str) -> bool:
    """Whether the browser already has this content (RFC 9110 13.1.2, weak comparison)."""
    tags = [tag.strip().removeprefix("W/") for tag in (if_none_match or "").split(",")]
    return etag in tags or tags == ["*"]


def _range(request: Headers, headers: Mapping[str, str], method: str) -> str | None:
    """The Range header if it counts: on GET, and if the browser's part is of this content (RFC 9110 13.1.5)."""
    condition = request.get("if-range")
    if method != "GET" or (condition is not None and condition not in {headers["ETag"], headers["Last-Modified"]}):
        return None
    return request.get("range")


class _PartOfFile(FileResponse):
    """Streams what has been decided above.

    Left to itself, FileResponse would answer 400 to a Range that it can't read, several ranges with a multipart,
    and 416 without our headers.
    """

    def __init__(
        self,
        path: Path,
        *,
        headers: Mapping[str, str],
        media_type: str,
        filename: str,
        stat_result: os.stat_result,
        content_disposition_type: str,
        wanted: Span | None,
    ) -> None:
        super().__init__(
            path, headers=headers, media_type=media_type, filename=filename, stat_result=stat_result,
            content_disposition_type=content_disposition_type,
        )  # fmt: skip
        self._wanted = wanted

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(name, value) for name, value in scope["headers"] if name not in {b"range", b"if-range"}]
        if self._wanted:
            headers.append((b"range", f"bytes={self._wanted.start}-{self._wanted.end - 1}".encode()))
        await super().__call__({**scope, "headers": headers}, receive, send)
