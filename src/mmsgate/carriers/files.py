"""Profiles as TOML files: what people write, and what they are shown.

A file has a profile's settings in the tables of its sections, and besides:

* ``kind``: ``mm7`` (if it is missing) or ``smpp``;
* ``base``: the name of a shipped profile, whose settings count where the file says nothing;
* times with their unit (``15 min``), paths relative to the file;
* for a secret, ``{ env = "NAME" }`` or ``{ file = "path" }``, read when the file is read.
"""

import itertools
import re
import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, Field, dataclass, field, fields
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import tomli_w

from mmsgate.carriers.profile import CarrierProfile, FilePath
from mmsgate.carriers.record import (
    PAIRS,
    Profile,
    ProfileError,
    is_section,
    kind_of,
    plain,
    profile_from,
    settings_of,
    shape_of,
)
from mmsgate.carriers.tls import trust_of
from mmsgate.clock import Millis, read_span, write_span

#: What is shown of a secret.
MASK = "••••••••"

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_SYNTAX = re.compile(r"(?P<problem>.*) \(at (?:line (?P<line>\d+), column (?P<column>\d+)|end of document)\)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shipped:
    """A profile that comes with the program: what it is for, and its settings, as a file and as a table."""

    name: str
    about: str
    text: str
    table: Mapping[str, Any]


@cache
def shipped() -> Mapping[str, Shipped]:
    """The profiles that come with the program, by name."""
    folder = resources.files(__package__).joinpath("profiles")
    found = sorted((each for each in folder.iterdir() if each.name.endswith(".toml")), key=lambda each: each.name)
    return {name: _shipped(name, each.read_text(encoding="utf-8")) for each in found if (name := each.name[:-5])}


def _shipped(name: str, text: str) -> Shipped:
    """What it is for is the comment at its top."""
    comment = itertools.takewhile(lambda line: line.startswith("#"), text.splitlines())
    about = " ".join(line.removeprefix("#").strip() for line in comment)
    return Shipped(name=name, about=about, text=text, table=tomllib.loads(text))


# -- reading


def read_profile_file(path: Path, environment: Mapping[str, str]) -> Profile:
    """The profile in a file. Raises ProfileError whose problems begin with the file's name."""
    try:
        return read_profile(
            path.read_text(encoding="utf-8"), folder=path.parent.absolute(), environment=environment
        )
    except OSError as error:
        raise ProfileError([f"{path}: it can't be read: {error.strerror}"]) from None
    except UnicodeDecodeError:
        raise ProfileError([f"{path}: it is not UTF-8"]) from None
    except ProfileError as error:
        raise ProfileError([f"{path}{_colon(problem)}{problem}" for problem in error.problems]) from None


def _colon(problem: str) -> str:
    return ":" if problem[:1].isdigit() else ": "  # a line, as compilers write it


def read_profile(text: str, *, folder: Path, environment: Mapping[str, str]) -> Profile:
    """The profile in a TOML text. `folder` is where relative paths begin. Raises ProfileError."""
    try:
        table = _on_base(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise ProfileError([_syntax(str(error), text)]) from None
    shape = shape_of(table)
    reading = _Reading(folder=folder, environment=environment)
    values = reading.values({name: value for name, value in table.items() if name != "kind"}, shape)
    try:
        profile = profile_from({**values, "kind": table.get("kind", "mm7")})
    except ProfileError as error:
        raise ProfileError([*reading.problems, *error.problems]) from None
    if problems := [*reading.problems, *_unusable(profile)]:
        raise ProfileError(problems)
    return profile


def _syntax(message: str, text: str) -> str:
    """tomllib's words with the line in front."""
    found = _SYNTAX.fullmatch(message)
    if found is None:
        return message
    line = int(found["line"]) if found["line"] else text.count("\n") + 1
    where = f"{line}:{found['column']}" if found["column"] else f"{line}"
    return f"{where}: {found['problem']}"


def _on_base(table: dict[str, Any]) -> dict[str, Any]:
    """The table on top of the shipped profile that it names."""
    name = table.pop("base", None)
    if name is None:
        return table
    base = shipped().get(name) if isinstance(name, str) else None
    if base is None:
        raise ProfileError([f"base: there is no shipped profile {name!r}; there are {', '.join(shipped())}"])
    if table.get("kind", "mm7") != base.table.get("kind", "mm7"):
        raise ProfileError([f"base: {name} is of another kind than {table['kind']}"])
    return _laid_over(base.table, table)


def _laid_over(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Two tables as one: the upper one's values count, tables in both are laid over each other in turn."""
    made = dict(below)
    for name, value in above.items():
        under = made.get(name)
        if isinstance(under, Mapping) and isinstance(value, Mapping):
            made[name] = _laid_over(under, value)
        else:
            made[name] = value
    return made


def _unusable(profile: Profile) -> list[str]:
    """What is wrong with a profile that can be said only where it is to be used."""
    problems = []
    if not _NAME.fullmatch(profile.name):
        problems.append(f"name: {profile.name!r} can't be part of a URL: letters, digits, dots, dashes, at most 64")
    section, files = ("auth", profile.auth) if isinstance(profile, CarrierProfile) else ("tls", profile.tls)
    try:
        trust_of(files)
    except ValueError as error:
        problems.append(f"{section}.{error}")
    return problems


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reading:
    """What people write, made what the program keeps. A setting with a problem is left out."""

    folder: Path
    environment: Mapping[str, str]
    problems: list[str] = field(default_factory=list)

    def values(self, table: Mapping[str, Any], shape: type, place: str = "") -> dict[str, Any]:
        made: dict[str, Any] = {}
        hints = settings_of(shape)
        secrets = {each.name for each in fields(shape) if not each.repr}
        for name, value in table.items():
            hint: Any = hints.get(name)
            here = f"{place}{name}"
            try:
                if is_section(hint) and isinstance(value, Mapping):
                    made[name] = self.values(value, hint, f"{here}.")
                elif name in secrets:
                    made[name] = self._secret(value)
                elif hint == Millis:
                    made[name] = _time(value)
                elif hint == FilePath and isinstance(value, str) and value:
                    made[name] = str(self.folder / value)
                else:
                    made[name] = value
            except ValueError as error:
                self.problems.append(f"{here}: {error}")
        return made

    def _secret(self, value: Any) -> Any:
        """A secret, or what is where it stands."""
        if value == MASK:
            raise ValueError("it is masked: write the secret itself, { env = … } or { file = … }")
        if not isinstance(value, Mapping):
            return value
        match dict(value):
            case {"env": str(name), **rest} if not rest:
                if name not in self.environment:
                    raise ValueError(f"there is no environment variable {name}")
                return self.environment[name]
            case {"file": str(path), **rest} if not rest:
                return _content(self.folder / path)
            case _:
                raise ValueError('a text is expected, { env = "NAME" } or { file = "path" }')


def _content(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").rstrip("\r\n")
    except OSError as error:
        raise ValueError(f"{path} can't be read: {error.strerror}") from None


def _time(value: Any) -> Millis:
    length = read_span(value) if isinstance(value, str) else None
    if length is None:
        raise ValueError(f"a time with its unit is expected, like 500 ms, 15 min or 3 days, not {value!r}")
    return length


# -- writing


def profile_toml(profile: Profile, *, secrets: bool = False, whole: bool = False) -> str:
    """The profile as a file: what differs from the defaults, or the `whole` of it. Without `secrets` masked."""
    return tomli_w.dumps({"kind": kind_of(profile), **_written(profile, secrets=secrets, whole=whole)})


def settings(profile: Profile) -> dict[str, Any]:
    """Every setting by its key (``pace.rate``), with its value as a file has it. Secrets are in it."""
    return dict(_flat(_written(profile, secrets=True, whole=True)))


def changed_keys(before: Profile, after: Profile) -> list[str]:
    """The settings in which two profiles differ."""
    old, new = settings(before), settings(after)
    return [key for key in {**old, **new} if old.get(key) != new.get(key)]


def _flat(table: Mapping[str, Any], place: str = "") -> list[tuple[str, Any]]:
    pairs: list[tuple[str, Any]] = []
    for name, value in table.items():
        if isinstance(value, Mapping) and value:
            pairs += _flat(value, f"{place}{name}.")
        else:
            pairs.append((f"{place}{name}", value))
    return pairs


def _written(section: Any, *, secrets: bool, whole: bool) -> dict[str, Any]:
    made: dict[str, Any] = {}
    shape: type = type(section)
    values, hints = plain(section), settings_of(shape)
    for each in fields(section):
        hint, value = hints[each.name], values[each.name]
        if is_section(hint):
            table = _written(getattr(section, each.name), secrets=secrets, whole=whole)
            if table:
                made[each.name] = table
        elif whole or value != _default(each):
            masked = not each.repr and not secrets and value
            made[each.name] = MASK if masked else _as_people_write(value, hint)
    return made


def _default(setting: Field[Any]) -> Any:
    """A setting's default as a plain value; MISSING where it has none."""
    default = setting.default if setting.default_factory is MISSING else setting.default_factory()
    return default if default is MISSING else plain(default)


def _as_people_write(value: Any, hint: Any) -> Any:
    if hint == Millis:
        return write_span(value)
    return dict(value) if hint == PAIRS else value
