"""Which codecs phones play in which container: what is among them can be left as it is.

A rotation flag is no reason to touch a video: the players of iOS and Android turn it, and have since 2012; only
handsets that want H.263 do not.
"""

from dataclasses import dataclass

from mmsgate.media.probe import ISO_MIMES, AudioStream, AvFacts, VideoStream

#: Of H.264 level 4.0 (ITU-T H.264, table A-1): macroblocks of a frame, and in a second.
_MOST_BLOCKS, _MOST_BLOCKS_A_SECOND = 8192, 245_760
_PROFILES = frozenset({"Baseline", "Constrained Baseline", "Main", "High"})
_EIGHT_BIT = frozenset({"yuv420p", "yuvj420p"})
_AAC_PROFILES = frozenset({"LC", "HE-AAC", "HE-AACv2"})
_PAGE_BIT_RATE = 4_000_000  # above that a page stalls on a mobile network
CIF, QCIF = (352, 288), (176, 144)
H263_FPS = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class AvWanted:
    """What one kind of phone takes: MIME types; `h263`: only H.263 and AMR in 3GP."""

    types: frozenset[str]
    h263: bool = False


def plays(facts: AvFacts, mime: str, wanted: AvWanted) -> bool:
    """Whether those phones play the streams in a container of type `mime`."""
    if mime not in wanted.types:
        return False
    video, audio = facts.video, facts.audio
    if video is None or not mime.startswith("video/"):
        return audio is not None and _sound_plays(audio, mime)
    if wanted.h263:
        return mime == "video/3gpp" and _h263_plays(video) and (audio is None or audio.codec == "amr_nb")
    if audio is not None and not _sound_plays(audio, mime):
        return False
    if mime == "video/3gpp" and video.codec in {"h263", "mpeg4"}:
        return True
    return mime in {"video/mp4", "video/3gpp"} and _h264_plays(video)


def plays_on_page(facts: AvFacts) -> bool:
    """Whether it also suits a web page on a mobile network."""
    return facts.video is None or 0 < facts.video.bit_rate <= _PAGE_BIT_RATE


def other_container(facts: AvFacts, mime: str, wanted: AvWanted) -> str | None:
    """The type under which the same streams would play, its own first; None if none is."""
    targets = [mime, "video/mp4", "video/3gpp"] if mime in ISO_MIMES and facts.video else [mime]
    return next((target for target in targets if plays(facts, target, wanted)), None)


def _sound_plays(audio: AudioStream, mime: str) -> bool:
    match audio.codec:
        case "mp3":
            return mime in {"audio/mpeg", "video/mp4"}
        case "aac":
            return mime in {"audio/mp4", "video/mp4", "video/3gpp"} and audio.profile in _AAC_PROFILES
        case "amr_nb":
            return mime in {"audio/amr", "video/3gpp"}
    return False


def _h264_plays(video: VideoStream) -> bool:
    blocks = -(-video.width // 16) * -(-video.height // 16)
    return (
        video.codec == "h264"
        and video.profile in _PROFILES
        and video.pixel_format in _EIGHT_BIT
        and blocks <= _MOST_BLOCKS
        and blocks * video.fps <= _MOST_BLOCKS_A_SECOND
    )


def _h263_plays(video: VideoStream) -> bool:
    across, down = CIF
    return (
        video.codec == "h263"
        and video.rotation == 0
        and video.height <= down
        and video.width <= across * 12 // 11 + 1  # its pixels may be wider than high
        and video.fps <= H263_FPS + 0.5
    )
