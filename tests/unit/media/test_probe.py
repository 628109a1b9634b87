"""Reports of ``ffmpeg -i`` and of runs, as ffmpeg 9.0 and 5.1 wrote them, are read into facts."""

import pytest

from mmsgate.media.ffmpeg import FfmpegRun
from mmsgate.media.probe import AudioStream, AvBroken, AvFacts, VideoStream, complaint, damage, read_header

PHONE = """\
[info] Input #0, mov,mp4,m4a,3gp,3g2,mj2, from 'file:/media/clip.mov':
[info]   Metadata:
[info]     major_brand     : qt
[info]     com.apple.quicktime.make: Apple
[info]   Duration: 00:01:02.50, start: 0.000000, bitrate: 8035 kb/s
[info]   Stream #0:0[0x1](und): Audio: aac (LC) (mp4a / 0x6134706D), 44100 Hz, stereo, fltp, 189 kb/s (default)
[info]   Stream #0:1[0x2](und): Video: hevc (Main 10) (hvc1 / 0x31637668), \
yuv420p10le(tv, bt2020nc/bt2020/arib-std-b67), 1920x1080, 7835 kb/s, 29.98 fps, 29.97 tbr, 600 tbn (default)
[info]     Metadata:
[info]       handler_name    : Core Media Video
[info]     Side data:
[info]       Display Matrix: rotation of -90.00 degrees
[info]   Stream #0:2[0x3](und): Data: none (mebx / 0x7862656D), 0 kb/s (default)
[fatal] At least one output file must be specified
"""

COVERED = """\
[info] Input #0, mp3, from 'file:/media/song.mp3':
[info]   Duration: 00:03:20.00, start: 0.023021, bitrate: 132 kb/s
[info]   Stream #0:0: Audio: mp3 (mp3float), 48000 Hz, mono, fltp, 128 kb/s, start 0.023021
[info]   Stream #0:1: Video: mjpeg (Baseline), yuvj420p(pc, bt470bg/unknown/unknown), 600x600 [SAR 1:1 DAR 1:1], \
90k tbr, 90k tbn, start 0.023022 (attached pic)
"""

DVD = """\
[info] Input #0, mpeg, from 'file:/media/film.mpg':
[info]   Duration: 00:00:10.01, start: 0.500000, bitrate: 1594 kb/s
[info]   Stream #0:0[0x1e0]: Video: mpeg2video (Main), yuv420p(tv, top first), 720x576 [SAR 64:45 DAR 16:9], \
25 fps, 25 tbr, 90k tbn
[info]   Stream #0:1[0x1c0]: Audio: mp2 (mp3float), 48000 Hz, 5.1, fltp, 384 kb/s
"""


def test_a_phone_video_lies_and_is_turned() -> None:
    assert read_header(PHONE, moving=True) == AvFacts(
        seconds=62.5,
        estimated=False,
        video=VideoStream(
            index=1, codec="hevc", profile="Main 10", pixel_format="yuv420p10le", width=1080, height=1920,
            rotation=270, fps=29.98, bit_rate=7_835_000,
        ),
        audio=AudioStream(index=0, codec="aac", profile="LC", hertz=44_100, channels=2, bit_rate=189_000),
    )  # fmt: skip


def test_older_versions_write_the_rotation_otherwise() -> None:
    older = PHONE.replace("Display Matrix:", "displaymatrix:")
    assert read_header(older, moving=True) == read_header(PHONE, moving=True)


def test_a_rotation_belongs_to_the_stream_above_it() -> None:
    other = PHONE.replace("Data: none (mebx / 0x7862656D), 0 kb/s", "Subtitle: mov_text").splitlines()
    other.append(other.pop(10))
    facts = read_header("\n".join(other), moving=True)
    assert isinstance(facts, AvFacts)
    assert facts.width == 1920


def test_a_cover_is_no_video() -> None:
    facts = read_header(COVERED, moving=False)
    assert isinstance(facts, AvFacts)
    assert (facts.seconds, facts.cover, facts.video) == (200, True, None)
    assert read_header(COVERED, moving=True) == AvBroken(reason="it has no moving pictures", codecs=True)


def test_pixels_that_are_no_squares_are_made_square() -> None:
    facts = read_header(DVD, moving=True)
    assert isinstance(facts, AvFacts)
    assert facts.video is not None
    assert (facts.width, facts.height, facts.video.square) == (1024, 576, False)
    assert facts.audio is not None
    assert facts.audio.channels == 6


@pytest.mark.parametrize(
    ("old", "new", "reason", "codecs"),
    [
        ("1920x1080", "16000x9000", "it has 9000 × 16000 pixels, 9,437,184 in all are allowed", False),
        ("00:01:02.50", "05:00:00.00", "it is 18,000 s long, 14,400 are allowed", False),
        ("hevc (Main 10) (hvc1", "none (zzzz", "no codec is known for its moving pictures", True),
        ("aac (LC) (mp4a", "none (zzzz", "no codec is known for its sound", True),
        ("  Duration:", "  Length:", "its header can't be read (it is not what it seems to be)", False),
    ],
)
def test_what_is_not_worked_on(old: str, new: str, reason: str, codecs: bool) -> None:
    assert read_header(PHONE.replace(old, new), moving=True) == AvBroken(reason=reason, codecs=codecs)


