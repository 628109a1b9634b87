"""Pictures, sounds and videos to adapt, made when they are needed and the same in every run."""

import io
import random
import struct
import subprocess
import zlib
from collections.abc import Iterable
from pathlib import Path

import imageio_ffmpeg  # type: ignore[import-untyped]  # it comes without types
from PIL import Image

_ORIENTATION = 0x0112
_LYING = 6  # EXIF: as a phone held upright lays its pictures down

#: Cells across and their weight: coarse ones make shapes, fine ones detail, about as strong as in a photograph.
_OCTAVES = ((6, 0.5), (24, 0.4), (96, 0.3), (384, 0.22), (1536, 0.12))


def photograph(size: tuple[int, int], seed: int = 1) -> Image.Image:
    """As hard to compress as a photograph: 2 to 3 bits a pixel at quality 90."""
    return Image.merge("RGB", [_channel(size, seed + number) for number in range(3)])


def _channel(size: tuple[int, int], seed: int) -> Image.Image:
    made = Image.new("L", size, 128)
    for across, weight in _OCTAVES:
        down = max(1, across * size[1] // size[0])
        cells = Image.frombytes("L", (across, down), random.Random(seed + across).randbytes(across * down))
        made = Image.blend(made, cells.resize(size, Image.Resampling.BICUBIC), weight)
    return made


def jpeg_photograph(size: tuple[int, int], *, lying: bool = False) -> bytes:
    """A photograph as a phone writes it; `lying` says it was held upright and tells so in its EXIF data only."""
    exif = Image.Exif()
    exif[_ORIENTATION] = _LYING if lying else 1
    return saved(photograph(size), "JPEG", quality=90, exif=exif)


def transparent_png(size: tuple[int, int]) -> bytes:
    """A photograph that fades out towards its rim."""
    picture = photograph(size)
    picture.putalpha(Image.radial_gradient("L").resize(size).point(lambda value: 255 - value))
    return saved(picture, "PNG", compress_level=1)


def grey_png(size: tuple[int, int]) -> bytes:
    """Grey of 16 bits."""
    deep = photograph(size).convert("L").convert("I").point(lambda value: value * 257)
    return saved(deep.convert("I;16"), "PNG", compress_level=1)


def webp(size: tuple[int, int]) -> bytes:
    return saved(photograph(size), "WEBP", quality=85, method=0)


def moving_gif(size: tuple[int, int], frames: int) -> bytes:
    """A photograph that the camera pans over."""
    wide = photograph((size[0] * 2, size[1]))
    shift = size[0] // frames
    cuts = [wide.crop((shift * number, 0, shift * number + size[0], size[1])) for number in range(frames)]
    return saved(cuts[0], "GIF", save_all=True, append_images=cuts[1:], duration=100, loop=0)


def saved(picture: Image.Image, name: str, **options: object) -> bytes:
    made = io.BytesIO()
    picture.save(made, name, **options)
    return made.getvalue()


def video(path: Path, size: str, seconds: int, *, upright: bool = False) -> Path:
    """A video as a phone writes it, of 15 Mbit/s at 1080p, with sound; `upright` adds the flag that turns it."""
    plain = path.with_stem(f"{path.stem}-lying") if upright else path
    ffmpeg(
        *("-f", "lavfi", "-i", f"testsrc2=s={size}:r=30:d={seconds}"),
        *("-f", "lavfi", "-i", f"sine=f=440:d={seconds}:r=48000"),
        *("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-c:a", "aac", "-ac", "2"),
        *("-movflags", "+faststart", plain),
    )
    if upright:
        ffmpeg("-display_rotation", "90", "-i", plain, "-c", "copy", "-movflags", "+faststart", path)
        plain.unlink()
    return path


def ffmpeg(*arguments: str | Path) -> None:
    """Runs the ffmpeg of the wheel, in no cage."""
    binary = imageio_ffmpeg.get_ffmpeg_exe()
    subprocess.run([binary, "-v", "error", "-nostdin", "-y", *map(str, arguments)], check=True)


# ---- hostile ones ----


def png_bomb(width: int, height: int, *, rows: int | None = None) -> bytes:
    """A PNG of one shade, of which `rows` are there: small, with three bytes to unpack for each of its pixels."""
    row = b"\0" + b"\x7f" * (3 * width)
    packer = zlib.compressobj()
    data = b"".join(packer.compress(row) for _ in range(height if rows is None else rows)) + packer.flush()
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunks([(b"IHDR", header), (b"IDAT", data), (b"IEND", b"")]))


def _chunks(chunks: Iterable[tuple[bytes, bytes]]) -> Iterable[bytes]:
    for name, data in chunks:
        yield struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def long_gif(frames: int) -> bytes:
    """A GIF of so many frames, all different from the one before."""
    pictures = [Image.new("L", (16, 16), number % 256) for number in range(frames)]
    return saved(pictures[0], "GIF", save_all=True, append_images=pictures[1:], duration=20)


def long_video(path: Path, seconds: int) -> Path:
    """A video of few bytes that lasts that long."""
    ffmpeg(
        *("-f", "lavfi", "-i", f"color=s=64x64:r=1:d={seconds}"),
        *("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-b:v", "1k"),
        *("-movflags", "+faststart", path),
    )
    return path
