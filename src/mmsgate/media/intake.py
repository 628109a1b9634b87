"""What a file must pass before it is kept: its type by its bytes, an image's decoding; then it is a blob.

Whatever way a file comes in, through a URL or an upload, it comes through here.
"""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from weakref import WeakValueDictionary

from mmsgate.domain.media import ImageLimits, MediaKind, MediaType
from mmsgate.domain.slide import Medium
from mmsgate.media.cage import ImageBroken, ImageCage, ImageChecked, ImageOutcome, ImageTooLarge
from mmsgate.media.sniff import Sniffed, sniff
from mmsgate.media.storage import BlobStore

_REMEMBERED = 10_000  # images whose check is remembered
#: Types that may have more than one frame.
_ANIMATED = frozenset({"image/gif", "image/png", "image/webp", "image/avif", "image/heic"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A file of one of our types that is durably stored. `width` and `height` are pixels, 0 where unknown."""

    blob: str
    type: MediaType
    size: int
    width: int = 0
    height: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Unfit:
    """A file that is not kept: E229 for a type that is known and not accepted, E629 for an unknown one, E341."""

    code: str
    reason: str


class Intake:
    """Checks files and stores them. `stored` counts the blobs that were new, `decodes` the pictures decoded."""

    def __init__(self, *, blobs: BlobStore, cage: ImageCage) -> None:
        self._blobs = blobs
        self._cage = cage
        self._checked: OrderedDict[str, ImageChecked] = OrderedDict()
        self._checking: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self.stored = 0
        self.decodes = 0

    async def admit(
        self, path: Path, *, size: int, sha256: str, limits: ImageLimits, owner: str = ""
    ) -> Kept | Unfit:
        """Checks the temporary file and makes a blob of it, or removes it. `owner` is the account whose it is.

        Raises CageError and OSError if the fault is ours.
        """
        try:
            admitted = await self._judged(path, size, sha256, limits, owner)
            if isinstance(admitted, Kept):
                new = await self._blobs.put_file(path, sha256)
                self.stored += new  # not in one line: it would add to what the count was before the wait
        finally:
            await asyncio.to_thread(path.unlink, missing_ok=True)
        return admitted

    async def recheck(self, medium: Medium, limits: ImageLimits, *, owner: str = "") -> Unfit | None:
        """What speaks against the frames of an image that was kept before, maybe under wider limits (R-30).

        How many it has is not kept with it: what this process has not checked itself goes through the cage again.
        Raises CageError and BlobMissingError if the fault is ours.
        """
        if medium.mime not in _ANIMATED:
            return None
        path = await self._blobs.path(medium.blob)
        outcome = await self._image(path, medium.mime, medium.blob, limits, owner)
        return None if isinstance(outcome, ImageChecked) else _unusable(medium.mime, outcome)

    async def _judged(self, path: Path, size: int, sha256: str, limits: ImageLimits, owner: str) -> Kept | Unfit:
        sniffed = await asyncio.to_thread(sniff_file, path)
        if sniffed.type is None:
            return _not_ours(sniffed)
        if sniffed.type.kind is not MediaKind.IMAGE:
            return Kept(blob=sha256, type=sniffed.type, size=size)
        outcome = await self._image(path, sniffed.type.mime, sha256, limits, owner)
        if not isinstance(outcome, ImageChecked):
            return _unusable(sniffed.name, outcome)
        return Kept(blob=sha256, type=sniffed.type, size=size, width=outcome.width, height=outcome.height)

    async def _image(self, path: Path, mime: str, sha256: str, limits: ImageLimits, owner: str) -> ImageOutcome:
        """The check of an image, remembered for bytes that passed. Who wants the same meanwhile waits for it."""
        async with self._checking.setdefault(sha256, asyncio.Lock()):
            known = self._checked.get(sha256)
            if known is not None and _passes(known, mime, limits):
                return known
            self.decodes += 1
            outcome = await self._cage.check(path, mime, limits=limits, owner=owner)
            if isinstance(outcome, ImageChecked):
                self._checked[sha256] = outcome
                if len(self._checked) > _REMEMBERED:
                    self._checked.popitem(last=False)
            return outcome


def within(width: int, height: int, mime: str, limits: ImageLimits) -> bool:
    """Whether an image of this size is allowed (R-30)."""
    return width * height <= limits.pixels_of(mime)


def _passes(image: ImageChecked, mime: str, limits: ImageLimits) -> bool:
    return within(image.width, image.height, mime, limits) and image.frames <= limits.frames


def _unusable(name: str, outcome: ImageBroken | ImageTooLarge) -> Unfit:
    if isinstance(outcome, ImageBroken) and not outcome.decodable:
        return Unfit(code="E229", reason=f"it is {name}, which is not accepted: {outcome.reason}")
    return Unfit(code="E341", reason=f"the {name} cannot be used: {outcome.reason}")


def sniff_file(path: Path) -> Sniffed:
    """What a file is. Blocking: call it in a thread."""
    with path.open("rb") as file:

        def peek(offset: int, length: int) -> bytes:
            file.seek(offset)
            return file.read(length)

        return sniff(peek, size=path.stat().st_size)


def _not_ours(sniffed: Sniffed) -> Unfit:
    if sniffed.name:
        return Unfit(code="E229", reason=f"it is {sniffed.name}, which is not accepted")
    return Unfit(code="E629", reason="its bytes are of no known type")
