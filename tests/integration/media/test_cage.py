"""Images are decoded in the cage; bombs, garbage and crashes stay in there (issue: bad input, R-30)."""

import asyncio
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from mmsgate.domain.media import ImageLimits
from mmsgate.media.cage import (
    CageError,
    ImageBroken,
    ImageCage,
    ImageChecked,
    ImageOutcome,
    ImageTooLarge,
)
from tests.integration.media.pictures import animation, blank_png, image

MIMES = {"JPEG": "image/jpeg", "PNG": "image/png", "GIF": "image/gif"}


async def check(
    cage: ImageCage, tmp_path: Path, data: bytes, name: str, limits: ImageLimits | None = None
) -> ImageOutcome:
    path = tmp_path / "picture"
    path.write_bytes(data)
    return await cage.check(path, MIMES[name], limits=limits)


def pids(cage: ImageCage) -> set[int]:
    return {worker._process.pid for worker in cage._alive}


@pytest.mark.parametrize(
    ("name", "mode", "transparent"),
    [
        ("JPEG", "RGB", False),
        ("JPEG", "CMYK", False),
        ("PNG", "RGB", False),
        ("PNG", "RGBA", True),
        ("GIF", "P", False),
    ],
)
async def test_good_images(cage: ImageCage, tmp_path: Path, name: str, mode: str, transparent: bool) -> None:
    outcome = await check(cage, tmp_path, image(name, (64, 48), mode), name)
    assert outcome == ImageChecked(width=64, height=48, frames=1, format=name, transparent=transparent)


async def test_an_animation(cage: ImageCage, tmp_path: Path) -> None:
    outcome = await check(cage, tmp_path, animation(12), "GIF")
    assert isinstance(outcome, ImageChecked)
    assert outcome.animated
    assert outcome.frames == 12


async def test_the_gateway_itself_does_not_load_the_decoder() -> None:
    code = "import sys, mmsgate.media.fetcher, mmsgate.media.cage; sys.exit('PIL' in sys.modules)"
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", code)
    assert await process.wait() == 0


@pytest.mark.parametrize("name", ["JPEG", "PNG", "GIF"])
async def test_half_an_image_is_broken(cage: ImageCage, tmp_path: Path, name: str) -> None:
    data = image(name, (300, 200))
    outcome = await check(cage, tmp_path, data[: len(data) // 2], name)
    assert isinstance(outcome, ImageBroken)


@pytest.mark.parametrize("head", [b"\xff\xd8\xff\xe0", b"\x89PNG\r\n\x1a\n", b"GIF89a\x10\x00\x10\x00"])
async def test_garbage_behind_a_good_signature_is_broken(cage: ImageCage, tmp_path: Path, head: bytes) -> None:
    name = {0xFF: "JPEG", 0x89: "PNG", 0x47: "GIF"}[head[0]]
    garbage = bytes(index * 167 % 251 for index in range(5000))
    outcome = await check(cage, tmp_path, head + garbage, name)
    assert isinstance(outcome, ImageBroken)


async def test_another_format_than_announced_meets_no_decoder(cage: ImageCage, tmp_path: Path) -> None:
    assert isinstance(await check(cage, tmp_path, image("PNG"), "JPEG"), ImageBroken)


async def test_a_14000_by_14000_png_is_refused_by_its_header(cage: ImageCage, tmp_path: Path) -> None:
    data = blank_png(14_000, 14_000)
    assert len(data) < 100_000
    outcome = await check(cage, tmp_path, data, "PNG")
    assert outcome == ImageTooLarge(
        width=14_000,
        height=14_000,
        frames=0,
        reason="it has 14000 × 14000 pixels, 20,000,000 in all are allowed",
    )


async def test_jpegs_may_have_more_pixels(cage: ImageCage, tmp_path: Path) -> None:
    limits = ImageLimits(jpeg_pixels=4000, pixels=3000, frames=3)
    assert isinstance(await check(cage, tmp_path, image("JPEG"), "JPEG", limits), ImageChecked)
    assert isinstance(await check(cage, tmp_path, image("PNG"), "PNG", limits), ImageTooLarge)
    assert isinstance(await check(cage, tmp_path, image("JPEG", (64, 63)), "JPEG", limits), ImageTooLarge)


async def test_a_gif_with_too_many_frames(cage: ImageCage, tmp_path: Path) -> None:
    outcome = await check(cage, tmp_path, animation(301), "GIF")
    assert isinstance(outcome, ImageTooLarge)
    assert outcome.reason == "it has 301 frames, 300 are allowed"


async def test_what_needs_more_memory_than_the_cage_has_is_broken(cage: ImageCage, tmp_path: Path) -> None:
    data = blank_png(20_000, 20_000, bits=8, colour=6, rows=1)
    outcome = await check(cage, tmp_path, data, "PNG", ImageLimits(pixels=10**9))
    assert outcome == ImageBroken(reason="it does not decode (decoding it needs more memory than is allowed)")
    assert isinstance(await check(cage, tmp_path, image(), "JPEG"), ImageChecked)


async def test_what_takes_too_long_is_broken_and_its_worker_replaced(tmp_path: Path) -> None:
    hasty = ImageCage(workers=1, seconds=0.2)
    await hasty.start()
    assert isinstance(await check(hasty, tmp_path, image(), "JPEG"), ImageChecked)
    (stopped,) = pids(hasty)
    os.kill(stopped, signal.SIGSTOP)  # hangs without using CPU time
    outcome = await check(hasty, tmp_path, image(), "JPEG")
    assert outcome == ImageBroken(reason="decoding it took longer than 0.2 s", transient=True)
    assert pids(hasty) == set()
    await hasty.stop()


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (signal.SIGSEGV, "decoding it crashed the decoder (SIGSEGV)"),
        (signal.SIGXCPU, "decoding it took more CPU time than is allowed"),
        (signal.SIGKILL, "decoding it ended the decoder"),
    ],
)
async def test_a_worker_that_dies_over_an_image(
    cage: ImageCage, tmp_path: Path, number: signal.Signals, words: str
) -> None:
    assert isinstance(await check(cage, tmp_path, image(), "JPEG"), ImageChecked)
    (dying,) = pids(cage)
    os.kill(dying, signal.SIGSTOP)
    pending = asyncio.create_task(check(cage, tmp_path, image(), "JPEG"))
    while cage._idle:  # until the stopped worker has the job
        await asyncio.sleep(0)
    os.kill(dying, number)
    with suppress(ProcessLookupError):  # SIGKILL does not wait for it
        os.kill(dying, signal.SIGCONT)
    assert await pending == ImageBroken(reason=words, transient=True)
    assert isinstance(await check(cage, tmp_path, image(), "JPEG"), ImageChecked)


