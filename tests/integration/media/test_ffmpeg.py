"""ffmpeg runs in the cage; what grows, hangs, floods or crashes ends alone (issue 3: the cage)."""

import asyncio
import os
import shutil
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import imageio_ffmpeg  # type: ignore[import-untyped]  # it comes without types
import pytest

from mmsgate.errors import Fault
from mmsgate.media import ffmpeg
from mmsgate.media.cage import CageError
from mmsgate.media.ffmpeg import FfmpegCage, FfmpegRun
from mmsgate.media.playable import AvWanted
from mmsgate.media.probe import AvFacts
from mmsgate.media.transcoder import AvAsItIs, Transcoder
from tests.integration.media.footage import Footage

ENDLESS = ("-nostdin", "-re", "-f", "lavfi", "-i", "anullsrc", "-f", "null", "-")
SHORT = ("-nostdin", "-f", "lavfi", "-i", "anullsrc=d=2", "-progress", "pipe:1", "-f", "null", "-")


async def run(
    cage: FfmpegCage, *arguments: str, seconds: float = 30, output_bytes: int = 1_000_000, owner: str = ""
) -> FfmpegRun:
    async with cage.workspace() as folder:
        return await cage.run(arguments, folder=folder, seconds=seconds, output_bytes=output_bytes, owner=owner)


@asynccontextmanager
async def started_cage(
    folder: Path, *, binary: Path | None = None, workers: int = 1, queue: int = 256
) -> AsyncIterator[FfmpegCage]:
    cage = FfmpegCage(folder=folder, binary=binary, workers=workers, queue=queue)
    await cage.start()
    try:
        yield cage
    finally:
        await cage.stop()


async def started(cage: FfmpegCage, number: int = 1) -> list[int]:
    """The process ids, once so many run and have become ffmpeg."""
    while len(cage._alive) < number or not all(_is_ffmpeg(process.pid) for process in cage._alive):
        await asyncio.sleep(0.01)
    return [process.pid for process in cage._alive]


def _is_ffmpeg(pid: int) -> bool:
    return (
        b"anullsrc" in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        and b"launcher.py" not in Path(f"/proc/{pid}/cmdline").read_bytes()
    )


linux = pytest.mark.skipif(not Path("/proc/self/limits").exists(), reason="other processes are read from /proc")


async def test_a_run_says_how_far_it_came(ffmpeg_cage: FfmpegCage) -> None:
    outcome = await run(ffmpeg_cage, *SHORT)
    assert outcome.done
    assert outcome.reached == pytest.approx(2, abs=0.1)
    assert "anullsrc" in outcome.log


@linux
async def test_limits_environment_and_group_of_a_run(ffmpeg_cage: FfmpegCage, tmp_path: Path) -> None:
    pending = asyncio.create_task(run(ffmpeg_cage, *ENDLESS, seconds=30, output_bytes=12_345))
    (pid,) = await started(ffmpeg_cage)
    lines = Path(f"/proc/{pid}/limits").read_text().splitlines()
    limits = {line[:26].strip(): line[26:].split() for line in lines}
    assert limits["Max address space"][:2] == [str(ffmpeg.MEMORY)] * 2
    assert limits["Max cpu time"][0] == "30"
    assert limits["Max file size"][:2] == ["12345"] * 2
    assert limits["Max open files"][:2] == ["64"] * 2
    assert limits["Max core file size"][:2] == ["0"] * 2
    assert Path(f"/proc/{pid}/environ").read_bytes() == b""
    assert (os.getpgid(pid), os.getsid(pid)) == (pid, os.getsid(0))
    assert os.getpriority(os.PRIO_PROCESS, pid) >= 10
    assert Path(f"/proc/{pid}/cwd").resolve().parent == (tmp_path / "work").resolve()
    await ffmpeg_cage.stop()
    with pytest.raises(CageError):
        await pending


async def test_what_takes_too_long_is_killed(ffmpeg_cage: FfmpegCage) -> None:
    outcome = await run(ffmpeg_cage, *ENDLESS, seconds=0.3)
    assert outcome.killed == "took longer than 0.3 s"
    assert outcome.transient
    assert not outcome.done
    assert ffmpeg_cage._alive == set()


