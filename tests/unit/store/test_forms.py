"""PostgreSQL's forms of a statement."""

import pytest

from mmsgate.store.forms import Form, numbered, together


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("SELECT a FROM b WHERE c = ? AND d = ?", "SELECT a FROM b WHERE c = $1 AND d = $2"),
        ("SELECT a FROM b WHERE c = ?2 AND d IN (?1, ?2)", "SELECT a FROM b WHERE c = $2 AND d IN ($1, $2)"),
        ("SELECT a FROM b", "SELECT a FROM b"),
    ],
)
def test_places_are_numbered(text: str, expected: str) -> None:
    assert numbered(text) == expected


def test_a_plain_insert_takes_arrays_and_writes_a_row_for_each_in_their_order() -> None:
    one = "INSERT INTO a (b, c) VALUES ($1, coalesce($2, 0))"
    assert together(one, ["int8", "text"]) == Form(
        one,
        many="INSERT INTO a (b, c) SELECT k.p1, coalesce(k.p2, 0) FROM unnest($1::int8[], $2::text[]) "
        "WITH ORDINALITY AS k(p1, p2, n) ORDER BY k.n",
        each=True,
    )


def test_a_select_takes_arrays_and_says_which_row_is_whose() -> None:
    one = "SELECT a FROM b WHERE c = $1"
    assert together(one, ["text"]) == Form(
        one,
        many="SELECT k.n, found.* FROM unnest($1::text[]) WITH ORDINALITY AS k(p1, n) "
        "CROSS JOIN LATERAL (SELECT a FROM b WHERE c = k.p1) AS found",
    )


@pytest.mark.parametrize(
    ("one", "types"),
    [
        ("INSERT INTO a (b) VALUES ($1) ON CONFLICT DO NOTHING", ["text"]),
        ("INSERT INTO a (b) VALUES ($1) ON CONFLICT (b) DO UPDATE SET b = coalesce(a.b, excluded.b)", ["text"]),
        ("UPDATE a SET b = $1", ["text"]),
        ("DELETE FROM a WHERE b = $1", ["text"]),
        ("SELECT count(*) FROM a", []),
    ],
)
def test_what_can_not_be_turned_is_run_one_by_one(one: str, types: list[str]) -> None:
    assert together(one, types) == Form(one)