async def test_a_worker_that_died_while_idle_costs_no_image(cage: ImageCage, tmp_path: Path) -> None:
    assert isinstance(await check(cage, tmp_path, image(), "JPEG"), ImageChecked)
    (worker,) = cage._alive
    os.kill(worker._process.pid, signal.SIGKILL)
    await worker._process.wait()
    assert isinstance(await check(cage, tmp_path, image(), "JPEG"), ImageChecked)


async def test_limits_of_the_worker(cage: ImageCage, tmp_path: Path) -> None:
    if not Path("/proc/self/limits").exists():
        pytest.skip("limits of another process are read from /proc")
    await check(cage, tmp_path, image(), "JPEG")
    (pid,) = pids(cage)
    limits = {line[:26].strip(): line[26:].split() for line in Path(f"/proc/{pid}/limits").read_text().splitlines()}
    assert limits["Max address space"][0] == str(1 << 30)
    assert limits["Max file size"][0] == "0"
    assert limits["Max core file size"][0] == "0"
    assert int(limits["Max cpu time"][0]) < 30
    assert Path(f"/proc/{pid}/environ").read_bytes().count(b"\0") <= 2
    assert (os.getpgid(pid), os.getsid(pid)) == (pid, os.getsid(0))
    assert os.getpriority(os.PRIO_PROCESS, pid) == os.getpriority(os.PRIO_PROCESS, 0) + 10


async def test_workers_start_when_needed_and_end_with_the_cage(tmp_path: Path) -> None:
    cage = ImageCage(workers=2)
    await cage.stop()
    with pytest.raises(CageError):
        await check(cage, tmp_path, image(), "JPEG")
    for _ in range(2):
        await cage.start()
        await cage.start()
        assert pids(cage) == set()
        await check(cage, tmp_path, image(), "JPEG")
        assert len(pids(cage)) == 1
        await cage.stop()
        await cage.stop()
        assert pids(cage) == set()


async def test_many_at_once_share_the_workers(cage: ImageCage, tmp_path: Path) -> None:
    path = tmp_path / "picture"
    path.write_bytes(image())
    outcomes = await asyncio.gather(*(cage.check(path, "image/jpeg") for _ in range(40)))
    assert all(isinstance(outcome, ImageChecked) for outcome in outcomes)
    assert len(pids(cage)) == 2


async def test_the_queue_is_bounded(tmp_path: Path) -> None:
    cage = ImageCage(workers=1, queue=1)
    await cage.start()
    path = tmp_path / "picture"
    path.write_bytes(image())
    outcomes = await asyncio.gather(*(cage.check(path, "image/jpeg") for _ in range(3)), return_exceptions=True)
    await cage.stop()
    assert [type(outcome) for outcome in outcomes] == [ImageChecked, ImageChecked, CageError]


async def test_stopping_under_way_blames_no_image(tmp_path: Path) -> None:
    cage = ImageCage(workers=1)
    await cage.start()
    await check(cage, tmp_path, image(), "JPEG")
    (pid,) = pids(cage)
    os.kill(pid, signal.SIGSTOP)
    pending = asyncio.create_task(check(cage, tmp_path, image(), "JPEG"))
    while cage._idle:
        await asyncio.sleep(0)
    await cage.stop()
    with pytest.raises(CageError, match="stopped"):
        await pending


async def test_a_cancelled_check_takes_its_worker_along(cage: ImageCage, tmp_path: Path) -> None:
    await check(cage, tmp_path, image(), "JPEG")
    (pid,) = pids(cage)
    os.kill(pid, signal.SIGSTOP)
    pending = asyncio.create_task(check(cage, tmp_path, image(), "JPEG"))
    while cage._idle:
        await asyncio.sleep(0)
    pending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await pending
    assert pids(cage) == set()
    assert isinstance(await check(cage, tmp_path, image(), "JPEG"), ImageChecked)
