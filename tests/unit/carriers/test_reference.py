"""The reference of carrier profiles names every setting with its type and default, and nothing else."""

import re
import types
from collections.abc import Iterator
from dataclasses import MISSING, Field, fields
from enum import Enum, EnumMeta
from pathlib import Path
from typing import Any, get_args, get_origin

import pytest

from mmsgate.carriers.files import shipped
from mmsgate.carriers.profile import FilePath, Meaning, Names
from mmsgate.carriers.record import KINDS, PAIRS, is_section, plain, settings_of
from mmsgate.clock import Millis, write_span
from mmsgate.domain.media import TYPES

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "carrier-profiles.md"
TEXT = PAGE.read_text(encoding="utf-8")
ROW = re.compile(r"^\| `([a-z0-9_.]+)` \| ([^|]*) \| ([^|]*) \| [^|]+ \|$", re.MULTILINE)
SIMPLE: dict[object, str] = {bool: "true, false", int: "whole number", float: "number", str: "text"}


def page_of(kind: str) -> list[tuple[str, str, str]]:
    """Key, type and default of each row about that kind of profile."""
    mm7, _, smpp = TEXT.partition("\n## smpp\n")
    return ROW.findall(smpp if kind == "smpp" else mm7)


def expected(shape: type, place: str = "") -> Iterator[tuple[str, str, str]]:
    for each in fields(shape):
        hint = settings_of(shape)[each.name]
        if is_section(hint):
            yield from expected(hint, f"{place}{each.name}.")
        else:
            yield f"{place}{each.name}", type_words(hint, each), default_words(hint, each)


def type_words(hint: Any, setting: Field[Any]) -> str:
    if not setting.repr:
        return "secret"
    if hint == Millis:
        return "time"
    if hint == FilePath:
        return "path"
    if hint == Names:
        return "text or list of texts"
    if isinstance(hint, EnumMeta):
        return ", ".join(f"`{member.value}`" for member in hint)  # type: ignore[var-annotated]
    if hint == PAIRS or get_origin(hint) not in {None, frozenset, tuple, types.UnionType}:
        return "table"
    if get_origin(hint) in {frozenset, tuple}:
        inner = get_args(hint)[0]
        return "list of " + (type_words(inner, setting) if isinstance(inner, EnumMeta) else "texts")
    return SIMPLE[hint]


def default_words(hint: Any, setting: Field[Any]) -> str:
    default = setting.default if setting.default_factory is MISSING else setting.default_factory()
    if default is MISSING:
        return "–"
    if hint == Names:
        return ", ".join(f"`{name}`" for name in default)
    value = plain(default)
    if hint == Millis:
        return write_span(value)
    if isinstance(value, list) and len(value) == sum(each.handset for each in TYPES):
        return "what phones take"
    if isinstance(default, frozenset) and all(isinstance(each, Enum) for each in default) and default:
        return "all"
    if not value and not isinstance(value, int | float):
        return "empty" if value == "" else "none"
    if isinstance(value, bool):
        return str(value).lower()
    return ", ".join(f"`{each}`" for each in value) if isinstance(value, list) else f"`{value}`"


@pytest.mark.parametrize("kind", list(KINDS))
def test_every_setting_stands_there_with_its_type_and_default(kind: str) -> None:
    assert page_of(kind) == list(expected(KINDS[kind]))


def test_every_shipped_profile_and_every_meaning_of_a_code_stands_there() -> None:
    assert [name for name in shipped() if f"`{name}`" not in TEXT] == []
    assert [meaning for meaning in Meaning if f"`{meaning}`" not in TEXT] == []
