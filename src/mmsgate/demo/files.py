"""The demo's media: a table of files beside this module, and how each is served."""

from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, Response

#: Seconds that a fetcher may keep a file without asking again.
MAX_AGE = 3600

_FOLDER = Path(__file__).parent / "media"


@dataclass(frozen=True, kw_only=True)  # no slots: the tag is made once and kept
class DemoFile:
    """One file: `kind` is the sendMMS element that takes it, `title` what it shows."""

    name: str
    mime: str
    kind: str
    title: str

    @property
    def path(self) -> Path:
        return _FOLDER / self.name

    @cached_property
    def size(self) -> int:
        """Bytes."""
        return self.path.stat().st_size

    @cached_property
    def etag(self) -> str:
        """Made from the content, so that it outlives a new installation."""
        return f'"{sha256(self.path.read_bytes()).hexdigest()[:32]}"'


def _file(name: str, mime: str, kind: str, title: str) -> DemoFile:
    return DemoFile(name=name, mime=mime, kind=kind, title=title)


# fmt: off
FILES = (
    _file("photo.jpg", "image/jpeg", "image", "A lake at sunset, larger than some carriers take"),
    _file("small.jpg", "image/jpeg", "image", "The lake in the morning"),
    _file("waves.gif", "image/gif", "image", "A boat on moving waves"),
    _file("chime.mp3", "audio/mpeg", "audio", "Three seconds of bells"),
    _file("lake.mp4", "video/mp4", "video", "Four seconds at the lake, with sound"),
    _file("card.vcf", "text/vcard", "vcard", "A visiting card"),
    _file("party.ics", "text/calendar", "ical", "A Saturday in June"),
    _file("flyer.pdf", "application/pdf", "pdf", "A flyer of one page"),
    _file("ticket.pkpass", "application/vnd.apple.pkpass", "passbook", "A ticket (not signed)"),
)
# fmt: on
BY_NAME = {file.name: file for file in FILES}


def file_response(file: DemoFile, request: Request) -> Response:
    """`file` or the range of it that was asked for; 304 to who has it already."""
    headers = {
        "ETag": file.etag,
        "Cache-Control": f"public, max-age={MAX_AGE}",
        "X-Content-Type-Options": "nosniff",
    }
    if _has(request.headers.get("if-none-match", ""), file.etag):
        return Response(status_code=304, headers=headers)
    return FileResponse(file.path, media_type=file.mime, headers=headers)


def _has(known: str, etag: str) -> bool:
    return any(one.strip().removeprefix("W/") in {etag, "*"} for one in known.split(","))
