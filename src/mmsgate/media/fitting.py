"""Making a picture smaller until it fits: for the caged worker, the only process that imports Pillow.

The least altered picture wins: the largest box first, in it the highest quality. What a quality comes to is
forecast from a few strips of the picture, so that the first or second encode is the last. Boxes and qualities
follow the carriers' best practices.
"""

import io
import math
import os
from functools import cached_property
from typing import Any

from mmsgate.media.animation import fit_animation, frames_of
from mmsgate.media.canvas import Canvas, few_colours
from mmsgate.media.fitted import MOST_ENCODES, Fitted, Size, area, inside

#: The longer side counts as height: a landscape picture gets the box lying down.
BOXES: tuple[Size, ...] = ((1080, 1920), (640, 1138), (480, 854), (320, 569))
BEST_QUALITY = 88
LEAST_QUALITY = 60
LAST_QUALITY = 40  # for the smallest box only: below that a phone shows mud

PAGE_BOX: Size = (4096, 4096)  # for a web page
PAGE_QUALITY = 90

#: What part of the budget a try aims at: the later, the surer.
_AIMS = (0.985, 0.98, 0.95, 0.85)

#: Where phones take no JPEG: the box, and the number of colours (0: all of them, which only PNG can).
_FLAT = {
    "image/png": ((0, 0), (0, 256), (1, 256), (3, 32)),
    "image/gif": ((0, 256), (1, 256), (2, 128), (3, 32)),
}
#: Beyond these a palette shows: levels of the mean, and pixels that are far off (more than soft edges are), one in
#: so many.
_PALE, _FAR_OFF, _ONE_IN = 1.0, 48, 5000
_HOPELESS = 1.5  # times the budget, judged by strips: then the whole is not tried
_DRAWN_COLOURS = 30_000  # a photograph has more; beyond these the best palette takes seconds to find


def fit(image: Any, budget: int | None, types: frozenset[str]) -> Fitted | None:
    """The opened Pillow `image` in at most `budget` bytes and one of the `types`; None if nothing does.

    Without a budget, a JPEG in full size for a web page, whatever the types.
    """
    frames = frames_of(image)
    album = image.format == "HEIF"  # what it has more than one of are pictures; the main one is there already
    lost: tuple[str, ...] = ()
    if frames > 1:
        lost = (f"one of {frames} pictures" if album else f"the first of {frames} frames",)
    if budget is None:
        return _for_a_page(image, lost)
    if frames > 1 and not album and "image/gif" in types:
        if moving := fit_animation(image, budget):
            return moving
        image.seek(0)
    return _fit_still(image, budget, types, lost)


def _for_a_page(image: Any, lost: tuple[str, ...]) -> Fitted:
    canvas = Canvas(image, PAGE_BOX)
    picture = canvas.version(inside(canvas.size, PAGE_BOX))
    data = _jpeg(picture, PAGE_QUALITY)
    return _fitted(data, "image/jpeg", picture.size, 1, (f"quality {PAGE_QUALITY}", *lost, *canvas.changes))


def _fit_still(image: Any, budget: int, types: frozenset[str], lost: tuple[str, ...]) -> Fitted | None:
    drawn = image.format in ("PNG", "GIF", "WEBP")
    largest = _likely_box(image, budget) if image.format == "JPEG" and "image/jpeg" in types else 0
    canvas = Canvas(image, BOXES[largest])
    if largest and not _hopeless(canvas, largest - 1, budget):
        canvas, largest = Canvas(_opened_again(image), BOXES[0]), 0
    lost += canvas.changes
    tries = 0
    if drawn and {"image/png", "image/jpeg"} <= types:
        found, tries = _as_drawing(canvas, budget, lost)
        if found is not None:
            return found
    if "image/jpeg" in types:
        return _as_jpeg(canvas, budget, lost, tries, BOXES[largest:])
    kinds = [mime for mime in _FLAT if mime in types]
    return _with_palette(canvas, budget, lost, kinds[0]) if kinds else None


