"""Account settings as people write them, ``rates.quota=10000``: each in the type of its field.

A wrong value would be noticed late: by the customer's requests, or by postbacks that can't be made. The dataclasses
of `domain.account` say which settings there are, and of which type.
"""

import ipaddress
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import is_dataclass
from typing import Any, get_type_hints
from urllib.parse import urlsplit

import click

from mmsgate.domain.account import Account, Compat
from mmsgate.domain.country import COUNTRIES
from mmsgate.domain.request import Action, WireDialect
from mmsgate.postbacks.schedule import SCHEDULES
from mmsgate.postbacks.signature import key_of
from mmsgate.store.accounts import account_from_json, account_json

_ELSEWHERE = frozenset({"id", "name", "senders"})  # no settings: mmsgate number has the senders

#: Whether a JSON value suits, and what would, in words that follow "must be".
_Kind = tuple[Callable[[object], bool], str]


def changed(account: Account, assignments: Iterable[str]) -> Account:
    """The account with these settings, written ``NAME=VALUE``; else an error that says which is wrong, and why."""
    kept = json.loads(account_json(account))
    for assignment in assignments:
        _assign(kept, assignment)
    for name in TYPES:
        place, last = _place(kept, name)
        _check(name, place[last])
    return account_from_json(account.id, account.name, json.dumps(kept))


def _types(shape: type, prefix: str = "") -> dict[str, Any]:
    """Every setting with its type, nested ones with a dot."""
    found: dict[str, Any] = {}
    for name, hint in get_type_hints(shape).items():
        if is_dataclass(hint) and isinstance(hint, type):
            found |= _types(hint, f"{name}.")
        elif prefix or name not in _ELSEWHERE:
            found[prefix + name] = hint
    return found


def _assign(kept: dict[str, Any], assignment: str) -> None:
    name, equals, text = assignment.partition("=")
    if not equals or name not in TYPES:
        raise click.ClickException(f"there is no setting {name!r}; settings: {', '.join(TYPES)}")
    place, last = _place(kept, name)
    place[last] = _value(text, TYPES[name])


def _place(kept: dict[str, Any], name: str) -> tuple[dict[str, Any], str]:
    group, _, last = name.rpartition(".")
    return (kept[group] if group else kept), last


def _value(text: str, kind: Any) -> object:
    """JSON if it can be read as JSON, else plain text. A text that looks like a number is still a text."""
    try:
        value: object = json.loads(text)
    except ValueError:
        return text
    return text if kind is str and not isinstance(value, str) else value


def _check(name: str, value: object) -> None:
    """A value is never shown: it may be a secret."""
    suits, words = KINDS[TYPES[name]]
    if not suits(value):
        raise click.ClickException(f"{name} must be {words}")
    rule = _RULES.get(name)
    try:
        if rule is not None:
            rule(value)
    except ValueError as error:
        raise click.ClickException(f"{name}: {error}") from error


def _texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) for each in value)


def _web_address(value: Any) -> None:
    parts = urlsplit(value)  # raises ValueError for brackets that don't match, as does the port for what is none
    if value and (parts.scheme not in {"http", "https"} or not parts.hostname or parts.port == 0 or " " in value):
        raise ValueError("it must be an http or https URL, or empty")


def _networks(value: Any) -> None:
    for network in value:
        ipaddress.ip_network(network, strict=False)


def _schedule(value: Any) -> None:
    if value not in SCHEDULES:
        raise ValueError(f"there is no such schedule; schedules: {', '.join(SCHEDULES)}")


def _secrets(value: Any) -> None:
    for secret in value:
        key_of(secret)


def _dlr_code(value: Any) -> None:
    if value not in {"", "N102", "N202"}:
        raise ValueError("it must be N102, N202 or empty")


def _by_country(value: Any) -> None:
    for country, number in value.items():
        if country not in COUNTRIES:
            raise ValueError(f"{country!r} is no country: it is two letters (ISO 3166), like US")
        if not (number.isascii() and number.isdigit()):
            raise ValueError(f"the number for {country} has digits only")


TYPES: Mapping[str, Any] = _types(Account)
KINDS: Mapping[Any, _Kind] = {
    bool: (lambda value: isinstance(value, bool), "true or false"),
    bool | None: (lambda value: value is None or isinstance(value, bool), "true, false or null"),
    int: (lambda value: type(value) is int and value >= 0, "a whole number from 0"),
    str: (lambda value: isinstance(value, str), "a text"),
    Compat: (lambda value: value in list(Compat), f"{' or '.join(Compat)}"),
    WireDialect | None: (lambda value: value in (None, *WireDialect), f"{', '.join(WireDialect)} or null"),
    tuple[str, ...]: (_texts, 'a list of texts: ["…", "…"]'),
    frozenset[Action]: (
        lambda value: isinstance(value, list) and all(each in list(Action) for each in value),
        f"a list of actions out of {', '.join(Action)}",
    ),
    dict[str, str]: (
        lambda value: isinstance(value, dict) and all(isinstance(each, str) for each in value.values()),
        'texts by name: {"…": "…"}',
    ),
    dict[str, frozenset[str]]: (
        lambda value: isinstance(value, dict) and all(map(_texts, value.values())),
        'lists of texts by name: {"…": ["…"]}',
    ),
}
_RULES: Mapping[str, Callable[[object], None]] = {
    "default_senders": _by_country,
    "ip_allow": _networks,
    "page_base": _web_address,
    "postback.url": _web_address,
    "postback.mo_url": _web_address,
    "postback.schedule": _schedule,
    "postback.secrets": _secrets,
    "switches.fallback_dlr_code": _dlr_code,
}
