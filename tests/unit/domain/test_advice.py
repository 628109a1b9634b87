"""What is allowed and does badly on phones is said in words, with the slide (best practices 4 and 5)."""

from typing import Any

import pytest

from mmsgate.domain.advice import ImageLook, Seen, advise
from mmsgate.domain.media import MediaKind
from mmsgate.domain.slide import Medium, Slide

PICTURE = Medium(kind=MediaKind.IMAGE, blob="p", mime="image/png", size=1_000)
GIF = Medium(kind=MediaKind.IMAGE, blob="g", mime="image/gif", size=1_000)
SOUND = Medium(kind=MediaKind.AUDIO, blob="s", mime="audio/mpeg", size=1_000)
FILM = Medium(kind=MediaKind.VIDEO, blob="v", mime="video/mp4", size=1_000)
HELLO = Slide(text="Hello")


def on(medium: Medium, look: ImageLook | None = None, **seen: Any) -> tuple[str, ...]:
    """Advice on a medium in the second of two slides."""
    looks = {medium.blob: look} if look else {}
    return advise("", (HELLO, Slide(media=(medium,))), Seen(looks=looks, **seen))


def test_a_good_content_needs_no_advice() -> None:
    look = ImageLook(width=1080, height=1920, busy_top=0.1, busy_bottom=0.2)
    slides = (Slide(text="Hi", media=(PICTURE,), duration=30), Slide(media=(SOUND,)), Slide(media=(FILM,)))
    seen = Seen(looks={"p": look}, seconds={"s": 40, "v": 30}, durations=frozenset({1}))
    assert advise("Saturday at the lake", slides, seen, fallback_text="A picture for you:  ") == ()


@pytest.mark.parametrize(("length", "warned"), [(40, False), (41, True)])
def test_a_long_subject(length: int, warned: bool) -> None:
    assert any("the subject has 41 characters" in each for each in advise("x" * length, (), Seen())) is warned


def test_an_emoji_in_the_subject_is_shown_once() -> None:
    (warning,) = advise("Sun ☀ fun ☀ {$x|🎉}", (), Seen())
    assert "emoji" in warning
    assert warning.endswith(": ☀🎉")


@pytest.mark.parametrize(("length", "warned"), [(0, False), (19, True), (20, False), (110, False), (111, True)])
def test_a_fallback_text_that_is_too_short_or_too_long(length: int, warned: bool) -> None:
    found = advise("", (), Seen(), fallback_text="x" * length)
    assert any(f"the fallback text has {length} characters" in each for each in found) is warned


def test_merge_tags_count_as_their_defaults() -> None:
    assert advise("Hi {$a_name_that_is_very_long_indeed_it_is|you}", (), Seen()) == ()


@pytest.mark.parametrize(("size", "warned"), [(500_000, False), (500_001, True)])
def test_all_files_together_over_half_a_megabyte(size: int, warned: bool) -> None:
    half = Medium(kind=MediaKind.IMAGE, blob="h", mime="image/jpeg", size=size // 2)
    rest = Medium(kind=MediaKind.IMAGE, blob="r", mime="image/jpeg", size=size - size // 2)
    found = advise("", (Slide(media=(half,)), Slide(media=(rest,))), Seen())
    assert any("the files are 500,001 bytes" in each for each in found) is warned


def test_a_slide_that_is_shown_for_long() -> None:
    assert advise("", (HELLO, Slide(text="b", duration=31)), Seen()) == (
        "slide 2: it is shown for 31 s: people wait up to 30 s",
    )


def test_a_duration_on_a_slide_that_plays_is_replaced() -> None:
    (warning,) = on(SOUND, seconds={"s": 7.25}, durations=frozenset({1, 2}))
    assert warning == "slide 2: the duration written on it is replaced by the real length of its audio, 7.2 s"
    (unknown,) = on(SOUND, durations=frozenset({2}))
    assert unknown.endswith("its audio")
    assert on(SOUND, seconds={"s": 7}) == ()


def test_a_long_video() -> None:
    (warning,) = on(FILM, seconds={"v": 45.0})
    assert "slide 2: the video is 45.0 s long" in warning


def test_transparency_names_the_type() -> None:
    (warning,) = on(PICTURE, ImageLook(width=10, height=10, transparent=True))
    assert warning.startswith("slide 2: the PNG is transparent: phones show that as black or white")


@pytest.mark.parametrize(
    ("size", "ends", "where"),
    [
        ((1080, 1920), (0.6, 0.0), "top"),
        ((1080, 1920), (0.0, 0.5), "bottom"),
        ((640, 1138), (0.5, 0.5), "top and bottom"),
        ((1080, 1920), (0.4, 0.4), None),
        ((1080, 1440), (0.9, 0.9), None),  # not as tall as a screen: nothing is cut off
        ((1920, 1080), (0.9, 0.9), None),
    ],
)
def test_what_lies_where_phones_cut(size: tuple[int, int], ends: tuple[float, float], where: str | None) -> None:
    look = ImageLook(width=size[0], height=size[1], busy_top=ends[0], busy_bottom=ends[1])
    found = on(PICTURE, look)
    assert [f"has something at its {where} that phones may cut off" in each for each in found] == [True] * bool(
        where
    )


@pytest.mark.parametrize(
    ("look", "words"),
    [
        (ImageLook(width=480, height=720, frames=9, rate=4.0), None),
        (ImageLook(width=480, height=720, frames=9, rate=12.5), "has 12.5 frames a second: 2 to 4 play well"),
        (ImageLook(width=481, height=720, frames=9, rate=3), "has 481×720 pixels: up to 480×720"),
        (ImageLook(width=640, height=640, frames=9, rate=3), None),
        (ImageLook(width=800, height=600, frames=9, rate=3), "has 800×600 pixels: up to 640×640"),
        (ImageLook(width=2000, height=2000, frames=1), None),
    ],
)
def test_animations(look: ImageLook, words: str | None) -> None:
    found = on(GIF, look)
    assert [f"slide 2: the GIF {words}" in each for each in found] == [True] * bool(words)


@pytest.mark.parametrize(
    ("kind", "mime", "words"),
    [
        (MediaKind.PDF, "application/pdf", "a PDF"), (MediaKind.ICAL, "text/calendar", "a calendar entry"),
        (MediaKind.PASSBOOK, "application/vnd.apple.pkpass", "a pass"), (MediaKind.VCARD, "text/x-vCard", None),
    ],
)  # fmt: skip
def test_objects_that_not_every_phone_shows(kind: MediaKind, mime: str, words: str | None) -> None:
    found = on(Medium(kind=kind, blob="o", mime=mime, size=10))
    assert found == ((f"slide 2: not every phone shows {words}",) if words else ())
