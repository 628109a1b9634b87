"""Bombs, halves and garbage of every type: each a clear outcome, and the next picture is served."""

import asyncio
import os
import signal
import struct
import sys
import zlib
from pathlib import Path

import pytest

from mmsgate.domain.media import ImageLimits, by_mime
from mmsgate.media import worker
from mmsgate.media.cage import (
    CageError,
    ImageBroken,
    ImageCage,
    ImageChecked,
    ImageFitted,
    ImageOutcome,
    ImageTooLarge,
)
from mmsgate.media.intake import Intake, Unfit
from mmsgate.media.storage import FileBlobStore
from tests.integration.media.pictures import DATA, blank_png, chunked_png, image, saved, scene

GOOD = {
    "image/jpeg": lambda: saved(scene((300, 200)), "JPEG"),
    "image/png": lambda: saved(scene((300, 200)), "PNG"),
    "image/gif": lambda: saved(scene((300, 200)), "GIF"),
    "image/webp": lambda: saved(scene((300, 200)), "WEBP"),
    "image/avif": lambda: saved(scene((300, 200)), "AVIF"),
    "image/heic": (DATA / "corners.heic").read_bytes,
}


class Victim:
    """A cage with one worker, which must serve a good picture after whatever it was given."""

    def __init__(self, cage: ImageCage, folder: Path) -> None:
        self.cage, self._folder = cage, folder

    def file(self, data: bytes, name: str = "source") -> Path:
        path = self._folder / name
        path.write_bytes(data)
        return path

    async def check(self, data: bytes, mime: str, limits: ImageLimits | None = None) -> ImageOutcome:
        outcome = await self.cage.check(self.file(data), mime, limits=limits)
        fitted = await self.cage.fit(self.file(data), mime, budget=5_000, limits=limits)
        if not isinstance(outcome, ImageChecked):  # what the check refuses is not made smaller either
            assert isinstance(fitted, ImageBroken), fitted
            assert fitted.reason
        assert isinstance(await self.cage.check(self.file(image()), "image/jpeg"), ImageChecked)
        assert len(self.cage._alive) <= 2
        return outcome


@pytest.fixture
def victim(cage: ImageCage, tmp_path: Path) -> Victim:
    return Victim(cage, tmp_path)


@pytest.mark.parametrize("mime", GOOD)
async def test_the_whole_file_of_every_type_is_good(victim: Victim, mime: str) -> None:
    outcome = await victim.check(GOOD[mime](), mime)
    assert isinstance(outcome, ImageChecked), outcome
    assert outcome.frames == 1


@pytest.mark.parametrize("mime", GOOD)
@pytest.mark.parametrize("kept", [0.9, 0.5, 0.1])
async def test_a_part_of_a_file_is_broken(victim: Victim, mime: str, kept: float) -> None:
    data = GOOD[mime]()
    outcome = await victim.check(data[: round(len(data) * kept)], mime)
    assert isinstance(outcome, ImageBroken), outcome
    assert outcome.reason.startswith("it does not decode (")


@pytest.mark.parametrize("mime", GOOD)
async def test_garbage_behind_a_good_beginning_is_broken(victim: Victim, mime: str) -> None:
    garbage = bytes(index * 167 % 251 for index in range(5000))
    outcome = await victim.check(GOOD[mime]()[:20] + garbage, mime)
    assert isinstance(outcome, ImageBroken), outcome


async def test_a_png_of_400_million_pixels_in_50_kilobytes_is_refused_by_its_header(victim: Victim) -> None:
    data = blank_png(20_000, 20_000)
    assert len(data) < 60_000
    outcome = await victim.check(data, "image/png")
    assert isinstance(outcome, ImageTooLarge)
    assert outcome.reason == "it has 20000 × 20000 pixels, 20,000,000 in all are allowed"


def flicker(frames: int) -> bytes:
    """A GIF of one pixel that many times."""
    frame = (
        b"\x21\xf9\x04\x00\x02\x00\x00\x00" + b"\x2c" + struct.pack("<4HB", 0, 0, 1, 1, 0) + b"\x02\x02\x44\x01\x00"
    )
    return b"GIF89a" + struct.pack("<2H3B", 1, 1, 0x80, 0, 0) + b"\0\0\0\xff\xff\xff" + frame * frames + b";"


async def test_a_gif_of_10000_frames_is_refused_before_it_is_decoded(victim: Victim) -> None:
    assert isinstance(await victim.check(flicker(300), "image/gif"), ImageChecked)
    outcome = await victim.check(flicker(10_000), "image/gif")
    assert isinstance(outcome, ImageTooLarge)
    assert outcome.reason == "it has 10,000 frames, 300 are allowed"


@pytest.mark.parametrize(
    ("name", "prefix"), [(b"zTXt", b"Comment\0\0"), (b"iTXt", b"Comment\0\1\0\0\0"), (b"iCCP", b"profile\0\0")]
)
async def test_a_bomb_in_a_chunk_of_a_png_is_not_inflated(victim: Victim, name: bytes, prefix: bytes) -> None:
    bomb = prefix + zlib.compress(bytes(200_000_000), 9)
    assert len(bomb) < 250_000
    outcome = await victim.check(chunked_png((name, bomb)), "image/png")
    assert isinstance(outcome, ImageBroken)
    assert "too large" in outcome.reason


