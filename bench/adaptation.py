"""Adaptation: the CPU of a picture or a video until it fits, beside that of bare tools that know the result.

Pictures go through one warm caged worker, and through Pillow in a process of its own that is told the size and the
quality which the gateway found. Videos go through the transcoder, and through the two command lines of ffmpeg that
it found. Both sides take turns, and the least of several rounds counts: neighbours on the machine only add to it.
"""

import asyncio
import io
import multiprocessing
import os
import re
import resource
import statistics
import subprocess
import tempfile
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import imageio_ffmpeg  # type: ignore[import-untyped]  # it comes without types
from PIL import Image
from rich.table import Table

from bench import sources
from bench.bare import Bare
from bench.process import child_running, exact_cpu_seconds, yardstick
from bench.report import progress, table
from mmsgate.domain.media import by_extension
from mmsgate.media import av_commands
from mmsgate.media.av_ladder import VideoPlan, plan_video
from mmsgate.media.cage import ImageCage, ImageFitted
from mmsgate.media.ffmpeg import FfmpegCage, Source
from mmsgate.media.playable import AvWanted
from mmsgate.media.probe import AvFacts
from mmsgate.media.transcoder import AvFitted, Transcoder

_ROUNDS, _VIDEO_ROUNDS = 9, 2
_TARGET = "video/mp4"
_PHONES = AvWanted(types=frozenset({_TARGET, "video/3gpp", "audio/mp4", "audio/mpeg"}))

