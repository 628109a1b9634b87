"""A text in an alphabet that lacks some of its characters, for an SMSC that takes no other. No IO."""

import unicodedata
from typing import Final

from mmsgate.domain.gsm import Alphabet

#: In place of what has no likeness.
SUBSTITUTE: Final = "?"
#: Characters that Unicode does not take apart.
_LIKENESSES: Final = {
    "‘": "'", "’": "'", "‚": "'", "‛": "'", "“": '"', "”": '"', "„": '"', "‟": '"', "«": '"', "»": '"', "‹": "'",
    "›": "'", "`": "'", "´": "'", "‐": "-", "‑": "-", "‒": "-", "–": "-", "—": "-", "―": "-", "−": "-", "•": "*",
    "·": ".", "€": "EUR", "£": "GBP", "¥": "JPY", "ß": "ss", "æ": "ae", "Æ": "AE", "œ": "oe", "Œ": "OE", "ø": "o",
    "Ø": "O", "đ": "d", "Đ": "D", "ł": "l", "Ł": "L", "ð": "d", "Ð": "D", "þ": "th", "Þ": "Th", "ı": "i", "\t": " ",
}  # fmt: skip
#: They change how the character before them looks, and are nothing by themselves.
_INVISIBLE: Final = {"Mn", "Me", "Cf"}


def plain(text: str, alphabet: Alphabet) -> str:
    """`text` with characters that `alphabet` has: an accent falls away, quotes become straight, the rest ``?``."""
    if alphabet.has(text):
        return text
    return "".join(_likeness(char, alphabet) for char in unicodedata.normalize("NFC", text))


def _likeness(char: str, alphabet: Alphabet) -> str:
    if alphabet.has(char):
        return char
    if unicodedata.category(char) in _INVISIBLE:
        return ""
    apart = unicodedata.normalize("NFKD", _LIKENESSES.get(char, char))
    bare = "".join(_LIKENESSES.get(each, each) for each in apart if unicodedata.category(each) != "Mn")
    return bare if bare and alphabet.has(bare) else SUBSTITUTE
