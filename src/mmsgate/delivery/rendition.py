"""What a carrier gets of a message's content.

    its limit and types → a version on these terms → encoded in its dialect → measured → sent

What phones take travels as it is if it fits. Everything is made once: a version for each terms, its encoded form
for each dialect; the next recipient, and the next message with equal slides, share the bytes. A template's encoded
form is kept in the store, so that it outlives the process.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from mmsgate.carriers.profile import CarrierProfile
from mmsgate.carriers.target import Target
from mmsgate.delivery.encoder import EncodeJob, Encoder
from mmsgate.delivery.versions import Versions
from mmsgate.domain.media import by_mime
from mmsgate.domain.message import Content, Message, counted
from mmsgate.domain.number import SenderType
from mmsgate.domain.rendition import Misfit, Terms, Version, plays
from mmsgate.domain.slide import MAX_SUBJECT, MAX_TEXT, Slide
from mmsgate.mm7.content import EncodedContent
from mmsgate.recent import Recent

_REMEMBERED, _PART_OF_MEMORY = 64, 8  # what is chosen is mostly what the encoder remembers, too


#: After a refusal for size the next version has at most the next of these bytes; below the last one it is the SMS.
SMALLER = (1_000_000, 614_400, 307_200, 102_400)
#: A version that is hardly smaller than the refused one would be refused too.
CLEARLY_SMALLER = 0.95


def smaller_than(refused: int) -> int | None:
    """How many bytes the next version may have, after one of so many was refused for its size; None: the SMS."""
    return next((step for step in SMALLER if step < refused * CLEARLY_SMALLER), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendition:
    """Content as this carrier gets it; `summary` says so to people, with the `changes`."""

    content: EncodedContent
    subject: str
    summary: str
    changes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Unfit:
    """No rendition suits the carrier; why."""

    reason: str
    data: Mapping[str, object] = field(default_factory=dict)
    final: bool = False  # not even an SMS with a link


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """There is no version on these terms yet, and it takes longer to make than a message can be held."""

    terms: Terms


#: Looks up slides by their content's id.
FindContent = Callable[[int], Awaitable[Content | None]]


class Finder(Protocol):
    """Where versions come from (`Versions`, or a preview's trial)."""

    async def find(self, content: Content, terms: Terms) -> Version | Misfit | None:
        """The version; None if there is none yet."""
        ...


class Encodes(Protocol):
    """What makes bytes of slides (`Encoder`, or a preview's trial)."""

    async def encode(self, job: EncodeJob, content_id: int | None, key: str = "") -> EncodedContent:
        """The bytes."""
        ...


class Renditions:
    """Chooses for all carriers. `content` looks up slides by a content's id; `memory` bounds what is remembered."""

    def __init__(
        self, content: FindContent, versions: Versions, encoder: Encoder, *,
        memory: int = 64_000_000,
    ) -> None:  # fmt: skip
        self._content, self.versions, self._encoder, self._memory = content, versions, encoder, memory

    def on(self, profile: CarrierProfile) -> "CarrierRenditions":
        """The renditions for one carrier, as its profile is now."""
        return CarrierRenditions(
            profile, self._content, self.versions, self._encoder, memory=self._memory
        )  # fmt: skip


class CarrierRenditions:
    """Chooses for one carrier."""

    def __init__(
        self, profile: CarrierProfile, content: FindContent, versions: Finder,
        encoder: Encodes, *, memory: int,
    ) -> None:  # fmt: skip
        self._profile, self._content, self._versions, self._encoder = profile, content, versions, encoder
        self._chosen: Recent[tuple[int, str, SenderType, int], Rendition] = Recent(
            _REMEMBERED, weigh=lambda chosen: chosen.content.wire_size, budget=memory // _PART_OF_MEMORY
        )

    async def choose(self, message: Message) -> Rendition | Unfit | Missing:
        """The rendition for a message, or why there is none."""
        key = (message.content_id, message.operator, message.sender_type, message.size_cap)
        known = self._chosen.get(key)
        if known is not None:
            return known
        content = await self._content(message.content_id)
        if content is None:
            return Unfit(reason="its content is gone")
        target = Target.of(self._profile, message.operator, message.sender_type, message.size_cap)
        chosen = await self.choose_for(target, content, message.mms_id)
        if isinstance(chosen, Rendition) and message.content_id == message.mms_id:
            self._chosen.put(key, chosen)
        return chosen

    async def choose_for(self, target: Target, content: Content, mms_id: int) -> Rendition | Unfit | Missing:
        """The rendition of a content for a target: `mms_id` is the template's that it was made of, or its own."""
        return _too_long(content) or await self._rendition(content, mms_id, target)

    async def _rendition(self, content: Content, mms_id: int, target: Target) -> Rendition | Unfit | Missing:
        """As it is, or a version: of the template where only the texts are the recipient's own."""
        own = content.id == mms_id
        if not plays(content.slides):
            encoded = await self._as_it_is(content, target, remember=own)
            if encoded is not None and target.size(encoded) <= target.most:
                return _rendition(encoded, content)
        base = content if own else await self._content(mms_id) or content
        chosen = await self._version(content, base, target.terms(base.slides), target)
        if base is content or not isinstance(chosen, Unfit):
            return chosen
        return await self._version(content, base, target.terms(content.slides), target)  # its texts need more room

    async def _version(
        self, content: Content, base: Content, terms: Terms, target: Target
    ) -> Rendition | Unfit | Missing:
        """A version on certain terms; `base` is the template that a personal content was made of."""
        version = await self._versions.find(base, terms)
        if version is None:
            return Missing(terms=terms)
        if isinstance(version, Misfit):
            return _misfit(content.slides, version, target)
        slides = version.slides if base is content else version.of(content.slides)
        job = EncodeJob(slides=slides, dialect=target.dialect, fitted=bool(version.notes))
        encoded = await self._encoder.encode(job, content.id if base is content else None, terms.key)
        if target.size(encoded) > target.most:
            return _too_large(target.size(encoded), slides, target)
        return _rendition(encoded, content, *(f"{note} to fit {target}" for note in version.notes))

    async def _as_it_is(self, content: Content, target: Target, *, remember: bool) -> EncodedContent | None:
        """Encoded without a change; None where its types or files alone rule that out."""
        if not target.may_take(content.media):
            return None
        job = EncodeJob(slides=content.slides, dialect=target.dialect)
        return await self._encoder.encode(job, content.id if remember else None)


def _rendition(encoded: EncodedContent, content: Content, *changes: str) -> Rendition:
    summary = f"{counted(len(content.slides), 'slide')}, {encoded.decoded_size:,} bytes"
    whole = "; ".join((summary, *changes))
    return Rendition(content=encoded, subject=content.subject, summary=whole, changes=changes)


def _too_long(content: Content) -> Unfit | None:
    """A text or subject that merge tags have made too long (contract 7)."""
    if len(content.subject) > MAX_SUBJECT:
        what = f"the subject has grown to {len(content.subject):,} characters, {MAX_SUBJECT} are allowed"
        return Unfit(reason=f"Error fetching dynamic content: {what}", final=True)
    for number, slide in enumerate(content.slides, 1):
        if len(slide.text) > MAX_TEXT:
            reason = (
                f"Error fetching dynamic content: the text of slide {number} has grown to {len(slide.text):,} "
                f"characters, {MAX_TEXT:,} are allowed"
            )
            return Unfit(reason=reason, final=True)
    return None


def _misfit(slides: tuple[Slide, ...], misfit: Misfit, target: Target) -> Unfit:
    """Why it can't be had: the type that phones don't take, or the slide and both figures (R-13)."""
    for number, slide in enumerate(slides, 1):
        for medium in slide.media:
            if medium.mime not in target.limit.types:
                entry = by_mime(medium.mime)
                name = entry.name if entry else medium.mime
                reason = f"slide {number}: phones on {target.limit.label} don't take {name} {medium.kind.value}"
                return Unfit(reason=f"{reason}; {misfit.reason}", data={"slide": number, "type": medium.mime})
    total = sum(medium.size for slide in slides for medium in slide.media)
    sizes = [(m.size, number, m) for number, slide in enumerate(slides, 1) for m in slide.media]
    if not sizes:
        return _too_large(total, slides, target)
    size, number, medium = max(sizes, key=lambda entry: entry[0])
    what = f"slide {number}: {medium.kind.label} of {size:,} bytes; all files are {total:,}"
    return _over(what, total, target, more=misfit.reason)


def _too_large(size: int, slides: tuple[Slide, ...], target: Target) -> Unfit:
    """Too large with texts and SMIL. The slide with the most bytes is named (R-13)."""
    sizes = [len(slide.text.encode()) + sum(medium.size for medium in slide.media) for slide in slides]
    number = sizes.index(max(sizes)) + 1
    what = f"slide {number} has the most, {max(sizes):,} bytes; the whole content is {size:,}"
    return _over(what, size, target)


def _over(what: str, size: int, target: Target, *, more: str = "") -> Unfit:
    reason = f"{what}, over the {target}" + (f"; {more}" if more else "")
    return Unfit(reason=reason, data={"bytes": size, "limit": target.most})