#: What is shown, the file, and the budgets in bytes.
_PICTURES = (
    ("photo, 12 MP", "12mp.jpg", (614_400, 300_000, 100_000, 40_000)),
    ("photo, 12 MP, EXIF rotation", "turned.jpg", (300_000,)),
    ("photo, 24 MP", "24mp.jpg", (614_400, 300_000)),
    ("PNG, 3 MP, transparent", "clear.png", (300_000,)),
    ("PNG, 3 MP, grey of 16 bits", "grey.png", (300_000,)),
    ("WebP, 12 MP", "12mp.webp", (300_000,)),
    ("GIF, 5 MB, 28 frames", "moving.gif", (600_000,)),
)
_VIDEOS = (
    ("1080p, 10 s", "10s.mp4", (300_000, 600_000)),
    ("1080p upright, 30 s", "30s.mp4", (600_000,)),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row. CPU in seconds of each round; `result` says what was made."""

    source: str
    budget: int
    result: str
    encodes: int
    cpu: list[float]
    floor: list[float]
    yardstick_ms: float

    @property
    def ratio(self) -> float:
        return min(self.cpu) / min(self.floor)

    def cells(self) -> Iterator[str]:
        yield from (self.source, f"{self.budget:,}", self.result, str(self.encodes))
        for seconds in (self.cpu, self.floor):
            yield from (f"{min(seconds) * 1000:,.0f}", f"{statistics.median(seconds) * 1000:,.0f}")
        yield from (f"{self.ratio:.2f}", f"{self.yardstick_ms:.0f}")


def _empty(title: str) -> Table:
    return table(
        title, "source", "budget", "result", "encodes", "CPU ms", "median", "floor CPU ms", "median", "CPU ratio",
        "yardstick",
    )  # fmt: skip


async def measure_all() -> tuple[Table, Table]:
    """The table of pictures and the table of videos."""
    with tempfile.TemporaryDirectory(prefix="mmsgate-adaptation-") as folder:
        return await _pictures(Path(folder)), await _videos(Path(folder))


# ---- pictures ----


async def _pictures(folder: Path) -> Table:
    shown = _empty(f"Pictures until they fit, one warm worker, least of {_ROUNDS} rounds")
    _write_pictures(folder)
    cage = ImageCage(workers=1)
    await cage.start()
    try:
        with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as bare:
            for source, name, budgets in _PICTURES:
                for budget in budgets:
                    row = await _picture(cage, bare, source, folder / name, budget)
                    shown.add_row(*row.cells())
                    progress(f"{source} to {budget:,} bytes: {row.ratio:.2f} × bare Pillow")
    finally:
        await cage.stop()
    return shown


def _write_pictures(folder: Path) -> None:
    (folder / "12mp.jpg").write_bytes(sources.jpeg_photograph((4000, 3000)))
    (folder / "turned.jpg").write_bytes(sources.jpeg_photograph((4000, 3000), lying=True))
    (folder / "24mp.jpg").write_bytes(sources.jpeg_photograph((6000, 4000)))
    (folder / "clear.png").write_bytes(sources.transparent_png((2000, 1500)))
    (folder / "grey.png").write_bytes(sources.grey_png((2000, 1500)))
    (folder / "12mp.webp").write_bytes(sources.webp((4000, 3000)))
    (folder / "moving.gif").write_bytes(sources.moving_gif((480, 360), 28))


async def _picture(cage: ImageCage, bare: Executor, source: str, path: Path, budget: int) -> Row:
    fitted = await _fit(cage, path, budget)  # which also warms the worker up
    job, worker = _known(path, fitted), child_running("mmsgate.media.worker")
    yardstick_ms = yardstick()
    cpu, floor = [], []
    for _ in range(_ROUNDS):
        before = exact_cpu_seconds(worker)
        await _fit(cage, path, budget)
        cpu.append(exact_cpu_seconds(worker) - before)
        floor.append(await asyncio.get_running_loop().run_in_executor(bare, job.cpu_seconds))
    return Row(
        source=source, budget=budget, result=f"{len(fitted.data):,} bytes, {fitted.how}", encodes=fitted.encodes,
        cpu=cpu, floor=floor, yardstick_ms=yardstick_ms,
    )  # fmt: skip


async def _fit(cage: ImageCage, path: Path, budget: int) -> ImageFitted:
    fitted = await cage.fit(path, _mime(path), budget=budget)
    assert isinstance(fitted, ImageFitted), fitted
    return fitted


def _known(path: Path, fitted: ImageFitted) -> Bare:
    """What bare Pillow is told: all that the gateway had to find out."""
    size = (fitted.width, fitted.height)
    if quality := re.search(r"quality (\d+)", fitted.how):
        return Bare(path=path, size=size, quality=int(quality[1]))
    colours = re.search(r"(\d+) colours", fitted.how)
    assert colours, fitted.how
    frames = getattr(Image.open(io.BytesIO(fitted.data)), "n_frames", 1)
    return Bare(path=path, size=size, colours=int(colours[1]), frames=frames)


def _mime(path: Path) -> str:
    found = by_extension(path.name)
    assert found
    return found.mime


# ---- videos ----


async def _videos(folder: Path) -> Table:
    shown = _empty(f"Videos until they fit, inspect and fit with all processes, least of {_VIDEO_ROUNDS} rounds")
    sources.video(folder / "10s.mp4", "1920x1080", 10)
    sources.video(folder / "30s.mp4", "1920x1080", 30, upright=True)
    cage = FfmpegCage(folder=folder / "cage")
    await cage.start()
    try:
        for source, name, budgets in _VIDEOS:
            for budget in budgets:
                row = await _video(cage, source, folder / name, budget)
                shown.add_row(*row.cells())
                progress(f"{source} to {budget:,} bytes: {row.ratio:.2f} × bare ffmpeg")
    finally:
        await cage.stop()
    return shown


async def _video(cage: FfmpegCage, source: str, path: Path, budget: int) -> Row:
    transcoder, yardstick_ms = Transcoder(cage=cage), yardstick()
    cpu, floor = [], []
    for _ in range(_VIDEO_ROUNDS):
        begun = _cpu_seconds()
        facts, fitted = await _fit_video(transcoder, path, budget)
        cpu.append(_cpu_seconds() - begun)
        floor.append(await asyncio.to_thread(_bare_ffmpeg, await Source.of(path, _TARGET), facts, budget))
    return Row(
        source=source, budget=budget, result=f"{fitted.size:,} bytes, {fitted.how}", encodes=fitted.encodes,
        cpu=cpu, floor=floor, yardstick_ms=yardstick_ms,
    )  # fmt: skip


async def _fit_video(transcoder: Transcoder, path: Path, budget: int) -> tuple[AvFacts, AvFitted]:
    facts = await transcoder.inspect(path, _TARGET)
    assert isinstance(facts, AvFacts), facts
    size = await asyncio.to_thread(os.path.getsize, path)
    fitted = await transcoder.fit(path, _TARGET, facts, size=size, budget=budget, wanted=_PHONES)
    assert isinstance(fitted, AvFitted), fitted
    return facts, fitted


def _bare_ffmpeg(source: Source, facts: AvFacts, budget: int) -> float:
    """The two passes that the transcoder plans, outside of any cage; their CPU."""
    plan = plan_video(facts, seconds=facts.seconds, budget=budget)
    assert isinstance(plan, VideoPlan), plan
    passes = (
        av_commands.first_pass(source, facts, plan),
        av_commands.second_pass(source, facts, plan, bit_rate=plan.bit_rate, target=_TARGET, name="bare"),
    )
    binary = imageio_ffmpeg.get_ffmpeg_exe()
    with tempfile.TemporaryDirectory(prefix="mmsgate-bare-") as folder:
        begun = _cpu_seconds()
        for arguments in passes:
            subprocess.run([binary, *arguments], cwd=folder, check=True, capture_output=True)
        return _cpu_seconds() - begun


def _cpu_seconds() -> float:
    """CPU of this process and of all that it has started and that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)
