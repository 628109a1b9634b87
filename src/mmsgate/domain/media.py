"""The media an MMS can carry: one table of types, from which every room reads.

Sources: API contract 5.3 (what is accepted), the MM7 wire page (what is sent).
"""

from dataclasses import dataclass
from enum import StrEnum


class MediaKind(StrEnum):
    """The elements a slide can hold."""

    TEXT = "text"
    IMAGE = "image"
    AUDIO = "audio"
    VIDEO = "video"
    VCARD = "vcard"
    ICAL = "ical"
    PDF = "pdf"
    PASSBOOK = "passbook"

    @property
    def is_object(self) -> bool:
        """Objects travel beside the slides; a slide holds at most one (contract 5.1)."""
        return self in _OBJECTS

    @property
    def label(self) -> str:
        """The kind as error texts and people write it."""
        return _LABELS[self]


_OBJECTS = frozenset({MediaKind.VCARD, MediaKind.ICAL, MediaKind.PDF, MediaKind.PASSBOOK})
_LABELS = {
    MediaKind.TEXT: "Text",
    MediaKind.IMAGE: "Image",
    MediaKind.AUDIO: "Audio",
    MediaKind.VIDEO: "Video",
    MediaKind.VCARD: "vCard",
    MediaKind.ICAL: "iCal",
    MediaKind.PDF: "PDF",
    MediaKind.PASSBOOK: "Passbook file",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaType:
    """One type of content.

    `mime` is the one name under which it is sent; `aliases` are other names origins give it;
    `extension` has no dot; `handset` says that phones take it as it is, without adaptation.
    """

    mime: str
    kind: MediaKind
    extension: str
    name: str
    handset: bool
    aliases: tuple[str, ...] = ()


def _type(  # the table below reads as a table
    mime: str, kind: MediaKind, extension: str, name: str, handset: bool, *aliases: str
) -> MediaType:
    return MediaType(mime=mime, kind=kind, extension=extension, name=name, handset=handset, aliases=aliases)


# fmt: off
TYPES: tuple[MediaType, ...] = (
    _type("text/plain", MediaKind.TEXT, "txt", "text", True),
    _type("image/jpeg", MediaKind.IMAGE, "jpg", "JPEG", True, "image/jpg", "image/pjpeg"),
    _type("image/gif", MediaKind.IMAGE, "gif", "GIF", True),
    _type("image/png", MediaKind.IMAGE, "png", "PNG", True, "image/x-png"),
    _type("image/webp", MediaKind.IMAGE, "webp", "WebP", False),
    _type("image/heic", MediaKind.IMAGE, "heic", "HEIC", False, "image/heif", "image/heic-sequence"),
    _type("image/avif", MediaKind.IMAGE, "avif", "AVIF", False),
    _type("audio/mpeg", MediaKind.AUDIO, "mp3", "MP3", True, "audio/mp3"),
    _type("audio/amr", MediaKind.AUDIO, "amr", "AMR", True),
    _type("audio/mp4", MediaKind.AUDIO, "m4a", "M4A", True, "audio/x-m4a", "audio/aac"),
    _type("audio/wav", MediaKind.AUDIO, "wav", "WAV", False, "audio/x-wav", "audio/x-wave", "audio/vnd.wave"),
    _type("video/3gpp", MediaKind.VIDEO, "3gp", "3GP", True, "video/3gp"),
    _type("video/mp4", MediaKind.VIDEO, "mp4", "MP4", True),
    _type("video/quicktime", MediaKind.VIDEO, "mov", "QuickTime", False),
    _type("video/mpeg", MediaKind.VIDEO, "mpg", "MPEG", False),
    _type("video/x-msvideo", MediaKind.VIDEO, "avi", "AVI", False, "video/avi"),
    _type("video/x-ms-wmv", MediaKind.VIDEO, "wmv", "WMV", False, "video/x-ms-asf"),
    _type("text/x-vCard", MediaKind.VCARD, "vcf", "vCard", True, "text/vcard", "text/v-card"),
    _type("text/calendar", MediaKind.ICAL, "ics", "iCalendar", True),
    _type("application/pdf", MediaKind.PDF, "pdf", "PDF", True, "application/x-pdf"),
    _type("application/vnd.apple.pkpass", MediaKind.PASSBOOK, "pkpass", "Apple pass", True),
)
# fmt: on

#: Types that the original service does not know: a strict account is refused them (R-31).
MODERN = frozenset({"image/webp", "image/heic", "image/avif", "video/quicktime"})

SMIL_MIME = "application/smil"

_BY_MIME = {name.lower(): entry for entry in TYPES for name in (entry.mime, *entry.aliases)}
_BY_EXTENSION = {entry.extension: entry for entry in TYPES} | {
    "jpeg": _BY_MIME["image/jpeg"],
    "heif": _BY_MIME["image/heic"],
    "qt": _BY_MIME["video/quicktime"],
    "mpeg": _BY_MIME["video/mpeg"],
    "vcard": _BY_MIME["text/vcard"],
    "ical": _BY_MIME["text/calendar"],
    "ifb": _BY_MIME["text/calendar"],
    "icalendar": _BY_MIME["text/calendar"],
    "wave": _BY_MIME["audio/wav"],
}


def by_mime(content_type: str) -> MediaType | None:
    """The type a Content-Type names, parameters and letter case aside; None if it is none of ours."""
    return _BY_MIME.get(content_type.partition(";")[0].strip().lower())


def by_extension(name: str) -> MediaType | None:
    """The type a file name's or URL path's extension names; None if it is none of ours."""
    _, dot, extension = name.rpartition(".")
    return _BY_EXTENSION.get(extension.lower()) if dot else None


#: What an image may unpack to unless the account says otherwise (R-30).
JPEG_PIXELS = 50_000_000
PIXELS = 20_000_000
FRAMES = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageLimits:
    """What an image may unpack to, in pixels and frames (R-30)."""

    jpeg_pixels: int = JPEG_PIXELS
    pixels: int = PIXELS
    frames: int = FRAMES

    def pixels_of(self, mime: str) -> int:
        """The most pixels an image of that type may have."""
        return self.jpeg_pixels if mime == "image/jpeg" else self.pixels
