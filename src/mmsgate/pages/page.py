"""A page: the slides behind one link, and how each of their files is offered to a browser."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum

from mmsgate.clock import Millis
from mmsgate.domain.account import Account
from mmsgate.domain.media import MediaKind, by_mime
from mmsgate.domain.message import Message
from mmsgate.domain.slide import Medium, Slide

_TOKEN = re.compile(r"[A-Za-z0-9]{22,64}")


def page_link(message: Message, account: Account | None, url: str) -> str:
    """The link to a message's page, at the account's own address or else at `url`; empty if it has none."""
    base = (account.page_base if account else "") or url
    return f"{base.rstrip('/')}/m/{message.fallback.token}" if message.fallback.token else ""


def is_token(text: str) -> bool:
    """Whether `text` can name a page at all: 22 to 64 ASCII letters and digits (R-37)."""
    return _TOKEN.fullmatch(text) is not None


class Playback(Enum):
    """What browsers make of a file.

    PLAYS: every one shows it. DOUBTFUL: some do, so it is tried and offered for download. SAVED: none does, or it
    is for another program (contacts, calendar, wallet).
    """

    PLAYS = "plays"
    DOUBTFUL = "doubtful"
    SAVED = "saved"


_PLAYBACK = {
    "image/jpeg": Playback.PLAYS,
    "image/gif": Playback.PLAYS,
    "image/png": Playback.PLAYS,
    "image/webp": Playback.PLAYS,
    "image/avif": Playback.DOUBTFUL,
    "image/heic": Playback.SAVED,
    "audio/mpeg": Playback.PLAYS,
    "audio/mp4": Playback.PLAYS,
    "audio/wav": Playback.PLAYS,
    "audio/amr": Playback.DOUBTFUL,
    "video/mp4": Playback.PLAYS,
    "video/3gpp": Playback.DOUBTFUL,
    "video/quicktime": Playback.DOUBTFUL,
    "video/mpeg": Playback.DOUBTFUL,
}
#: Where the web's name of a type is another than MM7's: phones open a contact by this one (RFC 6350).
_WEB_MIME = {"text/x-vCard": "text/vcard"}
#: File name, and what people call it.
_NAMES = {
    MediaKind.TEXT: ("text", "text"),
    MediaKind.IMAGE: ("photo", "picture"),
    MediaKind.AUDIO: ("audio", "audio"),
    MediaKind.VIDEO: ("video", "video"),
    MediaKind.VCARD: ("contact", "contact"),
    MediaKind.ICAL: ("event", "calendar event"),
    MediaKind.PDF: ("document", "document"),
    MediaKind.PASSBOOK: ("pass", "pass"),
}
_ACTIONS = {
    MediaKind.VCARD: "Add to contacts",
    MediaKind.ICAL: "Add to calendar",
    MediaKind.PDF: "Open document",
    MediaKind.PASSBOOK: "Add to wallet",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """One file of a page.

    `name` is plain ASCII, unique on its page, and the last part of the file's address. `mime` is the type it is
    served with; `noun` what people call it, `format` the name of its type.
    """

    name: str
    medium: Medium
    mime: str
    noun: str
    format: str
    playback: Playback

    @property
    def kind(self) -> MediaKind:
        return self.medium.kind

    @property
    def action(self) -> str:
        """What the button says that hands the file to the phone."""
        return _ACTIONS.get(self.kind, f"Download {self.noun}")

    @property
    def handed_over(self) -> bool:
        """Whether the phone opens it in a program of its own: contacts, calendar, document viewer, wallet."""
        return self.kind in _ACTIONS

    @property
    def prominent(self) -> bool:
        """Whether it needs a button of its own, because the page can't be trusted to show it."""
        return self.playback is not Playback.PLAYS

    @property
    def etag(self) -> str:
        """A strong validator: the content's own hash."""
        return f'"{self.medium.blob[:32]}"'


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One slide as the page shows it; `number` counts from 1."""

    number: int
    text: str
    files: tuple[File, ...]

    def file(self, kind: str) -> File | None:
        """The file of that kind which the page shows or plays itself, if there is one."""
        shown = (file for file in self.files if file.playback is not Playback.SAVED)
        return next((file for file in shown if file.kind == kind), None)

    @property
    def offers(self) -> tuple[File, ...]:
        """The files with a big button: to open in another program, or to download because they may not play."""
        return tuple(file for file in self.files if file.prominent)

    @property
    def saves(self) -> tuple[File, ...]:
        """The files with a plain link to save them: all whose button, if they have one, opens them instead."""
        return tuple(file for file in self.files if file.handed_over or not file.prominent)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """The content of one message behind its token, until `expires_at` (R-11).

    Whoever knows the token can see the page: it is a secret and never shows in a repr.
    """

    token: str = field(repr=False)
    account_id: int
    subject: str
    slides: tuple[Slide, ...]
    created_at: Millis
    expires_at: Millis

    def expired(self, now: Millis) -> bool:
        """From the moment of expiry on the page shows nothing."""
        return now >= self.expires_at

    @property
    def panels(self) -> tuple[Panel, ...]:
        """The slides in order, each with its files."""
        counts: Counter[str] = Counter()
        return tuple(
            Panel(number=number, text=slide.text, files=tuple(_files(slide, counts)))
            for number, slide in enumerate(self.slides, 1)
        )

    def file(self, name: str) -> File | None:
        """The file of exactly that name; nothing else is ever served."""
        return next((file for panel in self.panels for file in panel.files if file.name == name), None)


def _files(slide: Slide, counts: Counter[str]) -> Iterator[File]:
    """The slide's files, numbered per kind over the whole page."""
    for medium in slide.media:
        stem, noun = _NAMES[medium.kind]
        known = by_mime(medium.mime)
        counts[stem] += 1
        yield File(
            name=f"{stem}-{counts[stem]}.{known.extension if known else 'bin'}",
            medium=medium,
            mime=_WEB_MIME.get(known.mime, known.mime) if known else "application/octet-stream",
            noun=noun,
            format=known.name if known else "file",
            playback=_PLAYBACK.get(known.mime, Playback.SAVED) if known else Playback.SAVED,
        )
