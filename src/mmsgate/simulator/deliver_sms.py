"""An SMS from a phone as deliver_sm: in the SMSC's alphabet or UCS-2, a long one in parts with a header."""

from collections.abc import Callable, Iterator

import smpp34

from mmsgate.domain.gsm import Alphabet, Concatenation, alphabet_for

MAX_PARTS = 255

_UDHI = 0x40  # esm_class
_INTERNATIONAL, _NETWORK_SPECIFIC, _ISDN = 1, 3, 1
_SHORT = 8  # a number with fewer digits is a short code


#: A deliver_sm, for a sequence number that the session gives.
Deliver = Callable[[int], smpp34.DeliverSm]


def deliver_sms(
    text: str, *, sender: str, to: str, reference: int, ucs2: bool = False, default: Alphabet = Alphabet.GSM7
) -> list[Deliver]:
    """The deliver_sm of each part, in order.

    `reference` (0-255) holds the parts together. `ucs2`: also where `default` would do, which is what
    data_coding 0 means to the SMSC. Raises ValueError for a text of
    more than 255 parts.
    """
    alphabet = Alphabet.UCS2 if ucs2 else alphabet_for(text, default)
    pieces = [text] if alphabet.length(text) <= alphabet.single else list(_pieces(text, alphabet))
    if len(pieces) > MAX_PARTS:
        raise ValueError(f"the text needs {len(pieces)} parts; an SMS has at most {MAX_PARTS}")
    return [
        _deliver_sm(alphabet.encode(piece), _header(reference, len(pieces), place), alphabet, sender, to)
        for place, piece in enumerate(pieces, 1)
    ]


def _pieces(text: str, alphabet: Alphabet) -> Iterator[str]:
    """As much of the text as fits beside a header, again and again; no character is cut in two."""
    piece, used = "", 0
    for char in text:
        units = alphabet.length(char)
        if used + units > alphabet.part:
            yield piece
            piece, used = "", 0
        piece, used = piece + char, used + units
    yield piece


def _header(reference: int, total: int, number: int) -> bytes:
    return Concatenation(reference=reference, total=total, number=number).header() if total > 1 else b""


def _deliver_sm(payload: bytes, header: bytes, alphabet: Alphabet, sender: str, to: str) -> Deliver:
    return lambda sequence: smpp34.DeliverSm(
        sender,
        to,
        header + payload,
        source_addr_ton=_INTERNATIONAL,
        source_addr_npi=_ISDN,
        dest_addr_ton=_NETWORK_SPECIFIC if len(to) < _SHORT else _INTERNATIONAL,
        dest_addr_npi=_ISDN,
        esm_class=_UDHI if header else 0,
        data_coding=alphabet.data_coding if alphabet is Alphabet.UCS2 else 0,
        sequence_number=sequence,
    )
