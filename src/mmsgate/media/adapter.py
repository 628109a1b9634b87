"""Making the files of a content into what some phones take, and until all of it fits (R-12, R-13).

Told the terms, it knows nothing of carriers. What suits stays as it is. Objects can't be changed: they take their
room first. Sounds and videos come next, then pictures; each leaves the others what they are likely to need.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

from mmsgate.domain.media import MediaKind, by_mime
from mmsgate.domain.rendition import BrokenMedium, Misfit, Terms, Version
from mmsgate.domain.slide import Medium, Slide
from mmsgate.flights import Flights
from mmsgate.media.cage import CageError, ImageBroken, ImageCage, ImageFitted, ImageMisfit
from mmsgate.media.playable import AvWanted
from mmsgate.media.probe import AvBroken, AvFacts
from mmsgate.media.storage import BlobStore
from mmsgate.media.transcoder import AvAsItIs, AvFitted, AvMisfit, Transcoder
from mmsgate.recent import Recent

#: Nothing worth looking at is smaller.
_LEAST_SHARE = 2_000  # bytes
_REMEMBERED = 1_000
_LONGEST_SLIDE = 3600  # seconds
#: So many times its size a file may need once it is of a type that phones take.
_GROWTH = {"image/heic": 3, "image/avif": 3, "image/webp": 2, "video/quicktime": 2}
#: A worker that died or was too slow may have met a busy machine; so often is tried, then it is the file's fault.
_STRIKES = 3

_Key = tuple[str, int | None, str]


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
        self._made: Recent[_Key, _Made] = Recent(_REMEMBERED)
        self._suits: Recent[tuple[str, str], _Made] = Recent(_REMEMBERED)  # sound and video that need no change
        self._flights: Flights[_Key, _Outcome] = Flights()
        self._facts: Recent[str, AvFacts] = Recent(_REMEMBERED)
        self._strikes: Counter[str] = Counter()  # by blob: workers that died over it
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
        for number, medium in placed:
            if medium.kind.is_object and medium.mime not in terms.types:
                return Misfit(reason=_not_taken(number, medium))
        work = _Work(self, terms, owner, placed)
        if not work.has_room:
            return Misfit(reason=_no_room(placed))
        return await work.make_all() or work.version(slides)

    async def inspect(self, medium: Medium, *, owner: str) -> AvFacts | AvBroken:
        """What a sound or video is; read once, in the turn of the account `owner`."""
        known = self._facts.get(medium.blob)
        if known is not None:
            return known
        found = await self._transcoder.inspect(await self._blobs.path(medium.blob), medium.mime, owner=owner)
        return self._facts.put(medium.blob, found) if isinstance(found, AvFacts) else found

    async def make(self, medium: Medium, budget: int | None, terms: Terms, owner: str) -> _Outcome:
        """A version of one file of at most `budget` bytes, made once however many ask."""
        kind = replace(terms, room=None).key
        suits = self._suits.get((medium.blob, kind))
        if suits is not None and (budget is None or medium.size <= budget):
            return _with_source(suits, medium)
        key = (medium.blob, budget, kind)
        known = self._made.get(key)
        if known is not None and await self._blobs.renew(known.medium.blob):
            return _with_source(known, medium)
        make = self._play if medium.plays else self._picture
        outcome = await self._flights.join(key, lambda: make(medium, budget, terms, owner))
        if isinstance(outcome, _Made):
            self._made.put(key, outcome)
            if not outcome.note:
                self._suits.put((medium.blob, kind), outcome)
        return _with_source(outcome, medium)

    def _struck(self, medium: Medium, reason: str) -> None:
        """Raises CageError until a file has had its tries: what ends a worker may be the machine's trouble."""
        self._strikes[medium.blob] += 1
        if self._strikes[medium.blob] < _STRIKES:
            raise CageError(f"the {_name(medium.mime)} could not be worked on: {reason}")
        del self._strikes[medium.blob]

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
            case ImageBroken(reason=reason, transient=transient):
                if transient:
                    self._struck(medium, reason)
                return Misfit(reason=f"the {_name(medium.mime)} can't be changed: {reason}", passing=transient)

    async def _play(self, medium: Medium, budget: int | None, terms: Terms, owner: str) -> _Outcome:
        facts = await self.inspect(medium, owner=owner)
        if isinstance(facts, AvBroken):
            return facts
        path = await self._blobs.path(medium.blob)
        wanted = AvWanted(types=terms.types, h263=terms.h263)
        fitted = await self._transcoder.fit(
            path, medium.mime, facts, size=medium.size, budget=budget, wanted=wanted, owner=owner
        )
        match fitted:
            case AvAsItIs(seconds=seconds, width=width, height=height):
                return _Made(medium=replace(medium, width=width, height=height, duration=round(seconds * 1000)))
            case AvFitted():
                self.encodes += 1
                return await self._keep(medium, fitted)
            case AvMisfit(reason=reason):
                return Misfit(reason=f"the {_name(medium.mime)} {_cannot_fit(budget)}: {reason}")
            case AvBroken(reason=reason, transient=transient):
                if transient:
                    self._struck(medium, reason)
                return fitted

    async def _keep(self, medium: Medium, fitted: AvFitted) -> _Made:
        try:
            blob = await self._blobs.take(fitted.path)
        finally:
            await asyncio.to_thread(fitted.path.unlink, missing_ok=True)  # it is there yet if it was not taken
        made = replace(
            medium, blob=blob, mime=fitted.mime, size=fitted.size, width=fitted.width, height=fitted.height,
            duration=round(fitted.seconds * 1000),
        )  # fmt: skip
        return _Made(medium=made, note=_note(medium, made, fitted.how))