async def test_what_writes_too_much_is_killed(ffmpeg_cage: FfmpegCage) -> None:
    noise = ("-f", "lavfi", "-i", "testsrc2=s=640x480", "-f", "rawvideo", "made")
    outcome = await run(ffmpeg_cage, "-nostdin", *noise, output_bytes=1_000_000)
    assert outcome.killed == "wrote more than 1,000,000 bytes"
    assert not outcome.transient


async def test_a_bomb_kills_its_process_and_the_cage_lives_on(ffmpeg_cage: FfmpegCage) -> None:
    bomb = ("-f", "lavfi", "-i", "color=s=16000x16000", "-c:v", "libx264", "-f", "null", "-")
    outcome = await run(ffmpeg_cage, "-nostdin", *bomb)
    assert outcome.killed == "needed more memory than is allowed"
    assert outcome.transient
    assert (await run(ffmpeg_cage, *SHORT)).done


@linux
@pytest.mark.parametrize(
    ("number", "words"),
    [
        (signal.SIGSEGV, "crashed ffmpeg (SIGSEGV)"),
        (signal.SIGXCPU, "took more CPU time than is allowed"),
        (signal.SIGKILL, "crashed ffmpeg (SIGKILL)"),
    ],
)
async def test_a_run_says_what_it_died_of(ffmpeg_cage: FfmpegCage, number: signal.Signals, words: str) -> None:
    pending = asyncio.create_task(run(ffmpeg_cage, *ENDLESS))
    (pid,) = await started(ffmpeg_cage)
    while not os.path.exists(f"/proc/{pid}/task") or len(os.listdir(f"/proc/{pid}/task")) < 2:
        await asyncio.sleep(0.01)  # until it works: before that it takes no signals
    os.kill(pid, number)
    outcome = await pending
    assert outcome.killed == words
    assert outcome.transient


async def test_a_flood_of_complaints_is_cut_off(ffmpeg_cage: FfmpegCage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ffmpeg, "_MOST_LOG", 20_000)
    chatty = ("-f", "lavfi", "-i", "testsrc2", "-vf", "showinfo", "-f", "null", "-")
    outcome = await run(ffmpeg_cage, "-nostdin", *chatty)
    assert outcome.killed == "met more errors than can be reported"
    assert not outcome.transient
    assert len(outcome.log) < 100_000


async def test_stopping_ends_what_runs_and_what_waits(tmp_path: Path) -> None:
    cage = FfmpegCage(folder=tmp_path, workers=1)
    await cage.start()
    pending = [asyncio.create_task(run(cage, *ENDLESS)) for _ in range(3)]
    await started(cage)
    await cage.stop()
    outcomes = await asyncio.gather(*pending, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [CageError] * 3
    assert list(tmp_path.iterdir()) == []


async def test_it_starts_and_stops_more_than_once(tmp_path: Path) -> None:
    cage = FfmpegCage(folder=tmp_path)
    await cage.stop()
    with pytest.raises(CageError, match="not running"):
        await cage.run(SHORT, folder=tmp_path, seconds=5, output_bytes=0)
    for _ in range(2):
        await cage.start()
        await cage.start()
        assert (await run(cage, *SHORT)).done
        await cage.stop()
        await cage.stop()


async def test_a_cancelled_run_takes_its_process_along(ffmpeg_cage: FfmpegCage) -> None:
    pending = asyncio.create_task(run(ffmpeg_cage, *ENDLESS))
    (pid,) = await started(ffmpeg_cage)
    pending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await pending
    assert ffmpeg_cage._alive == set()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


async def test_the_queue_is_bounded(tmp_path: Path) -> None:
    cage = FfmpegCage(folder=tmp_path, workers=1, queue=1)
    await cage.start()
    outcomes = await asyncio.gather(*(run(cage, *SHORT) for _ in range(3)), return_exceptions=True)
    await cage.stop()
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["CageError", "FfmpegRun", "FfmpegRun"]


async def test_what_an_earlier_process_left_is_removed_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "run-old").mkdir()
    (tmp_path / "run-old" / "made").write_bytes(b"1")
    (tmp_path / "run-older").write_bytes(b"1")
    (tmp_path / "mine").write_bytes(b"1")
    cage = FfmpegCage(folder=tmp_path)
    await cage.start()
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]
    await cage.stop()


