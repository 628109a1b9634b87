"""What is known of phones: the handset that a report named last for a number."""

from dataclasses import dataclass

from mmsgate.clock import DAY, Millis
from mmsgate.store.engine import Engine, Transaction
from mmsgate.store.queries import queries

SQL = queries("handsets")

#: A report that says the same as before is not written down again within that time.
REFRESH: Millis = DAY


@dataclass(frozen=True, slots=True, kw_only=True)
class Handset:
    """A phone's model as its carrier's report named it; `seen_at` is within a day of the last such report."""

    name: str
    connection: str
    seen_at: Millis


class HandsetRows:
    """Statements about the handset cache. Reports fill it, in the transaction of their step."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def get(self, number: str, *, since: Millis) -> Handset | None:
        """The handset of that number, if it was seen `since` then."""
        found = await self._engine.read(SQL["get"], (number, since))
        return Handset(name=found[0][0], connection=found[0][1], seen_at=found[0][2]) if found else None

    async def forget(self, *, before: Millis) -> int:
        """Drop what was last seen before that time, a bounded number of rows; how many."""
        return await self._engine.run(SQL["forget"], (before,))

    async def count(self) -> int:
        """Of how many numbers the handset is known."""
        return int((await self._engine.read(SQL["count"]))[0][0])


async def remember_handset(tx: Transaction, number: str, handset: str, *, connection: str, at: Millis) -> None:
    """A report named the handset of a number. An older report does not undo a newer one."""
    await tx.run(SQL["remember"], (number, handset, connection, at, REFRESH))
