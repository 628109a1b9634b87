"""Telephone numbers: MSISDNs, short codes, and how they are written and masked.

Inside the gateway a number is E.164 digits without a plus (ruling R-17), or a short code's digits.
"""

import re
from enum import StrEnum

_DIGITS = re.compile(r"[0-9]+", re.ASCII)
_LONG = re.compile(r"[0-9]{7,}", re.ASCII)
_DECORATION = re.compile(r"[\s\-().]")
_TYPE_SUFFIX = re.compile(r"/TYPE=.*$", re.IGNORECASE | re.DOTALL)

#: The digits of an international number (API contract 2.3): shorter or longer is no MSISDN.
MSISDN_LENGTH = range(8, 16)
SHORT_CODE_LENGTH = range(3, 9)


class SenderType(StrEnum):
    """What kind of number a message comes from; limits and addressing depend on it."""

    SHORT_CODE = "short-code"
    LONG_CODE = "long-code"
    TOLL_FREE = "toll-free"


def parse_msisdn(text: str, *, strict: bool = False) -> str | None:
    """The digits of an international number, or None if `text` is none.

    A leading ``+``, blanks and dashes are taken away unless `strict` (R-17); ``00`` prefixes and lists are
    refused either way (API contract 2.3).
    """
    if not strict:
        text = undecorated(text)
    if not _DIGITS.fullmatch(text) or len(text) not in MSISDN_LENGTH or text.startswith("0"):
        return None
    return text


def undecorated(text: str) -> str:
    """A number as people write it, without a leading ``+``, blanks, dashes, dots and brackets."""
    return _DECORATION.sub("", text).removeprefix("+")


def normalise(number: str) -> str:
    """A number as carriers write it (``+1…``, ``1…/TYPE=PLMN``), as we write it: digits alone.

    What is no number at all (a mail address, say) comes back trimmed but otherwise as it is.
    """
    if number.isascii() and number.isdigit():
        return number  # nearly all are
    bare = _TYPE_SUFFIX.sub("", number.strip())
    digits = undecorated(bare)
    return digits if _DIGITS.fullmatch(digits) else bare


def mask(number: str) -> str:
    """A number for logs: enough to recognise one's own, not enough to call (design promise 8)."""
    if len(number) <= 6:
        return number  # a short code is public
    return f"{number[:2]}{'•' * (len(number) - 6)}{number[-4:]}"


def mask_numbers(text: str) -> str:
    """A text for logs: every run of 7 digits and more is masked. It may be a phone number in a carrier's words."""
    return _LONG.sub(lambda found: mask(found[0]), text)
