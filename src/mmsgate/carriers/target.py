"""For whom a content is: what one carrier takes from one type of sender, as terms for its renditions."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from mmsgate.carriers.limits import CarrierLimit, carrier_limit
from mmsgate.carriers.profile import CarrierProfile
from mmsgate.domain.number import SenderType
from mmsgate.domain.rendition import Measure, Terms
from mmsgate.domain.slide import Medium, Slide
from mmsgate.mm7.content import EncodedContent
from mmsgate.mm7.dialect import ContentStyle, Encoding

#: SOAP part, HTTP boundary lines and the like, where the bytes on the wire are counted.
_ENVELOPE = 2_500
_PART_HEAD = 300
#: Room for files is rounded down by this part at most, so that texts that differ by a word share a version.
_ROUNDING = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """For whom a content is: the carrier's limit and types, and how its content is written.

    `size_cap` is what a refusal for size has left of the limit, 0: all of it.
    """

    limit: CarrierLimit
    dialect: ContentStyle
    h263: bool = False
    size_cap: int = 0

    @classmethod
    def of(cls, profile: CarrierProfile, operator: str, sender_type: SenderType, size_cap: int = 0) -> "Target":
        """The target of a message."""
        limit = carrier_limit(profile, operator, sender_type)
        return cls(limit=limit, dialect=profile.mm7.style, h263=profile.limits.h263, size_cap=size_cap)

    @property
    def most(self) -> int:
        """Bytes that a content may have, as the limit counts them."""
        limit = self.limit.limit.bytes
        return min(limit, self.size_cap) if self.size_cap else limit

    def __str__(self) -> str:
        """How many bytes, and why, for people."""
        if self.most < self.limit.limit.bytes:
            return f"{self.most:,} after {self.limit.label} refused a larger one"
        return f"{self.limit.limit} on {self.limit.label}"

    def terms(self, slides: tuple[Slide, ...]) -> Terms:
        """The terms for a content with these slides: what their texts leave of the limit is the files'.

        Pictures and objects that suit as they are ask for no more room than they have, so that all such targets
        share a version. Whether a sound or video suits is only known once it has been looked at.
        """
        files = [medium for slide in slides for medium in slide.media]
        whole = Terms(room=self._room(slides), types=self.limit.types, h263=self.h263)
        suits = whole.take(files) and not any(medium.plays for medium in files)
        return replace(whole, room=sum(medium.size for medium in files) if suits else _rounded(whole.room or 0))

    def _room(self, slides: tuple[Slide, ...]) -> int:
        limit = self.limit.limit
        room = self.most - 1_000 - sum(500 + len(slide.text.encode()) for slide in slides)  # texts and SMIL
        if limit.measure is Measure.WIRE:
            parts = sum(len(slide.media) + 1 for slide in slides)
            room -= _ENVELOPE + _PART_HEAD * parts
            if self.dialect.encoding is Encoding.BASE64:
                room = room * 57 // 78  # 76 letters and a line end for 57 bytes
        return max(room, 0)

    def may_take(self, media: Iterable[Medium]) -> bool:
        """Whether files of these types and sizes may go as they are, before they are encoded and measured."""
        limit = self.limit.limit
        base64 = limit.measure is Measure.WIRE and self.dialect.encoding is Encoding.BASE64
        room = self.most * 57 // 78 if base64 else self.most
        return Terms(room=room, types=self.limit.types).take(media)

    def size(self, encoded: EncodedContent) -> int:
        """Bytes of a content as the limit counts them."""
        wire = self.limit.limit.measure is Measure.WIRE
        return encoded.wire_size + _ENVELOPE if wire else encoded.decoded_size


def _rounded(room: int) -> int:
    step = 1 << max(0, (room // _ROUNDING).bit_length() - 1)
    return room // step * step
