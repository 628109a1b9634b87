"""The parameters of `/demo/postbacks.json`, parsed once."""

import re
from dataclasses import dataclass

from starlette.datastructures import QueryParams

MAX_WAIT = 60.0  # seconds

_WAIT = re.compile(r"(\d{1,9}(?:\.\d{1,3})?)(ms|s)?", re.ASCII)
_KNOWN = frozenset({"tracking-id", "wait"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """`tracking_id`: one message's, or empty for all. `wait`: seconds, at most `MAX_WAIT`."""

    tracking_id: str = ""
    wait: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class BadQuery:
    """What is wrong with the parameters, in words."""

    reason: str


def parse_query(parameters: QueryParams) -> Query | BadQuery:
    """The query, or what is wrong with it."""
    unknown = sorted(set(parameters) - _KNOWN)
    if unknown:
        return BadQuery(reason=f"unknown parameter {unknown[0]!r}: there are tracking-id and wait")
    wait = _WAIT.fullmatch(parameters.get("wait", "0"))
    if not wait:
        return BadQuery(reason="wait must be a time such as 10s, 10 or 500ms")
    seconds = float(wait[1]) / (1000 if wait[2] == "ms" else 1)
    return Query(tracking_id=parameters.get("tracking-id", ""), wait=min(seconds, MAX_WAIT))
