"""What phones play as it is, and in which container."""

from dataclasses import replace

import pytest

from mmsgate.media.playable import AvWanted, other_container, plays, plays_on_page
from mmsgate.media.probe import AudioStream, AvFacts, VideoStream

VIDEO = VideoStream(
    index=0, codec="h264", profile="High", pixel_format="yuv420p", width=1920, height=1080, rotation=0, fps=30,
    bit_rate=3_000_000,
)  # fmt: skip
SOUND = AudioStream(index=1, codec="aac", profile="LC", hertz=48_000, channels=2, bit_rate=128_000)
FACTS = AvFacts(seconds=10, estimated=False, video=VIDEO, audio=SOUND, faststart=True)
OLD = AvFacts(
    seconds=10, estimated=False,
    video=replace(VIDEO, codec="h263", profile="", width=384, height=288, fps=15, bit_rate=200_000),
    audio=replace(SOUND, codec="amr_nb", profile="", hertz=8_000, channels=1),
)  # fmt: skip
MODERN = AvWanted(types=frozenset({"video/mp4", "video/3gpp", "audio/mpeg", "audio/mp4", "audio/amr"}))
H263 = AvWanted(types=frozenset({"video/3gpp"}), h263=True)


def video(**changes: object) -> AvFacts:
    return replace(FACTS, video=replace(VIDEO, **changes))  # type: ignore[arg-type]  # names are checked by replace


@pytest.mark.parametrize(
    ("facts", "plays_it"),
    [
        (FACTS, True), (video(rotation=90, width=1080, height=1920), True), (replace(FACTS, audio=None), True),
        (replace(FACTS, audio=replace(SOUND, codec="mp3", profile="")), True),
        (replace(FACTS, audio=replace(SOUND, profile="HE-AAC")), True),
        (replace(FACTS, audio=replace(SOUND, codec="ac3", profile="")), False),
        (replace(FACTS, audio=replace(SOUND, profile="Main")), False),
        (video(profile="High 10", pixel_format="yuv420p10le"), False), (video(profile="High 4:2:2"), False),
        (video(codec="hevc", profile="Main"), False), (video(fps=60), False),
        (video(width=2560, height=1440), False),
    ],
)  # fmt: skip
def test_what_a_phone_of_today_plays_in_mp4(facts: AvFacts, plays_it: bool) -> None:
    assert plays(facts, "video/mp4", MODERN) is plays_it


def test_types_that_are_not_taken_are_not_played() -> None:
    assert not plays(FACTS, "video/mp4", AvWanted(types=frozenset({"video/3gpp"})))
    assert not plays(FACTS, "video/quicktime", MODERN)


def test_an_old_handset_plays_h263_with_amr_only() -> None:
    assert plays(OLD, "video/3gpp", H263)
    assert plays(OLD, "video/3gpp", MODERN)
    assert not plays(FACTS, "video/3gpp", H263)
    assert OLD.video is not None
    assert not plays(replace(OLD, video=replace(OLD.video, rotation=90)), "video/3gpp", H263)
    assert not plays(replace(OLD, video=replace(OLD.video, fps=25)), "video/3gpp", H263)
    assert not plays(replace(OLD, audio=SOUND), "video/3gpp", H263)


@pytest.mark.parametrize(
    ("facts", "mime", "target"),
    [
        (FACTS, "video/quicktime", "video/mp4"), (FACTS, "video/mp4", "video/mp4"),
        (OLD, "video/mp4", "video/3gpp"),
        (FACTS, "video/x-msvideo", None), (video(codec="hevc"), "video/quicktime", None),
        (replace(FACTS, video=None), "audio/mp4", "audio/mp4"), (replace(FACTS, video=None), "audio/wav", None),
    ],
)  # fmt: skip
def test_the_container_in_which_the_same_streams_would_play(facts: AvFacts, mime: str, target: str | None) -> None:
    assert other_container(facts, mime, MODERN) == target


@pytest.mark.parametrize(
    ("codec", "mime", "plays_it"),
    [("mp3", "audio/mpeg", True), ("aac", "audio/mp4", True), ("alac", "audio/mp4", False),
     ("amr_nb", "audio/amr", True), ("pcm_s16le", "audio/wav", False)],
)  # fmt: skip
def test_sound_that_phones_play(codec: str, mime: str, plays_it: bool) -> None:
    sound = replace(FACTS, video=None, audio=replace(SOUND, codec=codec))
    assert plays(sound, mime, AvWanted(types=MODERN.types | {"audio/wav"})) is plays_it


def test_what_would_stall_on_a_page() -> None:
    assert plays_on_page(FACTS)
    assert not plays_on_page(video(bit_rate=9_000_000))
    assert not plays_on_page(video(bit_rate=0))
