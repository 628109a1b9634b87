"""The alphabets of SMS and the header that joins the parts of a long one: tables, encoder, decoder.

Sources: 3GPP TS 23.038 6.2.1 (default alphabet and its extension table), 3GPP TS 23.040 9.2.3.24 (user data
header), SMPP 3.4 5.2.19 (data_coding). In SMPP a septet travels in an octet of its own: nothing is packed here.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Final, Self

ESCAPE: Final = 0x1B

_BASIC: Final = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ"
    " !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENSION: Final = {
    0x0A: "\f",
    0x14: "^",
    0x28: "{",
    0x29: "}",
    0x2F: "\\",
    0x3C: "[",
    0x3D: "~",
    0x3E: "]",
    0x40: "|",
    0x65: "€",
}
#: Character → its septets: one, or the escape and one more.
_SEPTETS: Final = {char: bytes([code]) for code, char in enumerate(_BASIC) if code != ESCAPE} | {
    char: bytes([ESCAPE, code]) for code, char in _EXTENSION.items()
}


class Alphabet(Enum):
    """How the text of an SMS is written.

    `data_coding` is SMPP's name for it, `unit` the octets of one counted unit (a septet, an octet, a UTF-16 code
    unit), `single` the units of an SMS alone, `part` those of a part beside the six octets of a concatenation
    header.

    An SMSC that speaks ASCII sends septets to the phone. One that speaks Latin-1 may send septets or octets, so no
    more is counted on than octets have room for.
    """

    GSM7 = "gsm7", 0x00, 1, 160, 153
    ASCII = "ascii", 0x01, 1, 160, 153
    LATIN1 = "latin1", 0x03, 1, 140, 134
    UCS2 = "ucs2", 0x08, 2, 70, 67

    data_coding: int
    unit: int
    single: int
    part: int

    def __new__(cls, name: str, data_coding: int, unit: int, single: int, part: int) -> Self:
        member = object.__new__(cls)
        member._value_ = name
        member.data_coding, member.unit, member.single, member.part = data_coding, unit, single, part
        return member

    def encode(self, text: str) -> bytes:
        """`text` as it travels. Raises UnicodeEncodeError for a character that the alphabet lacks."""
        return encode_gsm(text) if self is Alphabet.GSM7 else text.encode(_CODECS[self])

    def decode(self, octets: bytes) -> str:
        """The text of octets, whatever they are: those that mean nothing become U+FFFD."""
        return decode_gsm(octets) if self is Alphabet.GSM7 else octets.decode(_CODECS[self], errors="replace")

    def has(self, text: str) -> bool:
        """Whether every character is in it."""
        if self is Alphabet.GSM7:
            return is_gsm(text)
        return all(ord(char) <= _LAST[self] for char in text)

    def length(self, text: str) -> int:
        """Counted units of `text`: septets (an extension character is two), octets, or UTF-16 code units."""
        if self is Alphabet.ASCII:
            return len(text) + sum(char in _DOUBLE for char in text)
        return len(self.encode(text)) // self.unit


#: Python's names of the encodings.
_CODECS: Final = {Alphabet.ASCII: "ascii", Alphabet.LATIN1: "latin-1", Alphabet.UCS2: "utf-16-be"}
#: The last code point of those that are the first ones of Unicode.
_LAST: Final = {Alphabet.ASCII: 0x7F, Alphabet.LATIN1: 0xFF, Alphabet.UCS2: 0x10FFFF}
_DOUBLE: Final = frozenset(_EXTENSION.values())


def is_gsm(text: str) -> bool:
    """Whether every character is in the default alphabet or its extension table."""
    return all(char in _SEPTETS for char in text)


def encode_gsm(text: str) -> bytes:
    """One octet per septet. Raises UnicodeEncodeError for a character of neither table."""
    try:
        return b"".join([_SEPTETS[char] for char in text])
    except KeyError as error:
        at = text.index(error.args[0])
        raise UnicodeEncodeError("gsm-7", text, at, at + 1, "not in the GSM default alphabet") from None


def decode_gsm(septets: bytes) -> str:
    """The text of unpacked septets.

    An escape with an unknown second half shows that half's basic character, and a lone or doubled escape a blank,
    as 23.038 asks of a receiver. The eighth bit is ignored.
    """
    return "".join(_decoded(septets))


def _decoded(septets: bytes) -> Iterator[str]:
    codes = iter(septets)
    for code in codes:
        if code & 0x7F != ESCAPE:
            yield _BASIC[code & 0x7F]
            continue
        second = next(codes, ESCAPE) & 0x7F
        yield " " if second == ESCAPE else _EXTENSION.get(second, _BASIC[second])


def alphabet_for(text: str, default: Alphabet = Alphabet.GSM7) -> Alphabet:
    """The `default` when it has every character, else UCS-2."""
    return default if default.has(text) else Alphabet.UCS2


# --- user data header -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Concatenation:
    """Which part of which SMS: `number` of `total` (1-based), held together by the sender's `reference`."""

    reference: int
    total: int
    number: int

    def header(self) -> bytes:
        """The user data header with an 8-bit reference: six octets."""
        return bytes([0x05, 0x00, 0x03, self.reference, self.total, self.number])


def split_header(payload: bytes) -> tuple[bytes, bytes]:
    """User data that begins with a header, as (header, rest). A header longer than the payload takes it all."""
    end = payload[0] + 1 if payload else 0
    return payload[:end], payload[end:]


def concatenation(header: bytes) -> Concatenation | None:
    """What the header says of parts (8-bit or 16-bit reference); None if nothing, or nonsense."""
    for element, value in _elements(header):
        if (element, len(value)) in {(0x00, 3), (0x08, 4)}:
            *reference, total, number = value
            if 1 <= number <= total:
                return Concatenation(reference=int.from_bytes(reference), total=total, number=number)
    return None


def _elements(header: bytes) -> Iterator[tuple[int, bytes]]:
    at = 1
    while at + 1 < len(header):
        element, length = header[at], header[at + 1]
        yield element, header[at + 2 : at + 2 + length]
        at += 2 + length


# --- decoding -------------------------------------------------------------------------------------


def decode(payload: bytes, data_coding: int, *, has_header: bool = False, default: Alphabet = Alphabet.GSM7) -> str:
    """The text of one SMS or one part of it, whatever comes: octets that mean nothing become U+FFFD.

    `data_coding` is SMPP's (5.2.19): the general group and the message-class group of 23.038 are understood. What 0
    means is the SMSC's affair: `default`. 8-bit data is read as Latin-1.
    """
    body = split_header(payload)[1] if has_header else payload
    return (default if data_coding == 0 else _alphabet(data_coding)).decode(body)


def _alphabet(data_coding: int) -> Alphabet:
    if data_coding in {0x01, 0x03}:
        return {0x01: Alphabet.ASCII, 0x03: Alphabet.LATIN1}[data_coding]
    if data_coding & 0xF0 == 0xF0:  # message class: bit 2 says 8-bit data
        return Alphabet.LATIN1 if data_coding & 0x04 else Alphabet.GSM7
    return {0x00: Alphabet.GSM7, 0x08: Alphabet.UCS2}.get(data_coding & 0x0C, Alphabet.LATIN1)
