"""Images for tests: good ones, broken ones, bombs."""

import io
import random
import struct
import zlib
from collections.abc import Iterable
from pathlib import Path

from PIL import Image, ImageDraw

#: Files that nothing here can write (tests/data/README.md).
DATA = Path(__file__).parents[2] / "data"


def image(name: str = "JPEG", size: tuple[int, int] = (64, 48), mode: str = "RGB") -> bytes:
    """A small good image of that format."""
    buffer = io.BytesIO()
    Image.radial_gradient("L").resize(size).convert(mode).save(buffer, name)
    return buffer.getvalue()


def animation(frames: int, size: tuple[int, int] = (16, 16)) -> bytes:
    """A GIF whose frames all differ."""
    buffer = io.BytesIO()
    pictures = [Image.new("L", size, index % 256) for index in range(frames)]
    pictures[0].save(buffer, "GIF", save_all=True, append_images=pictures[1:], duration=20)
    return buffer.getvalue()


def blank_png(width: int, height: int, *, bits: int = 1, colour: int = 0, rows: int | None = None) -> bytes:
    """A PNG of `height` rows of zeros, of which `rows` are there: large to unpack, small on the wire."""
    samples = {0: 1, 2: 3, 6: 4}[colour]
    row = bytes(1 + (width * samples * bits + 7) // 8)
    packer = zlib.compressobj()
    data = b"".join(packer.compress(row) for _ in range(height if rows is None else rows)) + packer.flush()
    header = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunks([(b"IHDR", header), (b"IDAT", data), (b"IEND", b"")]))


def chunked_png(*chunks: tuple[bytes, bytes]) -> bytes:
    """A small good PNG with more chunks behind its header."""
    good = image("PNG")
    end = 8 + 25  # of the signature and the header
    return good[:end] + b"".join(_chunks(chunks)) + good[end:]


def _chunks(chunks: Iterable[tuple[bytes, bytes]]) -> Iterable[bytes]:
    for name, data in chunks:
        yield struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def saved(picture: Image.Image, name: str, **options: object) -> bytes:
    """The picture as a file of that format."""
    buffer = io.BytesIO()
    picture.save(buffer, name, **options)
    return buffer.getvalue()


def noise(size: tuple[int, int], seed: int) -> Image.Image:
    """Grey grain, the same for the same seed."""
    return Image.frombytes("L", size, random.Random(seed).randbytes(size[0] * size[1]))


#: The corners of a scene, in reading order.
CORNERS = ((220, 30, 30), (30, 200, 30), (30, 30, 220), (250, 250, 250))


def scene(size: tuple[int, int], seed: int = 1) -> Image.Image:
    """As hard to compress as a photograph: large shapes, small ones and grain; markers in its corners."""
    width, height = size
    shapes = [noise((part, part), seed + part).resize(size) for part in (5, 20, 80)]
    grain = noise((320, 320), seed).resize(size)
    picture = Image.merge("RGB", [Image.blend(shape, grain, 0.12) for shape in shapes])
    across, down = width // 8, height // 8
    for number, colour in enumerate(CORNERS):
        left, top = (width - across) * (number % 2), (height - down) * (number // 2)
        picture.paste(colour, (left, top, left + across, top + down))
    return picture


def screenshot(size: tuple[int, int] = (1170, 2532)) -> Image.Image:
    """Panels, lines of text and icons, in few colours."""
    picture = Image.new("RGB", size, (242, 242, 247))
    draw = ImageDraw.Draw(picture)
    chosen = random.Random(7)
    for row in range(60, size[1] - 60, 42):
        draw.rectangle((40, row, size[0] - 40, row + 36), fill="white")
        draw.ellipse((50, row + 4, 80, row + 32), fill=(10 * (row % 20), 122, 255))
        for column in range(100, size[0] - 60, 13):
            if chosen.random() < 0.8:
                draw.line((column, row + 8, column + chosen.randrange(9), row + 28), fill="black", width=2)
    return picture


def film(frames: int, size: tuple[int, int], *, clear: bool = False) -> list[Image.Image]:
    """A grainy disc that goes from left to right over a coloured (or transparent) ground."""
    disc, hole = scene((size[1] // 2, size[1] // 2)), Image.new("L", (size[1] // 2, size[1] // 2))
    ImageDraw.Draw(hole).ellipse((0, 0, *hole.size), fill=255)
    pictures = []
    for number in range(frames):
        picture = Image.new("RGBA", size, (0, 0, 0, 0) if clear else (40, 90, 160, 255))
        left = (size[0] - disc.width) * number // max(1, frames - 1)
        picture.paste(disc, (left, size[1] // 4), hole)
        pictures.append(picture if clear else picture.convert("RGB"))
    return pictures


def moving(name: str, pictures: list[Image.Image], **options: object) -> bytes:
    """The pictures as an animation of that format."""
    return saved(pictures[0], name, save_all=True, append_images=pictures[1:], **options)
