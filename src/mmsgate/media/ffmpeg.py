"""ffmpeg runs as a process of its own with limits on memory, CPU, time and files (design promise 7).

A run that crashes, hangs, grows or floods ends alone, and says of what; the gateway lives on. Nothing outside the
named input is opened: the demuxer is the one that our own sniffing found, and no protocol but files is allowed.
"""

import asyncio
import os
import re
import shutil
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from math import ceil
from pathlib import Path

from mmsgate.media.cage import CageError
from mmsgate.media.process import Process
from mmsgate.media.turns import Crowded, Turns

MEMORY = 2 << 30  # bytes of address space; 1080p through x264 was measured at 1.2 GB, 2160p HEVC below 1.5
THREADS = 2  # of each decoder and encoder
MOST_PIXELS = 4096 * 2304  # of a frame; a decoder refuses more before it takes memory for it
MOST_STREAMS = 16

_LAUNCHER = Path(__file__).with_name("launcher.py")
_LOG_ENDS = 32 * 1024  # bytes kept of a log's beginning and of its end
_MOST_LOG = 8 << 20  # a good file writes a few kilobytes
_HEAD = 2 * 188 + 1  # two packets of a transport stream, and the third's first byte
_CHUNK = 64 * 1024
_PREFIX = "run-"
_TRIAL_SECONDS = 60  # a busy small machine takes its time
_NOT_STARTED = 127  # of the launcher and of dynamic loaders

#: The demuxer of each type. It is forced, so that no playlist or script is ever read as such.
_DEMUXERS = {
    "audio/mpeg": "mp3", "audio/amr": "amr", "audio/mp4": "mov", "audio/wav": "wav",
    "video/3gpp": "mov", "video/mp4": "mov", "video/quicktime": "mov", "video/x-msvideo": "avi",
    "video/x-ms-wmv": "asf",
}  # fmt: skip
MIMES = frozenset({*_DEMUXERS, "video/mpeg"})


@dataclass(frozen=True, slots=True, kw_only=True)
class FfmpegRun:
    """How a run ended.

    `status` is 0 if all went well; `log` the beginning and the end of what it said; `reached` the seconds of media
    that came out; `killed` what ended it, in words that follow a subject, or None. `transient`: that may be the
    fault of a busy machine, and another run may end otherwise. `corrupt_frames` counts pictures that were decoded
    with holes, `cut_packets` pieces of the input that end too early.
    """

    status: int
    log: str
    reached: float
    killed: str | None = None
    transient: bool = False
    corrupt_frames: int = 0
    cut_packets: int = 0

    @property
    def done(self) -> bool:
        """Whether it came to its end."""
        return self.status == 0 and self.killed is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A file to read, the type that its bytes were found to be, and the demuxer for it."""

    path: Path
    mime: str
    demuxer: str

    @classmethod
    async def of(cls, path: Path, mime: str) -> "Source":
        """The source of a file. Raises OSError if it can't be read."""
        head = await asyncio.to_thread(_head, path)
        return cls(path=path, mime=mime, demuxer=_DEMUXERS.get(mime) or _mpeg(head))

    @property
    def arguments(self) -> tuple[str, ...]:
        """What opens this file, and nothing else than this file."""
        references = ("-enable_drefs", "0", "-use_absolute_path", "0") if self.demuxer == "mov" else ()
        return (
            *("-nostdin", "-y", "-hide_banner", "-nostats"),
            *("-loglevel", "repeat+level+verbose", "-progress", "pipe:1"),
            *("-filter_threads", "1", "-threads", str(THREADS)),
            *("-max_pixels", str(MOST_PIXELS), "-max_streams", str(MOST_STREAMS)),
            *("-protocol_whitelist", "file,pipe", "-f", self.demuxer, *references),
            *("-i", f"file:{self.path.absolute()}"),
        )


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_HEAD)


def _mpeg(head: bytes) -> str:
    """MPEG comes as a transport stream, as bare pictures, or as a program stream."""
    if len(head) == _HEAD and all(head[at] == 0x47 for at in (0, 188, 376)):
        return "mpegts"
    return "mpegvideo" if head.startswith(b"\x00\x00\x01\xb3") else "mpeg"


