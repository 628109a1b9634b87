"""Slides, and the rules for what one may hold (API contract 5.1, 5.2)."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mmsgate.domain.media import MediaKind

MAX_SLIDES = 8
MAX_TEXT = 5000  # characters, E228
MAX_SUBJECT = 80  # characters, E314 (contract 2.3)
DEFAULT_DURATION = 10  # seconds
DURATIONS = range(1, 61)  # seconds, G-47


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftSlide:
    """A slide as the customer asked for it: texts and URLs, nothing fetched, nothing checked.

    `texts` and each list of `urls` hold every occurrence in document order, so that a second one can be
    refused; `duration` is the text of the element, None where there was none.
    """

    texts: tuple[str, ...] = ()
    urls: tuple[tuple[MediaKind, str], ...] = ()
    duration: str | None = None

    @property
    def text(self) -> str:
        """The slide's text, empty if it has none."""
        return self.texts[0] if self.texts else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Medium:
    """One fetched file of a slide.

    `blob` is the SHA-256 of the bytes in hex, `size` their number, `mime` the canonical type that the bytes proved
    to be, `source` the URL they came from. `width` and `height` are pixels, `duration` milliseconds of sound or
    video; 0 where unknown.
    """

    kind: MediaKind
    blob: str
    mime: str
    size: int
    source: str = ""
    width: int = 0
    height: int = 0
    duration: int = 0

    @property
    def plays(self) -> bool:
        """Whether it has a length of its own: sound and video, which are transcoded before they are sent (R-14)."""
        return self.kind in {MediaKind.AUDIO, MediaKind.VIDEO}


@dataclass(frozen=True, slots=True, kw_only=True)
class Slide:
    """A slide whose rules have been checked and whose media have been fetched."""

    text: str = ""
    media: tuple[Medium, ...] = ()
    duration: int = DEFAULT_DURATION  # seconds

    def medium(self, kind: MediaKind) -> Medium | None:
        """The slide's file of that kind, if it has one."""
        return next((medium for medium in self.media if medium.kind is kind), None)

    @property
    def shown(self) -> tuple[Medium, ...]:
        """The media that play in the slide itself: image, audio, video."""
        return tuple(medium for medium in self.media if not medium.kind.is_object)

    @property
    def objects(self) -> tuple[Medium, ...]:
        """The media that travel beside the slide: vCard, iCalendar, PDF, pass."""
        return tuple(medium for medium in self.media if medium.kind.is_object)


@dataclass(frozen=True, slots=True, kw_only=True)
class SlideFault:
    """A rule that a slide breaks: the API's code, the slide's number (1-based) and the reason in words."""

    code: str
    slide: int
    reason: str
    limit: int | None = None


def parse_duration(text: str | None) -> int | None:
    """Seconds a slide is shown; None if `text` is no whole number from 1 to 60 (E230)."""
    if text is None:
        return DEFAULT_DURATION
    if not text.isascii() or not text.isdigit() or len(text) > 4:
        return None
    seconds = int(text)
    return seconds if seconds in DURATIONS else None


def slide_fault(slide: DraftSlide, number: int, *, text_limit: int = MAX_TEXT) -> SlideFault | None:
    """The first rule that the slide breaks, in the contract's order (5.1), or None."""
    return next(_broken_rules(slide, number, text_limit), None)


def _broken_rules(slide: DraftSlide, number: int, text_limit: int) -> Iterator[SlideFault]:

    def fault(code: str, reason: str, limit: int | None = None) -> SlideFault:
        return SlideFault(code=code, slide=number, reason=f"slide {number}: {reason}", limit=limit)

    kinds = Counter(kind for kind, _ in slide.urls)
    doubled = next((kind for kind, count in kinds.items() if count > 1), None)
    objects = sum(count for kind, count in kinds.items() if kind.is_object)
    shown = {kind for kind in kinds if not kind.is_object}
    if not kinds and not slide.text:
        yield fault("E313", "it has neither text nor media")
    if doubled or len(slide.texts) > 1:
        yield fault("E223", f"more than one {doubled.label if doubled else 'text'}")
    if objects > 1:
        yield fault("E223", f"{objects} objects (vCard, iCal, PDF, pass), only one is allowed")
    if objects and shown:
        yield fault("E224", f"an object together with {', '.join(sorted(shown))}")
    if {MediaKind.AUDIO, MediaKind.VIDEO} <= shown:
        yield fault("E226", "audio together with video")
    if {MediaKind.IMAGE, MediaKind.VIDEO} <= shown:
        yield fault("E227", "an image together with a video")
    if parse_duration(slide.duration) is None:
        yield fault("E230", f"the duration {slide.duration!r} is no whole number from 1 to 60")
    length = len(slide.text)
    if length > MAX_TEXT:
        yield fault("E228", f"its text has {length:,} characters, {MAX_TEXT:,} are allowed", MAX_TEXT)
    elif length > text_limit:
        yield fault("E334", f"its text has {length:,} characters, the account allows {text_limit:,}")


def count_fault(slides: Sequence[DraftSlide]) -> SlideFault | None:
    """No slide (E312) or too many (E225)."""
    if not slides:
        return SlideFault(code="E312", slide=0, reason="the request has no slide")
    if len(slides) > MAX_SLIDES:
        return SlideFault(code="E225", slide=0, reason=f"{len(slides)} slides, {MAX_SLIDES} are allowed")
    return None
