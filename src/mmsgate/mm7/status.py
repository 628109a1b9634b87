"""MM7 status codes: number, text and class (TS 23.140 Rel-6, 8.7.1.10; MM7 wire page).

Codes to which a carrier gives a meaning of its own (25xx, 35xx …) belong to its profile, which is asked first.
"""

from enum import IntEnum


class StatusClass(IntEnum):
    """The thousands of a code say whose matter it is."""

    SUCCESS = 1
    CLIENT = 2
    SERVER = 3
    SERVICE = 4


TEXTS: dict[int, str] = {
    1000: "Success",
    1100: "Partial success",
    2000: "Client error",
    2001: "Operation restricted",
    2002: "Address Error",
    2003: "Address Not Found",
    2004: "Multimedia content refused",
    2005: "Message ID Not found",
    2006: "LinkedID not found",
    2007: "Message format corrupt",
    2008: "Application ID not found",
    2009: "Reply Application ID not found",
    3000: "Server Error",
    3001: "Not Possible",
    3002: "Message rejected",
    3003: "Multiple addresses not supported",
    3004: "Application Addressing not supported",
    4000: "General service error",
    4001: "Improper identification",
    4002: "Unsupported version",
    4003: "Unsupported operation",
    4004: "Validation error",
    4005: "Service error",
    4006: "Service unavailable",
    4007: "Service denied",
}

_OUTSIDE = 3000


def canonical(code: int) -> int:
    """The code as the table knows it: an unknown one counts as its class's x000, one of no class as 3000."""
    if code in TEXTS:
        return code
    general = code // 1000 * 1000
    return general if general in TEXTS else _OUTSIDE


def status_class(code: int) -> StatusClass:
    """The class of a code, known or not."""
    return StatusClass(canonical(code) // 1000)


def text(code: int) -> str:
    """The standard's words for a code, or for what an unknown one counts as."""
    return TEXTS[canonical(code)]
