"""Images are decoded in worker processes with limits on memory, CPU, time and files (design promise 7).

A worker that crashes, hangs or grows is killed and replaced; the image it had is broken, the gateway lives on.
"""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from mmsgate.domain.advice import ImageLook
from mmsgate.domain.media import ImageLimits
from mmsgate.errors import Fault
from mmsgate.media.turns import Crowded, Turns

_START_SECONDS = 60  # a busy small machine takes its time
_REAP_SECONDS = 2
_MOST_BYTES = 64 * 1024 * 1024  # of an answer
_JOBS_PER_WORKER = 1000  # then it is replaced: whatever a decoder leaks goes with it

_KEPT_ENVIRONMENT = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageChecked:
    """It decodes, every frame of it. `format` is Pillow's name: JPEG, GIF, PNG, WEBP, AVIF, HEIF.

    Of a HEIC only the first picture is decoded; `frames` counts how many the file has.
    """

    width: int
    height: int
    frames: int
    format: str
    transparent: bool

    @property
    def animated(self) -> bool:
        """Whether it has more than one frame."""
        return self.frames > 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageBroken:
    """It does not decode within the limits of the cage; `reason` says why, for people.

    `decodable` is false if nothing of its type decodes here, as no decoder is installed (R-31). `transient`: its
    worker was killed or died, which may be the fault of a busy machine; another try may end otherwise.
    """

    reason: str
    decodable: bool = True
    transient: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageTooLarge:
    """More pixels or frames than allowed; found before they were decoded."""

    width: int
    height: int
    frames: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageFitted:
    """The picture within its budget. `how` says what was done, for people: "quality 64, 1080×1440".

    `encodes` is how many tries it took, four at most.
    """

    data: bytes
    mime: str
    width: int
    height: int
    how: str
    encodes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageMisfit:
    """Even the smallest version is larger than the budget."""


ImageOutcome = ImageChecked | ImageBroken | ImageTooLarge
FitOutcome = ImageFitted | ImageMisfit | ImageBroken
_Outcome = ImageOutcome | FitOutcome | ImageLook

#: What every phone takes of pictures. PNG is for callers that ask for it: the best practices want JPEG.
PHONE_TYPES = frozenset({"image/jpeg", "image/gif"})


class CageError(Fault):
    """Media cannot be worked on at the moment. The fault is ours, not the medium's."""


