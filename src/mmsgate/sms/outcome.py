"""What can become of one submit_sm. Outcomes are values; *unknown* is a case of its own (R-19)."""

from dataclasses import dataclass
from enum import IntEnum


class Status(IntEnum):
    """The values of command_status that we read or write (SMPP 3.4 5.1.3)."""

    ESME_ROK = 0x00
    ESME_RINVCMDID = 0x03
    ESME_RINVBNDSTS = 0x04
    ESME_RSYSERR = 0x08
    ESME_RMSGQFUL = 0x14
    ESME_RTHROTTLED = 0x58
    ESME_RX_T_APPN = 0x64
    ESME_RX_R_APPN = 0x66


#: The SMSC took nothing and wants it slower.
THROTTLED = frozenset({Status.ESME_RTHROTTLED, Status.ESME_RMSGQFUL})
#: Refusals that are about the moment, not about the message.
TEMPORARY = frozenset({Status.ESME_RINVBNDSTS, Status.ESME_RSYSERR, Status.ESME_RX_T_APPN})


@dataclass(frozen=True, slots=True, kw_only=True)
class SmsAccepted:
    """The SMSC took it. `message_id` is as it wrote it, and may be empty."""

    message_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SmsThrottled:
    """Not taken, later perhaps: ESME_RTHROTTLED or ESME_RMSGQFUL."""

    status: int
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SmsRefused:
    """Not taken. `name` is the status' name in the standard, or its number in hex."""

    status: int
    name: str
    permanent: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SmsNotSent:
    """No octet of it left: it may safely be sent again."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SmsUnknown:
    """submit_sm was written and never answered: the SMSC may have it (R-19)."""

    reason: str


SmsOutcome = SmsAccepted | SmsThrottled | SmsRefused | SmsNotSent | SmsUnknown


def outcome_of(status: int, name: str, message_id: str) -> SmsOutcome:
    """The outcome that an answer (submit_sm_resp or generic_nack) with this command_status means."""
    if status == Status.ESME_ROK:
        return SmsAccepted(message_id=message_id)
    if status in THROTTLED:
        return SmsThrottled(status=status, name=name)
    return SmsRefused(status=status, name=name, permanent=status not in TEMPORARY)
