"""How large a message may be for one carrier and type of sender, and which types its phones take (R-13).

The figures are data: ``limits.toml`` beside this module says which, counted how, from where and of when. A
profile's own figures count before it.
"""

import datetime
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

from mmsgate.carriers.profile import CarrierProfile
from mmsgate.domain.media import by_mime
from mmsgate.domain.number import SenderType
from mmsgate.domain.operators import BUILT_IN
from mmsgate.domain.rendition import Limit, Measure

#: What a carrier takes of which nothing is known: 600 KB (R-13).
DEFAULT = Limit(bytes=614_400)

_KEYS = {"operator", "sender_type", "bytes", "measure", "source", "date"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """A row of the data file. `types` is None where the carrier takes what is usual."""

    limit: Limit
    types: frozenset[str] | None
    source: str
    date: datetime.date


@dataclass(frozen=True, slots=True, kw_only=True)
class CarrierLimit:
    """What holds for a message: the limit, the types, both by the names of `label`, and where they come from."""

    limit: Limit
    types: frozenset[str]
    label: str
    source: str


def carrier_limit(profile: CarrierProfile, operator: str, sender_type: SenderType) -> CarrierLimit:
    """The limit of a message from that type of sender to a subscriber of `operator` (empty: unknown)."""
    known = BUILT_IN.find(operator) if operator else None
    published = published_limits().get((known.id, sender_type)) if known else None
    own = profile.limits.by_sender.get(sender_type, profile.limits.bytes)
    if own:
        limit, source = Limit(bytes=own, measure=profile.limits.measure), f"the profile of {profile.name}"
    elif published:
        limit, source = published.limit, f"{published.source} ({published.date:%Y})"
    else:
        limit, source = DEFAULT, "the default for carriers that are not listed"
    types = published.types & profile.limits.types if published and published.types else profile.limits.types
    label = f"{known.name if known else profile.name}/{sender_type}"
    return CarrierLimit(limit=limit, types=types, label=label, source=source)


@cache
def published_limits() -> Mapping[tuple[str, SenderType], Published]:
    """The data file that comes with the program."""
    text = resources.files(__package__).joinpath("limits.toml").read_text(encoding="utf-8")
    return read_limits(tomllib.loads(text)["limit"])


def read_limits(rows: Iterable[Mapping[str, object]]) -> dict[tuple[str, SenderType], Published]:
    """Rows by (operator's id, type of sender). Raises ValueError that names the row and what is wrong with it."""
    found: dict[tuple[str, SenderType], Published] = {}
    for number, row in enumerate(rows, 1):
        try:
            key, published = _row(row)
        except (ValueError, TypeError) as error:
            raise ValueError(f"limit {number}: {error}") from error
        if key in found:
            raise ValueError(f"limit {number}: {key[0]} has a limit for {key[1]} already")
        found[key] = published
    return found


def _row(row: Mapping[str, object]) -> tuple[tuple[str, SenderType], Published]:
    if odd := (row.keys() ^ _KEYS) - {"types"}:
        raise ValueError(f"it has too much or too little: {', '.join(sorted(odd))}")
    operator = BUILT_IN.find(str(row["operator"]))
    if operator is None:
        raise ValueError(f"there is no operator {row['operator']!r}")
    size, date = row["bytes"], row["date"]
    if not isinstance(size, int) or size <= 0 or not isinstance(date, datetime.date):
        raise ValueError("bytes is a number above 0, date a date")
    key = (operator.id, SenderType(str(row["sender_type"])))
    limit = Limit(bytes=size, measure=Measure(str(row["measure"])))
    return key, Published(limit=limit, types=_types(row.get("types")), source=str(row["source"]), date=date)


def _types(written: object) -> frozenset[str] | None:
    if written is None:
        return None
    if not isinstance(written, list) or not written:
        raise ValueError("types is a list of MIME types")
    entries = {str(each): by_mime(str(each)) for each in written}
    if unknown := [name for name, entry in entries.items() if entry is None]:
        raise ValueError(f"an MMS can't carry {', '.join(unknown)}")
    return frozenset(entry.mime for entry in entries.values() if entry)
