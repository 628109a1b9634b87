"""How many processes share what only so much of may be used at once: a carrier's rate and its requests in flight.

It comes in units. Each process holds some of them under a short lease, and asks for its part again and again; what
it asks for grows only out of what nobody holds. So all together never hold more than there is, whoever comes and
goes.
"""

from collections.abc import Sequence
from dataclasses import dataclass

#: Who has nothing to do keeps a little, so that it can begin at once.
IDLE = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """A process that holds, or wants, some of the units; `busy` says that it has work for them."""

    name: str
    busy: bool
    units: int = 0


def allot(me: Holder, others: Sequence[Holder], units: int) -> int:
    """How many of the units `me` may hold until it asks again: its fair part, as far as they are free."""
    everyone = sorted([me, *others], key=lambda holder: (not holder.busy, holder.name))
    weights = [1.0 if holder.busy else IDLE for holder in everyone]
    parts = [int(units * weight / sum(weights)) for weight in weights]
    left = units - sum(parts)
    place = everyone.index(me)
    fair = parts[place] + (place < left)
    free = units - sum(holder.units for holder in others)
    return max(0, min(fair, free))
