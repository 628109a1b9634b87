"""From a text and a link to the parts of an SMS. No IO.

A part never begins or ends inside an escape pair, a surrogate pair, or the link (R-37); an emoji or an accented
letter made of several code points stays in one part if it fits into one at all.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from mmsgate.domain.gsm import Alphabet, Concatenation, alphabet_for
from mmsgate.sms.plain import plain
from mmsgate.sms.writing import USUAL, LongSms, Writing

_ZWJ = "\u200d"
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """One part, ready for submit_sm: `udh` is empty when it is the only one.

    `payload` has an octet for each septet, or what `data_coding` says. `sar` says which part it is where no header
    does. `in_payload` is a long text in one piece: it travels in message_payload.
    """

    number: int
    total: int
    udh: bytes
    payload: bytes = field(repr=False)
    data_coding: int
    sar: Concatenation | None = None
    in_payload: bool = False

    @property
    def user_data(self) -> bytes:
        """Header and payload: submit_sm's short_message."""
        return self.udh + self.payload


@dataclass(frozen=True, slots=True, kw_only=True)
class Segmented:
    """A whole SMS in its parts, in order."""

    alphabet: Alphabet
    segments: tuple[Segment, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class NotSegmentable:
    """The SMS can't be sent: the link is longer than a part, or there would be too many parts."""

    reason: str


def fallback_text(text: str, link: str = "") -> str:
    """What the phone shows: the text, one blank, the link at its end (API contract 9)."""
    if not link:
        return text
    return f"{text.rstrip()} {link}" if text.strip() else link


def segment(text: str, link: str = "", *, reference: int, writing: Writing = USUAL) -> Segmented | NotSegmentable:
    """`fallback_text(text, link)` in its parts, as the SMSC wants them.

    `reference` holds the parts together on the phone: its low eight bits are used, and a repetition of the SMS
    should have the same one. Lone surrogates, which no UTF-16 can carry, become U+FFFD.
    """
    text, link = _written(text, writing), _written(link, writing)
    whole = fallback_text(text, link)
    alphabet = alphabet_for(whole, writing.alphabet)
    coding = writing.coding(alphabet)
    if alphabet.length(whole) <= alphabet.single:
        only = Segment(number=1, total=1, udh=b"", payload=alphabet.encode(whole), data_coding=coding)
        return Segmented(alphabet=alphabet, segments=(only,))
    if (units := alphabet.length(link)) > alphabet.part:
        return NotSegmentable(reason=f"the link has {units} characters, a part of the SMS holds {alphabet.part}")
    most = writing.most_parts
    if (units := alphabet.length(whole)) > most * alphabet.part:  # before any work is done on it
        return NotSegmentable(reason=f"the SMS has {units} characters, {most} parts are allowed")
    parts = list(_packed(_atoms(whole.removesuffix(link), link, alphabet), alphabet))
    if len(parts) > most:
        return NotSegmentable(reason=f"the SMS has {len(parts)} parts, {most} are allowed")
    if writing.long is LongSms.PAYLOAD:
        parts = [alphabet.encode(whole)]
    return Segmented(alphabet=alphabet, segments=tuple(_segments(parts, coding, reference & 0xFF, writing.long)))


def _written(text: str, writing: Writing) -> str:
    text = _LONE_SURROGATE.sub("\ufffd", text)
    return text if writing.unicode else plain(text, writing.alphabet)


def _segments(parts: list[bytes], data_coding: int, reference: int, long: LongSms) -> Iterator[Segment]:
    total = len(parts)
    for number, payload in enumerate(parts, start=1):
        place = Concatenation(reference=reference, total=total, number=number)
        yield Segment(
            number=number, total=total, udh=place.header() if long is LongSms.UDH else b"", payload=payload,
            data_coding=data_coding, sar=place if long is LongSms.SAR else None,
            in_payload=long is LongSms.PAYLOAD,
        )  # fmt: skip


def _packed(atoms: Iterable[str], alphabet: Alphabet) -> Iterator[bytes]:
    """Atoms put together into parts, each as full as it gets."""
    part, units = "", 0
    for atom in atoms:
        more = alphabet.length(atom)
        if part and units + more > alphabet.part:
            yield alphabet.encode(part)
            part, units = "", 0
        part, units = part + atom, units + more
    yield alphabet.encode(part)


def _atoms(text: str, link: str, alphabet: Alphabet) -> Iterator[str]:
    """What must not be split: character clusters, then the link."""
    for cluster in clusters(text):
        if alphabet.length(cluster) <= alphabet.part:
            yield cluster
        else:  # an accent tower that no part can hold: split between its code points
            yield from cluster
    if link:
        yield link


def clusters(text: str) -> Iterator[str]:
    """`text` cut where a reader would cut it: a simple form of Unicode's grapheme clusters (UAX 29).

    A base character keeps its marks, variation selectors, skin tones and tag characters; joiners hold emoji
    together; two regional indicators are a flag; CR LF is one.
    """
    cluster = ""
    for char in text:
        if cluster and not _joins(cluster, char):
            yield cluster
            cluster = ""
        cluster += char
    if cluster:
        yield cluster


def _joins(cluster: str, char: str) -> bool:
    if char <= "\u02ff":  # the usual case, and no mark among them
        return cluster == "\r" and char == "\n"
    if char == _ZWJ or cluster.endswith(_ZWJ) or _extends(char):
        return True
    return _is_regional(char) and len(cluster) == 1 and _is_regional(cluster)


def _extends(char: str) -> bool:
    is_modifier = "\U0001f3fb" <= char <= "\U0001f3ff" or "\U000e0020" <= char <= "\U000e007f"
    return is_modifier or unicodedata.category(char) in {"Mn", "Mc", "Me"}


def _is_regional(char: str) -> bool:
    return "\U0001f1e6" <= char <= "\U0001f1ff"
