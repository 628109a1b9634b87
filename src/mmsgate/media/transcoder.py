"""The least altered version of a sound or video that fits: as it is, its streams in another container, or encoded.

Told a budget and what the phones take, it knows nothing of carriers. Nothing is cut off: what is too long or has
too few bits for its length does not fit, and the reason says so with figures.
"""

from dataclasses import dataclass, replace
from pathlib import Path

from mmsgate.media import av_commands as commands
from mmsgate.media.av_ladder import (
    LEAST_RATE,
    MIME_OF,
    AudioPlan,
    NoRoom,
    page_video,
    plan_audio,
    plan_video,
    words,
)
from mmsgate.media.ffmpeg import FfmpegCage, FfmpegRun, Source
from mmsgate.media.playable import AvWanted, other_container, plays, plays_on_page
from mmsgate.media.probe import ISO_MIMES, AvBroken, AvFacts, damage, probe

#: Seconds that fit an MMS of any use, and a page that people watch to its end.
MOST_VIDEO_SECONDS, MOST_AUDIO_SECONDS = 180, 600
MOST_PAGE_VIDEO_SECONDS, MOST_PAGE_AUDIO_SECONDS = 1200, 3600

_LEAST_SECONDS = 0.1  # shorter ones are planned as if they were that long
_START_SECONDS, _SLOWNESS = 60, 8  # a run may take so long, and this many times as long as its medium
_PASS_BYTES = 256 << 20  # of the first pass's notes: 40 MB for three minutes of 720p
_MOST_TRIES = 2  # two passes hit their rate within some percent; what misses gets another second pass
_CORRECTION = 0.97  # of the budget is aimed at then
_ROOMS = (1.0, 0.7)  # of the budget are planned for: very short videos miss any rate, and get a smaller box


@dataclass(frozen=True, slots=True, kw_only=True)
class AvAsItIs:
    """It fits unchanged, and decodes to its end. Width and height as shown, 0 for a sound."""

    seconds: float
    width: int
    height: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AvFitted:
    """The version that fits. `path` is a file that the caller takes over; `how` says what was done, for people.

    Width and height as shown, 0 for a sound; `encodes` counts the encodes it took, 0 if the streams are the same.
    """

    path: Path
    mime: str
    size: int
    width: int
    height: int
    seconds: float
    how: str
    encodes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AvMisfit:
    """No version fits; `reason` says why, with figures."""

    reason: str


AvOutcome = AvAsItIs | AvFitted | AvMisfit | AvBroken


