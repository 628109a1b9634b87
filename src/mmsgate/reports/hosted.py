"""The parts of an inbound MMS as files that are offered: what each is by its bytes, and what browsers may do.

Nothing is refused here, nothing decoded or inflated: what a phone sent is kept as it is, and what could run in a
browser is only given to be saved. Names and types that the sender wrote are noted, never used.
"""

import codecs
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from mmsgate.domain.media import MediaKind, by_mime
from mmsgate.media.sniff import Sniffed, sniff_bytes
from mmsgate.mm7.parts import ContentPart

TEXT_TYPE = "text/plain; charset=utf-8"
UNKNOWN_TYPE = "application/octet-stream"

#: Kinds that browsers show without running anything.
_SHOWN = frozenset({MediaKind.IMAGE, MediaKind.AUDIO, MediaKind.VIDEO})
#: What we don't take from customers, but know by name: type and extension. All else is bytes.
_FOREIGN = {
    "HTML": ("text/html", "html"),
    "SVG": ("image/svg+xml", "svg"),
    "XML": ("application/xml", "xml"),
}
#: Where the web's name of a type is another than MM7's (RFC 6350).
_WEB_MIME = {"text/x-vCard": "text/vcard"}
_PLAIN = "plain text"
#: Encodings in which phones write. Others that Python knows are no encodings of texts, or slow to read.
_CHARSETS = re.compile(
    r"utf-?(?:8|16(?:-?[lb]e)?)|us-ascii|ascii|iso-?8859-\d{1,2}|latin-?1|windows-125\d|cp125\d|koi8-[ru]|shift_jis|"
    r"euc-(?:jp|kr)|iso-2022-jp|gb2312|gbk|gb18030|big5",
    re.IGNORECASE,
)
_NOT_IN_TEXT = re.compile("[\x00-\x08\x0e-\x1f\x7f]")
_LONGEST_NOTE = 100  # characters of what a carrier wrote


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A file before it is stored. `text` is what a text part says."""

    number: int
    extension: str
    mime: str
    attach: bool
    declared: str
    note: str = ""
    data: bytes = field(repr=False)
    text: str = field(default="", repr=False)


def drafts(parts: Iterable[ContentPart]) -> list[Draft]:
    """The files of a message in the order of its parts. The SMIL is none (postback contract 6)."""
    shown = (part for part in parts if not _is_smil(part))
    return [draft(part, number) for number, part in enumerate(shown, 1)]


def draft(part: ContentPart, number: int) -> Draft:
    """One part as a file."""
    sniffed = sniff_bytes(part.body)
    text = _text(part, sniffed)
    if text is not None:
        attach = sniffed.name not in {"", _PLAIN}  # a page in disguise, or a script: nobody has to see it run
        return Draft(
            number=number, extension="txt", mime=TEXT_TYPE, attach=attach, declared=_declared(part),
            note=f"it reads like {sniffed.name}" if attach else "", data=text.encode(), text=text,
        )  # fmt: skip
    mime, extension, attach = _form(sniffed)
    return Draft(
        number=number, extension=extension, mime=mime, attach=attach, declared=_declared(part),
        note="; ".join(_complaints(part, sniffed, mime)), data=part.body,
    )  # fmt: skip


def _is_smil(part: ContentPart) -> bool:
    return part.is_smil or part.body[:64].lstrip(b"\xef\xbb\xbf \t\r\n")[:5].lower() == b"<smil"


def _form(sniffed: Sniffed) -> tuple[str, str, bool]:
    """Type, extension, and whether it has to be saved."""
    if sniffed.type is not None:
        mime = _WEB_MIME.get(sniffed.type.mime, sniffed.type.mime)
        return mime, sniffed.type.extension, sniffed.type.kind not in _SHOWN
    mime, extension = _FOREIGN.get(sniffed.name, (UNKNOWN_TYPE, "bin"))
    return mime, extension, True


def _complaints(part: ContentPart, sniffed: Sniffed, mime: str) -> Iterator[str]:
    """What a person should know of a file that is served as `mime`."""
    if sniffed.type is None:
        yield f"it is {sniffed.name}, only to be saved" if sniffed.name else "its bytes are of no known type"
    declared = by_mime(part.content_type)
    right = declared == sniffed.type if declared else part.content_type in {"", UNKNOWN_TYPE, mime}
    if not right:
        yield f"it was declared as {part.content_type[:_LONGEST_NOTE]}"


def _declared(part: ContentPart) -> str:
    """What the sender called it, for people."""
    return f"{part.content_type} {part.name or part.location}".strip()[: 2 * _LONGEST_NOTE]


# -- texts


def _text(part: ContentPart, sniffed: Sniffed) -> str | None:
    """What the part says if it is a text; None if it is none, whatever it is called."""
    called_text = part.content_type == "text/plain"
    if sniffed.type is not None or not (called_text or (sniffed.name == _PLAIN and _is_generic(part))):
        return None
    text = _decoded(part.body, part.charset)
    return None if _NOT_IN_TEXT.search(text) else text


def _is_generic(part: ContentPart) -> bool:
    return part.content_type in {"", UNKNOWN_TYPE} or part.content_type.startswith("text/")


def _decoded(data: bytes, charset: str) -> str:
    """The characters: as declared if that is an encoding of texts and fits, else UTF-8, else Windows-1252."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16", "replace")
    tries = [charset] if _CHARSETS.fullmatch(charset) else []
    for encoding in (*tries, "utf-8-sig"):
        try:
            return data.decode(encoding).removeprefix("\ufeff")
        except (UnicodeDecodeError, LookupError):
            continue
    return data.decode("cp1252", "replace")
