"""The least altered version that fits: what comes out is decoded again (issue 3: renditions, real input)."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from mmsgate.media import transcoder as module
from mmsgate.media.av_ladder import VideoPlan, plan_video
from mmsgate.media.ffmpeg import FfmpegCage
from mmsgate.media.playable import AvWanted, plays
from mmsgate.media.probe import AvBroken, AvFacts, VideoStream
from mmsgate.media.sniff import sniff_bytes
from mmsgate.media.transcoder import AvAsItIs, AvFitted, AvMisfit, AvOutcome, Transcoder
from tests.integration.media.footage import Footage, Sample, corrupted, truncated, with_length

PHONE = AvWanted(types=frozenset({"video/mp4", "video/3gpp", "audio/mpeg", "audio/mp4", "audio/amr"}))
OLD_PHONE = AvWanted(types=frozenset({"video/3gpp", "audio/amr"}), h263=True)
PAGE = AvWanted(types=frozenset({"video/mp4", "audio/mpeg", "audio/mp4"}))
VIDEOS = ("mp4", "mov", "hevc", "wmv", "avi", "mpeg", "ts", "m1v", "3gp", "silent")
VIDEO = VideoStream(
    index=0, codec="h264", profile="High", pixel_format="yuv420p", width=320, height=240, rotation=0, fps=25,
    bit_rate=0,
)  # fmt: skip
SOUNDS = ("mp3", "m4a", "alac", "amr", "wav")


@dataclass
class Bench:
    """A transcoder, and checks of what it makes."""

    cage: FfmpegCage
    transcoder: Transcoder

    async def fit(self, sample: Sample, budget: int | None, wanted: AvWanted = PHONE) -> AvOutcome:
        """What becomes of a sample, beginning with its header, as the gateway does it."""
        facts = await self.transcoder.inspect(sample.path, sample.mime)
        if isinstance(facts, AvBroken):
            return facts
        return await self.transcoder.fit(
            sample.path, sample.mime, facts, size=sample.size, budget=budget, wanted=wanted
        )

    async def fitted(
        self, sample: Sample, budget: int | None, wanted: AvWanted = PHONE
    ) -> tuple[AvFitted, AvFacts]:
        """The version that is made, which must be what it says, and its facts."""
        made = await self.fit(sample, budget, wanted)
        assert isinstance(made, AvFitted), made
        sniffed = sniff_bytes(made.path.read_bytes()).type
        assert sniffed is not None
        assert sniffed.mime == made.mime
        assert made.size == made.path.stat().st_size
        assert budget is None or made.size <= budget
        facts = await self.transcoder.inspect(made.path, made.mime)
        assert isinstance(facts, AvFacts), facts
        assert plays(facts, made.mime, wanted)
        assert (facts.width, facts.height) == (made.width, made.height)
        again = await self.fit(Sample(path=made.path, mime=made.mime), budget, wanted)
        assert isinstance(again, AvAsItIs), again  # it decodes to its end, and needs no more changes
        assert again.seconds == pytest.approx(made.seconds, abs=0.15)
        return made, facts


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    cage = FfmpegCage(folder=tmp_path / "work", workers=2)
    await cage.start()
    yield Bench(cage, Transcoder(cage=cage))
    await cage.stop()
    assert not [path for path in (tmp_path / "work").iterdir() if path.is_dir()]


# ---- unchanged ----


@pytest.mark.parametrize("name", ["mp4", "silent", "3gp", "mp3", "m4a", "amr"])
async def test_what_fits_stays_as_it_is(bench: Bench, footage: Footage, name: str) -> None:
    sample = footage[name]
    outcome = await bench.fit(sample, sample.size)
    assert isinstance(outcome, AvAsItIs)
    assert outcome.seconds == pytest.approx(4, abs=0.15)


async def test_a_turned_video_stays_as_it_is_if_it_fits(bench: Bench, footage: Footage) -> None:
    outcome = await bench.fit(footage.portrait, footage.portrait.size)
    assert isinstance(outcome, AvAsItIs)
    assert (outcome.width, outcome.height) == (360, 640)


async def test_quicktime_becomes_mp4_without_another_encode(bench: Bench, footage: Footage) -> None:
    made, facts = await bench.fitted(footage["mov"], footage["mov"].size)
    assert (made.mime, made.encodes) == ("video/mp4", 0)
    assert made.how == "as MP4, streams unchanged, its index in front"
    assert facts.faststart


async def test_a_cover_picture_goes_before_the_sound_does(bench: Bench, footage: Footage) -> None:
    made, facts = await bench.fitted(footage.covered, 70_000)
    assert (made.mime, made.encodes, made.how) == ("audio/mpeg", 0, "without its cover picture")
    assert not facts.cover
    assert facts.audio is not None
    assert facts.audio.bit_rate == 128_000


# ---- encoded ----


@pytest.mark.parametrize("name", VIDEOS)
async def test_every_video_becomes_h264_in_mp4(bench: Bench, footage: Footage, name: str) -> None:
    sample = footage[name]
    made, facts = await bench.fitted(sample, 100_000)
    silent = name in {"silent", "m1v"}
    assert made.mime == "video/mp4"
    assert facts.video is not None
    assert (facts.video.codec, facts.video.profile) == ("h264", "Constrained Baseline")
    assert (facts.audio is None) == silent
    assert facts.audio is None or (facts.audio.codec, facts.audio.profile) == ("aac", "LC")
    assert facts.faststart
    assert made.seconds == pytest.approx(4, abs=0.15)
    assert made.how.startswith("H.264 ")
    assert made.how.endswith(f"{made.width}×{made.height}, {made.seconds:.3g} s")


@pytest.mark.parametrize(
    ("budget", "size"), [(300_000, (320, 180)), (614_400, (426, 240)), (1_000_000, (640, 360))]
)
async def test_half_a_minute_of_1080p_at_the_limits_of_carriers(
    bench: Bench, footage: Footage, budget: int, size: tuple[int, int]
) -> None:
    made, _ = await bench.fitted(footage.high_definition(), budget)
    assert (made.width, made.height) == size
    assert made.size > budget * 0.9  # the bits are used
    assert made.seconds == pytest.approx(30, abs=0.15)


async def test_a_turned_video_is_made_upright(bench: Bench, footage: Footage) -> None:
    made, facts = await bench.fitted(footage.portrait, 150_000)
    assert made.height > made.width
    assert facts.video is not None
    assert facts.video.rotation == 0


@pytest.mark.parametrize("name", ["mp4", "wmv", "silent"])
async def test_an_old_handset_gets_h263_and_amr_in_3gp(bench: Bench, footage: Footage, name: str) -> None:
    made, facts = await bench.fitted(footage[name], 95_000, OLD_PHONE)
    assert made.mime == "video/3gpp"
    assert facts.video is not None
    assert facts.video.codec == "h263"
    assert facts.video.fps <= 15
    assert (facts.audio.codec if facts.audio else None) == (None if name == "silent" else "amr_nb")


@pytest.mark.parametrize("name", SOUNDS)
@pytest.mark.parametrize(("budget", "codecs"), [(40_000, {"aac", "mp3", "amr_nb"}), (6_000, {"amr_nb"})])
async def test_every_sound_fits(bench: Bench, footage: Footage, name: str, budget: int, codecs: set[str]) -> None:
    sample = footage[name]
    if isinstance(await bench.fit(sample, budget), AvAsItIs):
        budget = sample.size // 2
    made, facts = await bench.fitted(sample, budget)
    assert facts.audio is not None
    assert facts.audio.codec in codecs
    assert made.seconds == pytest.approx(4, abs=0.15)


async def test_sound_is_made_for_what_the_phones_take(bench: Bench, footage: Footage) -> None:
    made, _ = await bench.fitted(footage["wav"], 60_000, AvWanted(types=frozenset({"audio/mpeg"})))
    assert (made.mime, made.how) == ("audio/mpeg", "MP3 96 kbit/s, 4 s")
    made, _ = await bench.fitted(footage["wav"], 60_000, AvWanted(types=frozenset({"audio/amr"})))
    assert (made.mime, made.how) == ("audio/amr", "AMR 12.2 kbit/s, 4 s")


async def test_a_page_gets_the_best_version(bench: Bench, footage: Footage) -> None:
    made, facts = await bench.fitted(footage.high_definition(seconds=4), None, PAGE)
    assert (made.width, made.height) == (1280, 720)
    assert made.how == "H.264 at constant quality + AAC 128 kbit/s, 1280×720, 4 s"
    assert facts.video is not None
    assert facts.video.profile == "High"
    assert isinstance(await bench.fit(footage["mp4"], None, PAGE), AvAsItIs)
    sound, _ = await bench.fitted(footage["wav"], None, PAGE)
    assert sound.how == "AAC 128 kbit/s, 4 s"


async def test_the_same_input_makes_the_same_bytes(bench: Bench, footage: Footage) -> None:
    first, _ = await bench.fitted(footage["avi"], 100_000)
    second, _ = await bench.fitted(footage["avi"], 100_000)
    assert first.path != second.path
    assert first.path.read_bytes() == second.path.read_bytes()


# ---- what does not fit ----


@pytest.mark.parametrize(
    ("name", "budget", "wanted", "reason"),
    [
        ("mp4", 20_000, PHONE, "4 s of video need about 30,303 bytes (240×180, 12.5 frames/s), 20,000 are left"),
        ("wav", 2_000, PHONE, "4 s of sound need about 2,700 bytes (AMR 4.75 kbit/s), 2,000 are left"),
        ("mp4", 99_999, AvWanted(types=frozenset({"audio/amr"})), "phones there don't take video"),
        ("wav", 99_999, AvWanted(types=frozenset({"video/mp4"})), "phones there don't take sound"),
    ],
)
async def test_what_does_not_fit_says_why(
    bench: Bench, footage: Footage, name: str, budget: int, *, wanted: AvWanted, reason: str
) -> None:
    assert await bench.fit(footage[name], budget, wanted) == AvMisfit(reason=reason)


async def test_three_hours_are_not_sent(bench: Bench, footage: Footage) -> None:
    sample = footage.blank("film", size="32x32", seconds=3 * 3600, rate="1/10")
    assert await bench.fit(sample, 10_000_000) == AvMisfit(reason="it is 10,800 s long, 180 at most are sent")
    assert await bench.fit(sample, None) == AvMisfit(reason="it is 10,800 s long, 1,200 at most are sent")


@pytest.mark.parametrize("limit", [180, 1200], ids=["message", "page"])
@pytest.mark.parametrize("mime", ["video/mp4", "video/quicktime"], ids=["as it is", "copied"])
async def test_a_header_that_lies_about_the_length_gains_nothing(
    bench: Bench, footage: Footage, tmp_path: Path, mime: str, limit: int
) -> None:
    budget = 10_000_000 if limit == 180 else None
    honest = footage.blank(f"long{limit}", size="32x32", seconds=limit + 20, rate="1")
    lying = tmp_path / "lying.mp4"
    lying.write_bytes(with_length(honest.path.read_bytes(), seconds=limit))
    facts = await bench.transcoder.inspect(lying, mime)
    assert isinstance(facts, AvFacts)
    assert facts.seconds == limit
    assert await bench.fit(Sample(path=lying, mime=mime), budget) == AvMisfit(
        reason=f"it is {limit + 20:,} s long, {limit:,} at most are sent"
    )


async def test_a_rate_that_was_missed_is_corrected_once(
    bench: Bench, footage: Footage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        module, "plan_video", lambda *args, budget, **more: plan_video(*args, budget=budget * 3 // 2, **more)
    )
    made, _ = await bench.fitted(footage["wmv"], 100_000)
    assert made.encodes == 2


async def test_a_rate_that_the_encoder_cannot_reach_is_no_fault_of_the_source(
    bench: Bench, footage: Footage, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = plan_video(AvFacts(seconds=4, estimated=False, video=VIDEO, audio=None), seconds=4, budget=100_000)
    assert isinstance(plan, VideoPlan)
    monkeypatch.setattr(module, "plan_video", lambda *_, **__: replace(plan, bit_rate=1_000))
    assert await bench.fit(footage["silent"], 100_000) == AvMisfit(
        reason="no video of 4 s came to the 100,000 bytes that are left"
    )


# ---- broken ----

#: What announces no length, has no frames that fail, or both, can't be told from a shorter or a noisy one.
UNTOLD_TRUNCATED = {"m1v", "ts"}
UNTOLD_CORRUPTED = {"wav"}


@pytest.mark.parametrize("share", [1.0, 0.4], ids=["as it is", "encoded"])
@pytest.mark.parametrize("name", sorted({*VIDEOS, *SOUNDS} - UNTOLD_TRUNCATED))
async def test_a_truncated_source_is_broken(
    bench: Bench, footage: Footage, tmp_path: Path, name: str, share: float
) -> None:
    outcome = await damaged(bench, footage[name], tmp_path, truncated(footage[name].path.read_bytes()), share)
    assert isinstance(outcome, AvBroken)
    assert any(
        words in outcome.reason for words in ("moov atom not found", "it ends after", "end is missing", "1 of")
    )


@pytest.mark.parametrize("share", [1.0, 0.4], ids=["as it is", "encoded"])
@pytest.mark.parametrize("name", sorted({*VIDEOS, *SOUNDS} - UNTOLD_CORRUPTED))
async def test_a_corrupt_source_is_broken(
    bench: Bench, footage: Footage, tmp_path: Path, name: str, share: float
) -> None:
    outcome = await damaged(bench, footage[name], tmp_path, corrupted(footage[name].path.read_bytes()), share)
    assert isinstance(outcome, AvBroken)
    assert len(outcome.reason) > 10


@pytest.mark.parametrize("name", sorted(UNTOLD_TRUNCATED))
async def test_a_stream_without_a_length_is_as_long_as_it_is(
    bench: Bench, footage: Footage, tmp_path: Path, name: str
) -> None:
    outcome = await damaged(bench, footage[name], tmp_path, truncated(footage[name].path.read_bytes()), 1)
    assert isinstance(outcome, AvFitted)
    assert 2 < outcome.seconds < 3


async def damaged(bench: Bench, sample: Sample, tmp_path: Path, data: bytes, share: float) -> AvOutcome:
    path = tmp_path / "damaged"
    path.write_bytes(data)
    return await bench.fit(Sample(path=path, mime=sample.mime), int(len(data) * share))


async def test_one_bad_frame_is_forgiven(bench: Bench, footage: Footage, tmp_path: Path) -> None:
    data = bytearray(footage["mp4"].path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    assert not isinstance(await damaged(bench, footage["mp4"], tmp_path, bytes(data), 0.5), AvBroken)


async def test_what_takes_too_long_is_broken_and_says_so(
    bench: Bench, footage: Footage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_START_SECONDS", 0.15)
    monkeypatch.setattr(module, "_SLOWNESS", 0)
    outcome = await bench.fit(footage.high_definition(), 600_000)
    assert outcome == AvBroken(reason="decoding it took longer than 0.15 s", transient=True)


async def test_a_file_that_is_gone_is_our_fault(bench: Bench, footage: Footage, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        await bench.transcoder.inspect(tmp_path / "gone", "video/mpeg")
    with pytest.raises(FileNotFoundError):
        await bench.transcoder.inspect(tmp_path / "gone", "video/mp4")