class FfmpegCage:
    """Runs ffmpeg, `workers` at once (default: one per core), and one more for an owner who would have to wait.

    Glances at headers have as many places of their own, so that none waits behind minutes of work. More than
    `queue` waiting runs of one owner are refused with CageError. `binary` is the ffmpeg to use, None that of the
    imageio-ffmpeg wheel. `folder` is for files under way; it belongs to this cage alone, and what an earlier
    process left there is removed.
    """

    def __init__(
        self, *, folder: Path, binary: Path | None = None, workers: int | None = None, queue: int = 256
    ) -> None:
        self._folder, self._wanted = folder.absolute(), binary
        self._binary = binary or Path()
        self._queue = queue
        places = workers or os.cpu_count() or 1
        self._turns, self._glances = Turns(places, waiting=queue), Turns(places, waiting=queue)
        self._running = False
        self._alive: set[Process] = set()

    async def start(self) -> None:
        """Makes runs possible, once ffmpeg has shown that it runs in the cage. Raises CageError if it does not."""
        if self._running:
            return
        if self._wanted is None:
            self._binary = await asyncio.to_thread(_binary_of_the_wheel)
        await asyncio.to_thread(_clear, self._folder)
        words = await self._first_words()
        if not words.startswith("ffmpeg version"):
            why = words.strip().rpartition("\n")[2] or "it says nothing"
            raise CageError(f"{self._binary} is no ffmpeg that runs here ({why}): name one with the setting ffmpeg")
        self._running = True

    async def _first_words(self) -> str:
        """What it says when asked for its version; the complaint if it can't be started."""
        process = await self._spawn(("-version",), self._folder, _TRIAL_SECONDS, 0)
        try:
            async with asyncio.timeout(_TRIAL_SECONDS):
                said = await process.stdout.read(_CHUNK) or await process.stderr.read(_CHUNK)
        except TimeoutError:
            return ""
        finally:
            await self._end(process)
        return said.decode("utf-8", "replace")

    async def stop(self) -> None:
        """Kills what runs; whoever waits for it gets CageError."""
        self._running = False
        for process in list(self._alive):
            process.kill()
            await process.wait()

    @asynccontextmanager
    async def workspace(self) -> AsyncIterator[Path]:
        """An empty folder for the files of some runs; it is removed with all that is still in it."""
        path = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix=_PREFIX, dir=self._folder))
        try:
            yield path
        finally:
            await asyncio.shield(asyncio.to_thread(shutil.rmtree, path, ignore_errors=True))

    async def keep(self, made: Path) -> Path:
        """Moves a file out of its workspace, so that it outlives it; the caller takes it over."""
        handle, name = await asyncio.to_thread(tempfile.mkstemp, prefix=_PREFIX, dir=self._folder)
        os.close(handle)
        return await asyncio.to_thread(made.replace, name)

    async def run(
        self,
        arguments: Sequence[str],
        *,
        folder: Path,
        seconds: float,
        output_bytes: int,
        owner: str = "",
        glance: bool = False,
    ) -> FfmpegRun:
        """One run in `folder`, a workspace.

        It may take `seconds` by the clock and of CPU, and write no file larger than `output_bytes`. `owner` is
        whose medium it is: owners take turns. A `glance` takes some milliseconds, and waits for other glances only.

        Raises CageError if it can't be run: the fault is ours, not the input's.
        """
        try:
            async with (self._glances if glance else self._turns).turn(owner):
                return await self._work(arguments, folder, seconds, output_bytes)
        except Crowded:
            raise CageError(f"more than {self._queue} sounds and videos wait for ffmpeg") from None

    async def _work(self, arguments: Sequence[str], folder: Path, seconds: float, output_bytes: int) -> FfmpegRun:
        if not self._running:
            raise CageError("the ffmpeg cage is not running")
        process = await self._spawn(arguments, folder, seconds, output_bytes)
        said = _Said()
        late = False
        try:
            await asyncio.wait_for(_follow(process, said), seconds)
        except TimeoutError:
            late = True
        finally:
            await self._end(process)
        if not self._running:
            raise CageError("the ffmpeg cage was stopped")
        assert process.returncode is not None
        if fault := _our_fault(process.returncode, said.text):
            raise CageError(fault)
        if late:
            death = _Death(f"took longer than {seconds:g} s", transient=True)
        elif said.flood:
            death = _Death("met more errors than can be reported")
        else:
            death = _death(process.returncode, said.text, output_bytes)
        return FfmpegRun(
            status=process.returncode, log=said.text, reached=said.reached, killed=death.words,
            transient=death.transient, corrupt_frames=said.corrupt_frames, cut_packets=said.cut_packets,
        )  # fmt: skip

    async def _spawn(self, arguments: Sequence[str], folder: Path, seconds: float, output_bytes: int) -> Process:
        limits = (str(MEMORY), str(ceil(seconds)), str(output_bytes))
        launched = (sys.executable, "-I", "-S", "-B", str(_LAUNCHER), *limits, str(self._binary), *arguments)
        try:
            process = await Process.start(launched, folder)
        except OSError as error:
            raise CageError(f"ffmpeg could not be started: {error.strerror}") from error
        self._alive.add(process)
        return process

    async def _end(self, process: Process) -> None:
        """Ends it, if it still runs, and waits for its end, which is not seen before its pipes are read out."""
        process.kill()
        rest = asyncio.gather(_drain(process.stdout), _drain(process.stderr), process.wait())
        await asyncio.shield(rest)
        self._alive.discard(process)


