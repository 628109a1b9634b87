"""Profiles as releases before this one kept them.

Release 0.1.0 and its successors up to the sections kept a carrier's settings side by side: ``url``, ``username``,
``dialect`` … They are read for ever, so that an upgrade needs no hand.
"""

from collections.abc import Mapping
from typing import Any

#: Old name → where it is now.
_MOVED: Mapping[str, tuple[str, str]] = {
    "username": ("auth", "username"),
    "password": ("auth", "password"),
    "report_user": ("reports", "user"),
    "report_password": ("reports", "password"),
    "report_wait": ("reports", "wait"),
    "indeterminate_is_final": ("reports", "indeterminate_is_final"),
    "rejected_falls_back": ("reports", "rejected_falls_back"),
    "connections": ("pace", "connections"),
    "limit": ("limits", "bytes"),
    "limits": ("limits", "by_sender"),
    "measure": ("limits", "measure"),
    "h263": ("limits", "h263"),
    "types": ("limits", "types"),
    "operators": ("reach", "operators"),
    "sender_types": ("reach", "sender_types"),
    "sms": ("reach", "sms"),
    "on_unknown": ("answers", "on_unknown"),
    "unknown_wait": ("answers", "unknown_wait"),
    "empty_answer_accepts": ("answers", "empty_accepts"),
    "codes": ("answers", "codes"),
}
_SECONDS = ("timeout", "keepalive")
#: The same for an SMSC.
_SMSC_MOVED: Mapping[str, tuple[str, str]] = {
    "window": ("pace", "window"),
    "unknown_wait": ("answers", "unknown_wait"),
    "report_wait": ("receipts", "wait"),
}


def of_this_release(kept: Mapping[str, Any]) -> dict[str, Any]:
    """A kept profile with today's sections; one that has them is passed on. Odd names stay, to be refused later."""
    if kept.get("kind", "mm7") == "smpp":
        return _smsc(kept)
    if "url" not in kept or kept.get("kind", "mm7") != "mm7":
        return dict(kept)
    made: dict[str, Any] = {"endpoints": [kept["url"]]}
    for name, value in kept.items():
        if name in _MOVED:
            section, new = _MOVED[name]
            made.setdefault(section, {})[new] = value
        elif name in _SECONDS:
            made.setdefault("pace", {})[name] = round(value * 1000)
        elif name == "dialect":
            made["mm7"] = _dialect(value)
        elif name != "url":
            made[name] = value
    return made


def _smsc(kept: Mapping[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for name, value in kept.items():
        if name in _SMSC_MOVED:
            section, new = _SMSC_MOVED[name]
            made[section] = {**made.get(section, {}), new: value}
        else:
            made[name] = {**made.get(name, {}), **value} if isinstance(value, Mapping) else value
    return made


def _dialect(kept: Mapping[str, Any]) -> dict[str, Any]:
    """A SOAPAction that was null was left out."""
    made = dict(kept)
    if made.get("soap_action", "") is None:
        del made["soap_action"]
        made["omissions"] = [*made.get("omissions", ()), "SOAPAction"]
    return made
