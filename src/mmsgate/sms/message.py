"""An SMS part on its way out, and an SMS that came in."""

from dataclasses import dataclass, field

from mmsgate.domain.gsm import Concatenation
from mmsgate.domain.number import mask
from mmsgate.sms.segments import Segment

#: Type of number (SMPP 3.4 5.2.5) and numbering plan (5.2.6).
TON_INTERNATIONAL, NPI_ISDN = 1, 1

#: SMPP 3.4 4.4.1: an address has up to 20 characters.
MAX_ADDRESS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboundSms:
    """One part to be submitted.

    `service_type` is the SMSC's name of the service, empty for its own choice (5.2.11). `registered_delivery` 1
    asks for a receipt of success and failure (5.2.17). `reference` is ours, for the log.
    Raises ValueError for an address that SMPP can't carry.
    """

    segment: Segment
    source: str = field(repr=False)
    source_ton: int = TON_INTERNATIONAL
    source_npi: int = NPI_ISDN
    destination: str = field(repr=False)
    destination_ton: int = TON_INTERNATIONAL
    destination_npi: int = NPI_ISDN
    service_type: str = ""
    registered_delivery: int = 1
    reference: str = ""

    def __post_init__(self) -> None:
        for address in (self.source, self.destination):
            if not address.isascii() or len(address) > MAX_ADDRESS or "\0" in address:
                raise ValueError(f"{mask(address)!r} is no SMPP address: {MAX_ADDRESS} ASCII characters at most")

    def __str__(self) -> str:
        part = f"part {self.segment.number}/{self.segment.total}"
        return f"SMS {self.reference} {part} to {mask(self.destination)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class InboundSms:
    """An SMS, or one part of it, that a phone sent us.

    `part` says which part it is, None for a whole one. `text` is decoded; `payload` is what it was decoded from,
    without the header.
    """

    source: str = field(repr=False)
    destination: str
    text: str = field(repr=False)
    data_coding: int
    payload: bytes = field(repr=False)
    part: Concatenation | None = None

    def __str__(self) -> str:
        return f"SMS from {mask(self.source)} to {mask(self.destination)}"