#: How a photograph's bytes follow its pixels and the steps of its quantization, about; and of how many times the
#: budget such a guess must speak before a box is given up for it.
_BY_PIXELS, _BY_STEPS, _DOUBT = 0.9, -0.58, 1.6
_STEPS = 2950  # of LEAST_QUALITY: the sum of its table for luminance (ITU-T T.81, table K.1, times 0.8)
#: The bytes of a larger version grow at least with the square root of its pixels: 0.6 was the least measured.
_GROWTH = 0.5


def _likely_box(image: Any, budget: int) -> int:
    """The largest box that a JPEG may fill, judged by its bytes alone: to decode it for a larger one costs."""
    steps = sum(next(iter(image.quantization.values()), ()))
    whole = os.stat(image.filename).st_size * (_STEPS / steps) ** _BY_STEPS if steps else 0
    for number, box in enumerate(BOXES):
        share = area(inside(image.size, box)) / area(image.size)
        if whole * share**_BY_PIXELS <= budget * _DOUBT:
            return number
    return len(BOXES) - 1


def _hopeless(canvas: Canvas, box: int, budget: int) -> bool:
    """Whether even the least quality is too much for that box, judged by strips of the next smaller one."""
    size, smaller = (inside(canvas.size, BOXES[number]) for number in (box, box + 1))
    growth: float = (area(size) / area(smaller)) ** _GROWTH
    return _Forecast(canvas, smaller, LEAST_QUALITY).least * growth > budget


def _opened_again(image: Any) -> Any:
    """It can be decoded once only."""
    from PIL import Image

    return Image.open(image.filename, formats=[image.format])


def _as_jpeg(
    canvas: Canvas, budget: int, lost: tuple[str, ...], tries: int, boxes: tuple[Size, ...]
) -> Fitted | None:
    drift = 1.0  # what earlier encodes came to, beside their forecasts
    for size in dict.fromkeys(inside(canvas.size, box) for box in boxes):
        last = size == inside(canvas.size, BOXES[-1])
        forecast = _Forecast(canvas, size, LAST_QUALITY if last else LEAST_QUALITY)
        picture, ceiling = None, BEST_QUALITY
        while (quality := forecast.best(budget * _AIMS[tries] / drift, ceiling)) is not None:
            picture = picture or canvas.version(size)
            data = _jpeg(picture, quality)
            tries += 1
            if len(data) <= budget:
                return _fitted(data, "image/jpeg", size, tries, (f"quality {quality}", *lost))
            if tries == MOST_ENCODES:
                return None
            drift, ceiling = len(data) / forecast.bytes(quality), quality - 1
    return None


#: Bytes at a quality as a share of those at 88: the shape of the way from one quality to another, for photographs
#: and drawings alike. Where it ends is measured on strips of the picture itself.
_SHAPE = {88: 1.0, 80: 0.76, 72: 0.63, 64: 0.545, 56: 0.48, 48: 0.425, 40: 0.37}


class _Forecast:
    """What a version comes to in bytes at each quality from `floor` up, judged by strips of it."""

    def __init__(self, canvas: Canvas, size: Size, floor: int) -> None:
        self._strips, self._share = canvas.sample(size)
        self._empty = len(_jpeg(self._strips.crop((0, 0, 8, 8)), floor))  # the tables of a JPEG, about
        self._floor, self.least = floor, self._measured(floor)

    def _measured(self, quality: int) -> float:
        return (len(_jpeg(self._strips, quality)) - self._empty) / self._share + self._empty

    @cached_property
    def _best(self) -> float:
        return self._measured(BEST_QUALITY)

    @cached_property
    def _bend(self) -> float:
        """How much faster or slower than usual this picture shrinks."""
        return math.log(self._best / self.least) / -math.log(_shape(self._floor))

    def bytes(self, quality: int) -> float:
        """The bytes of the whole version, about."""
        return float(self._best * _shape(quality) ** self._bend)

    def best(self, room: float, ceiling: int) -> int | None:
        """The highest quality up to `ceiling` that should fit `room`."""
        if self.least > room:
            return None
        return next((q for q in range(ceiling, self._floor - 1, -1) if self.bytes(q) <= room), None)


