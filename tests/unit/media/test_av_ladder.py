"""The least altered version that has enough bits is chosen (issue 3, renditions)."""

from dataclasses import replace

import pytest

from mmsgate.media.av_ladder import (
    AudioPlan,
    NoRoom,
    VideoPlan,
    inside,
    page_video,
    plan_audio,
    plan_video,
    sound_bytes,
    words,
)
from mmsgate.media.probe import AudioStream, AvFacts, VideoStream

VIDEO = VideoStream(
    index=0, codec="h264", profile="High", pixel_format="yuv420p", width=1920, height=1080, rotation=0, fps=30,
    bit_rate=12_000_000,
)  # fmt: skip
SOUND = AudioStream(index=1, codec="aac", profile="LC", hertz=48_000, channels=2, bit_rate=128_000)
FACTS = AvFacts(seconds=10, estimated=False, video=VIDEO, audio=SOUND)
PORTRAIT = replace(FACTS, video=replace(VIDEO, width=1080, height=1920))
ALL = frozenset({"audio/mp4", "audio/mpeg", "audio/amr"})


def planned(facts: AvFacts, *, seconds: float = 10, budget: int, h263: bool = False) -> VideoPlan:
    plan = plan_video(facts, seconds=seconds, budget=budget, h263=h263)
    assert isinstance(plan, VideoPlan), plan
    return plan


@pytest.mark.parametrize(
    ("budget", "size", "fps"),
    [
        (5_000_000, (1280, 720), 30), (1_600_000, (1280, 720), 30), (800_000, (854, 480), 30),
        (500_000, (640, 360), 30), (250_000, (426, 240), 30), (160_000, (426, 240), 15), (100_000, (320, 180), 15),
    ],
)  # fmt: skip
def test_fewer_bytes_make_a_smaller_box_and_at_last_fewer_frames(
    budget: int, size: tuple[int, int], fps: int
) -> None:
    plan = planned(FACTS, budget=budget)
    assert ((plan.width, plan.height), plan.fps) == (size, fps)


def test_portrait_video_stands_and_has_the_box_of_the_best_practices() -> None:
    sizes = [(planned(PORTRAIT, budget=budget).width, planned(PORTRAIT, budget=budget).height)
             for budget in (5_000_000, 1_250_000, 250_000)]  # fmt: skip
    assert sizes == [(720, 1280), (640, 1138), (240, 426)]


@pytest.mark.parametrize("budget", [90_000, 200_000, 614_400, 1_000_000, 3_000_000])
@pytest.mark.parametrize("seconds", [1.5, 10, 30])
def test_the_plan_is_within_the_budget(budget: int, seconds: float) -> None:
    plan = plan_video(FACTS, seconds=seconds, budget=budget)
    if isinstance(plan, NoRoom):
        assert plan.needed > budget
    else:
        assert plan.audio is not None
        assert (plan.bit_rate + plan.audio.bit_rate) * seconds / 8 < budget


def test_too_many_seconds_have_no_room_and_say_what_they_would_need() -> None:
    plan = plan_video(FACTS, seconds=120, budget=300_000)
    assert isinstance(plan, NoRoom)
    assert plan.smallest == "320×180, 15 frames/s"
    assert isinstance(plan_video(FACTS, seconds=120, budget=plan.needed + 1000), VideoPlan)
    assert isinstance(plan_video(FACTS, seconds=120, budget=plan.needed - 1000), NoRoom)


def test_a_small_source_is_never_scaled_up() -> None:
    small = replace(FACTS, video=replace(VIDEO, width=321, height=241, fps=12))
    plan = planned(small, budget=5_000_000)
    assert (plan.width, plan.height, plan.fps, plan.slower) == (320, 240, 12, False)


def test_a_tiny_video_gets_the_least_that_any_video_takes() -> None:
    tiny = replace(FACTS, video=replace(VIDEO, width=16, height=16, bit_rate=1_000), audio=None)
    assert planned(tiny, budget=100_000).bit_rate == 5_000
    assert isinstance(plan_video(tiny, seconds=60, budget=40_000), NoRoom)


def test_no_more_bits_than_the_source_has_are_spent() -> None:
    poor = replace(FACTS, video=replace(VIDEO, width=640, height=360, bit_rate=200_000))
    assert planned(poor, budget=5_000_000).bit_rate == 250_000
    assert planned(replace(poor, video=replace(VIDEO, codec="hevc", bit_rate=200_000)), budget=5_000_000).bit_rate \
        == 400_000  # fmt: skip


@pytest.mark.parametrize(("fps", "made"), [(60, 30), (50, 25), (29.97, 29.97), (120, 30), (0, 30), (24, 24)])
def test_every_second_frame_is_left_out_and_no_other_share(fps: float, made: float) -> None:
    plan = planned(replace(FACTS, video=replace(VIDEO, fps=fps)), budget=2_000_000)
    assert (plan.fps, plan.slower) == (made, fps != made)


