"""What is known of phones: the handset that a report named last for a number."""

import sqlite3
from dataclasses import dataclass

from mmsgate.clock import DAY, Millis
from mmsgate.store.engine import Engine
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

    def get(self, number: str, *, since: Millis) -> Handset | None:
        """The handset of that number, if it was seen `since` then."""
        found = self._engine.read(SQL["get"], (number, since))
        return Handset(name=found[0][0], connection=found[0][1], seen_at=found[0][2]) if found else None

    async def forget(self, *, before: Millis) -> int:
        """Drop what was last seen before that time, a bounded number of rows; how many."""
        return await self._engine.write(lambda db: db.execute(SQL["forget"], (before,)).rowcount)

    def count(self) -> int:
        """Of how many numbers the handset is known."""
        return int(self._engine.read(SQL["count"])[0][0])


def remember_handset(db: sqlite3.Connection, number: str, handset: str, *, connection: str, at: Millis) -> None:
    """A report named the handset of a number. An older report does not undo a newer one."""
    db.execute(SQL["remember"], (number, handset, connection, at, REFRESH))
