"""Sounds and videos for tests, made by the ffmpeg of the wheel: good ones, broken ones, strange ones."""

import random
import struct
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import imageio_ffmpeg  # type: ignore[import-untyped]  # it comes without types

#: ISO boxes that hold boxes, on the way to the data references of a track.
_PARENTS = (b"moov", b"trak", b"mdia", b"minf", b"dinf")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A file, and the type that its bytes are."""

    path: Path
    mime: str

    @property
    def size(self) -> int:
        return self.path.stat().st_size


def ffmpeg(*arguments: str | Path) -> None:
    """Runs the ffmpeg of the wheel, outside of any cage."""
    binary = imageio_ffmpeg.get_ffmpeg_exe()
    subprocess.run([binary, "-v", "error", "-nostdin", "-y", *map(str, arguments)], check=True)


def pictures(size: str = "320x240", seconds: float = 4, rate: float = 25) -> tuple[str, ...]:
    return ("-f", "lavfi", "-i", f"testsrc2=s={size}:r={rate}:d={seconds}")


def tone(seconds: float = 4, hertz: int = 48_000) -> tuple[str, ...]:
    return ("-f", "lavfi", "-i", f"sine=f=440:d={seconds}:r={hertz}")


H264 = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p")
AAC = ("-c:a", "aac")
FRONT = ("-movflags", "+faststart")
AMR = ("-c:a", "libopencore_amrnb", "-ar", "8000", "-ac", "1", "-b:a", "12.2k")

#: name: MIME type, file name's extension, arguments. All last four seconds.
_RECIPES: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "mp4": ("video/mp4", "mp4", (*pictures(), *tone(), *H264, *AAC, *FRONT)),
    "silent": ("video/mp4", "mp4", (*pictures(), *H264, *FRONT)),
    "mov": ("video/quicktime", "mov", (*pictures(), *tone(), *H264, *AAC)),
    "hevc": ("video/mp4", "mp4", (*pictures(), *tone(), "-c:v", "libx265", "-x265-params", "log-level=0", *AAC)),
    "wmv": ("video/x-ms-wmv", "wmv", (*pictures(), *tone(), "-c:v", "wmv2", "-c:a", "wmav2", "-b:v", "800k")),
    "avi": (
        "video/x-msvideo", "avi", (*pictures(), *tone(), "-c:v", "mpeg4", "-c:a", "libmp3lame", "-b:v", "800k"),
    ),
    "mpeg": (
        "video/mpeg", "mpg",
        (*pictures(), *tone(), "-c:v", "mpeg2video", "-c:a", "mp2", "-b:v", "800k", "-f", "vob"),
    ),
    "ts": (
        "video/mpeg", "ts",
        (*pictures(), *tone(), "-c:v", "mpeg2video", "-c:a", "mp2", "-b:v", "800k", "-f", "mpegts"),
    ),
    "m1v": ("video/mpeg", "m1v", (*pictures(), "-c:v", "mpeg1video", "-b:v", "800k", "-f", "mpeg1video")),
    "3gp": (
        "video/3gpp", "3gp", (*pictures("352x288", rate=15), *tone(), "-c:v", "h263", "-b:v", "200k", *AMR, *FRONT),
    ),
    "mp3": ("audio/mpeg", "mp3", (*tone(), "-c:a", "libmp3lame", "-b:a", "128k")),
    "m4a": ("audio/mp4", "m4a", (*tone(), *AAC, "-ac", "2", *FRONT)),
    "alac": ("audio/mp4", "m4a", (*tone(), "-c:a", "alac", *FRONT)),
    "amr": ("audio/amr", "amr", (*tone(), *AMR)),
    "wav": ("audio/wav", "wav", (*tone(), "-ac", "2")),
}  # fmt: skip


class Footage:
    """The samples of a test session, each made when it is first asked for."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __getitem__(self, name: str) -> Sample:
        mime, extension, arguments = _RECIPES[name]
        return self._made(f"{name}.{extension}", mime, *arguments)

    def high_definition(self, seconds: int = 30) -> Sample:
        """1080p with sound, 9 Mbit/s; 15 frames a second, so that tests stay quick."""
        return self._made(
            f"hd{seconds}.mp4", "video/mp4", *pictures("1920x1080", seconds, 15), *tone(seconds),
            *H264, *AAC, "-ac", "2", *FRONT,
        )  # fmt: skip

    @property
    def portrait(self) -> Sample:
        """As phones write it: lying, with a flag that says how to turn it."""
        lying = self._made("lying.mp4", "video/mp4", *pictures("640x360", 4, 30), *tone(), *H264, *AAC)
        return self._made(
            "portrait.mp4", "video/mp4", "-display_rotation", "90", "-i", str(lying.path), "-c", "copy", *FRONT
        )

    @property
    def covered(self) -> Sample:
        """An MP3 with a cover of some 200 KB."""
        cover = self._made("cover.png", "image/png", *pictures("600x600", 0.04), "-frames:v", "1")
        return self._made(
            "covered.mp3", "audio/mpeg", "-i", str(self["mp3"].path), "-i", str(cover.path),
            *("-map", "0:a", "-map", "1:v", "-c", "copy", "-disposition:v", "attached_pic"),
        )  # fmt: skip

    def blank(self, name: str, *, size: str, seconds: float, rate: str) -> Sample:
        """A video without a picture worth the name, in few bytes."""
        source = f"color=s={size}:r={rate}:d={seconds}"
        return self._made(f"{name}.mp4", "video/mp4", "-f", "lavfi", "-i", source, *H264, *FRONT)

    def _made(self, name: str, mime: str, *arguments: str) -> Sample:
        path = self._folder / name
        if not path.exists():
            ffmpeg(*arguments, path)
        return Sample(path=path, mime=mime)


