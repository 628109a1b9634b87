"""Status codes and what an unknown one counts as."""

import pytest

from mmsgate.mm7.status import TEXTS, StatusClass, canonical, status_class, text


@pytest.mark.parametrize(
    ("code", "known"),
    [
        (1000, 1000),
        (1100, 1100),
        (1999, 1000),
        (2002, 2002),
        (2503, 2000),
        (3510, 3000),
        (4007, 4007),
        (4999, 4000),
    ],
)
def test_an_unknown_code_counts_as_its_class(code: int, known: int) -> None:
    assert canonical(code) == known


@pytest.mark.parametrize("code", [0, 1, 999, 5000, 10_000, -1, -1000])
def test_a_code_of_no_class_counts_as_a_server_error(code: int) -> None:
    assert canonical(code) == 3000
    assert text(code) == "Server Error"


def test_the_thousands_are_the_class() -> None:
    assert [status_class(code) for code in (1100, 2999, 3002, 4007)] == list(StatusClass)


def test_the_table_holds_every_standard_code() -> None:
    standard = {1000, 1100, *range(2000, 2010), *range(3000, 3005), *range(4000, 4008)}
    assert set(TEXTS) == standard