class Transcoder:
    """Inspects sounds and videos, and makes versions that fit.

    Types are what the bytes were found to be (`ffmpeg.MIMES`). `owner` is whose medium it is: owners take turns.
    Both methods raise CageError and OSError if the fault is ours.
    """

    def __init__(self, *, cage: FfmpegCage) -> None:
        self._cage = cage

    async def inspect(self, path: Path, mime: str, *, owner: str = "") -> AvFacts | AvBroken:
        """What its header says; some 30 ms, behind no `fit`. Whether all of it decodes is found out by that."""
        return await probe(self._cage, path, mime, owner=owner)

    async def fit(
        self,
        path: Path,
        mime: str,
        facts: AvFacts,
        *,
        size: int,
        budget: int | None,
        wanted: AvWanted,
        owner: str = "",
    ) -> AvOutcome:
        """A version of at most `budget` bytes that the phones take.

        `facts` are those of `inspect`, `size` is that of the file. Without a budget it is made for a web page.
        """
        source = await Source.of(path, mime)
        async with self._cage.workspace() as folder:
            fit = _Fit(
                cage=self._cage, folder=folder, source=source, size=size, budget=budget, wanted=wanted, owner=owner
            )
            return await fit.outcome(facts)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fit:
    """One medium on its way down the ladder."""

    cage: FfmpegCage
    folder: Path
    source: Source
    size: int
    budget: int | None
    wanted: AvWanted
    owner: str

    async def outcome(self, facts: AvFacts) -> AvOutcome:
        if facts.estimated:
            measured = await self._measured(facts)
            if isinstance(measured, AvBroken):
                return measured
            facts = measured
        if too_long := self._too_long(facts, facts.seconds):
            return too_long
        if self._good_as_it_is(facts):
            return await self._as_it_is(facts)
        if (target := self._good_streams(facts)) and (made := await self._copied(facts, target)):
            return made
        if facts.video is not None:
            return await self._video(facts)
        return await self._audio(facts)

    def _too_long(self, facts: AvFacts, seconds: float) -> AvMisfit | None:
        """Headers are held against the limit to save the work, what was decoded because headers lie."""
        if self.budget is None:
            most = MOST_PAGE_VIDEO_SECONDS if facts.video else MOST_PAGE_AUDIO_SECONDS
        else:
            most = MOST_VIDEO_SECONDS if facts.video else MOST_AUDIO_SECONDS
        if round(seconds) <= most:  # the last frame of what lasts 180 s may end a little later
            return None
        return AvMisfit(reason=f"it is {seconds:,.0f} s long, {most:,} at most are sent")

    def _fits(self, size: int) -> bool:
        return self.budget is None or size <= self.budget

    # ---- unchanged ----

    def _good_as_it_is(self, facts: AvFacts) -> bool:
        return (
            self._fits(self.size)
            and plays(facts, self.source.mime, self.wanted)
            and (self.budget is not None or plays_on_page(facts))
            and (self.source.mime not in ISO_MIMES or facts.faststart)
        )

    async def _as_it_is(self, facts: AvFacts) -> AvAsItIs | AvMisfit | AvBroken:
        measured = await self._measured(facts)
        if isinstance(measured, AvBroken):
            return measured
        return self._too_long(facts, measured.seconds) or AvAsItIs(
            seconds=measured.seconds, width=facts.width, height=facts.height
        )

    async def _measured(self, facts: AvFacts) -> AvFacts | AvBroken:
        """The facts with the length that it really has: all of it is decoded."""
        run = await self._run(commands.decode(self.source, facts), facts, most=0)
        if broken := damage(run, announced=None if facts.estimated else facts.seconds, mime=self.source.mime):
            return broken
        return replace(facts, seconds=run.reached, estimated=False)

    # ---- the same streams ----

    def _good_streams(self, facts: AvFacts) -> str | None:
        """The container in which the same streams would do; None if there is none, or they are too many bytes."""
        rates = [stream.bit_rate for stream in (facts.video, facts.audio) if stream is not None]
        size = sum(rates) * facts.seconds / 8 if all(rates) else self.size
        if not self._fits(int(size)) or (self.budget is None and not plays_on_page(facts)):
            return None
        return other_container(facts, self.source.mime, self.wanted)

    async def _copied(self, facts: AvFacts, target: str) -> AvFitted | AvMisfit | AvBroken | None:
        """None if it turns out to be too large."""
        made = self.folder / "copied"
        command = commands.copy(self.source, facts, target=target, name=made.name)
        run = await self._run(command, facts, most=2 * self.size + _PASS_BYTES)
        if broken := damage(run, announced=facts.seconds, mime=self.source.mime):
            return broken
        if not self._fits(_size(made)):
            return None
        checked = await probe(self.cage, made, target, owner=self.owner)
        if isinstance(checked, AvBroken):
            return checked
        run = await self._run(commands.decode(await Source.of(made, target), checked), facts, most=0)
        if broken := damage(run, announced=facts.seconds, mime=target):
            return broken
        return await self._taken(
            made, target, checked, seconds=run.reached, how=self._how_copied(facts, target), encodes=0
        )

    def _how_copied(self, facts: AvFacts, target: str) -> str:
        notes = []
        if target != self.source.mime:
            notes.append(f"as {_CONTAINERS[target]}, streams unchanged")
        if facts.cover:
            notes.append("without its cover picture")
        if self.source.mime in ISO_MIMES and not facts.faststart:
            notes.append("its index in front")
        return ", ".join(notes) or "without what phones don't show"

    # ---- encoded ----

    async def _video(self, facts: AvFacts) -> AvOutcome:
        target = _video_target(self.wanted)
        if target is None:
            return AvMisfit(reason="phones there don't take video")
        if self.budget is None:
            return await self._for_page(facts, target)
        for share in _ROOMS:
            outcome = await self._two_passes(facts, target, self.budget, share)
            if outcome is not None:
                return outcome
        return AvMisfit(reason=f"no video of {facts.seconds:.3g} s came to the {self.budget:,} bytes that are left")

    async def _two_passes(self, facts: AvFacts, target: str, budget: int, share: float) -> AvOutcome | None:
        """The video planned for a share of the budget; None if it turns out to be too large all the same."""
        seconds = max(facts.seconds, _LEAST_SECONDS)
        plan = plan_video(facts, seconds=seconds, budget=int(budget * share), h263=self.wanted.h263)
        if isinstance(plan, NoRoom):
            return AvMisfit(reason=_no_room("video", facts.seconds, budget, plan)) if share == 1 else None
        run = await self._run(commands.first_pass(self.source, facts, plan), facts, most=_PASS_BYTES)
        if broken := damage(run, announced=None, mime=self.source.mime):
            return broken
        made, rate = self.folder / "made", plan.bit_rate
        for encodes in range(1, _MOST_TRIES + 1):
            command = commands.second_pass(self.source, facts, plan, bit_rate=rate, target=target, name=made.name)
            run = await self._run(command, facts, most=_PASS_BYTES)
            if run.status and "requested bitrate is too low" in run.log:  # x264's word for it
                return None
            if broken := damage(run, announced=facts.seconds, mime=self.source.mime):
                return broken
            if (size := _size(made)) <= budget:
                how = words(replace(plan, bit_rate=rate))
                return await self._checked(made, target, run, how=how, encodes=encodes)
            rate = max(LEAST_RATE, rate - int((size - budget * _CORRECTION) * 8 / seconds))
        return None

    async def _for_page(self, facts: AvFacts, target: str) -> AvOutcome:
        plan, made = page_video(facts), self.folder / "made"
        command = commands.one_pass(self.source, facts, plan, target=target, name=made.name)
        run = await self._run(command, facts, most=_PASS_BYTES * 4)
        if broken := damage(run, announced=facts.seconds, mime=self.source.mime):
            return broken
        return await self._checked(made, target, run, how=words(plan), encodes=1)

    async def _audio(self, facts: AvFacts) -> AvOutcome:
        if not self.wanted.types & set(MIME_OF.values()):
            return AvMisfit(reason="phones there don't take sound")
        plans = plan_audio(facts, seconds=facts.seconds, budget=self.budget, types=self.wanted.types)
        if isinstance(plans, NoRoom):
            assert self.budget is not None
            return AvMisfit(reason=_no_room("sound", facts.seconds, self.budget, plans))
        for encodes, plan in enumerate(plans[:_MOST_TRIES], 1):
            outcome = await self._sound(facts, plan, encodes)
            if outcome is not None:
                return outcome
        return AvMisfit(reason=f"the sound came to more than the {self.budget:,} bytes that are left")

    async def _sound(self, facts: AvFacts, plan: AudioPlan, encodes: int) -> AvFitted | AvMisfit | AvBroken | None:
        """None if it turns out to be too large."""
        target, made = MIME_OF[plan.codec], self.folder / "made"
        command = commands.sound(self.source, facts, plan, target=target, name=made.name)
        run = await self._run(command, facts, most=_PASS_BYTES)
        if broken := damage(run, announced=facts.seconds, mime=self.source.mime):
            return broken
        if not self._fits(_size(made)):
            return None
        return await self._checked(made, target, run, how=words(plan), encodes=encodes)

    # ---- handing over ----

    async def _checked(
        self, made: Path, target: str, run: FfmpegRun, *, how: str, encodes: int
    ) -> AvFitted | AvMisfit | AvBroken:
        """What was made is looked at again: it is what is sent."""
        facts = await probe(self.cage, made, target, owner=self.owner)
        if isinstance(facts, AvBroken):
            words = f"what was made of it is of no use: {facts.reason}"
            return AvBroken(reason=words, transient=facts.transient)
        size = f", {facts.width}×{facts.height}" if facts.video else ""
        seconds = run.reached if facts.estimated else facts.seconds
        how = f"{how}{size}, {seconds:.3g} s"
        return await self._taken(made, target, facts, seconds=seconds, how=how, encodes=encodes)

    async def _taken(
        self, made: Path, mime: str, facts: AvFacts, *, seconds: float, how: str, encodes: int
    ) -> AvFitted | AvMisfit:
        if too_long := self._too_long(facts, seconds):
            return too_long
        return AvFitted(
            size=_size(made), path=await self.cage.keep(made), mime=mime, width=facts.width, height=facts.height,
            seconds=seconds, how=how, encodes=encodes,
        )  # fmt: skip

    async def _run(self, command: tuple[str, ...], facts: AvFacts, *, most: int) -> FfmpegRun:
        """A run that may take some time for each second of the medium; of unknown length, for the longest sent."""
        seconds = MOST_AUDIO_SECONDS if facts.estimated else facts.seconds
        allowed = _START_SECONDS + _SLOWNESS * seconds
        return await self.cage.run(
            command, folder=self.folder, seconds=allowed, output_bytes=most, owner=self.owner
        )


_CONTAINERS = {
    "video/mp4": "MP4", "video/3gpp": "3GP", "audio/mp4": "M4A", "audio/mpeg": "MP3", "audio/amr": "AMR",
}  # fmt: skip


def _size(path: Path) -> int:
    return path.stat().st_size


def _video_target(wanted: AvWanted) -> str | None:
    """MP4 where it is taken and may be H.264; else 3GP."""
    targets = ("video/3gpp",) if wanted.h263 else ("video/mp4", "video/3gpp")
    return next((target for target in targets if target in wanted.types), None)


def _no_room(what: str, seconds: float, budget: int, plan: NoRoom) -> str:
    return f"{seconds:.0f} s of {what} need about {plan.needed:,} bytes ({plan.smallest}), {budget:,} are left"
