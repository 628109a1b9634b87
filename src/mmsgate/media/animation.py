"""Making an animation smaller so that it still moves, as a GIF: for the caged worker only.

Best practices 1 and 4: dimensions cut by a quarter and by half, few colours, 2 to 4 frames a second. What is
transparent is put on white, so that every frame is whole and none depends on how the one before is disposed of.
"""

import io
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from mmsgate.media.fitted import MOST_ENCODES, Fitted, Size, area

_SOONEST, _USUAL = 20, 100  # ms; browsers show what asks for less than the first as if it asked for the second
_MOST_PIXELS = 120_000_000  # of all frames of a version together: held in memory, a byte each
_MOST_DECODED = 1_200_000_000  # pixels, in all readings of the source together: about 10 s of a slow core
_SAMPLED = 8  # frames in the run that forecasts are made from
_SAMPLE_SCALE = 0.5
_SEEN_FOR_COLOURS = 16  # frames whose colours make the palette of all
_AIM, _LAST_AIM = 0.96, 0.7  # what part of the budget a version should come to; at the last chance


@dataclass(frozen=True, slots=True)
class _Step:
    """A version: what share of the width and height, how many colours, how many frames a second at most."""

    scale: float
    colours: int
    rate: int

    def weight(self, frames: int) -> float:
        """Its bytes beside those of other steps, where it has that many frames."""
        return math.pow(self.scale, 1.8) * (self.colours.bit_length() - 1.5) * frames


#: From the least change to the most.
STEPS = (
    _Step(1.0, 255, 50), _Step(1.0, 128, 25), _Step(0.75, 255, 15), _Step(0.75, 128, 12), _Step(0.75, 64, 8),
    _Step(0.5, 128, 8), _Step(0.5, 64, 6), _Step(0.5, 32, 4), _Step(0.5, 32, 2), _Step(0.4, 32, 2),
    _Step(0.3, 32, 2), _Step(0.25, 16, 2),
)  # fmt: skip


def frames_of(image: Any) -> int:
    """How many pictures the file has."""
    return int(getattr(image, "n_frames", 1))