def with_size(data: bytes, width: int, height: int) -> bytes:
    """A HEIC or AVIF that says it is of another size (its `ispe` box, ISO/IEC 23008-12)."""
    at = data.index(b"ispe") + 8
    return data[:at] + struct.pack(">II", width, height) + data[at + 8 :]


@pytest.mark.parametrize("mime", ["image/heic", "image/avif"])
@pytest.mark.parametrize("side", [0, 1, 4_000, 6_000, 20_000, 0x7FFFFFFF])
async def test_a_size_that_is_not_true_does_no_harm(victim: Victim, mime: str, side: int) -> None:
    outcome = await victim.check(with_size(GOOD[mime](), side, side), mime)
    if isinstance(outcome, ImageChecked):  # libavif scales what it finds down to what was said
        assert (mime, outcome.width, outcome.height) == ("image/avif", side, side)
    else:
        assert outcome.reason


async def test_a_webp_with_a_canvas_of_its_own_size_is_bounded(victim: Victim) -> None:
    canvas = (
        b"VP8X"
        + struct.pack("<I", 10)
        + b"\x02\0\0\0"
        + b"\xfe\x3f\x00" * 2
        + b"ANIM"
        + struct.pack("<IIH", 6, 0, 0)
    )
    data = b"RIFF" + struct.pack("<I", 4 + len(canvas)) + b"WEBP" + canvas
    assert isinstance(await victim.check(data, "image/webp"), ImageBroken | ImageTooLarge)


async def test_the_worker_comes_after_everybody_else_and_may_do_little(victim: Victim) -> None:
    if not Path("/proc/self/limits").exists():
        pytest.skip("limits of another process are read from /proc")
    await victim.check(GOOD["image/heic"](), "image/heic")  # and what HEIC was allowed is taken away again
    ((pid,),) = [[worker._process.pid for worker in victim.cage._alive]]
    assert os.getpriority(os.PRIO_PROCESS, pid) >= worker.NICENESS
    lines = Path(f"/proc/{pid}/limits").read_text().splitlines()
    limits = {line[:26].strip(): line[26:].split()[0] for line in lines}
    assert limits["Max processes"] == "0"
    assert limits["Max open files"] == str(worker.OPEN_FILES)
    assert limits["Max address space"] == str(worker.MEMORY)
    assert limits["Max file size"] == "0"
    assert 0 < int(limits["Max cpu time"]) <= worker.CPU_SECONDS + 10


async def test_a_hundred_hanging_pictures_of_one_owner_hold_up_no_other(tmp_path: Path) -> None:
    cage = ImageCage(workers=1, queue=100)
    await cage.start()
    path = tmp_path / "picture"
    path.write_bytes(image())
    assert isinstance(await cage.check(path, "image/jpeg", owner="hostile"), ImageChecked)
    (only,) = cage._alive
    os.kill(only._process.pid, signal.SIGSTOP)
    hanging = [asyncio.create_task(cage.check(path, "image/jpeg", owner="hostile")) for _ in range(101)]
    while cage._idle:
        await asyncio.sleep(0)
    with pytest.raises(CageError, match="more than 100 images wait"):
        await cage.check(path, "image/jpeg", owner="hostile")
    assert isinstance(await cage.check(path, "image/jpeg", owner="other"), ImageChecked)
    assert isinstance(await cage.fit(path, "image/jpeg", budget=5_000, owner="third"), ImageFitted)
    assert not any(task.done() for task in hanging)
    os.kill(only._process.pid, signal.SIGKILL)
    outcomes = await asyncio.gather(*hanging)
    assert [type(outcome) for outcome in outcomes] == [ImageBroken] + [ImageChecked] * 100
    await cage.stop()


def test_without_its_decoder_a_type_is_said_to_have_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pi_heif", None)
    job = {"task": "check", "path": str(DATA / "corners.heic"), "mime": "image/heic"}
    limits = {"max_pixels": 10**6, "max_frames": 3}
    assert worker.answer(job | limits) == ({"undecodable": "no decoder for HEIC is installed"}, b"")


async def test_a_type_without_a_decoder_is_refused_as_a_type(
    victim: Victim, blobs: FileBlobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def answer(*_: object) -> tuple[object, bytes]:
        return {"undecodable": "no decoder for HEIC is installed"}, b""

    monkeypatch.setattr("mmsgate.media.cage._Worker.ask", answer)
    intake = Intake(blobs=blobs, cage=victim.cage)
    path = victim.file(GOOD["image/heic"]())
    assert await intake.admit(path, size=500, sha256="0" * 64, limits=ImageLimits()) == Unfit(
        code="E229", reason="it is HEIC, which is not accepted: no decoder for HEIC is installed"
    )


def test_every_picture_of_the_table_has_a_good_file_here() -> None:
    assert all(by_mime(mime) for mime in GOOD)
    assert set(GOOD) == set(worker._FORMATS)
