"""STOP, HELP and START: what a phone asks for with one word, and what it is answered (R-22)."""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Intent(StrEnum):
    """What the sender of a message wants."""

    OPT_OUT = "opt-out"
    OPT_IN = "opt-in"
    HELP = "help"


#: The words of R-22 as `bare` leaves them.
WORDS: Mapping[str, Intent] = {
    **dict.fromkeys(
        ("stop", "stopall", "unsubscribe", "end", "quit", "cancel", "revoke", "opt out", "optout"), Intent.OPT_OUT
    ),
    **dict.fromkeys(("help", "info"), Intent.HELP),
    **dict.fromkeys(("start", "unstop"), Intent.OPT_IN),
}

STOP_TEXT = "You will get no more messages from {number}. Reply START to get them again."
START_TEXT = "You will get messages from {number} again. Reply STOP to end them, HELP for help."
HELP_TEXT = (
    "Messages from {number}: reply STOP to end them, START to get them again. Message and data rates may apply."
)


def intent_of(text: str) -> Intent | None:
    """What a whole message asks for. A word inside a longer text asks for nothing."""
    return WORDS.get(bare(text))


def bare(text: str) -> str:
    """A text as words are compared: small letters and digits, single blanks, nothing else.

    Punctuation, emoji and what can't be seen go, full-width letters become plain ones.
    """
    kept = (_plain(char) for char in unicodedata.normalize("NFKC", text))
    return " ".join("".join(kept).casefold().split())


def _plain(char: str) -> str:
    if char.isspace():
        return char
    return char if unicodedata.category(char)[0] in "LN" else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OptOutSettings:
    """What the gateway does about these words for an account.

    `enabled` None means: unless the account is strict, as the original has no such service. `excluded` are numbers
    whose words the customer's own program handles. In the texts ``{number}`` stands for the number that was written
    to; an empty text is not sent.
    """

    enabled: bool | None = None
    excluded: tuple[str, ...] = ()
    stop_text: str = STOP_TEXT
    start_text: str = START_TEXT
    help_text: str = HELP_TEXT

    def answer(self, intent: Intent, number: str) -> str:
        """The text that is sent back; empty for none."""
        text = {Intent.OPT_OUT: self.stop_text, Intent.OPT_IN: self.start_text, Intent.HELP: self.help_text}[intent]
        return text.replace("{number}", number)
