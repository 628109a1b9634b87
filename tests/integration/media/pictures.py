"""Images for tests: good ones, broken ones, bombs."""

import io
import struct
import zlib
from collections.abc import Iterable
from pathlib import Path

from PIL import Image

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


def _chunks(chunks: Iterable[tuple[bytes, bytes]]) -> Iterable[bytes]:
    for name, data in chunks:
        yield struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
