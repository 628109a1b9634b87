"""Profiles as plain data: read from tables of names and values, kept in the store as JSON.

Types and values are checked by msgspec, whose errors name the place. Names are checked here, because it overlooks
those that a dataclass does not have.
"""

import difflib
import json
import typing
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, fields, is_dataclass
from typing import Any

import msgspec

from mmsgate.carriers.profile import CarrierProfile
from mmsgate.carriers.smsc import SmscProfile

Profile = CarrierProfile | SmscProfile

KINDS: Mapping[str, type[Profile]] = {"mm7": CarrierProfile, "smpp": SmscProfile}


def profile_from(table: Mapping[str, Any]) -> Profile:
    """The profile that a table says; `kind` is ``mm7`` unless it says ``smpp``.

    Raises ValueError with the key (``pace.rate``) and what is wrong with it.
    """
    kind = table.get("kind", "mm7")
    if kind not in KINDS:
        raise ValueError(f"kind is {' or '.join(KINDS)}, not {kind!r}")
    shape = KINDS[kind]
    values = {name: value for name, value in table.items() if name != "kind"}
    if problem := next(_odd_names(values, shape), ""):
        raise ValueError(problem)
    try:
        return msgspec.convert(values, shape, str_keys=True)
    except msgspec.ValidationError as error:
        raise ValueError(_placed(str(error))) from error


def profile_json(profile: Profile) -> str:
    """A profile as it is kept: equal ones give equal texts."""
    kind = next(name for name, shape in KINDS.items() if isinstance(profile, shape))
    plain = msgspec.to_builtins(profile, str_keys=True, order="deterministic")
    return json.dumps({"kind": kind, **plain}, ensure_ascii=False)


def profile_from_json(text: str) -> Profile:
    """A profile as it was kept. Raises ValueError as `profile_from` does."""
    return profile_from(json.loads(text))


def _odd_names(table: Mapping[str, Any], shape: type, place: str = "") -> Iterator[str]:
    """What is wrong with the names in a table: unknown ones, missing ones, those of its sections."""
    hints = typing.get_type_hints(shape)
    for name in table.keys() - hints.keys():
        near = difflib.get_close_matches(name, hints, n=1)
        yield f"{place}{name} is no setting" + (f"; did you mean {place}{near[0]}?" if near else "")
    for field in fields(shape):
        needed = field.default is MISSING and field.default_factory is MISSING
        if needed and field.name not in table:
            yield f"{place}{field.name} is missing"
        hint, value = hints[field.name], table.get(field.name)
        if is_dataclass(hint) and isinstance(hint, type) and isinstance(value, Mapping):
            yield from _odd_names(value, hint, f"{place}{field.name}.")


def _placed(message: str) -> str:
    """msgspec's ``Expected `int`, got `str` - at `$.pace.burst` `` with the place in front."""
    problem, _, place = message.replace("`", "").partition(" - at ")
    of_key = place.startswith("key in ")
    place = place.removeprefix("key in ").removeprefix("$.")
    return ": ".join(filter(None, (place, "a key" if of_key else "", problem)))
