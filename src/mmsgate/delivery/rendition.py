"""Which version of a message's content a carrier gets.

What a handset takes travels as it is if it fits the carrier's limit. Pictures that don't are made smaller, all else
goes by fallback link, never raw. Equal slides are encoded once per dialect: a retry, and the next of many sends of
the same picture, share the bytes.
"""

import secrets
import string
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol

from mmsgate.carriers.profile import CarrierProfile
from mmsgate.domain.media import MediaKind, by_mime
from mmsgate.domain.message import Content, Message, counted
from mmsgate.domain.slide import MAX_TEXT, Slide
from mmsgate.media.adapter import Adapter, CannotAdapt
from mmsgate.mm7.content import EncodedContent, encode_content
from mmsgate.mm7.dialect import Dialect
from mmsgate.recent import Recent

_ALPHABET = string.ascii_letters + string.digits


class Blobs(Protocol):
    """Where media bytes are."""

    async def read(self, blob: str) -> bytes:
        """The bytes of a blob, shared with every other reader."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendition:
    """Content as this carrier gets it; `summary` says so to people."""

    content: EncodedContent
    subject: str
    summary: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Unfit:
    """No rendition suits the carrier; why."""

    reason: str
    data: Mapping[str, object] = field(default_factory=dict)
    final: bool = False  # not even an SMS with a link


class Boundaries:
    """Boundary tokens: the same few for a whole process, so that envelopes' templates are shared.

    The encoder asks again when a part happens to hold the first one.
    """

    def __init__(self, draw: Callable[[], str] | None = None) -> None:
        self._draw = draw or (lambda: "".join(secrets.choice(_ALPHABET) for _ in range(24)))
        self._usual = self._draw()

    def __call__(self) -> Callable[[], str]:
        """A source for one content."""
        tokens = self._tokens()
        return lambda: next(tokens)

    def _tokens(self) -> Iterator[str]:
        yield self._usual
        while True:
            yield self._draw()


class Renditions:
    """Chooses and encodes.

    `content` looks up slides by a content's id; `adapter` makes pictures smaller (without it nothing is changed);
    `memory` bounds the encoded bytes that are kept for later.
    """

    def __init__(
        self, blobs: Blobs, content: Callable[[int], Content | None], *, adapter: Adapter | None = None,
        memory: int = 64_000_000,
    ) -> None:  # fmt: skip
        self._blobs, self._content, self._adapter = blobs, content, adapter
        self._boundaries = Boundaries()
        self._encoded: Recent[tuple[tuple[Slide, ...], Dialect], EncodedContent] = Recent(
            256, weigh=lambda encoded: encoded.decoded_size, budget=memory
        )

    async def choose(self, message: Message, profile: CarrierProfile) -> Rendition | Unfit:
        """The rendition for that carrier, or why there is none."""
        content = self._content(message.content_id)
        if content is None:
            return Unfit(reason="its content is gone")
        if unfit := _too_long(content.slides):
            return unfit
        encoded = await self._as_it_is(content.slides, message, profile)
        if not isinstance(encoded, Unfit):
            return _rendition(encoded, content)
        return await self._adapted(content, encoded, message, profile)

    async def _as_it_is(
        self, slides: tuple[Slide, ...], message: Message, profile: CarrierProfile
    ) -> EncodedContent | Unfit:
        # Before the look for shared bytes: carriers of one dialect may still differ in types and limits.
        unfit = _wrong_type(slides, profile) or _largest_first(slides, message, profile)
        if unfit:
            return unfit
        key = (slides, profile.dialect)
        encoded = self._encoded.get(key) or self._encoded.put(key, await self._encode(*key))
        return _too_large(encoded.decoded_size, slides, message, profile) or encoded

    async def _adapted(
        self, content: Content, unfit: Unfit, message: Message, profile: CarrierProfile
    ) -> Rendition | Unfit:
        """A version with smaller pictures, if that helps."""
        if self._adapter is None or not any(medium.kind is MediaKind.IMAGE for medium in content.media):
            return unfit
        room = profile.limit - _beside_files(content.slides)
        adapted = await self._adapter.adapt(content.slides, room=room, types=profile.types)
        if isinstance(adapted, CannotAdapt):
            return replace(unfit, reason=f"{unfit.reason}; {adapted.reason}")
        encoded = await self._as_it_is(adapted.slides, message, profile)
        if isinstance(encoded, Unfit):
            return encoded
        to_fit = f"to fit {profile.limit:,} decoded on {profile.name}/{message.sender_type}"
        return _rendition(encoded, content, *(f"{note} {to_fit}" for note in adapted.notes))

    async def _encode(self, slides: tuple[Slide, ...], dialect: Dialect) -> EncodedContent:
        media = [medium for slide in slides for medium in slide.media]
        blobs = {medium.blob: await self._blobs.read(medium.blob) for medium in media}
        return encode_content(slides, blobs, dialect=dialect, content_id="1", token=self._boundaries())


def _rendition(encoded: EncodedContent, content: Content, *notes: str) -> Rendition:
    summary = f"{counted(len(content.slides), 'slide')}, {encoded.decoded_size:,} bytes"
    return Rendition(content=encoded, subject=content.subject, summary="; ".join((summary, *notes)))


def _beside_files(slides: tuple[Slide, ...]) -> int:
    """Bytes that texts and SMIL may take, generously."""
    return 1_000 + sum(500 + len(slide.text.encode()) for slide in slides)


def _too_long(slides: tuple[Slide, ...]) -> Unfit | None:
    """A text that merge tags have made too long (contract 7)."""
    for number, slide in enumerate(slides, 1):
        if len(slide.text) > MAX_TEXT:
            reason = (
                f"Error fetching dynamic content: the text of slide {number} has grown to {len(slide.text):,} "
                f"characters, {MAX_TEXT:,} are allowed"
            )
            return Unfit(reason=reason, final=True)
    return None


def _wrong_type(slides: tuple[Slide, ...], profile: CarrierProfile) -> Unfit | None:
    for number, slide in enumerate(slides, 1):
        for medium in slide.media:
            if medium.mime not in profile.types:
                entry = by_mime(medium.mime)
                name = entry.name if entry else medium.mime
                reason = f"slide {number}: phones on {profile.name} don't take {name} {medium.kind.value}"
                return Unfit(reason=reason, data={"slide": number, "type": medium.mime})
    return None


def _largest_first(slides: tuple[Slide, ...], message: Message, profile: CarrierProfile) -> Unfit | None:
    """Too large by the files alone: known without reading them. The largest is named."""
    total = sum(medium.size for slide in slides for medium in slide.media)
    if total <= profile.limit:
        return None
    sizes = [(m.size, number, m) for number, slide in enumerate(slides, 1) for m in slide.media]
    size, number, medium = max(sizes, key=lambda entry: entry[0])
    what = f"slide {number}: {medium.kind.label} of {size:,} bytes; all files are {total:,}"
    return _over(what, total, message, profile)


def _too_large(size: int, slides: tuple[Slide, ...], message: Message, profile: CarrierProfile) -> Unfit | None:
    """Too large with texts and SMIL. The slide with the most bytes is named (R-13)."""
    if size <= profile.limit:
        return None
    sizes = [len(slide.text.encode()) + sum(medium.size for medium in slide.media) for slide in slides]
    number = sizes.index(max(sizes)) + 1
    what = f"slide {number} has the most, {max(sizes):,} bytes; the whole content is {size:,}"
    return _over(what, size, message, profile)


def _over(what: str, size: int, message: Message, profile: CarrierProfile) -> Unfit:
    reason = (
        f"{what}, over the {profile.limit:,} bytes decoded that {profile.name} takes from a {message.sender_type}"
    )
    return Unfit(reason=reason, data={"bytes": size, "limit": profile.limit})
