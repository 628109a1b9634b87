"""Making the pictures of a content smaller until all of it fits a carrier (R-12, R-13).

Told a budget and the types that phones take, it knows nothing of carriers. What fits stays as it is. Sound, video
and objects are not changed by this version: they take their room first, the pictures share the rest.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

from mmsgate.domain.media import MediaKind, by_mime
from mmsgate.domain.slide import Medium, Slide
from mmsgate.media.cage import ImageBroken, ImageCage, ImageFitted, ImageMisfit
from mmsgate.media.storage import BlobStore
from mmsgate.recent import Recent

#: Nothing worth looking at is smaller.
_LEAST_SHARE = 2_000  # bytes
#: Shares are rounded down by this part at most, so that contents that differ by a word share a picture.
_ROUNDING = 32
_REMEMBERED = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Adapted:
    """Slides that fit; `notes` has a line for people about each change."""

    slides: tuple[Slide, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CannotAdapt:
    """Why no version of the content fits."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Smaller:
    """A version of one picture."""

    medium: Medium
    note: str


class Adapter:
    """Adapts pictures. One asked for by many at once is made once; `encodes` counts what was made."""

    def __init__(self, *, blobs: BlobStore, cage: ImageCage) -> None:
        self._blobs, self._cage = blobs, cage
        self._made: Recent[tuple[str, int], _Smaller] = Recent(_REMEMBERED)
        self._flights: dict[tuple[str, int], asyncio.Task[_Smaller | CannotAdapt]] = {}
        self.encodes = 0

    async def adapt(self, slides: tuple[Slide, ...], *, room: int, types: frozenset[str]) -> Adapted | CannotAdapt:
        """The slides with files of at most `room` bytes together, all of the `types`.

        Raises CageError and OSError if the fault is ours.
        """
        placed = [(number, medium) for number, slide in enumerate(slides, 1) for medium in slide.media]
        if all(medium.mime in types for _, medium in placed) and sum(medium.size for _, medium in placed) <= room:
            return Adapted(slides=slides)
        fixed = next(((n, m) for n, m in placed if m.kind is not MediaKind.IMAGE and m.mime not in types), None)
        if fixed is not None:
            return CannotAdapt(reason=_not_taken(*fixed))
        pictures = [(number, medium) for number, medium in placed if medium.kind is MediaKind.IMAGE]
        left = room - sum(medium.size for _, medium in placed if medium.kind is not MediaKind.IMAGE)
        if not pictures or left < _LEAST_SHARE * len(pictures):
            return CannotAdapt(reason=_no_room(placed, room))
        share = fair_share([medium.size for _, medium in pictures], left)
        changed: dict[Medium, _Smaller] = {}
        for number, medium in pictures:
            if medium.size <= share and medium.mime in types:
                continue
            smaller = await self._smaller(medium, _rounded(share))
            if isinstance(smaller, CannotAdapt) or smaller.medium.mime not in types:
                reason = smaller.reason if isinstance(smaller, CannotAdapt) else _not_taken(number, smaller.medium)
                return CannotAdapt(reason=f"slide {number}: {reason}")
            changed[medium] = smaller
        notes = tuple(f"slide {number}: {changed[medium].note}" for number, medium in pictures if medium in changed)
        return Adapted(slides=tuple(_with(slide, changed) for slide in slides), notes=notes)

    async def _smaller(self, medium: Medium, budget: int) -> _Smaller | CannotAdapt:
        key = (medium.blob, budget)
        known = self._made.get(key)
        if known is not None and await self._blobs.renew(known.medium.blob):
            return known
        flight = self._flights.get(key)
        if flight is None:
            flight = self._flights[key] = asyncio.ensure_future(self._make(medium, budget))
            flight.add_done_callback(lambda _: self._flights.pop(key, None))
        return await asyncio.shield(flight)

    async def _make(self, medium: Medium, budget: int) -> _Smaller | CannotAdapt:
        self.encodes += 1
        path = await self._blobs.path(medium.blob)
        match await self._cage.fit(path, medium.mime, budget=budget):
            case ImageFitted(data=data, mime=mime, width=width, height=height, how=how):
                blob = await self._blobs.put_bytes(data)
                note = f"{_name(medium.mime)} {medium.size:,} → {len(data):,} bytes"
                note += f" ({how})" if mime == medium.mime else f" as {_name(mime)} ({how})"
                made = replace(medium, blob=blob, mime=mime, size=len(data), width=width, height=height)
                return self._made.put((medium.blob, budget), _Smaller(medium=made, note=note))
            case ImageMisfit():
                return CannotAdapt(reason=f"the {_name(medium.mime)} can't be made to fit {budget:,} bytes")
            case ImageBroken(reason=reason):
                return CannotAdapt(reason=f"the {_name(medium.mime)} can't be made smaller: {reason}")


def _rounded(share: int) -> int:
    step = max(1, 1 << (share // _ROUNDING).bit_length() - 1)
    return share // step * step


def fair_share(sizes: Sequence[int], room: int) -> int:
    """How large each may be at most so that all fit `room`: what the small ones leave goes to the large ones."""
    left, waiting = room, sorted(sizes)
    while waiting and waiting[0] <= left // len(waiting):
        left -= waiting.pop(0)
    return left // len(waiting) if waiting else room


def _with(slide: Slide, changed: dict[Medium, _Smaller]) -> Slide:
    media = tuple(changed[medium].medium if medium in changed else medium for medium in slide.media)
    return slide if media == slide.media else replace(slide, media=media)


def _name(mime: str) -> str:
    entry = by_mime(mime)
    return entry.name if entry else mime


def _not_taken(number: int, medium: Medium) -> str:
    return f"slide {number}: phones there don't take {_name(medium.mime)} {medium.kind.value}"


def _no_room(placed: Sequence[tuple[int, Medium]], room: int) -> str:
    number, medium = max(placed, key=lambda each: each[1].size)
    total = sum(each.size for _, each in placed)
    return f"slide {number}: {medium.kind.label} of {medium.size:,} bytes; all files are {total:,}"