@pytest.mark.parametrize(
    ("budget", "rate", "channels"), [(2_000_000, 64_000, 2), (350_000, 48_000, 1), (100_000, 24_000, 1)]
)
def test_sound_takes_a_fifth_at_most(budget: int, rate: int, channels: int) -> None:
    audio = planned(FACTS, budget=budget).audio
    assert audio is not None
    assert (audio.codec, audio.bit_rate, audio.channels) == ("aac", rate, channels)


def test_a_silent_video_stays_silent() -> None:
    plan = planned(replace(FACTS, audio=None), budget=500_000)
    assert plan.audio is None
    assert words(plan).endswith(", silent")


def test_h263_has_its_two_sizes_and_amr() -> None:
    large, small = (planned(FACTS, budget=budget, h263=True) for budget in (300_000, 100_000))
    assert (large.canvas, large.width, large.height, large.fps) == ((352, 288), 352, 198, 15)
    assert (small.canvas, small.width, small.height) == ((176, 144), 176, 100)
    assert large.audio == AudioPlan(codec="amr_nb", bit_rate=12_200, channels=1, hertz=8_000)


@pytest.mark.parametrize(
    ("size", "fps", "level"),
    [((1280, 720), 30, "3.1"), ((854, 480), 30, "3.1"), ((640, 360), 30, "3.0"), ((426, 240), 30, "2.1"),
     ((320, 180), 15, "1.3"), ((1920, 1080), 30, "4.0")],
)  # fmt: skip
def test_the_level_is_the_lowest_that_allows_it(size: tuple[int, int], fps: float, level: str) -> None:
    plan = replace(planned(FACTS, budget=500_000), width=size[0], height=size[1], fps=fps)
    assert plan.level == level


def test_a_page_gets_constant_quality_in_720p() -> None:
    plan = page_video(FACTS)
    assert (plan.width, plan.height, plan.bit_rate) == (1280, 720, 0)
    assert words(plan) == "H.264 at constant quality + AAC 128 kbit/s"
    assert (page_video(PORTRAIT).width, page_video(PORTRAIT).height) == (720, 1280)


@pytest.mark.parametrize(
    ("size", "box", "result"),
    [((1920, 1080), (854, 480), (854, 480)), ((1921, 1081), (1280, 720), (1280, 720)),
     ((3, 999), (640, 360), (2, 360)),
     ((321, 241), (640, 360), (320, 240)), ((1, 1), (640, 360), (2, 2))],
)  # fmt: skip
def test_dimensions_are_even_and_inside_the_box(
    size: tuple[int, int], box: tuple[int, int], result: tuple[int, int]
) -> None:
    assert inside(size, box) == result


# ---- sound ----

WAV = AvFacts(
    seconds=30, estimated=False, video=None,
    audio=AudioStream(index=0, codec="pcm_s16le", profile="", hertz=48_000, channels=2, bit_rate=1_536_000),
)  # fmt: skip
MP3 = AvFacts(
    seconds=30, estimated=False, video=None,
    audio=AudioStream(index=0, codec="mp3", profile="", hertz=44_100, channels=2, bit_rate=96_000),
)  # fmt: skip


def best(facts: AvFacts, *, budget: int | None, types: frozenset[str] = ALL) -> str:
    plans = plan_audio(facts, seconds=30, budget=budget, types=types)
    assert not isinstance(plans, NoRoom), plans
    return words(plans[0])


@pytest.mark.parametrize(
    ("budget", "expected"),
    [(None, "AAC 128 kbit/s"), (600_000, "AAC 128 kbit/s"), (300_000, "AAC 64 kbit/s"), (200_000, "AAC 48 kbit/s"),
     (130_000, "AAC 32 kbit/s"), (60_000, "AMR 12.2 kbit/s"), (20_000, "AMR 4.75 kbit/s")],
)  # fmt: skip
def test_the_best_sound_that_fits(budget: int | None, expected: str) -> None:
    assert best(WAV, budget=budget) == expected


def test_the_sources_own_codec_wins_at_the_same_rate_and_no_rate_is_higher_than_the_sources() -> None:
    assert best(MP3, budget=None) == "MP3 96 kbit/s"
    assert best(MP3, budget=None, types=frozenset({"audio/mp4"})) == "AAC 96 kbit/s"


def test_where_only_a_higher_rate_exists_the_lowest_is_taken() -> None:
    amr = replace(MP3, audio=replace(SOUND, codec="amr_nb", hertz=8_000, channels=1, bit_rate=12_200))
    assert best(amr, budget=None, types=frozenset({"audio/mpeg"})) == "MP3 32 kbit/s"


def test_sound_without_room() -> None:
    plans = plan_audio(WAV, seconds=30, budget=10_000, types=ALL)
    assert plans == NoRoom(needed=19_600, smallest="AMR 4.75 kbit/s")


def test_amr_comes_to_exactly_its_frames() -> None:
    plan = AudioPlan(codec="amr_nb", bit_rate=12_200, channels=1, hertz=8_000)
    assert sound_bytes(plan, 10) == 32 * 500 + 100
