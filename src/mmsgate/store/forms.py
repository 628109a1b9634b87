"""PostgreSQL's forms of a statement: for one set of parameters, and for many at once, given as arrays."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

_PLACE = re.compile(r"\?(\d*)")
_NUMBERED = re.compile(r"\$(\d+)")
_INSERT = re.compile(r"(INSERT INTO \w+ \([^()]*\)) VALUES\s*\((.*)\)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Form:
    """`one` takes parameters, `many` (empty: there is none) an array of each, and gives rows that begin with a
    number.

    `each` says that it gives none, and writes exactly one row for each.
    """

    one: str
    many: str = ""
    each: bool = False


def numbered(text: str) -> str:
    """The text with ``$1`` for each ``?`` or ``?1``."""
    count = 0

    def place(found: re.Match[str]) -> str:
        nonlocal count
        count += 1
        return f"${found[1] or count}"

    return _PLACE.sub(place, text)


def together(one: str, types: Sequence[str]) -> Form:
    """The forms of a plain INSERT or SELECT, whose parameters have these types; of others only that for one."""
    if not types:
        return Form(one)
    if "ON CONFLICT" not in one and (inserted := _INSERT.fullmatch(one)):
        into, values = inserted[1], _NUMBERED.sub(r"k.p\1", inserted[2])
        return Form(one, many=f"{into} SELECT {values} FROM {_arrays(types)} ORDER BY k.n", each=True)  # noqa: S608  our own SQL
    if one.startswith("SELECT "):
        inner = _NUMBERED.sub(r"k.p\1", one)
        many = f"SELECT k.n, found.* FROM {_arrays(types)} CROSS JOIN LATERAL ({inner}) AS found"  # noqa: S608  our own SQL
        return Form(one, many=many)
    return Form(one)


def _arrays(types: Sequence[str]) -> str:
    """The arrays as a table ``k`` with the columns ``p1``, ``p2``, … and the number ``n`` of the row."""
    arrays = ", ".join(f"${number}::{name}[]" for number, name in enumerate(types, 1))
    columns = ", ".join(f"p{number}" for number in range(1, len(types) + 1))
    return f"unnest({arrays}) WITH ORDINALITY AS k({columns}, n)"
