"""ffmpeg runs in the cage; what grows, hangs, floods or crashes ends alone (issue 3: the cage)."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from mmsgate.media import ffmpeg
from mmsgate.media.cage import CageError
from mmsgate.media.ffmpeg import FfmpegCage, FfmpegRun

ENDLESS = ("-nostdin", "-re", "-f", "lavfi", "-i", "anullsrc", "-f", "null", "-")
SHORT = ("-nostdin", "-f", "lavfi", "-i", "anullsrc=d=2", "-progress", "pipe:1", "-f", "null", "-")


async def run(cage: FfmpegCage, *arguments: str, seconds: float = 30, output_bytes: int = 1_000_000) -> FfmpegRun:
    async with cage.workspace() as folder:
        return await cage.run(arguments, folder=folder, seconds=seconds, output_bytes=output_bytes)


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
async def test_limits_environment_and_session_of_a_run(ffmpeg_cage: FfmpegCage, tmp_path: Path) -> None:
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
    assert os.getsid(pid) == pid
    assert os.getpriority(os.PRIO_PROCESS, pid) >= 10
    assert Path(f"/proc/{pid}/cwd").resolve().parent == (tmp_path / "work").resolve()
    await ffmpeg_cage.stop()
    with pytest.raises(CageError):
        await pending


async def test_what_takes_too_long_is_killed(ffmpeg_cage: FfmpegCage) -> None:
    outcome = await run(ffmpeg_cage, *ENDLESS, seconds=0.3)
    assert outcome.killed == "took longer than 0.3 s"
    assert not outcome.done
    assert ffmpeg_cage._alive == set()


async def test_what_writes_too_much_is_killed(ffmpeg_cage: FfmpegCage) -> None:
    noise = ("-f", "lavfi", "-i", "testsrc2=s=640x480", "-f", "rawvideo", "made")
    outcome = await run(ffmpeg_cage, "-nostdin", *noise, output_bytes=1_000_000)
    assert outcome.killed == "wrote more than 1,000,000 bytes"


async def test_a_bomb_kills_its_process_and_the_cage_lives_on(ffmpeg_cage: FfmpegCage) -> None:
    bomb = ("-f", "lavfi", "-i", "color=s=16000x16000", "-c:v", "libx264", "-f", "null", "-")
    outcome = await run(ffmpeg_cage, "-nostdin", *bomb)
    assert outcome.killed == "needed more memory than is allowed"
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
    assert (await pending).killed == words


async def test_a_flood_of_complaints_is_cut_off(ffmpeg_cage: FfmpegCage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ffmpeg, "_MOST_LOG", 20_000)
    chatty = ("-f", "lavfi", "-i", "testsrc2", "-vf", "showinfo", "-f", "null", "-")
    outcome = await run(ffmpeg_cage, "-nostdin", *chatty)
    assert outcome.killed == "met more errors than can be reported"
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


async def test_without_ffmpeg_it_does_not_start(tmp_path: Path) -> None:
    with pytest.raises(CageError, match="is no program"):
        await FfmpegCage(folder=tmp_path, binary=tmp_path / "nothing").start()


async def test_the_gateway_itself_does_not_load_the_wheel() -> None:
    code = "import sys, mmsgate.media.ffmpeg; sys.exit('imageio_ffmpeg' in sys.modules)"
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", code)
    assert await process.wait() == 0