async def _drain(stream: asyncio.StreamReader) -> None:
    while await stream.read(_CHUNK):
        pass


class _Said:
    """What a run says, as far as it is of use: its log's beginning and end, counts, how far it came."""

    def __init__(self) -> None:
        self._head, self._tail = bytearray(), bytearray()
        self._length = 0
        self.corrupt_frames = 0
        self.cut_packets = 0
        self.reached = 0.0

    @property
    def flood(self) -> bool:
        """Whether the log is longer than any good file makes it."""
        return self._length > _MOST_LOG

    @property
    def text(self) -> str:
        return (self._head + self._tail[-_LOG_ENDS:]).decode("utf-8", "replace")

    def log(self, line: bytes) -> None:
        """Takes a line of the log."""
        self._length += len(line) + 1
        self.corrupt_frames += b"corrupt decoded frame" in line
        self.cut_packets += b"] Packet corrupt (" in line or b": partial file" in line
        if self._length <= _LOG_ENDS:
            self._head += line + b"\n"
            return
        self._tail += line + b"\n"
        if len(self._tail) > 2 * _LOG_ENDS:
            del self._tail[:-_LOG_ENDS]

    def progress(self, line: bytes) -> None:
        """Takes a line of the progress reports."""
        if found := re.fullmatch(rb"out_time_us=(\d+)\s*", line):
            self.reached = max(self.reached, int(found[1]) / 1_000_000)


async def _follow(process: Process, said: _Said) -> None:
    """Until the process has ended and said all; one that never stops complaining is killed."""

    async def log(stream: asyncio.StreamReader) -> None:
        async for line in _lines(stream):
            said.log(line)
            if said.flood:
                process.kill()

    async def progress(stream: asyncio.StreamReader) -> None:
        async for line in _lines(stream):
            said.progress(line)

    await asyncio.gather(log(process.stderr), progress(process.stdout))
    await process.wait()


async def _lines(stream: asyncio.StreamReader) -> AsyncIterator[bytes]:
    """The lines of a stream, those longer than a chunk cut."""
    rest = b""
    while chunk := await stream.read(_CHUNK):
        *lines, rest = (rest + chunk).split(b"\n")
        rest = rest[-_CHUNK:]
        for line in lines:
            yield line


@dataclass(frozen=True, slots=True)
class _Death:
    """What ended a run, in words that follow a subject; none if it ended by itself."""

    words: str | None = None
    transient: bool = False


def _death(status: int, log: str, output_bytes: int) -> _Death:
    if status == -signal.SIGXFSZ:
        return _Death(f"wrote more than {output_bytes:,} bytes")
    if f"received signal {int(signal.SIGXCPU)}" in log or status == -signal.SIGXCPU:
        return _Death("took more CPU time than is allowed", transient=True)
    if status and re.search(r"Cannot allocate memory|malloc of size \d+ failed|bad_alloc", log):
        return _Death("needed more memory than is allowed", transient=True)
    if status < 0:
        return _Death(f"crashed ffmpeg ({signal.Signals(-status).name})", transient=True)
    return _Death()


#: What ffmpeg and x264, which keeps notes of its first pass, say of a full disk. Names in the input are no errors.
_DISK_IS_FULL = re.compile(
    r"^(?:\[[^\]\n]* @ 0x[0-9a-f]+\] )*\[(?:error|fatal)\] .*"
    r"(?:No space left on device|Disk quota exceeded|stats file could not be written|empty stats file)",
    re.MULTILINE,
)


def _our_fault(status: int, log: str) -> str | None:
    """Why a run that failed says nothing about its input; None if it does."""
    if status == _NOT_STARTED:
        return f"ffmpeg does not start: {log.strip().rpartition(chr(10))[2]}"
    return "the disk is full" if status and _DISK_IS_FULL.search(log) else None


def _binary_of_the_wheel() -> Path:
    import imageio_ffmpeg  # type: ignore[import-untyped]  # it comes without types

    try:
        found = imageio_ffmpeg.get_ffmpeg_exe()
    except RuntimeError as error:
        words = "imageio-ffmpeg has no ffmpeg for this machine: name one with the setting ffmpeg"
        raise CageError(words) from error
    return Path(shutil.which(found) or found)  # it may be the system's, by its bare name


def _clear(folder: Path) -> None:
    """An empty folder; only what cages make is removed."""
    folder.mkdir(parents=True, exist_ok=True)
    for left in folder.glob(f"{_PREFIX}*"):
        if left.is_dir():
            shutil.rmtree(left)
        else:
            left.unlink()
