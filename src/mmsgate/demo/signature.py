"""A receiver's check of a postback's signature, as Standard Webhooks 1.0 defines it (R-10).

Written from the standard and apart from the code that signs: an error there must not cancel itself out here.
"""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Mapping
from enum import StrEnum

from mmsgate.clock import MINUTE, SECOND, Millis

#: How far the signed time may lie from now: what the standard's own libraries take, so that a recorded
#: postback can't be played back later.
TOLERANCE: Millis = 5 * MINUTE

_PREFIX = "whsec_"
_TIMESTAMP = re.compile(r"\d{1,12}", re.ASCII)


class Signature(StrEnum):
    """What the check found."""

    OK = "ok"
    WRONG = "wrong"
    STALE = "stale"
    MISSING = "missing"
    UNCHECKED = "unchecked"


def decode_secret(secret: str) -> bytes:
    """The key in a secret such as ``whsec_MfKQ…``. Raises ValueError if it is not base64."""
    try:
        return base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("a webhook secret is base64 after whsec_") from None  # without the secret's text


def check(key: bytes, headers: Mapping[str, str], body: bytes, *, now: Millis) -> Signature:
    """Whether `headers` (names in lower case) sign `body` with `key`; no key leaves it unchecked.

    One right signature among several is enough: while a secret is being replaced, both sign.
    """
    if not key:
        return Signature.UNCHECKED
    identifier, timestamp, given = (headers.get(f"webhook-{name}", "") for name in ("id", "timestamp", "signature"))
    if not (identifier and timestamp and given):
        return Signature.MISSING
    message = f"{identifier}.{timestamp}.".encode() + body
    expected = hmac.new(key, message, hashlib.sha256).digest()
    if not any(hmac.compare_digest(expected, one) for one in _decoded(given)):
        return Signature.WRONG
    return Signature.OK if _is_recent(timestamp, now) else Signature.STALE


def _decoded(given: str) -> list[bytes]:
    """The signatures of version 1; others are for receivers that know them."""
    found = []
    for one in given.split(" "):
        version, _, value = one.partition(",")
        if version != "v1":
            continue
        try:
            found.append(base64.b64decode(value, validate=True))
        except ValueError:  # not base64: it signs nothing
            found.append(b"")
    return found


def _is_recent(timestamp: str, now: Millis) -> bool:
    return bool(_TIMESTAMP.fullmatch(timestamp)) and abs(int(timestamp) * SECOND - now) <= TOLERANCE