def _shape(quality: int) -> float:
    above = min(known for known in _SHAPE if known >= quality)
    below = max(known for known in _SHAPE if known <= quality)
    part = (quality - below) / (above - below) if above > below else 0.0
    return _SHAPE[below] + part * (_SHAPE[above] - _SHAPE[below])


def _as_drawing(canvas: Canvas, budget: int, lost: tuple[str, ...]) -> tuple[Fitted | None, int]:
    """A screenshot or a logo as PNG with a palette, if nobody can tell it from the original and it fits.

    Also how many encodes that took.
    """
    whole = canvas.version(canvas.size)
    exact = few_colours(whole, 256)
    picture = whole if exact else canvas.version(inside(canvas.size, BOXES[0]))
    if not few_colours(picture, _DRAWN_COLOURS):
        return None, 0
    strips, share = canvas.sample(picture.size)
    if len(_encoded(_reduced(strips, 256), "image/png")) / share > budget * _HOPELESS:
        return None, 0
    reduced = _reduced(picture, 256)
    if not exact and _shows(picture, reduced):
        return None, 0
    data = _encoded(reduced, "image/png")
    if len(data) > budget:
        return None, 1
    how = "its own colours in a palette" if exact else "palette of 256 colours"
    return _fitted(data, "image/png", picture.size, 1, (how, *lost)), 1


def _shows(picture: Any, reduced: Any) -> bool:
    """Whether a person could see that colours were lost."""
    from PIL import ImageChops, ImageStat

    red, green, blue = ImageChops.difference(picture, reduced.convert("RGB")).split()
    largest = ImageChops.lighter(ImageChops.lighter(red, green), blue)
    far_off = sum(largest.histogram()[_FAR_OFF:])
    return ImageStat.Stat(largest).mean[0] > _PALE or far_off * _ONE_IN > picture.width * picture.height


def _with_palette(canvas: Canvas, budget: int, lost: tuple[str, ...], mime: str) -> Fitted | None:
    """For phones that take no JPEG."""
    for tries, (box, colours) in enumerate(_FLAT[mime], 1):
        picture = canvas.version(inside(canvas.size, BOXES[box]))
        data = _encoded(_reduced(picture, colours) if colours else picture, mime)
        if len(data) <= budget:
            how = f"{colours} colours" if colours else "all colours"
            return _fitted(data, mime, picture.size, tries, (how, *lost))
    return None


def _reduced(picture: Any, colours: int) -> Any:
    from PIL import Image

    drawn = few_colours(picture, _DRAWN_COLOURS)
    method = Image.Quantize.MEDIANCUT if drawn else Image.Quantize.FASTOCTREE
    return picture.quantize(colours, method=method, dither=Image.Dither.NONE)


def _encoded(picture: Any, mime: str) -> bytes:
    made = io.BytesIO()
    picture.save(made, "PNG" if mime == "image/png" else "GIF", optimize=True)
    return made.getvalue()


def _jpeg(picture: Any, quality: int) -> bytes:
    """Baseline, as old phones want it; `optimize` takes 4 % off the bytes for some milliseconds."""
    made = io.BytesIO()
    picture.save(made, "JPEG", quality=quality, optimize=True, progressive=False)
    return made.getvalue()


def _fitted(data: bytes, mime: str, size: Size, encodes: int, words: tuple[str, ...]) -> Fitted:
    """`words` say what was done; the size is put behind the first."""
    width, height = size
    how = ", ".join((words[0], f"{width}×{height}", *words[1:]))
    return Fitted(data=data, mime=mime, width=width, height=height, how=how, encodes=encodes)
