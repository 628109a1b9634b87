"""What a sound or video is, read from its header by the caged ffmpeg before anything is decoded at length.

The log of ffmpeg is the source, as the wheel brings no ffprobe. It also holds names and comments of the file, which
are foreign text: a header that names a stream or its length twice is refused.
"""

import asyncio
import re
import struct
from dataclasses import dataclass, replace
from pathlib import Path

from mmsgate.media.ffmpeg import MOST_PIXELS, FfmpegCage, FfmpegRun, Source

MOST_SECONDS = 4 * 3600  # nothing longer is worked on
_PROBE_SECONDS = 15
_MOST_BOXES = 1000
_MOST_BIT_RATE = 100_000_000  # MPEG-1 writes 104,857,200 for "variable"
_SLACK_SECONDS = 0.5  # that a file may end before its announced end,
_SLACK_SHARE = 0.03  # or this part of it
_DAMAGE_SHARE = 0.01  # of the frames may not decode, and two in any case: a phone plays over those

#: Families of MP4: their index may stand in front or behind.
ISO_MIMES = frozenset({"video/mp4", "video/3gpp", "video/quicktime", "audio/mp4"})


@dataclass(frozen=True, slots=True, kw_only=True)
class AvBroken:
    """It can't be used; `reason` says why, for people. `codecs`: it is whole, but no codec for it is known.

    `transient`: the run that found it was killed or died, which may be the fault of a busy machine; another may end
    otherwise.
    """

    reason: str
    codecs: bool = False
    transient: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoStream:
    """Moving pictures. Width and height are as shown: turned by `rotation` degrees, their pixels made square.

    `bit_rate` in bit/s, 0 if it is not known, as `fps`.
    """

    index: int
    codec: str
    profile: str
    pixel_format: str
    width: int
    height: int
    rotation: int
    fps: float
    bit_rate: int
    square: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class AudioStream:
    """Sound. `bit_rate` in bit/s, 0 if it is not known."""

    index: int
    codec: str
    profile: str
    hertz: int
    channels: int
    bit_rate: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AvFacts:
    """What a header says. `seconds` is 0 if it doesn't; `estimated` means that it was guessed from the size.

    `cover` is a picture attached to a sound; `faststart` says that a file of the MP4 family has its index in front.
    """

    seconds: float
    estimated: bool
    video: VideoStream | None
    audio: AudioStream | None
    cover: bool = False
    faststart: bool = False

    @property
    def width(self) -> int:
        """As shown, in square pixels; 0 for a sound."""
        return self.video.width if self.video else 0

    @property
    def height(self) -> int:
        """As shown, in square pixels; 0 for a sound."""
        return self.video.height if self.video else 0


async def probe(cage: FfmpegCage, path: Path, mime: str, *, owner: str = "") -> AvFacts | AvBroken:
    """The facts of a file whose bytes were found to be `mime`, held against the limits. `owner` as of a run.

    Raises CageError or OSError if the fault is ours.
    """
    source = await Source.of(path, mime)
    async with cage.workspace() as folder:
        run = await cage.run(
            source.arguments, folder=folder, seconds=_PROBE_SECONDS, output_bytes=0, owner=owner, glance=True
        )
    if run.killed is not None:
        return AvBroken(reason=f"reading its header {run.killed}", transient=run.transient)
    facts = read_header(run.log, moving=mime.startswith("video/"))
    if isinstance(facts, AvFacts) and mime == "video/x-ms-wmv" and not facts.seconds:
        return AvBroken(reason="it is not as long as its header says: its end is missing")
    if isinstance(facts, AvFacts) and mime in ISO_MIMES:
        return replace(facts, faststart=await asyncio.to_thread(_index_in_front, path))
    return facts


# ---- the report of `ffmpeg -i` ----

_STREAM = re.compile(
    r"^\[info\]   Stream #0:(\d+)\S*: (Video|Audio|Subtitle|Data|Attachment)(?:: (.*))?$", re.MULTILINE
)
_DURATION = re.compile(r"^\[info\]   Duration: (?:(\d+):(\d\d):(\d\d\.\d+)|N/A)", re.MULTILINE)
_MATRIX = re.compile(r"display ?matrix: rotation of (-?\d+)", re.IGNORECASE)
_TOO_LARGE = re.compile(r"Picture size (\d+)x(\d+) exceeds specified max pixel count")