class ImageCage:
    """A pool of caged workers, each started when it is first needed.

    `workers` defaults to the number of cores, and one more starts for an owner who would have to wait for others.
    More than `queue` waiting images of one owner are refused with CageError; `seconds` is the wall-clock time of
    one image.
    """

    def __init__(self, *, workers: int | None = None, queue: int = 256, seconds: float = 40) -> None:
        self._queue = queue
        self._seconds = seconds
        self._turns = Turns(workers or os.cpu_count() or 1, waiting=queue)
        self._running = False
        self._idle: list[_Worker] = []
        self._alive: set[_Worker] = set()

    async def start(self) -> None:
        """Makes checks possible; starts no process yet."""
        self._running = True

    async def stop(self) -> None:
        """Kills all workers; checks under way raise CageError."""
        self._running = False
        self._idle.clear()
        for worker in list(self._alive):
            await self._end(worker)

    async def check(
        self, path: Path, mime: str, *, limits: ImageLimits | None = None, owner: str = ""
    ) -> ImageOutcome:
        """Decodes the whole image. `mime` is what its bytes were found to be, one of our image types.

        `owner` is whose image it is: owners take turns, so that no one's bombs hold up another's picture.
        Raises CageError if no worker can be had.
        """
        allowed = limits or ImageLimits()
        job = _job("check", path, mime, allowed)
        outcome = await self._turn(job, partial(_checked, mime=mime, limits=allowed), owner)
        assert not isinstance(outcome, ImageFitted | ImageMisfit | ImageLook)
        return outcome

    async def fit(
        self,
        path: Path,
        mime: str,
        *,
        budget: int | None,
        types: frozenset[str] = PHONE_TYPES,
        limits: ImageLimits | None = None,
        owner: str = "",
    ) -> FitOutcome:
        """A version of the image of at most `budget` bytes and one of the `types`, the least altered one found.

        Without a budget, a JPEG in full size for a web page. `owner` as in `check`.
        Raises CageError if no worker can be had.
        """
        allowed = limits or ImageLimits()
        job = _job("fit", path, mime, allowed, budget=budget, types=sorted(types))
        outcome = await self._turn(job, partial(_fitted, budget=budget, mime=mime, limits=allowed), owner)
        assert not isinstance(outcome, ImageChecked | ImageTooLarge | ImageLook)
        return outcome

    async def look(
        self, path: Path, mime: str, *, limits: ImageLimits | None = None, owner: str = ""
    ) -> ImageLook | ImageBroken:
        """What a glance at the image shows, for advice. Raises CageError if no worker can be had."""
        allowed = limits or ImageLimits()
        job = _job("look", path, mime, allowed)
        outcome = await self._turn(job, partial(_looked, mime=mime, limits=allowed), owner)
        assert isinstance(outcome, ImageLook | ImageBroken)
        return outcome

    async def _turn(self, job: bytes, read: "_Read", owner: str) -> _Outcome:
        try:
            async with self._turns.turn(owner):
                return await self._work(job, read)
        except Crowded:
            raise CageError(f"more than {self._queue} images wait to be checked") from None

    async def _work(self, job: bytes, read: "_Read") -> _Outcome:
        if not self._running:
            raise CageError("the image cage is not running")
        worker = await self._idle_worker() or await self._new_worker()
        try:
            outcome = read(*await asyncio.wait_for(worker.ask(job), self._seconds))
        except TimeoutError:
            await self._end(worker)
            return ImageBroken(reason=f"decoding it took longer than {self._seconds:g} s", transient=True)
        except (OSError, ValueError, KeyError, TypeError, EOFError):
            await worker.last_words()
            await self._end(worker)
            if not self._running:
                raise CageError("the image cage was stopped") from None
            return ImageBroken(reason=f"decoding it {worker.epitaph()}", transient=True)
        except BaseException:
            await self._end(worker)  # it is busy with a job nobody waits for
            raise
        await self._put_back(worker)
        return outcome

    async def _idle_worker(self) -> "_Worker | None":
        """One that waits for work; those that died while idle are no image's fault."""
        while self._idle:
            worker = self._idle.pop()
            if worker.alive:
                return worker
            await self._end(worker)
        return None

    async def _new_worker(self) -> "_Worker":
        worker = await _Worker.spawn()
        self._alive.add(worker)
        try:
            await asyncio.wait_for(worker.greeting(), _START_SECONDS)
        except (OSError, EOFError, TimeoutError) as error:
            await self._end(worker)
            raise CageError("the image worker did not start") from error
        except BaseException:
            await self._end(worker)
            raise
        return worker

    async def _put_back(self, worker: "_Worker") -> None:
        if self._running and worker.jobs < _JOBS_PER_WORKER:
            self._idle.append(worker)
        else:
            await self._end(worker)

    async def _end(self, worker: "_Worker") -> None:
        self._alive.discard(worker)
        await worker.kill()