async def test_a_kept_file_outlives_its_workspace(ffmpeg_cage: FfmpegCage) -> None:
    async with ffmpeg_cage.workspace() as folder:
        (folder / "made").write_bytes(b"good")
        kept = await ffmpeg_cage.keep(folder / "made")
        (folder / "rest").write_bytes(b"rest")
    assert not folder.exists()
    assert kept.read_bytes() == b"good"


@linux
async def test_a_killed_gateway_leaves_no_ffmpeg_behind(tmp_path: Path) -> None:
    gateway = """if True:
        import asyncio, sys
        from pathlib import Path
        from tests.integration.media.test_ffmpeg import ENDLESS, FfmpegCage, run, started

        async def main():
            cage = FfmpegCage(folder=Path(sys.argv[1]))
            await cage.start()
            pending = asyncio.create_task(run(cage, *ENDLESS))
            print(*await started(cage), flush=True)
            await pending

        asyncio.run(main())
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", gateway, str(tmp_path), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    pid = int(await process.stdout.readline())
    process.kill()
    await process.wait()
    while Path(f"/proc/{pid}").exists() and Path(f"/proc/{pid}/cmdline").read_bytes():  # what is left is a zombie
        await asyncio.sleep(0.01)


#: Programs that are no ffmpeg, and what is said of them.
NO_FFMPEG = {
    "silent": ("#!/bin/sh\nexit 1\n", "it says nothing"),
    "other": ("#!/bin/sh\necho ffprobe version 9\n", "ffprobe version 9"),
    "lost": ("#!/bin/sh\necho lost: error while loading libx264.so >&2\nexit 127\n", "error while loading libx264"),
    "text": ("not a program", "Exec format error"),
}


@pytest.mark.parametrize("name", NO_FFMPEG)
async def test_what_is_no_ffmpeg_is_found_out_at_the_start(tmp_path: Path, name: str) -> None:
    program = tmp_path / name
    program.write_text(NO_FFMPEG[name][0])
    program.chmod(0o755)
    with pytest.raises(Fault, match=NO_FFMPEG[name][1]) as caught:
        await FfmpegCage(folder=tmp_path / "work", binary=program).start()
    assert str(caught.value).startswith(f"{program} is no ffmpeg that runs here (")
    assert str(caught.value).endswith("): name one with the setting ffmpeg")
    assert "\n" not in str(caught.value)


async def test_bin_false_is_no_ffmpeg(tmp_path: Path) -> None:
    false = Path(shutil.which("false") or "/bin/false")
    with pytest.raises(Fault, match=f"^{false} is no ffmpeg"):
        await FfmpegCage(folder=tmp_path, binary=false).start()


async def test_a_missing_ffmpeg_is_found_out_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(Fault, match=r"nothing is no ffmpeg that runs here \(.*No such file or directory"):
        await FfmpegCage(folder=tmp_path, binary=tmp_path / "nothing").start()


async def test_a_wheel_without_ffmpeg_for_the_platform_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imageio_ffmpeg._utils, "_get_ffmpeg_exe", lambda: None)
    monkeypatch.delenv("IMAGEIO_FFMPEG_EXE", raising=False)
    with pytest.raises(Fault, match="no ffmpeg for this machine: name one with the setting ffmpeg"):
        await FfmpegCage(folder=tmp_path).start()


# ---- whose turn it is ----


async def test_a_header_is_read_while_all_places_are_taken(tmp_path: Path, footage: Footage) -> None:
    async with started_cage(tmp_path) as cage:
        pending = [asyncio.create_task(run(cage, *ENDLESS, owner=owner)) for owner in "aab"]
        await started(cage, 2)  # one place, and one that is kept for whoever has none
        async with asyncio.timeout(30):
            facts = await Transcoder(cage=cage).inspect(footage["mp3"].path, "audio/mpeg", owner="a")
        assert isinstance(facts, AvFacts)
        assert not any(task.done() for task in pending)
        await cage.stop()
        await asyncio.gather(*pending, return_exceptions=True)


async def test_a_transcode_has_the_turn_of_its_owner(tmp_path: Path, footage: Footage) -> None:
    sample = footage["mp3"]
    async with started_cage(tmp_path, queue=0) as cage:
        transcoder = Transcoder(cage=cage)
        facts = await transcoder.inspect(sample.path, sample.mime)
        assert isinstance(facts, AvFacts)
        fit = partial(
            transcoder.fit, sample.path, sample.mime, facts, size=sample.size, budget=sample.size,
            wanted=AvWanted(types=frozenset({sample.mime})),
        )  # fmt: skip
        pending = asyncio.create_task(run(cage, *ENDLESS, owner="a"))
        await started(cage)
        with pytest.raises(CageError, match="wait for ffmpeg"):
            await fit(owner="a")
        assert isinstance(await fit(owner="b"), AvAsItIs)
        await cage.stop()
        await asyncio.gather(pending, return_exceptions=True)


async def test_another_owner_is_next_though_one_has_many_waiting(tmp_path: Path) -> None:
    async with started_cage(tmp_path, workers=1) as cage:
        first = asyncio.create_task(run(cage, *ENDLESS, owner="first"))
        await started(cage)
        many = [asyncio.create_task(run(cage, *ENDLESS, owner="many")) for _ in range(5)]
        await started(cage, 2)
        other = asyncio.create_task(run(cage, *SHORT, owner="other"))
        first.cancel()
        async with asyncio.timeout(30):
            assert (await other).done
        await cage.stop()
        await asyncio.gather(first, *many, return_exceptions=True)


async def test_the_queue_is_bounded_for_each_owner(tmp_path: Path) -> None:
    async with started_cage(tmp_path, workers=1, queue=1) as cage:
        outcomes = await asyncio.gather(
            *(run(cage, *SHORT, owner=owner) for owner in "aaaab"), return_exceptions=True
        )
    assert [type(outcome) for outcome in outcomes[:4]].count(CageError) == 2
    assert isinstance(outcomes[4], FfmpegRun)


# ---- our faults ----


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a full disk is played by a device of Linux")
@pytest.mark.parametrize(
    ("full", "command"),
    [
        ("made", ("-c:v", "libx264", "-f", "mp4", "-movflags", "frag_keyframe", "made")),
        ("notes-0.log.temp", ("-c:v", "libx264", "-pass", "1", "-passlogfile", "notes", "-f", "null", "-")),
    ],
)
async def test_a_full_disk_is_no_fault_of_the_input(
    ffmpeg_cage: FfmpegCage, full: str, command: tuple[str, ...]
) -> None:
    pictures = ("-nostdin", "-y", "-loglevel", "repeat+level+verbose", "-f", "lavfi", "-i", "testsrc2=d=4")
    async with ffmpeg_cage.workspace() as folder:
        (folder / full).symlink_to("/dev/full")
        with pytest.raises(CageError, match="the disk is full"):
            await ffmpeg_cage.run((*pictures, *command), folder=folder, seconds=30, output_bytes=10**9)


async def test_a_full_disk_in_a_comment_is_none(ffmpeg_cage: FfmpegCage) -> None:
    comment = "x\n[error] No space left on device"
    failing = ("-metadata", f"comment={comment}", "-t", "0", "-abort_on", "empty_output", "-f", "null", "-")
    outcome = await run(ffmpeg_cage, "-nostdin", "-loglevel", "repeat+level+verbose", *SHORT[1:5], *failing)
    assert "[error] No space left on device" in outcome.log
    assert outcome.status != 0


async def test_a_library_that_is_gone_is_our_fault(tmp_path: Path) -> None:
    program = tmp_path / "ffmpeg"
    program.write_text("#!/bin/sh\necho ffmpeg version 9\n")
    program.chmod(0o755)
    async with started_cage(tmp_path / "work", binary=program) as cage:
        program.write_text("#!/bin/sh\necho ffmpeg: error while loading libx264.so >&2\nexit 127\n")
        with pytest.raises(CageError, match="ffmpeg does not start: ffmpeg: error while loading"):
            await run(cage, *SHORT)
        program.unlink()
        with pytest.raises(CageError, match=r"ffmpeg does not start: .*No such file"):
            await run(cage, *SHORT)


async def test_the_gateway_itself_does_not_load_the_wheel() -> None:
    code = "import sys, mmsgate.media.ffmpeg; sys.exit('imageio_ffmpeg' in sys.modules)"
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", code)
    assert await process.wait() == 0
