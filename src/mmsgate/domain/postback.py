"""Postbacks: what a customer's program is told about a message, whatever the dialect it is told in."""

from dataclasses import dataclass
from enum import StrEnum

from mmsgate.clock import Millis


class SentAs(StrEnum):
    """How the content travelled."""

    MMS = "MMS"
    SMS = "SMS"


class PostbackCode(StrEnum):
    """The codes of the postbacks that this version sends (postback contract 2)."""

    N003 = "N003"
    E002 = "E002"
    E003 = "E003"
    N013 = "N013"
    E012 = "E012"
    E013 = "E013"
    N101 = "N101"
    N102 = "N102"
    N103 = "N103"  # in JSON alone, where the others say E102
    N202 = "N202"
    E101 = "E101"
    E102 = "E102"
    E202 = "E202"
    E999 = "E999"
    N501 = "N501"
    N502 = "N502"
    E501 = "E501"
    E502 = "E502"


class Undelivered(StrEnum):
    """Why a sent message did not arrive. Each dialect has its own words for it (postback contract 8)."""

    EXPIRED = "expired"
    REJECTED = "rejected"
    NOT_SUPPORTED = "not supported"
    UNRECOGNISED = "unrecognised"
    UNREACHABLE = "unreachable"
    INDETERMINATE = "indeterminate"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Postback:
    """One notification about one message, or (N003, E002, E003) about one template, which has no people.

    `timestamp` is when the thing happened; `operator` the operator's id in our table (310xx) or empty; `why` only
    for E102, E202 and E502; `details` is free text; `handset` only where a report named it; `medium` is the URL of
    the sound or video that could not be used.
    """

    code: PostbackCode
    sent_as: SentAs
    mms_id: int
    timestamp: Millis
    sender: str = ""
    sender_mask: str = ""
    recipient: str = ""
    tracking_id: str = ""
    operator: str = ""
    why: Undelivered | None = None
    details: str = ""
    handset: str = ""
    medium: str = ""
