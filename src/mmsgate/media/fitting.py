"""Making a picture smaller until it fits: for the caged worker, the only process that imports Pillow.

The least altered picture wins: the largest box first, in it the highest quality. Sizes are predicted from the last
encode, so that a handful of encodes finds the place. Boxes and qualities follow the carriers' best practices.
"""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

#: The longer side counts as height: a landscape picture gets the box lying down.
BOXES = ((1080, 1920), (640, 1138), (480, 854), (320, 569))
QUALITIES = tuple(range(88, 59, -4))
LAST_QUALITIES = tuple(range(56, 39, -4))  # for the smallest box only: below that a phone shows mud
MOST_ENCODES = 4

#: Size of a JPEG at a quality, as a share of that at 88: measured over photographs and drawings.
_SHARE = {88: 1.0, 80: 0.74, 72: 0.60, 64: 0.52, 56: 0.45, 48: 0.40, 40: 0.34}

#: (share of width and height, colours, every how many frames) of an animation, from the least change to the most.
ANIMATIONS = (
    (1.0, 128, 1), (0.75, 128, 1), (0.75, 64, 2), (0.5, 64, 1), (0.5, 64, 2), (0.4, 32, 2), (0.3, 32, 3),
    (0.25, 16, 4),
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """A picture within its budget; `how` says what was done, for people."""

    data: bytes
    mime: str
    width: int
    height: int
    how: str
    encodes: int


@dataclass(frozen=True, slots=True)
class _Plan:
    box: int
    quality: int


def fit(image: Any, budget: int) -> Fitted | None:
    """The opened Pillow `image` in at most `budget` bytes; None if even the smallest version is larger."""
    if getattr(image, "n_frames", 1) > 1 and (moving := _fit_animation(image, budget)):
        return moving
    image.seek(0)
    return _fit_still(image, budget)


def _fit_still(image: Any, budget: int) -> Fitted | None:
    if image.format == "JPEG":
        width, height = image.size
        box = BOXES[0] if height >= width else BOXES[0][::-1]
        image.draft("RGB", box)  # a large photograph is decoded at a fraction of its size
    upright = _upright(image)
    plan: _Plan | None = _Plan(0, QUALITIES[0])
    for encodes in range(1, MOST_ENCODES + 1):
        if plan is None:
            return None
        small = _boxed(upright, BOXES[plan.box])
        data = _jpeg(small, plan.quality)
        if len(data) <= budget:
            how = f"quality {plan.quality}, {small.width}×{small.height}"
            return Fitted(
                data=data, mime="image/jpeg", width=small.width, height=small.height, how=how, encodes=encodes
            )
        room = budget * (0.95 if encodes < MOST_ENCODES - 1 else 0.8)  # the last try must not miss
        plan = _next_plan(plan, len(data), _area(small.size), upright.size, room)
    return None


def _next_plan(last: _Plan, size: int, area: int, whole: tuple[int, int], room: float) -> _Plan | None:
    """The least change that should fit `room`, judged by the `size` that the last plan came to."""
    for plan in _plans():
        if (plan.box, -plan.quality) <= (last.box, -last.quality):
            continue
        scaled = _area(_inside(whole, BOXES[plan.box])) / area
        if size * scaled * _share(plan.quality) / _share(last.quality) <= room:
            return plan
    return None


def _plans() -> Iterator[_Plan]:
    for box in range(len(BOXES)):
        for quality in QUALITIES:
            yield _Plan(box, quality)
    for quality in LAST_QUALITIES:
        yield _Plan(len(BOXES) - 1, quality)


def _share(quality: int) -> float:
    above = min(known for known in _SHARE if known >= quality)
    below = max(known for known in _SHARE if known <= quality)
    if above == below:
        return _SHARE[above]
    part = (quality - below) / (above - below)
    return _SHARE[below] + part * (_SHARE[above] - _SHARE[below])


def _upright(image: Any) -> Any:
    """As a phone would show it: turned by its EXIF, white where it is transparent, in RGB, without its profile."""
    from PIL import Image, ImageOps

    turned = ImageOps.exif_transpose(image)
    if turned.has_transparency_data:
        turned = turned.convert("RGBA")
        paper = Image.new("RGB", turned.size, "white")
        paper.paste(turned, mask=turned.getchannel("A"))
        return paper
    if turned.mode.startswith("I"):  # 16 bits: convert() would cut them off instead of scaling
        turned = turned.point(lambda value: value / 256).convert("L")
    return turned.convert("RGB")


def _inside(size: tuple[int, int], box: tuple[int, int]) -> tuple[int, int]:
    """`size` scaled down into the box, which lies down for a landscape picture. Never scaled up."""
    width, height = size
    across, down = box if height >= width else box[::-1]
    scale = min(1.0, across / width, down / height)
    return max(1, round(width * scale)), max(1, round(height * scale))


def _boxed(image: Any, box: tuple[int, int]) -> Any:
    from PIL import Image

    size = _inside(image.size, box)
    return image if size == image.size else image.resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0)


def _jpeg(image: Any, quality: int) -> bytes:
    made = io.BytesIO()
    image.save(made, "JPEG", quality=quality, optimize=True, progressive=False)
    return made.getvalue()


def _area(size: tuple[int, int]) -> int:
    return size[0] * size[1]


def _fit_animation(image: Any, budget: int) -> Fitted | None:
    """As an animation still; each try is judged by the one before, steps that can't do are left out."""
    tried: tuple[float, int] | None = None  # what share of the whole was tried, and the bytes it came to
    encodes = 0
    for scale, colours, every in ANIMATIONS:
        share = scale * scale * (0.4 + 0.6 * colours / 128) / every
        if tried is not None and tried[1] * share / tried[0] > budget * 1.3:
            continue
        data, size, frames = _animation(image, scale, colours, every)
        encodes += 1
        if len(data) <= budget:
            how = f"{size[0]}×{size[1]}, {frames} frames, {colours} colours"
            return Fitted(data=data, mime="image/gif", width=size[0], height=size[1], how=how, encodes=encodes)
        if encodes >= MOST_ENCODES:
            return None
        tried = (share, len(data))
    return None


def _animation(image: Any, scale: float, colours: int, every: int) -> tuple[bytes, tuple[int, int], int]:
    from PIL import Image

    size = max(1, round(image.width * scale)), max(1, round(image.height * scale))
    frames: list[Any] = []
    durations: list[int] = []
    for number in range(image.n_frames):
        image.seek(number)
        duration = int(image.info.get("duration", 100)) or 100
        if number % every:
            durations[-1] += duration
            continue
        frame = image.convert("RGB")
        if size != frame.size:
            frame = frame.resize(size, Image.Resampling.BILINEAR, reducing_gap=2.0)
        frames.append(frame.quantize(colours, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE))
        durations.append(duration)
    made = io.BytesIO()
    frames[0].save(
        made, "GIF", save_all=True, append_images=frames[1:], duration=durations, loop=image.info.get("loop", 0),
        optimize=False, disposal=1,
    )  # fmt: skip
    return made.getvalue(), size, len(frames)