def fit_animation(image: Any, budget: int) -> Fitted | None:
    """The moving `image` as a GIF of at most `budget` bytes; None if it would have to stop moving.

    Each try is judged by the one before. What fits is kept while less change is tried, if that should fit too.
    """
    readings = min(_MOST_DECODED // (area(image.size) * frames_of(image)), 1 + MOST_ENCODES)
    if readings < 2:
        return None
    film = _Film(image)
    factor = film.forecast()
    steps = [step for step in STEPS if len(film.kept(step)) > 1 and film.pixels(step) <= _MOST_PIXELS]
    best: Fitted | None = None
    for tries in range(1, readings):
        aim = budget * (_AIM if best or tries < readings - 1 else _LAST_AIM)
        step = next((step for step in steps if film.weight(step) * factor <= aim), None)
        if step is None and (best or not steps):
            break
        step = step or steps[-1]
        data = film.encoded(step)
        factor = len(data) / film.weight(step)
        at = steps.index(step)
        if len(data) <= budget:
            best = film.fitted(data, step)
            steps = steps[:at]
        else:
            steps = steps[at + 1 :]
    return replace(best, encodes=film.encodes) if best else None


class _Film:
    """An animation, read once for its times and colours and then once for each version."""

    def __init__(self, image: Any) -> None:
        self._image = image
        self._first = 1 if getattr(image, "default_image", False) else 0  # of an animated PNG: it is no frame
        self._durations: list[int] = []
        self.size: Size = image.size
        self._transparent = bool(image.has_transparency_data)
        count = frames_of(image) - self._first
        self._run: list[Any] = []
        seen: list[Any] = []
        for number, frame in enumerate(self._frames()):
            duration = int(image.info.get("duration", _USUAL))
            self._durations.append(duration if duration >= _SOONEST else _USUAL)
            if number % max(1, count // _SEEN_FOR_COLOURS) == 0:
                seen.append(_on_white(frame, (96, 96)))
            if len(self._run) < _SAMPLED and number >= (count - _SAMPLED) // 2:
                self._run.append(_on_white(frame, self._scaled(_SAMPLE_SCALE)))
        self._palettes = _Palettes(seen)
        self._shared = True
        self.encodes = 0  # of whole versions

    def _frames(self) -> Iterator[Any]:
        for number in range(self._first, frames_of(self._image)):
            self._image.seek(number)
            self._image.load()
            yield self._image

    def _scaled(self, scale: float) -> Size:
        return max(1, round(self.size[0] * scale)), max(1, round(self.size[1] * scale))

    def kept(self, step: _Step) -> dict[int, int]:
        """The frames of that version, by number, with the ms each is shown: one left out lengthens that before."""
        kept: dict[int, int] = {}
        last = 0
        for number, duration in enumerate(self._durations):
            if not kept or kept[last] + _SOONEST / 2 >= 1000 / step.rate:
                last, kept[number] = number, 0
            kept[last] += duration
        return kept

    def pixels(self, step: _Step) -> int:
        return area(self._scaled(step.scale)) * len(self.kept(step))

    def weight(self, step: _Step) -> float:
        return step.weight(len(self.kept(step)))

    def forecast(self) -> float:
        """Bytes for each unit of weight, judged by a run of frames; also which kind of palette takes fewer."""
        step = _Step(_SAMPLE_SCALE, 128, 50)
        sizes = {}
        for shared in (True, False):
            frames = self._palettes.reduced(self._run, step.colours, shared)
            sizes[shared] = len(self._gif(frames, shared, [_USUAL] * len(frames)))
        self._shared = sizes[True] <= sizes[False]
        return sizes[self._shared] / step.weight(len(self._run))

    def encoded(self, step: _Step) -> bytes:
        self.encodes += 1
        kept = self.kept(step)
        size = self._scaled(step.scale)
        frames = (_on_white(frame, size) for number, frame in enumerate(self._frames()) if number in kept)
        reduced = self._palettes.reduced(frames, step.colours, self._shared)
        return self._gif(reduced, self._shared, list(kept.values()))

    def _gif(self, frames: list[Any], shared: bool, durations: list[int]) -> bytes:
        made = io.BytesIO()
        more: dict[str, Any] = {"palette": bytes(frames[0].getpalette())} if shared else {}
        if (loop := self._loop()) is not None:
            more["loop"] = loop
        frames[0].save(
            made,
            "GIF",
            save_all=True,
            append_images=frames[1:],
            duration=durations,
            disposal=1,
            optimize=True,
            **more,
        )
        return made.getvalue()

    def _loop(self) -> int | None:
        """How often it is shown again; 0 for ever, None for once. AVIF does not say."""
        loop = self._image.info.get("loop", 0 if self._image.format == "AVIF" else None)
        return None if loop is None else int(loop)

    def fitted(self, data: bytes, step: _Step) -> Fitted:
        width, height = self._scaled(step.scale)
        frames = len(self.kept(step))
        how = f"{width}×{height}, {frames} of {len(self._durations)} frames, {step.colours} colours"
        if self._transparent:
            how += ", transparency on white"
        return Fitted(data=data, mime="image/gif", width=width, height=height, how=how, encodes=self.encodes)


class _Palettes:
    """One palette for all frames, of any number of colours, or one for each."""

    def __init__(self, seen: list[Any]) -> None:
        from PIL import Image

        self._montage = Image.new("RGB", (96, 96 * len(seen)), "white")
        for number, picture in enumerate(seen):
            self._montage.paste(picture, (0, 96 * number))

    def reduced(self, frames: Any, colours: int, shared: bool) -> list[Any]:
        """The frames with that many colours."""
        from PIL import Image

        if not shared:
            octree = Image.Quantize.FASTOCTREE
            return [frame.quantize(colours, method=octree, dither=Image.Dither.NONE) for frame in frames]
        master = self._montage.quantize(colours, method=Image.Quantize.MEDIANCUT)
        _fill(master)
        return [frame.quantize(palette=master, dither=Image.Dither.NONE) for frame in frames]


def _fill(master: Any) -> None:
    """Makes the palette 256 colours long, all different, so that one is left to stand for "as before"."""
    entries = master.getpalette()
    used = {tuple(entries[at : at + 3]) for at in range(0, len(entries), 3)}
    spare = (colour for value in range(256) for colour in ((value, 0, 255), (value, 255, 0)) if colour not in used)
    while len(entries) < 3 * 256:
        entries += next(spare)
    master.putpalette(entries)


def _on_white(frame: Any, size: Size) -> Any:
    from PIL import Image

    if frame.has_transparency_data:
        clear = frame.convert("RGBA")
        whole = Image.new("RGB", clear.size, "white")
        whole.paste(clear, mask=clear.getchannel("A"))
    else:
        whole = frame.convert("RGB")
    return whole if whole.size == size else whole.resize(size, Image.Resampling.BILINEAR, reducing_gap=2.0)