def read_header(log: str, *, moving: bool) -> AvFacts | AvBroken:
    """The facts in a report of ``ffmpeg -i`` whose lines begin with their level. `moving`: it must be a video."""
    if found := _TOO_LARGE.search(log):
        return _too_many_pixels(int(found[1]), int(found[2]))
    if "Number of streams exceeds" in log:
        return AvBroken(reason="it has too many streams")
    if "enable_drefs" in log:
        return AvBroken(reason="its data is in another file")
    lengths, streams = _DURATION.findall(log), list(_STREAM.finditer(log))
    if not lengths or not streams:
        return AvBroken(reason=f"its header can't be read ({complaint(log)})")
    if len(lengths) > 1 or [int(stream[1]) for stream in streams] != list(range(len(streams))):
        return AvBroken(reason="its header contradicts itself")
    hours, minutes, seconds = (float(part or 0) for part in lengths[0])
    facts = AvFacts(
        seconds=hours * 3600 + minutes * 60 + seconds,
        estimated=not any(lengths[0]) or "Estimating duration from bitrate" in log,
        video=next(filter(None, (_video(stream, log) for stream in streams)), None),
        audio=next(filter(None, map(_audio, streams)), None),
        cover=any("(attached pic)" in stream[0] for stream in streams),
    )
    return _problem(facts, streams, moving=moving) or facts


def _problem(facts: AvFacts, streams: list[re.Match[str]], *, moving: bool) -> AvBroken | None:
    if facts.seconds > MOST_SECONDS:
        return AvBroken(reason=f"it is {facts.seconds:,.0f} s long, {MOST_SECONDS:,} are allowed")
    if moving and facts.video is None:
        return _without(streams, "Video", "moving pictures")
    if facts.video and facts.width * facts.height > MOST_PIXELS:
        return _too_many_pixels(facts.width, facts.height)
    if facts.audio is None and (not moving or any(stream[2] == "Audio" for stream in streams)):
        return _without(streams, "Audio", "sound")
    return None


def _without(streams: list[re.Match[str]], kind: str, what: str) -> AvBroken:
    there = [stream for stream in streams if stream[2] == kind and "(attached pic)" not in stream[0]]
    words = f"no codec is known for its {what}" if there else f"it has no {what}"
    return AvBroken(reason=words, codecs=True)


def _too_many_pixels(width: int, height: int) -> AvBroken:
    return AvBroken(reason=f"it has {width} × {height} pixels, {MOST_PIXELS:,} in all are allowed")


def _codec(text: str) -> tuple[str, str]:
    """Codec and profile; the decoder's name and the four letters of the container stand in parentheses as well."""
    found = re.match(r"(\w+)((?: \([^)]*\))*)", text)
    if found is None or found[1] in {"none", "unknown"}:
        return "", ""
    notes: list[str] = re.findall(r"\(([^)]*)\)", found[2])
    return found[1], next((note for note in notes if "/" not in note and not note.islower()), "")


def _number(pattern: str, text: str) -> float:
    found = re.findall(pattern, text)
    return float(found[-1]) if found else 0.0


def _bit_rate(text: str) -> int:
    rate = int(_number(r"(\d+) kb/s", text)) * 1000
    return 0 if rate > _MOST_BIT_RATE else rate


def _video(stream: re.Match[str], log: str) -> VideoStream | None:
    text = stream[3] or ""
    codec, profile = _codec(text)
    size = re.search(r", (\d{1,6})x(\d{1,6})[ ,\[]", f"{text},")
    if stream[2] != "Video" or "(attached pic)" in text or not codec or size is None:
        return None
    width, height = int(size[1]), int(size[2])
    aspect = re.findall(r"SAR (\d{1,9}):(\d{1,9})", text)
    across, down = map(int, aspect[-1]) if aspect else (1, 1)
    if across and down:
        width = max(1, round(width * across / down))
    following = log[stream.end() :]
    after = following[: end.start()] if (end := _STREAM.search(following)) else following
    rotation = int(turned[1]) % 360 if (turned := _MATRIX.search(after)) else 0
    if rotation in (90, 270):
        width, height = height, width
    return VideoStream(
        index=int(stream[1]), codec=codec, profile=profile, width=width, height=height, rotation=rotation,
        pixel_format=found[1] if (found := re.search(r"(?:\)|\w), (\w+)[(,]", text)) else "",
        fps=_number(r"([\d.]+) fps", text), bit_rate=_bit_rate(text),
        square=across == down or not across,
    )  # fmt: skip


