"""What a phone shows that reads an MMS as strictly as Android does.

The rules are those of the Android Open Source Project:

* `MediaModelFactory.findPart`: a reference with ``cid:`` is looked up among Content-IDs alone, another among names,
  file names and Content-Locations, never among Content-IDs. Of several equal ones the last counts (`PduBody`).
* `SlideshowModel`: a reference that finds nothing is skipped.
* `SlideModel.internalAdd`: a slide has one text, one picture, one sound and one video; of a kind the last counts. A
  video and a picture or a sound exclude each other: the first counts.
* `SmilHelper.createSmilDocument`: without a SMIL that can be read a new slide begins after text and medium.
* `PduPersister.persistData`: texts are read as UTF-8, whatever charset they declare.
* What no slide refers to is not shown, but for vCards, which vendors' versions attach (`mRawAttachments`) as
  Messaging does (`ContentType.isMediaType`).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from mmsgate.domain.media import MediaKind
from mmsgate.mm7.parts import Content
from mmsgate.mm7.smil import Par, read_smil
from mmsgate.simulator.message import Part, Slide
from mmsgate.simulator.shown import Shown

_OWN_DURATION = 8000  # ms, of a slide without SMIL
_MEDIA = (MediaKind.IMAGE, MediaKind.AUDIO, MediaKind.VIDEO)
_EXCLUDES: dict[MediaKind, frozenset[MediaKind]] = {
    MediaKind.TEXT: frozenset(),
    MediaKind.IMAGE: frozenset({MediaKind.VIDEO}),
    MediaKind.AUDIO: frozenset({MediaKind.VIDEO}),
    MediaKind.VIDEO: frozenset({MediaKind.IMAGE, MediaKind.AUDIO}),
}
_TAGS = {"text": MediaKind.TEXT, "img": MediaKind.IMAGE, "audio": MediaKind.AUDIO, "video": MediaKind.VIDEO}
_TEXTS = frozenset({"text/plain", "text/html"})
_XHTML = "application/vnd.wap.xhtml+xml"
_VCARD = "text/x-vcard"


def strictly(content: Content, parts: tuple[Part, ...]) -> Shown:
    """As Android would show it."""
    return _Phone(content, parts).shown()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Element:
    """One medium of a slide, found."""

    kind: MediaKind
    index: int


class _Phone:
    """One look at one message; `hidden` gathers what is left out."""

    def __init__(self, content: Content, parts: tuple[Part, ...]) -> None:
        self._content = content
        self._parts = parts
        self._hidden: list[str] = []
        self._referred: set[int] = set()

    def shown(self) -> Shown:
        """The slides first: what they refer to is not attached."""
        smil = self._content.smil
        pars = read_smil(smil) if smil is not None else None
        slides = tuple(map(self._slide, pars)) if pars is not None else tuple(self._own_slides())
        attachments = tuple(self._attachments())
        parts = tuple(map(self._read, self._parts))
        return Shown(parts=parts, slides=slides, attachments=attachments, hidden=tuple(self._hidden))

    def _slide(self, par: Par) -> Slide:
        elements = (self._element(reference.tag, reference.src) for reference in par.references)
        return Slide(duration=par.duration, parts=self._arranged(one for one in elements if one))

    def _element(self, tag: str, src: str) -> _Element | None:
        index = self._find(src)
        if index is None:
            by = "Content-ID" if src.startswith("cid:") else "name or Content-Location"
            self._hidden.append(f"{src}: no {by} matches")
            return None
        self._referred.add(index)
        part = self._parts[index]
        kind = _kind(part.type) if tag == "ref" else _TAGS.get(tag)
        if kind is None or kind is not _kind(part.type) or part.type == _XHTML:
            self._hidden.append(f"{part.name}: {part.type} can't be shown by the element {tag}")
            return None
        return _Element(kind=kind, index=index)

    def _find(self, src: str) -> int | None:
        parts = self._content.parts
        if src.startswith("cid:"):
            keys = [[part.content_id for part in parts]]
        else:
            keys = [[part.name for part in parts], [part.location for part in parts]]
        wanted = src.removeprefix("cid:")
        places = (i for names in keys for i, name in reversed(list(enumerate(names))) if name and name == wanted)
        return next(places, None)

    def _arranged(self, elements: Iterable[_Element]) -> tuple[int, ...]:
        """The indexes of what finds a place on the slide."""
        slots: dict[MediaKind, int] = {}
        for element in elements:
            if _EXCLUDES[element.kind] & slots.keys():
                self._hide(element.index, f"a slide can't have {element.kind} beside its other media")
                continue
            before = slots.pop(element.kind, element.index)
            if before != element.index:
                self._hide(before, f"a slide has one {element.kind}, and another came after it")
            slots[element.kind] = element.index
        return tuple(slots.values())

    def _own_slides(self) -> Iterator[Slide]:
        """Without SMIL: parts in their order, a new slide once there is a text and a medium."""
        slide: list[_Element] = []
        for index, part in enumerate(self._parts):
            kind = _kind(part.type)
            if kind is None or part.is_smil:
                continue
            self._referred.add(index)
            if {one.kind is MediaKind.TEXT for one in slide} == {True, False}:
                yield Slide(duration=_OWN_DURATION, parts=self._arranged(slide))
                slide = []
            slide.append(_Element(kind=kind, index=index))
        if slide:
            yield Slide(duration=_OWN_DURATION, parts=self._arranged(slide))

    def _attachments(self) -> Iterator[int]:
        for index, part in enumerate(self._parts):
            if index in self._referred or part.is_smil:
                continue
            if part.type == _VCARD:
                yield index
            elif _kind(part.type):
                self._hide(index, "the SMIL does not refer to it")
            else:
                self._hide(index, f"{part.type} is no type that it shows")

    def _read(self, part: Part) -> Part:
        read = replace(part, charset="utf-8")
        if read.text != part.text:
            self._hidden.append(f"{part.name}: characters that are not UTF-8")
        return read

    def _hide(self, index: int, why: str) -> None:
        self._hidden.append(f"{self._parts[index].name}: {why}")


def _kind(mime: str) -> MediaKind | None:
    """What it takes a type for; None for one that it does not know."""
    if mime in _TEXTS or mime == _XHTML:
        return MediaKind.TEXT
    if mime == "application/ogg":
        return MediaKind.AUDIO
    return next((kind for kind in _MEDIA if mime.startswith(f"{kind}/")), None)
