"""A message: one MMS to one recipient, and everything that is known of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from mmsgate.clock import Millis
from mmsgate.domain.number import SenderType, mask
from mmsgate.domain.postback import SentAs
from mmsgate.domain.request import WireDialect
from mmsgate.domain.slide import Medium, Slide
from mmsgate.domain.state import Happening, State


def counted(number: int, noun: str) -> str:
    """A number of things for people: ``1 slide``, ``2 slides``."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What is shown: the slides of a one-off sendMMS, of a template, or those that one recipient gets of it.

    Any number of messages may share one content.
    """

    id: int
    account_id: int
    name: str
    subject: str = ""
    slides: tuple[Slide, ...] = ()
    created_at: Millis = 0

    @property
    def media(self) -> tuple[Medium, ...]:
        """Every file, in the order of the slides."""
        return tuple(medium for slide in self.slides for medium in slide.media)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fallback:
    """The SMS that goes out when the phone can't have the MMS (API contract 9).

    `text` may be empty; `link` says whether the link to the page is added; `token` names the page, which shows
    its content until `expires_at`.
    """

    enabled: bool
    text: str
    link: bool
    token: str
    expires_at: Millis


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One MMS on its way to one recipient.

    The first group never changes after acceptance. `mms_id` is what the customer knows the content by, a template's
    id or the message's own; `content_id` is what is shown, which differs where it is personal. `due_at` is when the
    delivery (or, in a timed state, the timer) is to look at it, None in a final state; `attempts` counts submits of
    the present way (MMS or SMS); `told` says that the customer has been told N101; `postbacks` numbers them.
    `size_cap` is how many bytes the content may have after the carrier refused a larger one; 0: what its limit
    says. `awaits` is the key
    of the terms for which a version is being prepared, while it is. `discovers` is the message that waits for this
    one, a device discovery; 0: it is none. `updated_at` grows with every step, also of one
    millisecond, so that it tells one version of a message from the next.
    """

    id: int
    tracking_id: str
    account_id: int
    mms_id: int
    content_id: int
    dialect: WireDialect
    sender: str
    sender_type: SenderType
    sender_mask: str
    recipient: str
    operator: str
    service_id: str
    fallback: Fallback
    accepted_at: Millis
    expires_at: Millis

    connection: str
    state: State = State.ACCEPTED
    sent_as: SentAs = SentAs.MMS
    due_at: Millis | None = None
    attempts: int = 0
    carrier_message_id: str = ""
    handset: str = ""
    details: str = ""
    told: bool = False
    postbacks: int = 0
    size_cap: int = 0
    awaits: str = ""
    updated_at: Millis = 0
    discovers: int = 0

    @property
    def transaction_id(self) -> str:
        """The MM7 TransactionID: the same for every attempt, so that a carrier can see a repetition."""
        return str(self.id)

    @property
    def is_reply(self) -> bool:
        """An SMS of the gateway's own, the answer to STOP or HELP: without content, and nobody is told of it."""
        return not self.mms_id

    def __str__(self) -> str:
        what = "device discovery of" if self.discovers else "message"
        return f"{what} {self.tracking_id} to {mask(self.recipient)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One line of a message's timeline: what happened, where it led, and why in plain words.

    `state` is the state after it; `changed` says whether it moved the message at all. `data` holds the raw facts
    (status codes, sizes, ids) as JSON values.
    """

    at: Millis
    happening: Happening | None
    state: State
    reason: str
    changed: bool = True
    data: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class SmsPart:
    """One part of the fallback SMS and how far it has come.

    `smsc_id` is the id the SMSC gave it. A part `sent` waits for its receipt.
    """

    number: int
    state: str  # pending, submitting, sent, delivered, failed, unknown
    smsc_id: str = ""
    error: str = ""
