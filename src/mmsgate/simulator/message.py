"""What a phone received: a message, its slides and its parts. Plain values, made from bytes on a socket."""

import hashlib
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property

from mmsgate.clock import Millis
from mmsgate.domain.media import SMIL_MIME, MediaKind, by_mime
from mmsgate.mm7.parts import Content


class Kind(StrEnum):
    """The two kinds of message."""

    MMS = "MMS"
    SMS = "SMS"


@dataclass(frozen=True, kw_only=True)  # no slots: the digest is worked out once, when it is asked for
class Part:
    """One part of an MMS. `content_type` is as it came, parameters and all; `body` is decoded.

    `charset` is the one in which the phone reads every text, empty for the one that the type names.
    """

    name: str
    content_type: str
    body: bytes = field(repr=False)
    headers: tuple[tuple[str, str], ...] = ()
    charset: str = ""

    @property
    def type(self) -> str:
        """The media type alone, in lower case."""
        return self.content_type.partition(";")[0].strip().lower()

    @property
    def size(self) -> int:
        """Decoded bytes."""
        return len(self.body)

    @cached_property
    def sha256(self) -> str:
        """The digest of the body, in hex."""
        return hashlib.sha256(self.body).hexdigest()

    @property
    def text(self) -> str | None:
        """What it says, if it is plain text."""
        if self.type != "text/plain":
            return None
        return decode(self.body, f"text/plain; charset={self.charset}" if self.charset else self.content_type)

    @property
    def kind(self) -> MediaKind | None:
        """What it is to a slide; None for what an MMS does not usually carry."""
        entry = by_mime(self.type)
        if entry:
            return entry.kind
        return _FAMILIES.get(self.type.partition("/")[0])

    @property
    def playable(self) -> bool:
        """Whether a slide can show it: text, image, audio, video."""
        return self.kind in _PLAYABLE

    @property
    def is_smil(self) -> bool:
        """Whether it is the presentation."""
        return self.type == SMIL_MIME


_FAMILIES = {"image": MediaKind.IMAGE, "audio": MediaKind.AUDIO, "video": MediaKind.VIDEO}
_PLAYABLE = frozenset({MediaKind.TEXT, *_FAMILIES.values()})


@dataclass(frozen=True, slots=True, kw_only=True)
class Slide:
    """One `par`: indexes of the parts it shows, in its order, and names it refers to that no part bears.

    `duration` is milliseconds, 0 if the SMIL gives none or there is no SMIL.
    """

    duration: Millis = 0
    parts: tuple[int, ...] = ()
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message on one phone.

    `id` grows over all phones and `revision` over all changes; the box gives both. `text` is an SMS's, or the
    texts of an MMS's slides in order. `size` is decoded bytes. `attachments` are indexes of parts that no slide
    shows, `hidden` says what the phone leaves out, and why. `content` is what came, for another phone's view of it.
    `fields` are what the request and its envelope said, for the drawer. `segments` is the number of an SMS's
    parts. `copies` counts submits with the same TransactionID: more than one means that a person got it twice.
    `sent` says that the phone has sent it, `outcome` what became of that; empty while nobody knows.
    """

    id: int = 0
    revision: int = 0
    kind: Kind
    to: str
    sender: str
    subject: str = ""
    text: str = ""
    received_at: Millis
    transaction_id: str = ""
    message_id: str = ""
    copies: int = 1
    size: int = 0
    segments: int = 1
    parts: tuple[Part, ...] = ()
    slides: tuple[Slide, ...] = ()
    attachments: tuple[int, ...] = ()
    hidden: tuple[str, ...] = ()
    content: Content = field(default_factory=Content, repr=False)
    smil: str | None = None
    fields: tuple[tuple[str, str], ...] = ()
    sent: bool = False
    outcome: str = ""

    @property
    def phone(self) -> str:
        """The number of the phone that it is on."""
        return self.sender if self.sent else self.to


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """One line of a phone's carrier log: what the MMSC or SMSC did with a message, or told the gateway."""

    revision: int = 0
    number: str
    at: Millis
    text: str


def decode(body: bytes, content_type: str) -> str:
    """Text in the charset that its type names; what does not decode is replaced, never fatal."""
    charset = "utf-8"
    for parameter in content_type.split(";")[1:]:
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "charset":
            charset = value.strip().strip('"')
    try:
        return body.decode(charset, "replace")
    except (LookupError, ValueError):
        return body.decode("utf-8", "replace")
