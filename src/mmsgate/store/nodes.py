"""The programs that work on one PostgreSQL database: each has a number, and shows that it lives.

What a node holds (messages, postbacks, preparations) is under its name. When it has not been seen for a while,
others give that back to the queues.
"""

import asyncio
import contextlib
import logging
import socket
from collections.abc import Callable
from dataclasses import dataclass

from mmsgate.clock import SECOND, Clock, Millis
from mmsgate.store.engine import Engine, StoreFault, Transaction
from mmsgate.store.queries import queries

SQL = queries("nodes")

log = logging.getLogger("mmsgate.store")

BEAT_EVERY: Millis = 5 * SECOND
#: A node that has not been seen for so long is dead.
DEAD_AFTER: Millis = 20 * SECOND
#: How far a node's clock may be from the database's.
MOST_SKEW: Millis = 2 * SECOND
NODES = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeRow:
    """A program that works on the database; `silent` is since when it has not been seen."""

    number: int
    name: str
    role: str
    host: str
    started_at: Millis
    silent: Millis


class Nodes:
    """Statements about nodes."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine, self._clock = engine, clock

    async def skew(self) -> Millis:
        """How far this host's clock is ahead of the database's, give or take half a round trip."""
        before = self._clock.now()
        theirs = int((await self._engine.read(SQL["now"]))[0][0])
        return (before + self._clock.now()) // 2 - theirs

    async def join(self, name: str, role: str) -> int:
        """Take a number that no living node has. Raises `StoreFault` if there are 1,024 already."""
        row = (name, role, socket.gethostname())
        for _ in range(NODES):
            found = await self._engine.write(lambda tx: tx.rows(SQL["join"], row))
            if found:
                return int(found[0][0])
            if len(await self._engine.read(SQL["all"])) >= NODES:
                break
        raise StoreFault(f"{NODES:,} nodes work on this database already, more can't be told apart")

    async def beat(self, name: str) -> bool:
        """Show that the node lives; False if others took it for dead."""
        return bool(await self._engine.run(SQL["beat"], (name,)))

    async def leave(self, name: str) -> None:
        """It ends: what it still holds goes back to the queues."""
        now = self._clock.now()

        async def work(tx: Transaction) -> None:
            await _free(tx, name, now)
            await tx.run(SQL["leave"], (name,))

        await self._engine.write(work)

    async def all(self) -> list[NodeRow]:
        """Every node that has not left."""
        return [
            NodeRow(number=row[0], name=row[1], role=row[2], host=row[3], started_at=row[4], silent=row[5])
            for row in await self._engine.read(SQL["all"])
        ]

    async def bury(self, *, by: str) -> list[str]:
        """Give back what dead nodes hold; their names."""
        now = self._clock.now()

        async def work(tx: Transaction) -> list[str]:
            dead = [row[0] for row in await tx.rows(SQL["bury"], (DEAD_AFTER, by))]
            for name in dead:
                await _free(tx, name, now)
            return dead

        return await self._engine.write(work)


async def _free(tx: Transaction, name: str, now: Millis) -> None:
    """What a node holds is due again at once."""
    for statement in ("free_messages", "free_postbacks", "free_preparations"):
        await tx.run(SQL[statement], (now, name))


class Heart:
    """Keeps one node alive, and buries the dead. `on_number` is told of its number, the first one and any later.

    `leads` says whether it has the smallest number of its role: one of them keeps house for all.
    """

    def __init__(
        self, nodes: Nodes, name: str, role: str, *, on_number: Callable[[int], None], clock: Clock
    ) -> None:
        self._nodes, self._name, self._role, self._on_number, self._clock = nodes, name, role, on_number, clock
        self._steady_since = clock.now()
        self.leads = False
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Join. Raises `StoreFault` if the clocks are too far apart."""
        skew = await self._nodes.skew()
        if abs(skew) > MOST_SKEW:
            way = "ahead of" if skew > 0 else "behind"
            raise StoreFault(
                f"this host's clock is {abs(skew) / SECOND:.1f} s {way} the database's, at most "
                f"{MOST_SKEW / SECOND:.0f} s will do: let both keep time by NTP"
            )
        self._on_number(await self._nodes.join(self._name, self._role))
        self._steady_since = self._clock.now()
        self._task = asyncio.create_task(self._beat(), name="node heartbeat")

    async def stop(self) -> None:
        task, self._task = self._task, None
        if task is None:
            return
        task.cancel()
        await asyncio.wait({task})
        with contextlib.suppress(StoreFault):  # others will find it dead
            await self._nodes.leave(self._name)

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(BEAT_EVERY / SECOND)
            try:
                await self.beat()
            except StoreFault as fault:
                self._steady_since = self._clock.now() + BEAT_EVERY
                log.warning("this node could not show that it lives: %s", fault)

    async def beat(self) -> None:
        """Show that this one lives, and look for others who don't.

        After an outage of the database nobody has been seen for a while: whoever is back waits for the others.
        """
        if not await self._nodes.beat(self._name):
            log.error("this node was taken for dead; it goes on under another number")
            self._on_number(await self._nodes.join(self._name, self._role))
        if self._clock.now() - self._steady_since >= DEAD_AFTER:
            for dead in await self._nodes.bury(by=self._name):
                log.warning("node %s is dead; what it held is due again", dead)
        peers = [each for each in await self._nodes.all() if each.role == self._role and each.silent < DEAD_AFTER]
        self.leads = bool(peers) and peers[0].name == self._name
