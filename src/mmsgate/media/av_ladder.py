"""Which version of a sound or video to make for a number of bytes: the least altered one that has enough bits.

Pure arithmetic: nothing is encoded here. Boxes follow the carriers' best practices; the floors of bits for each
pixel were measured with x264 (docs/explanation/transcoding.md).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mmsgate.media.playable import CIF, H263_FPS, QCIF
from mmsgate.media.probe import AudioStream, AvFacts, VideoStream

_FULL, _HALF = 30.0, 15.0  # frames a second at most
#: Boxes and frames a second, from the least change to the most. Portrait video gets its box standing, and one more,
#: that of the best practices. The frame rate is halved last: it saves a third of the bits and is seen at once.
_RUNGS = (
    ((1280, 720), _FULL), ((1138, 640), _FULL), ((854, 480), _FULL), ((640, 360), _FULL), ((426, 240), _FULL),
    ((426, 240), _HALF), ((320, 180), _HALF),
)  # fmt: skip
_PORTRAIT_ONLY = (1138, 640)
#: Bits for each pixel, below which the next box looks better; fewer frames differ more from each other.
_FLOOR = {_FULL: 0.04, _HALF: 0.05}
_H263_FLOOR = 0.06
LEAST_RATE = 5_000  # bit/s: what any H.264 takes, however small its pictures
_CEILING = 0.2  # more are not seen
_MARGIN = 0.97  # of the budget is planned: two passes hit a rate within 2 %
_BOX_BYTES, _VIDEO_FRAME_BYTES, _AUDIO_FRAME_BYTES = 2_000, 10, 6  # of the container: in all, for each frame
_SOUND_SHARE = 0.2  # of the bits of a video
_SOUND_SLACK = 1.03
#: What newer codecs do with one bit takes H.264 baseline two; older ones never need more than they had.
_MODERN, _MODERN_FACTOR, _OLD_FACTOR = frozenset({"hevc", "vp9", "av1"}), 2.0, 1.25

#: Level of H.264 by macroblocks of a frame and in a second (ITU-T H.264, table A-1).
_LEVELS = (
    ("1.3", 396, 11_880), ("2.1", 792, 19_800), ("3.0", 1620, 40_500), ("3.1", 3600, 108_000),
    ("4.0", 8192, 245_760),
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class AudioPlan:
    """A sound to make. `bit_rate` in bit/s."""

    codec: str
    bit_rate: int
    channels: int
    hertz: int


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoPlan:
    """A video to make: even dimensions, frames a second, bit/s (0: constant quality), its sound.

    `slower` says that frames are left out; `canvas` is what the picture is padded to.
    """

    codec: str
    width: int
    height: int
    fps: float
    slower: bool
    bit_rate: int
    audio: AudioPlan | None
    canvas: tuple[int, int] | None = None

    @property
    def level(self) -> str:
        """The lowest level of H.264 that allows it."""
        blocks = -(-self.width // 16) * -(-self.height // 16)
        return next(
            (name for name, most, second in _LEVELS if blocks <= most and blocks * self.fps <= second), "4.0"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class NoRoom:
    """Not even the smallest version fits; that would need about `needed` bytes, `smallest` says what it is."""

    needed: int
    smallest: str


# ---- video ----

_VIDEO_SOUNDS = ((64_000, 2, 44_100), (48_000, 1, 44_100), (32_000, 1, 22_050), (24_000, 1, 16_000))
_AMR_IN_VIDEO = AudioPlan(codec="amr_nb", bit_rate=12_200, channels=1, hertz=8_000)


def plan_video(facts: AvFacts, *, seconds: float, budget: int, h263: bool = False) -> VideoPlan | NoRoom:
    """The video of at most `budget` bytes: the largest box in which every pixel gets enough bits."""
    assert facts.video is not None
    shapes = list(_h263_shapes(facts.video) if h263 else _shapes(facts.video))
    for shape in shapes:
        audio, left = _split(facts.audio, shape.fps, seconds, budget, h263=h263)
        if left >= shape.least:
            rate = min(left, shape.pixels_a_second * _CEILING, _most_useful(facts.video))
            return shape.plan("h263" if h263 else "h264", max(LEAST_RATE, int(rate)), audio)
    last = shapes[-1]
    sound = _AMR_IN_VIDEO.bit_rate if h263 else _VIDEO_SOUNDS[-1][0]
    bits = last.least + (sound * _SOUND_SLACK if facts.audio else 0)
    needed = bits * seconds / 8 + _container_bytes(facts.audio, last.fps, seconds)
    return NoRoom(needed=round(needed / _MARGIN), smallest=f"{last.width}×{last.height}, {last.fps:g} frames/s")


def page_video(facts: AvFacts) -> VideoPlan:
    """The video for a web page: constant quality, at most 1280×720 or standing."""
    assert facts.video is not None
    shape = next(_shapes(facts.video))
    audio = None
    if facts.audio is not None:
        audio = AudioPlan(
            codec="aac", bit_rate=128_000, channels=min(2, facts.audio.channels), hertz=_hertz(facts.audio, 48_000)
        )
    return shape.plan("h264", 0, audio)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shape:
    width: int
    height: int
    fps: float
    slower: bool
    floor: float
    canvas: tuple[int, int] | None = None

    @property
    def pixels_a_second(self) -> float:
        across, down = self.canvas or (self.width, self.height)
        return across * down * self.fps

    @property
    def least(self) -> float:
        """Bit/s below which it is mud."""
        return max(LEAST_RATE, self.pixels_a_second * self.floor)

    def plan(self, codec: str, bit_rate: int, audio: AudioPlan | None) -> VideoPlan:
        return VideoPlan(
            codec=codec, width=self.width, height=self.height, fps=self.fps, slower=self.slower,
            bit_rate=bit_rate, audio=audio, canvas=self.canvas,
        )  # fmt: skip


def _shapes(video: VideoStream) -> Iterator[_Shape]:
    portrait = video.height > video.width
    for box, most in _RUNGS:
        if box == _PORTRAIT_ONLY and not portrait:
            continue
        width, height = inside((video.width, video.height), box[::-1] if portrait else box)
        fps = _slowed(video.fps, most)
        yield _Shape(width=width, height=height, fps=fps, slower=fps != video.fps, floor=_FLOOR[most])


def _h263_shapes(video: VideoStream) -> Iterator[_Shape]:
    fps = _slowed(video.fps, H263_FPS)
    for canvas in (CIF, QCIF):
        width, height = inside((video.width, video.height), canvas)
        yield _Shape(width=width, height=height, fps=fps, slower=fps != video.fps, floor=_H263_FLOOR, canvas=canvas)


def inside(size: tuple[int, int], box: tuple[int, int]) -> tuple[int, int]:
    """`size` scaled down into the box, to even numbers, as the encoders want. Never scaled up."""
    scale = min(1.0, box[0] / size[0], box[1] / size[1])
    across, down = (max(2, min(round(length * scale / 2), length // 2) * 2) for length in size)
    return across, down


def _slowed(fps: float, most: float) -> float:
    """Every frame, every second, every fourth …: anything else stutters. Unknown rates become the most."""
    if fps <= 0:
        return most
    while fps > most + 0.1:
        fps /= 2
    return fps


def _split(
    audio: AudioStream | None, fps: float, seconds: float, budget: int, *, h263: bool
) -> tuple[AudioPlan | None, float]:
    """The sound, and the bit/s that it leaves for the pictures."""
    bytes_left = budget * _MARGIN - _container_bytes(audio, fps, seconds)
    bits = bytes_left * 8 / seconds
    if audio is None:
        return None, bits
    plan = _AMR_IN_VIDEO if h263 else _sound_of_video(audio, bits * _SOUND_SHARE)
    return plan, bits - plan.bit_rate * _SOUND_SLACK


def _sound_of_video(audio: AudioStream, most: float) -> AudioPlan:
    most = min(most, audio.bit_rate * _SOUND_SLACK or most)
    rate, channels, hertz = next((sound for sound in _VIDEO_SOUNDS if sound[0] <= most), _VIDEO_SOUNDS[-1])
    return AudioPlan(codec="aac", bit_rate=rate, channels=min(channels, audio.channels), hertz=_hertz(audio, hertz))


def _container_bytes(audio: AudioStream | None, fps: float, seconds: float) -> float:
    frames = fps * _VIDEO_FRAME_BYTES + (_hertz(audio, 44_100) / 1024 * _AUDIO_FRAME_BYTES if audio else 0)
    return _BOX_BYTES + seconds * frames


def _most_useful(video: VideoStream) -> float:
    factor = _MODERN_FACTOR if video.codec in _MODERN else _OLD_FACTOR
    return video.bit_rate * factor or float("inf")


# ---- sound ----

_SOUNDS = {
    "aac": (
        (128_000, 2, 44_100), (96_000, 2, 44_100), (64_000, 2, 44_100), (48_000, 1, 44_100), (32_000, 1, 22_050),
    ),
    "mp3": (
        (128_000, 2, 44_100), (96_000, 2, 44_100), (64_000, 2, 32_000), (48_000, 1, 32_000), (32_000, 1, 22_050),
    ),
    "amr_nb": tuple(
        (rate, 1, 8_000) for rate in (12_200, 10_200, 7_950, 7_400, 6_700, 5_900, 5_150, 4_750)
    ),
}  # fmt: skip
#: Bytes of an AMR frame of 20 ms (RFC 4867, 5.3).
_AMR_FRAME = {12_200: 32, 10_200: 27, 7_950: 21, 7_400: 20, 6_700: 18, 5_900: 16, 5_150: 14, 4_750: 13}
_CODEC_OF = {"audio/mp4": "aac", "audio/mpeg": "mp3", "audio/amr": "amr_nb"}
MIME_OF = {codec: mime for mime, codec in _CODEC_OF.items()}
_HERTZ = (48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000)  # that every codec takes


def plan_audio(
    facts: AvFacts, *, seconds: float, budget: int | None, types: frozenset[str]
) -> Sequence[AudioPlan] | NoRoom:
    """The sounds of at most `budget` bytes, the best first. None has a higher bit rate than its source."""
    assert facts.audio is not None
    plans = sorted(_sounds(facts.audio, types), key=lambda plan: _change(plan, facts.audio))
    fitting = [plan for plan in plans if budget is None or sound_bytes(plan, seconds) <= budget]
    if fitting:
        return fitting
    least = min(plans, key=lambda plan: sound_bytes(plan, seconds))
    return NoRoom(needed=sound_bytes(least, seconds), smallest=words(least))


def sound_bytes(plan: AudioPlan, seconds: float) -> int:
    """About what a sound will come to, in bytes."""
    match plan.codec:
        case "amr_nb":
            return round(_AMR_FRAME[plan.bit_rate] * 50 * seconds) + 100
        case "mp3":
            return round(plan.bit_rate / 8 * (seconds + 0.1)) + 1_000
    frames = seconds * plan.hertz / 1024 + 2
    return round(plan.bit_rate / 8 * seconds * _SOUND_SLACK + frames * _AUDIO_FRAME_BYTES) + 1_500


def _sounds(audio: AudioStream, types: frozenset[str]) -> Iterator[AudioPlan]:
    """One codec's lowest rate is always among them: it may be the only codec the phones take."""
    most = audio.bit_rate * _SOUND_SLACK if audio.bit_rate else float("inf")
    for mime, codec in _CODEC_OF.items():
        for rate, channels, hertz in _SOUNDS[codec] if mime in types else ():
            if rate <= most or rate == _SOUNDS[codec][-1][0]:
                yield AudioPlan(
                    codec=codec, bit_rate=rate, channels=min(channels, audio.channels), hertz=_hertz(audio, hertz)
                )


def _change(plan: AudioPlan, audio: AudioStream | None) -> tuple[bool, int, bool]:
    """Sorts by how much is lost: AMR is for speech, then the bit rate, then the source's own codec."""
    own = audio is not None and plan.codec == audio.codec
    return plan.codec == "amr_nb", -plan.bit_rate, not own


def _hertz(audio: AudioStream, most: int) -> int:
    return next((hertz for hertz in _HERTZ if hertz <= min(audio.hertz, most)), _HERTZ[-1])


# ---- words ----

_NAMES = {"aac": "AAC", "mp3": "MP3", "amr_nb": "AMR", "h264": "H.264", "h263": "H.263"}


def words(plan: AudioPlan | VideoPlan) -> str:
    """Codecs and rates, for people."""
    text = _NAMES[plan.codec]
    text += f" {plan.bit_rate / 1000:.4g} kbit/s" if plan.bit_rate else " at constant quality"
    if isinstance(plan, VideoPlan):
        return f"{text} + {words(plan.audio)}" if plan.audio else f"{text}, silent"
    return text
