"""Profiles as plain data: read from tables of names and values, kept in the store as JSON.

Types and values are checked by msgspec, whose errors name the place. Names are checked here, because it overlooks
those that a dataclass does not have.
"""

import difflib
import json
import typing
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from typing import Any

import msgspec

from mmsgate.carriers.legacy import of_this_release
from mmsgate.carriers.profile import CarrierProfile, Names
from mmsgate.carriers.smsc import SmscProfile

Profile = CarrierProfile | SmscProfile

KINDS: Mapping[str, type[Profile]] = {"mm7": CarrierProfile, "smpp": SmscProfile}

#: A setting that is a table of texts, which a dataclass that can be hashed holds as pairs.
PAIRS = tuple[tuple[str, str], ...]


class ProfileError(ValueError):
    """What is wrong with a profile, each problem with its key (``pace.rate``) in front."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


def profile_from(table: Mapping[str, Any]) -> Profile:
    """The profile that a table says; `kind` is ``mm7`` unless it says ``smpp``.

    Raises ProfileError with all that is wrong with it.
    """
    shape = shape_of(table)
    values = _as_held({name: value for name, value in table.items() if name != "kind"}, shape)
    if problems := [*_odd_names(values, shape), *_odd_values(values, shape)]:
        raise ProfileError(problems)
    return msgspec.convert(values, shape, str_keys=True)


def shape_of(table: Mapping[str, Any]) -> type[Profile]:
    """The kind of profile that a table is. Raises ProfileError if there is no such kind."""
    kind = table.get("kind", "mm7")
    if kind not in KINDS:
        raise ProfileError([f"kind is {' or '.join(KINDS)}, not {kind!r}"])
    return KINDS[kind]


def kind_of(profile: Profile) -> str:
    """The name of a profile's kind."""
    return next(name for name, shape in KINDS.items() if isinstance(profile, shape))


def plain(value: Any) -> Any:
    """A profile, a section or a setting as plain values: equal ones give equal ones."""
    return msgspec.to_builtins(value, str_keys=True, order="deterministic")


def profile_json(profile: Profile) -> str:
    """A profile as it is kept: equal ones give equal texts."""
    return json.dumps({"kind": kind_of(profile), **plain(profile)}, ensure_ascii=False)


def profile_from_json(text: str) -> Profile:
    """A profile as it was kept, by this release or an older one. Raises ProfileError as `profile_from` does."""
    return profile_from(of_this_release(json.loads(text)))


def is_smsc(text: str) -> bool:
    """Whether a kept profile is an SMSC's, even if it can't be read otherwise; an empty text is none."""
    return bool(text) and json.loads(text).get("kind") == "smpp"


def carrier_of(text: str) -> CarrierProfile | None:
    """The MMSC's profile that a kept text is; None for an SMSC's, an empty text, and one that can't be read."""
    try:
        profile = profile_from_json(text) if text else None
    except ProfileError:
        return None
    return profile if isinstance(profile, CarrierProfile) else None


@cache
def settings_of(shape: type) -> Mapping[str, Any]:
    """The settings of a profile or section with their types, notes on them included."""
    return typing.get_type_hints(shape, include_extras=True)


def is_section(hint: Any) -> bool:
    """Whether a setting of that type is a table of settings itself."""
    return isinstance(hint, type) and is_dataclass(hint)


def _as_held(table: Mapping[str, Any], shape: type) -> dict[str, Any]:
    """Values as the dataclasses hold them: tables of texts as pairs, one name as a list of one."""
    hints, made = settings_of(shape), dict(table)
    for name, value in table.items():
        hint: Any = hints.get(name)
        if hint == Names and isinstance(value, str):
            made[name] = [value]
        elif hint == PAIRS and isinstance(value, Mapping):
            made[name] = [list(pair) for pair in value.items()]
        elif is_section(hint) and isinstance(value, Mapping):
            made[name] = _as_held(value, hint)
    return made


def _odd_names(table: Mapping[str, Any], shape: type, place: str = "") -> Iterator[str]:
    """What is wrong with the names in a table: unknown ones, missing ones, those of its sections."""
    hints = settings_of(shape)
    for name in sorted(table.keys() - hints.keys()):
        near = difflib.get_close_matches(name, hints, n=1)
        yield f"{place}{name} is no setting" + (f"; did you mean {place}{near[0]}?" if near else "")
    for field in fields(shape):
        needed = field.default is MISSING and field.default_factory is MISSING
        if needed and field.name not in table:
            yield f"{place}{field.name} is missing"
        hint, value = hints[field.name], table.get(field.name)
        if is_section(hint) and isinstance(value, Mapping):
            yield from _odd_names(value, hint, f"{place}{field.name}.")


def _odd_values(table: Mapping[str, Any], shape: type, place: str = "") -> list[str]:
    """What is wrong with the values in a table: one after the other, then what a section says of them together."""
    problems: list[str] = []
    for name, hint in settings_of(shape).items():
        if name not in table:
            continue
        value, here = table[name], f"{place}{name}"
        if is_section(hint) and isinstance(value, Mapping):
            problems += _odd_values(value, hint, f"{here}.")
        elif hint == PAIRS and isinstance(value, list) and all(isinstance(each, list) for each in value):
            for key, *texts in value:
                problems += [each for text in texts for each in _conversion(text, str, f"{here}.{key}")]
        else:
            problems += _conversion(value, hint, here)
    return problems or _conversion(table, shape, place.removesuffix("."))


def _conversion(value: Any, hint: Any, place: str) -> list[str]:
    try:
        msgspec.convert(value, hint, str_keys=True)
    except msgspec.ValidationError as error:
        problem = _placed(str(error), place)
        return [] if "required field" in problem else [problem]  # a name that is missing has been told already
    return []


def _placed(message: str, place: str) -> str:
    """msgspec's ``Expected `int`, got `str` - at `$.burst` `` with the place in front."""
    problem, _, inside = message.replace("`", "").rpartition(" - at ") if " - at " in message else (message, "", "")
    problem = problem.replace("`", "")
    of_key = inside.startswith("key in ")
    inside = inside.removeprefix("key in ").removeprefix("$").removeprefix(".")
    whole = ".".join(filter(None, (place, inside))).replace(".[", "[")
    if problem[:1].islower():  # a section's own words, which begin with the setting
        return f"{whole}.{problem}" if whole else problem
    return ": ".join(filter(None, (whole, "a key" if of_key else "", problem)))
