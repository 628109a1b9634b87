"""Device discovery of sendSavedMMS (API contract 8): what is asked for, and whether it is needed."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from mmsgate.accept.content import check_subject
from mmsgate.carriers.profile import CarrierProfile, Gives
from mmsgate.clock import MINUTE, Ids, Millis, iso, spoken
from mmsgate.domain.account import Account
from mmsgate.domain.discovery import LONGEST_TIMEOUT, SUBJECT, TIMEOUT, Discovery, ahead_of, waiting
from mmsgate.domain.message import Content, Event, Message
from mmsgate.domain.request import SendSavedMms
from mmsgate.domain.slide import MAX_TEXT, Slide
from mmsgate.errors import Refusal
from mmsgate.store import Acceptance, Handset

#: The handset of a number, if one is remembered.
KnownHandset = Callable[[str], Awaitable[Handset | None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """How a message begins its life: behind a discovery, or at once. `note` says so in its timeline."""

    message: Message
    ahead: Acceptance | None = None
    note: str = ""


def check_discovery(request: SendSavedMms, account: Account) -> Discovery | None:
    """What goes ahead, None where nobody asked: only the text makes a discovery.

    E228 for the text, E314 for the subject, E100 for a time-out that is no number of minutes; longer ones are cut.
    """
    text = request.discovery_text or ""
    if not text.strip():
        return None
    if len(text) > MAX_TEXT:
        raise Refusal("E228", x=MAX_TEXT, detail=f"ddm-message-text has {len(text):,} characters")
    return Discovery(
        text=text,
        subject=check_subject(request.discovery_subject, account) or SUBJECT,
        timeout=_timeout(request.discovery_timeout),
        forced=bool(request.discovery_forced),
    )


def _timeout(written: str | None) -> Millis:
    if not written:
        return TIMEOUT
    minutes = int(written) if written.isascii() and written.isdigit() and len(written) < 10 else 0
    if minutes < 1:
        raise Refusal("E100", detail="ddm-message-timeout is a whole number of minutes from 1")
    return min(minutes * MINUTE, LONGEST_TIMEOUT)


class Discoverer:
    """Decides whether a discovery goes ahead, and makes its message. `handset` looks up what is remembered."""

    def __init__(self, handset: KnownHandset, ids: Ids) -> None:
        self._handset, self._ids = handset, ids

    async def start(self, message: Message, discovery: Discovery | None, profile: CarrierProfile) -> Start:
        """The message as it begins: a known handset, or a carrier without reports, makes a discovery useless."""
        if discovery is None:
            return Start(message=message)
        known = None if discovery.forced else await self._handset(message.recipient)
        if known is not None:
            seen = f"{known.name}, which {known.connection} reported on {iso(known.seen_at)[:10]}"
            return Start(message=message, note=f"no device discovery: the phone is known as a {seen}")
        if profile.reports.gives is Gives.NONE:
            return Start(message=message, note=f"no device discovery: {profile.name} gives no reports")
        return Start(
            message=waiting(message, discovery),
            ahead=self._ahead(message, discovery),
            note=f"a device discovery goes ahead, for {spoken(discovery.timeout)} at most",
        )

    def _ahead(self, message: Message, discovery: Discovery) -> Acceptance:
        content = Content(
            id=self._ids.number(), account_id=message.account_id, name=SUBJECT, subject=discovery.subject,
            slides=(Slide(text=discovery.text),), created_at=message.accepted_at,
        )  # fmt: skip
        ahead = ahead_of(message, discovery, message_id=self._ids.number(), content_id=content.id)
        event = Event(
            at=ahead.accepted_at,
            happening=None,
            state=ahead.state,
            reason=f"device discovery for {ahead.connection}",
        )
        return Acceptance(message=ahead, content=content, event=event)
