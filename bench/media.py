"""What the messages of the benchmark show."""

import io
import os
from pathlib import Path

from PIL import Image

#: Names of the sizes and their bytes.
SIZES = {"31 KB": 31_000, "321 KB": 321_000}


def write_pictures(folder: Path) -> None:
    """A JPEG of each size."""
    for name, size in SIZES.items():
        (folder / file_name(name)).write_bytes(jpeg(size))


def file_name(size: str) -> str:
    """The file of the size of that name."""
    return f"{size.split(maxsplit=1)[0]}.jpg"


def jpeg(size: int) -> bytes:
    """A JPEG of exactly that many bytes: a small picture, filled up with comment segments."""
    file = io.BytesIO()
    Image.effect_noise((160, 120), 60).convert("RGB").save(file, format="JPEG", quality=85)
    data = file.getvalue()
    left = size - len(data)
    segments = b""
    while left > 0:
        length = min(left, 60_000) if left - min(left, 60_000) != 1 else left - 4
        length = max(length, 4)
        segments += b"\xff\xfe" + (length - 2).to_bytes(2) + os.urandom(length - 4).replace(b"\xff", b"\xfe")
        left -= length
    return data[:2] + segments + data[2:]
