"""Advice on a content, for people: what is allowed, but does badly on phones (best practices 4 and 5).

Pure rules. What has to be seen or heard of a file is told to them.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from mmsgate.domain.gsm import is_gsm
from mmsgate.domain.media import MediaKind, by_mime
from mmsgate.domain.merge import merged
from mmsgate.domain.slide import Medium, Slide

SUBJECT = 40  # characters
FALLBACK = range(20, 111)  # characters
SLIDE_SECONDS = 30
VIDEO_SECONDS = 30
DELIVERS_WELL = 500_000  # bytes of all files
GIF_RATE = 4.0  # frames a second
UPRIGHT_GIF, SQUARE_GIF = (480, 720), (640, 640)
#: Height by width of a phone's screen, and how far from it a picture is still laid out like one.
_SCREEN, _NEAR = 16 / 9, 0.08
#: A band with nearly as much detail as the rest of the picture has something in it.
_BUSY = 0.45
_HARDLY_SHOWN = {MediaKind.ICAL: "a calendar entry", MediaKind.PDF: "a PDF", MediaKind.PASSBOOK: "a pass"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageLook:
    """What a glance at a picture shows.

    `width` and `height` are pixels, turned as it is shown. `transparent` says that something of it is. `frames` of
    an animation, `rate` of them a second, 0 for a still. `busy_top` and `busy_bottom` are how much detail there is
    in the bands that phones cut off, as a share of theirs and the rest's: 0 for none, 0.5 for as much.
    """

    width: int
    height: int
    transparent: bool = False
    frames: int = 1
    rate: float = 0.0
    busy_top: float = 0.0
    busy_bottom: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What is known of a content's files, by blob: looks of pictures, seconds of sounds and videos.

    `durations` are the numbers of slides on which the request writes one.
    """

    looks: Mapping[str, ImageLook] = field(default_factory=dict)
    seconds: Mapping[str, float] = field(default_factory=dict)
    durations: frozenset[int] = frozenset()


def advise(subject: str, slides: tuple[Slide, ...], seen: Seen, *, fallback_text: str = "") -> tuple[str, ...]:
    """The warnings, each a sentence; `fallback_text` is empty where no SMS may go out."""
    found = [*_on_subject(merged(subject, {})), *_on_fallback(merged(fallback_text, {})), *_on_size(slides)]
    for number, slide in enumerate(slides, 1):
        found += (f"slide {number}: {line}" for line in _on_slide(slide, seen, written=number in seen.durations))
    return tuple(found)


def _on_subject(subject: str) -> Iterator[str]:
    if len(subject) > SUBJECT:
        yield f"the subject has {len(subject)} characters: up to {SUBJECT} are delivered best"
    odd = "".join(dict.fromkeys(char for char in subject if not is_gsm(char)))
    if odd:
        yield f"the subject has emoji or other characters that some phones show as boxes: {odd}"


def _on_fallback(text: str) -> Iterator[str]:
    if text and len(text) not in FALLBACK:
        yield (
            f"the fallback text has {len(text)} characters: with {FALLBACK[0]} to {FALLBACK[-1]} it says what "
            "it is about and leaves room for the link in one SMS"
        )


def _on_size(slides: tuple[Slide, ...]) -> Iterator[str]:
    size = sum(medium.size for slide in slides for medium in slide.media)
    if size > DELIVERS_WELL:
        yield f"the files are {size:,} bytes: up to {DELIVERS_WELL:,} are delivered best"


def _on_slide(slide: Slide, seen: Seen, *, written: bool) -> Iterator[str]:
    playing = next((medium for medium in slide.media if medium.plays), None)
    if playing is None and slide.duration > SLIDE_SECONDS:
        yield f"it is shown for {slide.duration} s: people wait up to {SLIDE_SECONDS} s"
    if playing is not None and written:
        length = seen.seconds.get(playing.blob)
        real = "" if length is None else f", {length:.1f} s"
        yield f"the duration written on it is replaced by the real length of its {playing.kind.value}{real}"
    for medium in slide.media:
        yield from _on_medium(medium, seen)


def _on_medium(medium: Medium, seen: Seen) -> Iterator[str]:
    if (look := seen.looks.get(medium.blob)) is not None:
        name = _name(medium)
        yield from _on_animation(name, look) if look.frames > 1 else _on_still(name, look)
    length = seen.seconds.get(medium.blob, 0)
    if medium.kind is MediaKind.VIDEO and length > VIDEO_SECONDS:
        yield f"the video is {length:.1f} s long: up to {VIDEO_SECONDS} s reach most phones"
    if medium.kind in _HARDLY_SHOWN:
        yield f"not every phone shows {_HARDLY_SHOWN[medium.kind]}"


def _on_still(name: str, look: ImageLook) -> Iterator[str]:
    if look.transparent:
        yield (
            f"the {name} is transparent: phones show that as black or white; where it has to be changed for a "
            "carrier it is put on white"
        )
    ends = [end for end, busy in (("top", look.busy_top), ("bottom", look.busy_bottom)) if busy >= _BUSY]
    if ends and abs(look.height / look.width / _SCREEN - 1) <= _NEAR:
        yield (
            f"the {name} has something at its {' and '.join(ends)} that phones may cut off: of 1080×1920 keep "
            "219 pixels at the top and 150 at the bottom free"
        )


def _on_animation(name: str, look: ImageLook) -> Iterator[str]:
    if look.rate > GIF_RATE:
        yield f"the {name} has {look.rate:.1f} frames a second: 2 to {GIF_RATE:g} play well on phones"
    width, height = UPRIGHT_GIF if look.height > look.width else SQUARE_GIF
    if look.width > width or look.height > height:
        yield f"the {name} has {look.width}×{look.height} pixels: up to {width}×{height} play well on phones"


def _name(medium: Medium) -> str:
    entry = by_mime(medium.mime)
    return entry.name if entry else medium.mime
