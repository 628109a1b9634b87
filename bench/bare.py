"""The floor of an adapted picture: bare Pillow that makes the same result at once, knowing what it will be."""

import io
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

_UPRIGHT = {6: Image.Transpose.ROTATE_270}  # by EXIF orientation


@dataclass(frozen=True, slots=True, kw_only=True)
class Bare:
    """A picture to make: its source, the size and the quality of the result; of a GIF its colours and frames."""

    path: Path
    size: tuple[int, int]
    quality: int = 0
    colours: int = 0
    frames: int = 0

    def cpu_seconds(self) -> float:
        """Makes it; the CPU that it took."""
        begun = time.process_time()
        with Image.open(self.path) as image:
            if self.frames:
                self._moving(image)
            else:
                self._still(image)
        return time.process_time() - begun

    def _still(self, image: Image.Image) -> None:
        turn = _UPRIGHT.get(image.getexif().get(0x0112, 1))
        size = self.size[::-1] if turn else self.size
        image.draft(None, size)
        small = _eight_bits(image).resize(size, Image.Resampling.LANCZOS, reducing_gap=1.1)
        if turn:
            small = small.transpose(turn)
        if small.mode == "RGBA":
            paper = Image.new("RGB", small.size, "white")
            paper.paste(small, mask=small)
            small = paper
        small.save(io.BytesIO(), "JPEG", quality=self.quality)

    def _moving(self, image: Image.Image) -> None:
        first, *others = list(self._cut(image))
        first.save(io.BytesIO(), "GIF", save_all=True, append_images=others)

    def _cut(self, image: Image.Image) -> Iterator[Image.Image]:
        count = getattr(image, "n_frames", 1)
        for number in range(self.frames):
            image.seek(number * count // self.frames)
            small = image.convert("RGB").resize(self.size, Image.Resampling.BILINEAR, reducing_gap=2.0)
            yield small.quantize(self.colours, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)


def _eight_bits(image: Image.Image) -> Image.Image:
    return image.point(lambda value: value * (1 / 257)).convert("L") if image.mode.startswith("I") else image
