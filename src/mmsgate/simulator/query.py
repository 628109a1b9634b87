"""The parameters of `/sim/messages` and `/sim/events`, parsed once."""

import re
from dataclasses import dataclass

from starlette.datastructures import QueryParams

from mmsgate.domain.number import normalise
from mmsgate.simulator.handset import HANDSETS, Handset

MAX_WAIT = 60.0  # seconds

_WAIT = re.compile(r"(\d{1,9}(?:\.\d{1,6})?)(ms|s)?", re.ASCII)
_KNOWN = frozenset({"to", "since", "wait", "as"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """`to`: digits, or None for all phones. `since`: the last id seen. `wait`: seconds, at most `MAX_WAIT`.

    `handset`: the phone to look through, None for each recipient's own.
    """

    to: str | None = None
    since: int = 0
    wait: float = 0.0
    handset: Handset | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BadQuery:
    """What is wrong with the parameters, in words."""

    reason: str


def parse_query(parameters: QueryParams) -> Query | BadQuery:
    """The query, or what is wrong with it. Empty parameters count as missing."""
    given = {name: value.strip() for name, value in parameters.items() if value.strip()}
    unknown = sorted(set(given) - _KNOWN)
    if unknown:
        return BadQuery(reason=f"unknown parameter {unknown[0]!r}: there are to, since, wait and as")
    to = normalise(given["to"]) if "to" in given else None
    if to is not None and not is_number(to):
        return BadQuery(reason="to must be a telephone number, such as 12399471613")
    since = given.get("since", "0")
    if not (since.isascii() and since.isdigit() and len(since) <= 18):
        return BadQuery(reason="since must be a whole number: the id of the last message seen")
    wait = _WAIT.fullmatch(given.get("wait", "0"))
    if not wait:
        return BadQuery(reason="wait must be a time such as 10s, 10 or 500ms")
    name = given.get("as", "")
    if name and name not in HANDSETS:
        return BadQuery(reason=f"as must be one of {', '.join(HANDSETS)}")
    seconds = float(wait.group(1)) / (1000 if wait.group(2) == "ms" else 1)
    return Query(to=to, since=int(since), wait=min(seconds, MAX_WAIT), handset=HANDSETS.get(name))


def is_number(text: str) -> bool:
    """Whether it can be a phone of ours: digits, not too many."""
    return text.isascii() and text.isdigit() and len(text) <= 20
