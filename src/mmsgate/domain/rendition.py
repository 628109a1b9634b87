"""Renditions: versions of one content, each for what some phones take and how much of it (R-12, R-13)."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from mmsgate.clock import MINUTE, Millis
from mmsgate.domain.request import WireDialect
from mmsgate.domain.slide import Medium, Slide

#: How long a preparation may take from its first beginning; then it has failed.
#: Waiting for its turn does not count.
PREPARE_WITHIN: Millis = 30 * MINUTE


class Measure(StrEnum):
    """What a carrier counts (R-13)."""

    DECODED = "decoded"  # the parts' bodies before any transfer encoding
    WIRE = "wire"  # the bytes of the MM7 body as they are posted


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """How large a message may be, in bytes, and how they are counted."""

    bytes: int
    measure: Measure = Measure.DECODED

    def __str__(self) -> str:
        return f"{self.bytes:,} {'decoded' if self.measure is Measure.DECODED else 'on the wire'}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a rendition must be. Equal terms share their renditions, whichever carriers they come from.

    `room` is the bytes that all files may have together, None: any number; `types` the MIME types that are taken;
    `h263` asks for H.263 and AMR in 3GP instead of H.264 and AAC in MP4.
    """

    room: int | None
    types: frozenset[str]
    h263: bool = False

    @property
    def key(self) -> str:
        """A short name: equal for equal terms, now and in later runs."""
        rest = json.dumps([sorted(self.types), self.h263])
        return f"{'any' if self.room is None else self.room}-{hashlib.sha256(rest.encode()).hexdigest()[:12]}"

    def to_json(self) -> str:
        """As they are kept with a preparation."""
        return json.dumps({"room": self.room, "types": sorted(self.types), "h263": self.h263})

    @classmethod
    def from_json(cls, text: str) -> "Terms":
        """As they were kept."""
        kept = json.loads(text)
        return cls(room=kept["room"], types=frozenset(kept["types"]), h263=kept["h263"])

    def take(self, media: Iterable[Medium]) -> bool:
        """Whether files of these types and sizes need no change."""
        files = list(media)
        fits = self.room is None or sum(medium.size for medium in files) <= self.room
        return fits and all(medium.mime in self.types for medium in files)


#: What browsers on phones show: the terms of a fallback page's version, which is the best one, not the smallest.
PAGE = Terms(
    room=None,
    types=frozenset({
        "text/plain", "image/jpeg", "image/gif", "image/png", "image/webp", "audio/mpeg", "audio/mp4", "audio/wav",
        "video/mp4", "text/x-vCard", "text/calendar", "application/pdf", "application/vnd.apple.pkpass",
    }),
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """Slides on terms; `notes` has a line for people about each change."""

    slides: tuple[Slide, ...]
    notes: tuple[str, ...] = ()

    def of(self, slides: tuple[Slide, ...]) -> tuple[Slide, ...]:
        """The version for slides that differ in nothing but their texts."""
        return tuple(
            Slide(text=own.text, media=made.media, duration=made.duration)
            for own, made in zip(slides, self.slides, strict=True)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Misfit:
    """Why no version suits the terms. `passing`: it may be another time; the machine was too busy, say."""

    reason: str
    passing: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokenMedium:
    """A sound or video that can't be used at all: the slide's number (from 1), the file, and why."""

    slide: int
    medium: Medium
    reason: str

    def __str__(self) -> str:
        return f"slide {self.slide}: {self.medium.kind.label}: {self.reason}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Preparation:
    """Work that is waiting or under way: versions of the content `content_id`, for a new template or for messages.

    `terms` None means those of whatever carriers are in use: a new template's. `dialect` is that of the request,
    for what the customer is told. `deadline` is when it has failed, 0 before it was begun; `attempts` counts
    beginnings that failed by our fault.
    """

    content_id: int
    account_id: int
    dialect: WireDialect
    terms: Terms | None = None
    deadline: Millis = 0
    attempts: int = 0

    @property
    def key(self) -> str:
        """What it is for, in short: the messages that wait for it know it by this."""
        return "in-use" if self.terms is None else self.terms.key

    @property
    def for_page(self) -> bool:
        """Whether it is for the fallback page: nobody waits for it."""
        return self.terms == PAGE


def plays(slides: Iterable[Slide]) -> bool:
    """Whether there is sound or video among the slides, which is prepared before it can be sent (R-14)."""
    return any(medium.plays for slide in slides for medium in slide.media)
