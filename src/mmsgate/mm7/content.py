"""Slides as the content of a SubmitReq: encoded once per rendition and dialect, the same for every recipient.

The SMIL comes first, then the media in slide order (some clients ignore SMIL). Every part has one name, which
is its Content-Location too and, with a domain where the carrier wants one, its Content-ID; objects (vCard,
iCalendar, PDF, pass) travel unreferenced (MM7 wire page).
"""

import base64
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from mmsgate.domain.media import SMIL_MIME, MediaKind, by_mime
from mmsgate.domain.slide import Medium, Slide
from mmsgate.mm7.dialect import ContentStyle, Encoding, InnerType, Layout, PartIds, SmilRefs
from mmsgate.mm7.multipart import Boundaries, Headers, Part, boundary_parameter, build, draw_boundaries, holds
from mmsgate.mm7.smil import Par, reference, write_smil

SMIL_NAME = "show.smil"
_TEXT_TYPE = "text/plain; charset=utf-8"


@dataclass(frozen=True, slots=True, kw_only=True)
class EncodedContent:
    """Everything of a submit that is the same for all recipients. Plain data: it may be stored and loaded.

    `buffers` are the bytes that follow the SOAP part, from the line end before its delimiter to the end of the
    message; binary media are in it as the caller's own objects. `boundary` is the outer one, `href` the Content-ID
    (without brackets) that the SOAP part refers to. `wire_size` is the number of bytes in `buffers`,
    `decoded_size` that of the parts' bodies before any transfer encoding, SMIL and texts included.
    """

    boundary: str
    href: str
    buffers: tuple[bytes, ...] = field(repr=False)
    wire_size: int
    decoded_size: int
    allow_adaptations: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """A medium as it travels: the same for every content that holds it, so that it may be made once and shared.

    `size` is its number of bytes before the transfer encoding. No boundary of the token `clear_of` occurs in it; if
    that is empty, nobody knows.
    """

    data: bytes = field(repr=False)
    size: int
    clear_of: str = ""

    @classmethod
    def of(cls, data: bytes, encoding: Encoding, token: str = "") -> "Body":
        """A body in a transfer encoding, looked through for the boundaries of `token` if one is given."""
        travels = _base64(data) if encoding is Encoding.BASE64 else data
        clear = bool(token) and not holds(travels, token)
        return cls(data=travels, size=len(data), clear_of=token if clear else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Item:
    """One part before it is encoded; `slide` is the index of its slide, None for the SMIL."""

    name: str
    content_type: str
    kind: MediaKind | None
    body: Body
    slide: int | None = None


def encode_content(
    slides: Sequence[Slide],
    bodies: Mapping[str, Body],
    *,
    dialect: ContentStyle,
    content_id: str,
    token: Callable[[], str],
    fitted: bool = False,
) -> EncodedContent:
    """The content part of `slides`.

    `bodies` holds each medium under `Medium.blob`, in the dialect's encoding; a missing one is a KeyError.
    `content_id` (letters and digits) makes the Content-ID ``content.…@id_domain``. `token` draws 1-35 random
    letters and digits for the boundaries. `fitted` says that we have adapted the media ourselves: then, and with a
    GIF, the carrier may not.
    """
    media = [item for index, slide in enumerate(slides) for item in _items(index, slide, bodies, dialect)]
    items = [_smil_item(slides, media, dialect), *media]
    parts = [_part(item, dialect) for item in items]
    boundaries = draw_boundaries(
        lambda drawn: (item.body.data for item in items if item.body.clear_of != drawn),
        lambda: dialect.boundary_token(token()),
        mark=dialect.boundary_mark,
    )
    content = f"content.{content_id}@{dialect.id_domain}"
    buffers = tuple(_tail(parts, content, boundaries, dialect))
    has_gif = any(item.content_type.startswith("image/gif") for item in items)
    return EncodedContent(
        boundary=boundaries.outer,
        href=content if dialect.layout is Layout.NESTED else _part_id(SMIL_NAME, dialect),
        buffers=buffers,
        wire_size=sum(map(len, buffers)),
        decoded_size=sum(item.body.size for item in items),
        allow_adaptations=dialect.allow_adaptations and not fitted and not has_gif,
    )


def _items(index: int, slide: Slide, bodies: Mapping[str, Body], dialect: ContentStyle) -> Iterator[_Item]:
    """A slide's parts: what is shown, then its text, then its object."""
    for medium in slide.shown:
        yield _medium_item(index, medium, bodies, dialect)
    if slide.text:
        yield _Item(
            name=f"s{index + 1}.txt",
            content_type=_TEXT_TYPE,
            kind=MediaKind.TEXT,
            body=Body.of(slide.text.encode("utf-8", "replace"), dialect.encoding),
            slide=index,
        )
    for medium in slide.objects:
        yield _medium_item(index, medium, bodies, dialect)


def _medium_item(index: int, medium: Medium, bodies: Mapping[str, Body], dialect: ContentStyle) -> _Item:
    entry = by_mime(medium.mime)
    if entry is None:
        raise ValueError(f"an MMS can't carry {medium.mime}")
    return _Item(
        name=f"s{index + 1}.{entry.extension}",
        content_type=dialect.vcard_mime if entry.kind is MediaKind.VCARD else entry.mime,
        kind=medium.kind,
        body=bodies[medium.blob],
        slide=index,
    )


def _smil_item(slides: Sequence[Slide], media: Sequence[_Item], dialect: ContentStyle) -> _Item:
    pars = []
    for index, slide in enumerate(slides):
        shown = tuple(
            reference(item.kind, _src(item.name, dialect))
            for item in media
            if item.slide == index and item.kind and not item.kind.is_object
        )
        if shown:
            pars.append(Par(duration=slide.duration * 1000, references=shown))
    body = Body.of(write_smil(pars), Encoding.BINARY)  # it is ASCII and needs no encoding
    return _Item(name=SMIL_NAME, content_type=f"{SMIL_MIME}; charset=utf-8", kind=None, body=body)


def _part_id(name: str, dialect: ContentStyle) -> str:
    """The Content-ID of the part with that name."""
    return f"{name}@{dialect.id_domain}" if dialect.part_ids is PartIds.DOMAIN else name


def _src(name: str, dialect: ContentStyle) -> str:
    """How the SMIL refers to a part."""
    return f"cid:{_part_id(name, dialect)}" if dialect.smil_refs is SmilRefs.CID else name


def _part(item: _Item, dialect: ContentStyle) -> Part:
    named = f'; name="{item.name}"' if dialect.part_names else ""
    headers: Headers = (
        ("Content-Type", f"{item.content_type}{named}"),
        ("Content-ID", dialect.wrapped(_part_id(item.name, dialect))),
    )
    if dialect.content_location:
        headers = (*headers, ("Content-Location", item.name))
    if item.kind is not None:
        headers = (*headers, ("Content-Transfer-Encoding", dialect.encoding.value))
    return Part(headers=headers, body=item.body.data)


def _base64(data: bytes) -> bytes:
    """Lines of 76 characters (RFC 2045 6.8)."""
    return base64.encodebytes(data).replace(b"\n", b"\r\n").removesuffix(b"\r\n")


def _tail(parts: Sequence[Part], content: str, boundaries: Boundaries, dialect: ContentStyle) -> Iterator[bytes]:
    """What follows the SOAP part: the parts themselves, or one part that holds them."""
    if dialect.layout is Layout.FLAT:
        first, *rest = build(parts, boundaries.outer)
        yield b"\r\n" + first
        yield from rest
        yield b"\r\n"
        return
    content_type = f"multipart/{dialect.inner.value}; {boundary_parameter(boundaries.inner)}"
    if dialect.inner is InnerType.RELATED:
        content_type += f'; type="{SMIL_MIME}"{dialect.start_parameter(_part_id(SMIL_NAME, dialect))}'
    content_id = dialect.wrapped(content)
    first, *rest = build(parts, boundaries.inner)
    head = f"\r\n--{boundaries.outer}\r\nContent-Type: {content_type}\r\nContent-ID: {content_id}\r\n\r\n"
    yield head.encode() + first
    yield from rest
    yield f"\r\n--{boundaries.outer}--\r\n".encode()
