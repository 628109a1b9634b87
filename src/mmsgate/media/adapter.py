"""Making the files of a content into what some phones take, and until all of it fits (R-12, R-13).

Told the terms, it knows nothing of carriers. What suits stays as it is. Objects can't be changed: they take their
room first. Sounds and videos come next, each with a fair share, and leave what they don't need to the pictures.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

from mmsgate.domain.media import MediaKind, by_mime
from mmsgate.domain.rendition import BrokenMedium, Misfit, Terms, Version
from mmsgate.domain.slide import Medium, Slide
from mmsgate.media.cage import ImageBroken, ImageCage, ImageFitted, ImageMisfit
from mmsgate.media.playable import AvWanted
from mmsgate.media.probe import AvBroken, AvFacts
from mmsgate.media.storage import BlobStore
from mmsgate.media.transcoder import AvAsItIs, AvFitted, AvMisfit, Transcoder
from mmsgate.recent import Recent

#: Nothing worth looking at is smaller.
_LEAST_SHARE = 2_000  # bytes
_REMEMBERED = 1_000
_LONGEST_SLIDE = 3600  # seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class _Made:
    """A version of one file; `note` is empty if nothing was changed."""

    medium: Medium
    note: str = ""


_Outcome = _Made | Misfit | AvBroken


class Adapter:
    """Adapts pictures, sounds and videos; `encodes` counts versions. One asked for by many at once is made once."""

    def __init__(self, *, blobs: BlobStore, cage: ImageCage, transcoder: Transcoder) -> None:
        self._blobs, self._cage, self._transcoder = blobs, cage, transcoder
        self._made: Recent[tuple[str, int | None, str], _Made] = Recent(_REMEMBERED)
        self._flights: dict[tuple[str, int | None, str], asyncio.Task[_Outcome]] = {}
        self._facts: Recent[str, AvFacts] = Recent(_REMEMBERED)
        self.encodes = 0

    async def adapt(
        self, slides: tuple[Slide, ...], terms: Terms, *, owner: str = ""
    ) -> Version | Misfit | BrokenMedium:
        """The slides on these terms. `owner` is the account for whom it is done: accounts have turns.

        Raises CageError and OSError if the fault is ours.
        """
        placed = [(number, medium) for number, slide in enumerate(slides, 1) for medium in slide.media]
        played = [(number, medium) for number, medium in placed if medium.plays]
        if not played and terms.take(medium for _, medium in placed):
            return Version(slides=slides)
        fixed = [medium for _, medium in placed if medium.kind.is_object]
        for number, medium in placed:
            if medium.kind.is_object and medium.mime not in terms.types:
                return Misfit(reason=_not_taken(number, medium))
        work = _Work(self, terms, owner, room=_left(terms.room, fixed))
        pictures = [(number, medium) for number, medium in placed if medium.kind is MediaKind.IMAGE]
        if not work.has_room_for(len(played) + len(pictures)):
            return Misfit(reason=_no_room(placed))
        trouble = await work.make_all(played, beside=pictures) or await work.make_all(pictures, beside=[])
        return trouble or work.version(slides)

    async def inspect(self, medium: Medium) -> AvFacts | AvBroken:
        """What a sound or video is; read once."""
        known = self._facts.get(medium.blob)
        if known is not None:
            return known
        found = await self._transcoder.inspect(await self._blobs.path(medium.blob), medium.mime)
        return self._facts.put(medium.blob, found) if isinstance(found, AvFacts) else found

    async def make(self, medium: Medium, budget: int | None, terms: Terms, owner: str) -> _Outcome:
        """A version of one file of at most `budget` bytes, made once however many ask."""
        key = (medium.blob, budget, replace(terms, room=None).key)
        known = self._made.get(key)
        if known is not None and await self._blobs.renew(known.medium.blob):
            return _with_source(known, medium)
        flight = self._flights.get(key)
        if flight is None:
            make = self._play if medium.plays else self._picture
            flight = self._flights[key] = asyncio.ensure_future(self._remembered(make, key, medium, terms, owner))
            flight.add_done_callback(lambda _: self._flights.pop(key, None))
        return _with_source(await asyncio.shield(flight), medium)

    async def _remembered(
        self, make: "_Make", key: tuple[str, int | None, str], medium: Medium, terms: Terms, owner: str
    ) -> _Outcome:
        outcome = await make(medium, key[1], terms, owner)
        return self._made.put(key, outcome) if isinstance(outcome, _Made) else outcome

    async def _picture(self, medium: Medium, budget: int | None, terms: Terms, owner: str) -> _Outcome:
        path = await self._blobs.path(medium.blob)
        fitted = await self._cage.fit(path, medium.mime, budget=budget, types=terms.types, owner=owner)
        match fitted:
            case ImageFitted(data=data, mime=mime, width=width, height=height, how=how):
                self.encodes += 1
                blob = await self._blobs.put_bytes(data)
                made = replace(medium, blob=blob, mime=mime, size=len(data), width=width, height=height)
                return _Made(medium=made, note=_note(medium, made, how))
            case ImageMisfit():
                return Misfit(reason=f"the {_name(medium.mime)} {_cannot_fit(budget)}")
            case ImageBroken(reason=reason):
                return Misfit(reason=f"the {_name(medium.mime)} can't be changed: {reason}")

    async def _play(self, medium: Medium, budget: int | None, terms: Terms, _: str) -> _Outcome:
        facts = await self.inspect(medium)
        if isinstance(facts, AvBroken):
            return facts
        path = await self._blobs.path(medium.blob)
        wanted = AvWanted(types=terms.types, h263=terms.h263)
        fitted = await self._transcoder.fit(
            path, medium.mime, facts, size=medium.size, budget=budget, wanted=wanted
        )
        match fitted:
            case AvAsItIs(seconds=seconds, width=width, height=height):
                return _Made(medium=replace(medium, width=width, height=height, duration=round(seconds * 1000)))
            case AvFitted():
                self.encodes += 1
                return await self._keep(medium, fitted)
            case AvMisfit(reason=reason):
                return Misfit(reason=f"the {_name(medium.mime)} {_cannot_fit(budget)}: {reason}")
            case AvBroken():
                return fitted

    async def _keep(self, medium: Medium, fitted: AvFitted) -> _Made:
        blob = await self._blobs.take(fitted.path)
        made = replace(
            medium, blob=blob, mime=fitted.mime, size=fitted.size, width=fitted.width, height=fitted.height,
            duration=round(fitted.seconds * 1000),
        )  # fmt: skip
        return _Made(medium=made, note=_note(medium, made, fitted.how))


_Make = Callable[[Medium, int | None, Terms, str], Awaitable[_Outcome]]


class _Work:
    """One content on its way to a version: what has been made, and how much room is left."""

    def __init__(self, adapter: Adapter, terms: Terms, owner: str, *, room: int | None) -> None:
        self._adapter, self._terms, self._owner = adapter, terms, owner
        self._room = room
        self._made: dict[Medium, _Made] = {}
        self._notes: list[tuple[int, str]] = []

    def has_room_for(self, files: int) -> bool:
        return self._room is None or self._room >= _LEAST_SHARE * files

    async def make_all(
        self, files: Sequence[tuple[int, Medium]], *, beside: Sequence[tuple[int, Medium]]
    ) -> Misfit | BrokenMedium | None:
        """Make each of the files, with a share of the room that leaves some to those `beside`."""
        share = None if self._room is None else fair_share([m.size for _, m in (*files, *beside)], self._room)
        for number, medium in files:
            if not medium.plays and medium.mime in self._terms.types and (share is None or medium.size <= share):
                self._use(_Made(medium=medium), medium, number)
                continue
            made = await self._adapter.make(medium, share, self._terms, self._owner)
            match made:
                case AvBroken(reason=reason):
                    return BrokenMedium(slide=number, medium=medium, reason=reason)
                case Misfit(reason=reason):
                    return Misfit(reason=f"slide {number}: {reason}")
                case _Made() if made.medium.mime not in self._terms.types:
                    return Misfit(reason=_not_taken(number, made.medium))
            self._use(made, medium, number)
        return None

    def _use(self, made: _Made, medium: Medium, number: int) -> None:
        self._made[medium] = made
        if made.note:
            self._notes.append((number, f"slide {number}: {made.note}"))
        if self._room is not None:
            self._room -= made.medium.size

    def version(self, slides: tuple[Slide, ...]) -> Version:
        notes = tuple(note for _, note in sorted(self._notes))
        return Version(slides=tuple(map(self._slide, slides)), notes=notes)

    def _slide(self, slide: Slide) -> Slide:
        """With what was made, and as long as what plays in it (contract 5.2)."""
        media = tuple(self._made[medium].medium if medium in self._made else medium for medium in slide.media)
        longest = max((medium.duration for medium in media), default=0)
        duration = min(-(-longest // 1000), _LONGEST_SLIDE) or slide.duration
        return slide if (media, duration) == (slide.media, slide.duration) else replace(
            slide, media=media, duration=duration
        )  # fmt: skip


def fair_share(sizes: Sequence[int], room: int) -> int:
    """How large each may be at most so that all fit `room`: what the small ones leave goes to the large ones."""
    left, waiting = room, sorted(sizes)
    while waiting and waiting[0] <= left // len(waiting):
        left -= waiting.pop(0)
    return left // len(waiting) if waiting else room


def _left(room: int | None, taken: Sequence[Medium]) -> int | None:
    return None if room is None else room - sum(medium.size for medium in taken)


def _with_source(outcome: _Outcome, medium: Medium) -> _Outcome:
    """Equal bytes may have come from several URLs: each customer hears of its own."""
    if not isinstance(outcome, _Made) or outcome.medium.source == medium.source:
        return outcome
    return replace(outcome, medium=replace(outcome.medium, source=medium.source))


def _note(medium: Medium, made: Medium, how: str) -> str:
    became = f" as {_name(made.mime)}" if made.mime != medium.mime else ""
    return f"{_name(medium.mime)} {medium.size:,} → {made.size:,} bytes{became} ({how})"


def _name(mime: str) -> str:
    entry = by_mime(mime)
    return entry.name if entry else mime


def _cannot_fit(budget: int | None) -> str:
    return "can't be made into what is taken" if budget is None else f"can't be made to fit {budget:,} bytes"


def _not_taken(number: int, medium: Medium) -> str:
    return f"slide {number}: phones there don't take {_name(medium.mime)} {medium.kind.value}"


def _no_room(placed: Sequence[tuple[int, Medium]]) -> str:
    number, medium = max(placed, key=lambda each: each[1].size)
    total = sum(each.size for _, each in placed)
    return f"slide {number}: {medium.kind.label} of {medium.size:,} bytes; all files are {total:,}"