class _Worker:
    """One process, and the pipes to it."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.jobs = 0

    @classmethod
    async def spawn(cls) -> "_Worker":
        """Starts a process with an empty environment."""
        environment = {name: os.environ[name] for name in _KEPT_ENVIRONMENT if name in os.environ}
        try:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                *("-I", "-B", "-m", "mmsgate.media.worker"),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                env=environment,
                cwd="/",
            )
        except OSError as error:
            raise CageError(f"the image worker could not be started: {error.strerror}") from error
        return cls(process)

    @property
    def alive(self) -> bool:
        """Whether the process runs, as far as is known."""
        return self._process.returncode is None

    async def greeting(self) -> None:
        """Waits until it is ready. Raises EOFError if it ends instead."""
        await self._line()

    async def ask(self, job: bytes) -> tuple[object, bytes]:
        """Its answer to a job, and the bytes behind it. Raises EOFError or OSError if it dies over it."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self.jobs += 1
        self._process.stdin.write(job)
        await self._process.stdin.drain()
        answer = json.loads(await self._line())
        size = int(answer["fitted"]["size"]) if "fitted" in answer else 0
        if not 0 <= size <= _MOST_BYTES:
            raise ValueError("an answer of an impossible size")
        return answer, await self._process.stdout.readexactly(size)

    async def _line(self) -> bytes:
        assert self._process.stdout is not None
        line = await self._process.stdout.readline()
        if not line.endswith(b"\n"):
            raise EOFError("the worker ended")
        return line

    async def last_words(self) -> None:
        """Gives one that is dying the time to be reaped: killing it now could lose what it died of."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._process.wait(), _REAP_SECONDS)

    async def kill(self) -> None:
        """Ends it, if it still runs, and takes it off the process table."""
        if self.alive:
            with suppress(ProcessLookupError):
                self._process.kill()
        if self._process.stdin is not None:
            self._process.stdin.close()
        await asyncio.shield(self._process.wait())

    def epitaph(self) -> str:
        """How it ended, in words that follow a subject."""
        code = self._process.returncode
        if code == -signal.SIGXCPU:
            return "took more CPU time than is allowed"
        if code is not None and code < 0 and code != -signal.SIGKILL:
            return f"crashed the decoder ({signal.Signals(-code).name})"
        return "ended the decoder"


#: Reads a worker's answer and the bytes behind it; what is not as agreed raises ValueError, KeyError or TypeError.
_Read = Callable[[object, bytes], _Outcome]


def _job(task: str, path: Path, mime: str, limits: ImageLimits, **more: int | list[str] | None) -> bytes:
    job = {
        **more,
        "task": task,
        "path": str(path.absolute()),  # the worker's folder is another
        "mime": mime,
        "max_pixels": limits.pixels_of(mime),
        "max_frames": limits.frames,
    }
    return json.dumps(job).encode() + b"\n"


def _fitted(answer: object, data: bytes, *, budget: int | None, mime: str, limits: ImageLimits) -> FitOutcome:
    if not isinstance(answer, dict):
        raise TypeError("an answer that is no object")
    if "misfit" in answer:
        return ImageMisfit()
    if "fitted" not in answer:
        unusable = _unusable(answer, mime, limits)
        return unusable if isinstance(unusable, ImageBroken) else ImageBroken(reason=unusable.reason)
    facts = answer["fitted"]
    if budget is not None and len(data) > budget:
        raise ValueError("more bytes than were asked for")
    return ImageFitted(
        data=data, mime=str(facts["mime"]), width=int(facts["width"]), height=int(facts["height"]),
        how=str(facts["how"]), encodes=int(facts["encodes"]),
    )  # fmt: skip


def _looked(answer: object, _: bytes, *, mime: str, limits: ImageLimits) -> ImageLook | ImageBroken:
    if not isinstance(answer, dict):
        raise TypeError("an answer that is no object")
    if "look" not in answer:
        unusable = _unusable(answer, mime, limits)
        return unusable if isinstance(unusable, ImageBroken) else ImageBroken(reason=unusable.reason)
    facts = answer["look"]
    return ImageLook(
        width=int(facts["width"]), height=int(facts["height"]), transparent=bool(facts["transparent"]),
        frames=int(facts["frames"]), rate=float(facts["rate"]), busy_top=float(facts["busy_top"]),
        busy_bottom=float(facts["busy_bottom"]),
    )  # fmt: skip


def _checked(answer: object, _: bytes, *, mime: str, limits: ImageLimits) -> ImageOutcome:
    if not isinstance(answer, dict):
        raise TypeError("an answer that is no object")
    if "checked" not in answer:
        return _unusable(answer, mime, limits)
    facts = answer["checked"]
    return ImageChecked(
        width=int(facts["width"]), height=int(facts["height"]), frames=int(facts["frames"]),
        format=str(facts["format"]), transparent=bool(facts["transparent"]),
    )  # fmt: skip


def _unusable(answer: dict[str, object], mime: str, limits: ImageLimits) -> ImageBroken | ImageTooLarge:
    """Why an image can be neither checked nor made smaller."""
    if "undecodable" in answer:
        return ImageBroken(reason=str(answer["undecodable"]), decodable=False)
    if "broken" in answer:
        return ImageBroken(reason=f"it does not decode ({answer['broken']})")
    facts = answer["too_large"]
    if not isinstance(facts, dict):
        raise TypeError("an answer without facts")
    width, height, frames = int(facts["width"]), int(facts["height"]), int(facts["frames"])
    if frames > limits.frames:
        reason = f"it has {frames:,} frames, {limits.frames:,} are allowed"
    else:
        reason = f"it has {width} × {height} pixels, {limits.pixels_of(mime):,} in all are allowed"
    return ImageTooLarge(width=width, height=height, frames=frames, reason=reason)
