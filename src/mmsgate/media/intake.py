"""What a file must pass before it is kept: its type by its bytes, an image's decoding; then it is a blob.

Whatever way a file comes in, through a URL or an upload, it comes through here.
"""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path

from mmsgate.domain.media import ImageLimits, MediaKind, MediaType
from mmsgate.media.cage import ImageBroken, ImageCage, ImageChecked, ImageOutcome, ImageTooLarge
from mmsgate.media.sniff import Sniffed, sniff
from mmsgate.media.storage import BlobStore

_REMEMBERED = 10_000  # images whose check is remembered


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
    """Checks files and stores them. `stored` counts the blobs that were new."""

    def __init__(self, *, blobs: BlobStore, cage: ImageCage) -> None:
        self._blobs = blobs
        self._cage = cage
        self._checked: OrderedDict[str, ImageChecked] = OrderedDict()
        self.stored = 0

    async def admit(self, path: Path, *, size: int, sha256: str, limits: ImageLimits) -> Kept | Unfit:
        """Checks the temporary file and makes a blob of it, or removes it.

        Raises CageError and OSError if the fault is ours.
        """
        try:
            admitted = await self._judged(path, size, sha256, limits)
            if isinstance(admitted, Kept):
                self.stored += await self._blobs.put_file(path, sha256)
        finally:
            await asyncio.to_thread(path.unlink, missing_ok=True)
        return admitted

    async def _judged(self, path: Path, size: int, sha256: str, limits: ImageLimits) -> Kept | Unfit:
        sniffed = await asyncio.to_thread(sniff_file, path)
        if sniffed.type is None:
            return _not_ours(sniffed)
        if sniffed.type.kind is not MediaKind.IMAGE:
            return Kept(blob=sha256, type=sniffed.type, size=size)
        match await self._image(path, sniffed.type.mime, sha256, limits):
            case ImageChecked(width=width, height=height):
                return Kept(blob=sha256, type=sniffed.type, size=size, width=width, height=height)
            case ImageBroken(reason=reason) | ImageTooLarge(reason=reason):
                return Unfit(code="E341", reason=f"the {sniffed.name} cannot be used: {reason}")

    async def _image(self, path: Path, mime: str, sha256: str, limits: ImageLimits) -> ImageOutcome:
        """The check of an image, remembered for bytes that passed under these or wider limits."""
        known = self._checked.get(sha256)
        if known is not None and within(known.width, known.height, mime, limits):
            return known
        outcome = await self._cage.check(path, mime, limits=limits)
        if isinstance(outcome, ImageChecked):
            self._checked[sha256] = outcome
            if len(self._checked) > _REMEMBERED:
                self._checked.popitem(last=False)
        return outcome


def within(width: int, height: int, mime: str, limits: ImageLimits) -> bool:
    """Whether an image of this size is allowed (R-30)."""
    return width * height <= limits.pixels_of(mime)


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
