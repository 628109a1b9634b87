"""Who holds how much of what all processes share: rows with a short lease, by the database's clock."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from mmsgate.clock import Millis
from mmsgate.domain.share import Holder, allot
from mmsgate.store.engine import Engine, Transaction, key_of
from mmsgate.store.queries import queries

SQL = queries("shares")
_LOCK = key_of("shares")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a process asks for of one thing: there are so many units of it, and the wish has that `weight`.

    It is still `using` so many of those that it held.
    """

    units: int
    weight: int
    using: int = 0


class Shares:
    """Statements about shares (PostgreSQL only)."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def renew(self, node: str, wishes: Mapping[str, Wish], *, lease: Millis) -> dict[str, int]:
        """The units of each thing that the node may hold for `lease` from now on. What it does not wish it gives
        back.
        """

        async def work(tx: Transaction) -> dict[str, int]:
            await tx.alone(_LOCK, everywhere=True)
            others: defaultdict[str, list[Holder]] = defaultdict(list)
            for thing, name, weight, units in await tx.rows(SQL["others"], (node,)):
                others[thing].append(Holder(name=name, weight=weight, units=units))
            granted = {
                thing: allot(Holder(name=node, weight=wish.weight), others[thing], wish.units)
                for thing, wish in wishes.items()
            }
            await tx.run(SQL["give_back"], (node,))
            rows = [
                (thing, node, wish.weight, max(granted[thing], wish.using), lease) for thing, wish in wishes.items()
            ]
            await tx.run_many(SQL["hold"], rows)
            return granted

        return await self._engine.write(work)

    async def give_back(self, node: str) -> None:
        """The node ends."""
        await self._engine.run(SQL["give_back"], (node,))
