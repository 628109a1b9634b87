"""Signed headers as Standard Webhooks 1.0 defines them (R-10)."""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Iterable

PREFIX = "whsec_"


def new_secret() -> str:
    """A signing secret in the form that Standard Webhooks libraries take."""
    return PREFIX + base64.b64encode(secrets.token_bytes(24)).decode()


def sign(keys: Iterable[str], *, identifier: str, timestamp: int, body: bytes) -> str:
    """The ``webhook-signature`` header: one ``v1,…`` per live secret, so that one can be rotated.

    `timestamp` is in seconds since 1970. Raises ValueError for a secret that is not base64.
    """
    signed = f"{identifier}.{timestamp}.".encode() + body
    return " ".join(f"v1,{_mac(key_of(secret), signed)}" for secret in keys)


def _mac(key: bytes, signed: bytes) -> str:
    return base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()


def key_of(secret: str) -> bytes:
    """The key that a secret stands for. Raises ValueError, which doesn't show it, for what is no base64."""
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except ValueError:  # binascii's error for other letters is one, and so is that for other alphabets
        key = b""
    if not key:
        raise ValueError("a postback secret must be base64, with or without whsec_ before it")
    return key