def test_what_the_decoder_refuses_for_its_size_is_told_in_our_words() -> None:
    log = (
        "[IMGUTILS @ 0x55] [error] Picture size 20000x20000 exceeds specified max pixel count 9437184, see the doc"
    )
    expected = AvBroken(reason="it has 20000 × 20000 pixels, 9,437,184 in all are allowed")
    assert read_header(f"{log}\n{PHONE}", moving=True) == expected


@pytest.mark.parametrize(
    "lie",
    [
        "[info]   Stream #0:0: Video: h264 (Main), yuv420p, 16x16, 25 fps",
        "[info]   Stream #0:1: Video: h264 (Main), yuv420p, 16x16, 25 fps",
        "[info]   Stream #0:7: Video: h264 (Main), yuv420p, 16x16, 25 fps",
        "[info]   Duration: 00:00:01.00, start: 0.000000, bitrate: 8 kb/s",
    ],
)
def test_a_comment_that_plays_a_header_is_refused(lie: str) -> None:
    comment = f"[info]     comment\n{lie}         : x\n"
    lying = PHONE.replace("[info]     major_brand", f"{comment}[info]     major_brand")
    assert read_header(lying, moving=True) == AvBroken(reason="its header contradicts itself")


def test_a_length_guessed_from_the_size_says_so() -> None:
    guess = "[in#0/amr @ 0x558] [warning] Estimating duration from bitrate, this may be inaccurate\n"
    facts = read_header(guess + COVERED, moving=False)
    assert isinstance(facts, AvFacts)
    assert facts.estimated


# ---- damage ----

TALLY = """\
[in#0/mov @ 0x1] [verbose] Input stream #0:0 (video): 300 packets read (9 bytes); \
{video} frames decoded; {lost} decode errors;
[in#0/mov @ 0x1] [verbose] Input stream #0:1 (audio): 200 packets read (9 bytes); \
{audio} frames decoded; {mute} decode errors;
"""


def run(
    *, video: int = 300, lost: int = 0, audio: int = 200, mute: int = 0, corrupt: int = 0, cut: int = 0
) -> FfmpegRun:
    log = TALLY.format(video=video, lost=lost, audio=audio, mute=mute)
    return FfmpegRun(status=0, log=log, reached=10, corrupt_frames=corrupt, cut_packets=cut)


@pytest.mark.parametrize(
    ("outcome", "announced", "reason"),
    [
        (run(), 10.0, None),
        (run(), 10.3, None),
        (run(), None, None),
        (run(), 12.0, "it ends after 10.0 of 12.0 s"),
        (run(cut=1), 10.0, "its end is missing, it stops after 10.0 s"),
        (run(corrupt=3), 10.0, None),
        (run(corrupt=4), 10.0, "4 of its 300 video frames do not decode"),
        (run(video=290, lost=10), 10.0, "10 of its 300 video frames do not decode"),
        (run(audio=190, mute=10), 10.0, "10 of its 200 audio frames do not decode"),
        (run(audio=198, mute=2), 10.0, None),
        (FfmpegRun(status=0, log="", reached=1, killed="wrote more than 9 bytes"), 10,
         "decoding it wrote more than 9 bytes"),
        (FfmpegRun(status=1, log="[mov @ 0x1] [error] bad.", reached=1), 10, "it does not decode (bad)"),
    ],
)  # fmt: skip
def test_when_a_source_counts_as_broken(outcome: FfmpegRun, announced: float | None, reason: str | None) -> None:
    expected = reason and AvBroken(reason=reason)
    assert damage(outcome, announced=announced, mime="video/mp4") == expected


def test_what_a_busy_machine_may_have_killed_is_broken_for_now() -> None:
    late = FfmpegRun(status=-9, log="", reached=1, killed="took longer than 9 s", transient=True)
    expected = AvBroken(reason="decoding it took longer than 9 s", transient=True)
    assert damage(late, announced=10, mime="video/mp4") == expected


def test_amr_forgives_nothing_as_it_has_no_other_sign_of_its_end() -> None:
    expected = AvBroken(reason="1 of its 201 audio frames do not decode")
    assert damage(run(mute=1), announced=None, mime="audio/amr") == expected


def test_a_transport_stream_may_miss_packets() -> None:
    lost = FfmpegRun(status=0, log="[info] Input #0, mpegts, from 'file:x':", reached=10, cut_packets=3)
    assert damage(lost, announced=10.0, mime="video/mpeg") is None


@pytest.mark.parametrize(
    ("log", "words"),
    [
        ("[mov,mp4 @ 0x55aa] [error] moov atom not found\n[in#0 @ 0x1] [error] Error", "moov atom not found"),
        ("[info] fine\n[error] Error opening input file file:/secret/x\n", "it is not what it seems to be"),
        ("[dec:h264 @ 0x1] [error] a\x1b[31m\x07b.\n", "a[31mb"),
    ],
)  # fmt: skip
def test_complaints_are_fit_for_people(log: str, words: str) -> None:
    assert complaint(log) == words
