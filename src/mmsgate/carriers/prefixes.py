"""A CSV of prefixes: which operator the numbers have that begin with certain digits.

    prefix,operator-id,comment
    1206,31002,Seattle
    1206555,0001890

A header, a comment, blank lines and lines that begin with ``#`` may be there. Operators are written in any
spelling.
"""

import csv
import itertools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from mmsgate.domain.number import MSISDN_LENGTH
from mmsgate.domain.operators import Operator, Operators

MOST_COMPLAINTS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What a line says of a prefix."""

    operator: str
    line: int


def read_prefixes(lines: Iterable[str], operators: Operators) -> Mapping[str, str]:
    """The operators' ids by prefix. Raises ValueError with what is wrong, a line for each, at most ten of them."""
    claims: dict[str, Claim] = {}
    try:
        complaints = list(itertools.islice(_complaints(lines, operators, claims), MOST_COMPLAINTS))
    except csv.Error as error:
        raise ValueError(f"it is no CSV: {error}") from error
    if complaints:
        raise ValueError("\n".join(complaints))
    return {prefix: claim.operator for prefix, claim in claims.items()}


def _complaints(lines: Iterable[str], operators: Operators, claims: dict[str, Claim]) -> Iterator[str]:
    """What is wrong with the lines, while `claims` fills with those that are right."""
    rows = csv.reader(lines)
    known: dict[str, Operator | None] = {}  # operators by spelling: a list has few of them, and many lines
    for row in rows:
        if not row or row[0].lstrip().startswith("#") or (rows.line_num == 1 and _is_header(row)):
            continue
        prefix, spelling = row[0].strip().removeprefix("+"), row[1].strip() if len(row) > 1 else ""
        if problem := _problem(row, prefix):
            yield f"line {rows.line_num}: {problem}"
            continue
        if spelling not in known:
            known[spelling] = operators.find(spelling)
        operator = known[spelling]
        if operator is None:
            yield f"line {rows.line_num}: there is no operator {spelling[:40]!r}; mmsgate operator list shows them"
            continue
        earlier = claims.setdefault(prefix, Claim(operator=operator.id, line=rows.line_num))
        if earlier.operator != operator.id:
            yield (
                f"line {rows.line_num}: {prefix} is {operator.id}'s here and {earlier.operator}'s "
                f"in line {earlier.line}"
            )


def _is_header(row: list[str]) -> bool:
    return [name.strip().lower() for name in row[:2]] == ["prefix", "operator-id"]


def _problem(row: list[str], prefix: str) -> str:
    if not 2 <= len(row) <= 3:
        return f"it has {len(row)} cells, and needs prefix,operator-id or prefix,operator-id,comment"
    if not (prefix.isascii() and prefix.isdigit() and len(prefix) <= MSISDN_LENGTH[-1]):
        return f"{row[0][:40]!r} is no prefix: it has 1 to {MSISDN_LENGTH[-1]} digits"
    if prefix.startswith("0"):
        return f"{prefix} is no prefix of an international number: none begins with 0"
    return ""
