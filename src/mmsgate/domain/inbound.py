"""What a phone sent us: an MMS or an SMS, whose it is, and the word it begins with."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from mmsgate.clock import Millis
from mmsgate.domain.account import Account
from mmsgate.domain.number import mask
from mmsgate.domain.optout import Intent, bare

#: Characters of a message's text that are kept beside its files, and looked at for words.
MAX_INBOUND_TEXT = 5000
#: No keyword is longer.
_LONGEST_WORD = 200


class InboundKind(StrEnum):
    """How it came."""

    MMS = "mms"
    SMS = "sms"


@dataclass(frozen=True, slots=True, kw_only=True)
class InboundFile:
    """One part of an inbound MMS, as it is offered.

    `number` counts from 1. `mime` is the type it is served with; `attach` says that browsers have to save it, never
    to show it; `declared` is what the carrier called it; `note` says in words what was wrong, if anything.
    """

    number: int
    extension: str
    mime: str
    blob: str
    size: int
    attach: bool
    declared: str = ""
    note: str = ""

    @property
    def name(self) -> str:
        """The last part of its address. Nothing of it comes from the sender."""
        return f"{self.number}.{self.extension}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Inbound:
    """A message that a phone sent to one of our numbers.

    `id` and `tracking_id` are of the same kinds as a message's. `account_id` is None while nobody has the number.
    `reference` is the carrier's id for it; `copy_to` are the others of a group. `token` names its files until
    `expires_at`; `sent_at` is when it was sent, by the carrier's word.
    """

    id: int
    tracking_id: str
    kind: InboundKind
    connection: str
    reference: str = ""
    account_id: int | None = None
    sender: str
    recipient: str
    copy_to: tuple[str, ...] = ()
    operator: str = ""
    subject: str = field(default="", repr=False)
    text: str = field(default="", repr=False)
    keyword: str = ""
    intent: Intent | None = None
    files: tuple[InboundFile, ...] = ()
    token: str = field(default="", repr=False)
    sent_at: Millis
    received_at: Millis
    expires_at: Millis

    @property
    def words(self) -> str:
        """What its sender wrote: the text, or the subject of a message without one."""
        return self.text if self.text.strip() else self.subject

    def __str__(self) -> str:
        return f"inbound {self.kind} {self.tracking_id} from {mask(self.sender)} to {mask(self.recipient)}"


def first_word(text: str) -> str:
    """The first word of a text, `bare`."""
    return bare(text.lstrip()[:_LONGEST_WORD]).partition(" ")[0]


def keyword_of(account: Account, number: str, texts: Iterable[str]) -> str:
    """The keyword that one of the texts begins with, as the account has written it; empty for none."""
    known = {bare(keyword): keyword for keyword in sorted(account.keywords.get(number, ()))}
    found = (known.get(first_word(text)) for text in texts)
    return next((keyword for keyword in found if keyword), "")


def owner_of(owners: Sequence[Account], number: str, texts: Sequence[str]) -> Account | None:
    """Whose a message to `number` is, of those who have the number: who has its keyword, else the first of them."""
    by_keyword = (account for account in owners if keyword_of(account, number, texts))
    return next(by_keyword, None) or next(iter(owners), None)
