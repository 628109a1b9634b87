"""How much waits, and since when: for who watches the gateway, not on the way of a message."""

from mmsgate.clock import Millis
from mmsgate.store.engine import Engine
from mmsgate.store.queries import queries

SQL = queries("backlogs")

#: No more are counted: 12 ms on SQLite. Whoever has so many knows enough.
MOST = 100_000


class Backlogs:
    """Counts of whole queues: they take some time where many wait, so they are asked for seldom."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def messages(self, connection: str) -> int:
        """How many wait for their turn at a connection, `MOST` at most."""
        return int((await self._engine.read(SQL["messages"], (connection, MOST)))[0][0])

    async def postbacks(self) -> tuple[int, Millis | None]:
        """How many postbacks of all receivers may be sent or are being sent, and when the first of them is due."""
        ((count, oldest),) = await self._engine.read(SQL["postbacks"])
        return int(count), oldest
