"""How an SMSC wants its texts: the alphabet, and what becomes of a long one."""

from dataclasses import dataclass
from enum import StrEnum

from mmsgate.domain.gsm import Alphabet

#: What one octet of the concatenation header can count.
MOST_PARTS = 255
#: About 3,000 GSM characters. The contract (section 9) recommends 20 to 110 and sets no limit.
DEFAULT_MAX_PARTS = 20
#: data_coding is one octet.
_CODINGS = range(-1, 256)


class LongSms(StrEnum):
    """How a text that is too long for one SMS is submitted."""

    UDH = "udh"  # in parts, each behind a user data header (3GPP TS 23.040 9.2.3.24.1)
    SAR = "sar"  # in parts, each with the three sar_ parameters (SMPP 3.4 5.3.2.22)
    PAYLOAD = "payload"  # whole, in message_payload (5.3.2.32): the SMSC cuts it


@dataclass(frozen=True, slots=True, kw_only=True)
class Writing:
    """How an SMSC wants its texts. Raises ValueError for what no SMSC can mean.

    `alphabet` is the one that texts are written in where it has their characters; other texts are written in UCS-2,
    or, where the SMSC takes no `unicode`, with characters that look alike. `data_coding` is the number that says
    `alphabet` to this SMSC, -1 that of the standard. `long` is what becomes of a text that does not fit into one
    SMS; one of more than `most_parts` parts is not sent.
    """

    alphabet: Alphabet = Alphabet.GSM7
    data_coding: int = -1
    unicode: bool = True
    long: LongSms = LongSms.UDH
    most_parts: int = DEFAULT_MAX_PARTS

    def __post_init__(self) -> None:
        if self.data_coding not in _CODINGS:
            raise ValueError(f"data_coding is one octet, or -1, not {self.data_coding}")
        if not 1 <= self.most_parts <= MOST_PARTS:
            raise ValueError(f"most_parts is 1 to {MOST_PARTS}, not {self.most_parts}")

    def coding(self, alphabet: Alphabet) -> int:
        """The data_coding of a text in that alphabet."""
        own = alphabet is self.alphabet and self.data_coding >= 0
        return self.data_coding if own else alphabet.data_coding

    @property
    def default(self) -> Alphabet:
        """What data_coding 0 means to this SMSC, for the texts that it sends us."""
        return self.alphabet if self.coding(self.alphabet) == 0 else Alphabet.GSM7


#: The 3GPP's own way.
USUAL = Writing()