def truncated(data: bytes) -> bytes:
    """Three fifths of a file."""
    return data[: len(data) * 3 // 5]


def corrupted(data: bytes) -> bytes:
    """A file with wrong bytes from its first fifth to its last tenth."""
    luck = random.Random(1)
    damaged = bytearray(data)
    for _ in range(len(data) // 100):
        damaged[luck.randrange(len(data) // 5, len(data) * 9 // 10)] = luck.randrange(256)
    return bytes(damaged)


def with_external_data(movie: bytes, target: Path) -> bytes:
    """A QuickTime file whose tracks say that their data is in another file (an alias, as old Macs wrote them)."""
    path = str(target).encode()
    path += b"\0" * (len(path) % 2)
    alias = bytes(10) + bytes(28) + bytes(12) + bytes(64) + bytes(16) + struct.pack(">HH", 1, 1) + bytes(16)
    alias += struct.pack(">HH", 2, len(path)) + path + struct.pack(">HH", 0xFFFF, 0)
    entry = _box(b"alis", bytes(4) + alias)
    return b"".join(_replaced(movie, _box(b"dref", struct.pack(">II", 0, 1) + entry)))


def with_length(movie: bytes, *, seconds: int) -> bytes:
    """An MP4 whose headers say that it lasts so long (ISO/IEC 14496-12, 8.2.2 and 8.4.2: their first version)."""
    lying = bytearray(movie)
    for kind in (b"mvhd", b"mdhd"):
        at = lying.index(kind) + 16
        (units,) = struct.unpack_from(">I", lying, at)
        struct.pack_into(">I", lying, at + 4, units * seconds)
    return bytes(lying)


def _box(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I4s", len(data) + 8, kind) + data


def _replaced(data: bytes, reference: bytes) -> Iterator[bytes]:
    """The boxes of `data` with every data reference replaced; the index must stand behind the media."""
    at = 0
    while at < len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        inside = data[at + 8 : at + size]
        if kind == b"dref":
            yield reference
        elif kind in _PARENTS:
            yield _box(kind, b"".join(_replaced(inside, reference)))
        else:
            yield data[at : at + size]
        at += size
