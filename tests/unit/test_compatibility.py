"""The compatibility table names tests; they are there."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
PAGE = TESTS.parent / "docs" / "reference" / "compatibility.md"
_TEST = re.compile(r"`([a-z0-9_/]+\.py)?((?:::\w+)+)(?:\[[^]]+\])?`")


def named_tests() -> Iterator[tuple[str, str, str]]:
    """Row, file and test of each that is named; a name without a file is in the file before it."""
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        if not line.startswith(("| R-", "| G-")):
            continue
        row, *_, cell, _ = (part.strip() for part in line.split(" |"))
        file = ""
        for found in _TEST.finditer(cell):
            file = found[1] or file
            yield row.lstrip("| "), file, found[2].rpartition("::")[2]


def test_every_row_is_there() -> None:
    rows = re.findall(r"^\| ([RG]-\d\d) \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert rows == [f"R-{number:02}" for number in range(1, 40)] + [f"G-{number:02}" for number in range(1, 50)]


@pytest.mark.parametrize(("row", "file", "name"), sorted(set(named_tests())))
def test_every_test_that_a_row_names_is_there(row: str, file: str, name: str) -> None:
    assert re.search(rf"def {name}\(", (TESTS / file).read_text(encoding="utf-8")), row