_CHANNELS = {"mono": 1, "stereo": 2, "2.1": 3, "3.0": 3, "quad": 4, "4.0": 4, "5.0": 5, "5.1": 6, "7.1": 8}


def _audio(stream: re.Match[str]) -> AudioStream | None:
    text = stream[3] or ""
    codec, profile = _codec(text)
    found = re.search(r", (\d{1,7}) Hz, (?:(\d{1,3}) channels|([\w.]+))", text)
    if stream[2] != "Audio" or not codec or found is None:
        return None
    return AudioStream(
        index=int(stream[1]), codec=codec, profile=profile, hertz=int(found[1]),
        channels=int(found[2] or _CHANNELS.get(found[3], 2)), bit_rate=_bit_rate(text),
    )  # fmt: skip


# ---- what a run says of its input ----

_TALLY = re.compile(r"Input stream #0:\d+ \((\w+)\): .*?(\d+) frames decoded;(?: (\d+) decode errors)?")


def complaint(log: str) -> str:
    """The first error in a log, for people."""
    for line in log.splitlines():
        if found := re.match(r"(?:\[[^\]]* @ 0x[0-9a-f]+\] )*\[(?:error|fatal)\] (.*)", line):
            words = "".join(letter for letter in found[1] if letter.isprintable()).strip()
            if words and "file:" not in words and not words.startswith("At least one output"):
                return words[:120].rstrip(".")
    return "it is not what it seems to be"


def damage(run: FfmpegRun, *, announced: float | None, mime: str) -> AvBroken | None:
    """What is wrong with the input of a run that decoded it; None if it is whole.

    `announced` are the seconds that the header promised, None if it didn't. A few broken frames are forgiven,
    except in AMR, which has no other sign of being cut off. A transport stream may miss packets.
    """
    if run.killed is not None:
        return AvBroken(reason=f"decoding it {run.killed}", transient=run.transient)
    if run.status:
        return AvBroken(reason=f"it does not decode ({complaint(run.log)})")
    if announced and announced - run.reached > max(_SLACK_SECONDS, _SLACK_SHARE * announced):
        return AvBroken(reason=f"it ends after {run.reached:.1f} of {announced:.1f} s")
    if run.cut_packets and "Input #0, mpegts" not in run.log:
        return AvBroken(reason=f"its end is missing, it stops after {run.reached:.1f} s")
    for kind, good, bad in _TALLY.findall(run.log):
        failed = int(bad or 0) + (run.corrupt_frames if kind == "video" else 0)
        frames = int(good) + int(bad or 0)
        if failed > (0 if mime == "audio/amr" else max(2, _DAMAGE_SHARE * frames)):
            return AvBroken(reason=f"{failed:,} of its {frames:,} {kind} frames do not decode")
    return None


# ---- the boxes of the MP4 family ----


def _index_in_front(path: Path) -> bool:
    """Whether moov stands before mdat at the top level (ISO/IEC 14496-12, 8.1), and there are no fragments."""
    with path.open("rb") as file:
        end, at, index = path.stat().st_size, 0, False
        for _ in range(_MOST_BOXES):
            file.seek(at)
            head = file.read(16)
            if len(head) < 8:
                return index
            size, kind = struct.unpack(">I4s", head[:8])
            if kind == b"moof" or (kind == b"mdat" and not index):
                return False
            index = index or kind == b"moov"
            if size == 1 and len(head) == 16:
                size = struct.unpack(">Q", head[8:])[0]
            if size < 8 or at + size >= end:
                return index
            at += size
    return index