_Make = Callable[[Medium, int | None, Terms, str], Awaitable[_Outcome]]


class _Work:
    """One content on its way to a version: what has been made, and how much room is left."""

    def __init__(self, adapter: Adapter, terms: Terms, owner: str, placed: Sequence[tuple[int, Medium]]) -> None:
        self._adapter, self._terms, self._owner = adapter, terms, owner
        self._room = _left(terms.room, [medium for _, medium in placed if medium.kind.is_object])
        played = [each for each in placed if each[1].plays]
        self._files = played + [each for each in placed if each[1].kind is MediaKind.IMAGE]
        self._made: dict[Medium, _Made] = {}
        self._notes: list[tuple[int, str]] = []

    @property
    def has_room(self) -> bool:
        return self._room is None or self._room >= _LEAST_SHARE * len(self._files)

    async def make_all(self) -> Misfit | BrokenMedium | None:
        """Make each of the files in what room there is for it."""
        for index, (number, medium) in enumerate(self._files):
            budget = self._budget(medium, [other for _, other in self._files[index + 1 :]])
            if not medium.plays and medium.mime in self._terms.types and (budget is None or medium.size <= budget):
                self._use(_Made(medium=medium), medium, number)
                continue
            made = await self._adapter.make(medium, budget, self._terms, self._owner)
            match made:
                case AvBroken(reason=reason):
                    return BrokenMedium(slide=number, medium=medium, reason=reason)
                case Misfit(reason=reason):
                    return replace(made, reason=f"slide {number}: {reason}")
                case _Made() if made.medium.mime not in self._terms.types:
                    return Misfit(reason=_not_taken(number, made.medium))
            self._use(made, medium, number)
        return None

    def _budget(self, medium: Medium, others: Sequence[Medium]) -> int | None:
        """What is left of the room when the others have had what they are likely to need, a fair share at most."""
        if self._room is None:
            return None
        needs = [self._need(each) for each in (medium, *others)]
        share = fair_share(needs, self._room)
        return self._room - sum(min(need, share) for need in needs[1:])

    def _need(self, medium: Medium) -> int:
        """Bytes that a file is likely to have as a type that is taken."""
        return medium.size if medium.mime in self._terms.types else medium.size * _GROWTH.get(medium.mime, 1)

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
    said = how.startswith(f"as {_name(made.mime)}")
    became = f" as {_name(made.mime)}" if made.mime != medium.mime and not said else ""
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
