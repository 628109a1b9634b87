"""How many processes share what only so much of may be used at once: a carrier's rate and its requests in flight.

It comes in units. Each process holds some of them under a short lease, and asks for its part again and again; what
it asks for grows only out of what nobody holds. So all together never hold more than there is, whoever comes and
goes.
"""

from collections.abc import Sequence
from dataclasses import dataclass

#: How much weight a wish has. Who has nothing to do keeps a little, so that it can begin at once; who can't reach
#: what it is for gets what is left over, to try it.
BUSY, IDLE, DOWN = 100, 25, 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """A process that holds, or wants, some of the units, and the weight of its wish."""

    name: str
    weight: int
    units: int = 0


def allot(me: Holder, others: Sequence[Holder], units: int) -> int:
    """How many of the units `me` may hold until it asks again: its fair part, as far as they are free."""
    everyone = sorted([me, *others], key=lambda holder: (-holder.weight, holder.name))
    weight = sum(holder.weight for holder in everyone)
    parts = [units * holder.weight // weight for holder in everyone]
    left = units - sum(parts)
    place = everyone.index(me)
    fair = parts[place] + (place < left)
    free = units - sum(holder.units for holder in others)
    return max(0, min(fair, free))
