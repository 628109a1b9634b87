"""The command lines of ffmpeg. All of their words are ours, but for the path of the input."""

from mmsgate.media.av_ladder import AudioPlan, VideoPlan
from mmsgate.media.ffmpeg import THREADS, Source
from mmsgate.media.probe import AvFacts

#: x264's preset: 0.2 dB of SSIM better than "faster" for a tenth more CPU; "medium" costs more and shows no more.
_PRESET = "fast"
_NOTES = "passes"
_CLEAN = ("-map_metadata", "-1", "-map_chapters", "-1", "-sn", "-dn")
#: The same input makes the same bytes, so that they are kept once.
_EXACT = ("-fflags", "+bitexact", "-flags:v", "+bitexact", "-flags:a", "+bitexact")

_MUXERS = {
    "video/mp4": ("-movflags", "+faststart", "-f", "mp4"),
    "video/3gpp": ("-movflags", "+faststart", "-f", "3gp"),
    "audio/mp4": ("-movflags", "+faststart", "-f", "ipod"),
    "audio/mpeg": ("-id3v2_version", "0", "-write_xing", "1", "-f", "mp3"),
    "audio/amr": ("-f", "amr"),
}
_ENCODERS = {"aac": "aac", "mp3": "libmp3lame", "amr_nb": "libopencore_amrnb"}


def decode(source: Source, facts: AvFacts) -> tuple[str, ...]:
    """Decodes everything, keeps nothing."""
    return (*source.arguments, *_streams(facts), "-fps_mode", "passthrough", "-f", "null", "-")


def copy(source: Source, facts: AvFacts, *, target: str, name: str) -> tuple[str, ...]:
    """The same streams in a new container `name` of type `target`, without pictures and texts around them."""
    return (*source.arguments, *_streams(facts), *_CLEAN, "-c", "copy", *_EXACT, *_MUXERS[target], name)


def first_pass(source: Source, facts: AvFacts, plan: VideoPlan) -> tuple[str, ...]:
    """Looks at the pictures, and leaves its notes in the folder."""
    assert facts.video is not None
    return (
        *source.arguments, "-map", f"0:{facts.video.index}", "-an", *_CLEAN,
        *_pictures(plan, plan.bit_rate), "-pass", "1", "-passlogfile", _NOTES, "-f", "null", "-",
    )  # fmt: skip


def second_pass(
    source: Source, facts: AvFacts, plan: VideoPlan, *, bit_rate: int, target: str, name: str
) -> tuple[str, ...]:
    """Makes the video at `bit_rate` from the notes of the first pass."""
    return (
        *source.arguments, *_streams(facts), *_CLEAN,
        *_pictures(plan, bit_rate), "-pass", "2", "-passlogfile", _NOTES,
        *_sound(plan.audio), *_EXACT, *_MUXERS[target], name,
    )  # fmt: skip


def one_pass(source: Source, facts: AvFacts, plan: VideoPlan, *, target: str, name: str) -> tuple[str, ...]:
    """Makes the video at constant quality."""
    return (
        *source.arguments, *_streams(facts), *_CLEAN,
        *_pictures(plan, 0), *_sound(plan.audio), *_EXACT, *_MUXERS[target], name,
    )  # fmt: skip


def sound(source: Source, facts: AvFacts, plan: AudioPlan, *, target: str, name: str) -> tuple[str, ...]:
    """Makes the sound."""
    assert facts.audio is not None
    return (
        *source.arguments, "-map", f"0:{facts.audio.index}", *_CLEAN,
        *_sound(plan), *_EXACT, *_MUXERS[target], name,
    )  # fmt: skip


def _streams(facts: AvFacts) -> tuple[str, ...]:
    """One video and one sound, whatever else is in the file."""
    chosen = (stream.index for stream in (facts.video, facts.audio) if stream is not None)
    return tuple(word for index in chosen for word in ("-map", f"0:{index}"))


def _pictures(plan: VideoPlan, bit_rate: int) -> tuple[str, ...]:
    filters = [f"fps={plan.fps:.6g}"] if plan.slower else []
    filters += [f"scale={plan.width}:{plan.height}:flags=bicubic"]
    if plan.canvas:
        across, down = plan.canvas
        filters += [f"pad={across}:{down}:(ow-iw)/2:(oh-ih)/2"]
    filters += ["setsar=1", "format=yuv420p"]
    rate = ("-b:v", str(bit_rate)) if bit_rate else ("-crf", "23", "-maxrate", "4M", "-bufsize", "8M")
    if plan.codec == "h263":
        codec: tuple[str, ...] = ("-c:v", "h263", "-g", "75")
    else:
        profile = "baseline" if bit_rate else "high"
        codec = ("-c:v", "libx264", "-preset", _PRESET, "-profile:v", profile, "-level:v", plan.level)
    # every pass must see the same frames, whatever its muxer would choose
    return ("-vf", ",".join(filters), "-fps_mode", "vfr", *codec, "-threads", str(THREADS), *rate)


def _sound(plan: AudioPlan | None) -> tuple[str, ...]:
    if plan is None:
        return ()
    shape = ("-ac", str(plan.channels), "-ar", str(plan.hertz))
    return ("-c:a", _ENCODERS[plan.codec], "-b:a", str(plan.bit_rate), *shape)
