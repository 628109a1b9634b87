"""The queue of many workers: a claim is a lease in the message's row.

A claim of many takes more than is asked for, up to `BATCH`, from a sender who has that many due: what is left over
is handed out by the next ones, without a round trip. It is under this worker's name, and given back when that ends.
One who asks for few may be trying a carrier that is down, and gets no more.
"""

from collections import defaultdict, deque
from collections.abc import Iterable
from dataclasses import dataclass, replace

from mmsgate.clock import SECOND, Millis
from mmsgate.domain.message import Message
from mmsgate.store import rows
from mmsgate.store.engine import Engine
from mmsgate.store.queries import queries
from mmsgate.store.queue import Flow, QueueRows

SQL = queries("leases", message=rows.MESSAGE)

BATCH = 50
#: So many are many.
MANY = 8
#: What is left of a lease must at least be this when its message is handed out.
MARGIN: Millis = 10 * SECOND


@dataclass(frozen=True, slots=True)
class _Held:
    message: Message
    until: Millis


class Leases(QueueRows):
    """Claims by leases under the name `owner`."""

    remembers = False

    def __init__(self, engine: Engine, *, owner: str) -> None:
        super().__init__(engine)
        self.owner = owner
        self._stock: defaultdict[tuple[str, Flow], deque[_Held]] = defaultdict(deque)

    async def claim(
        self, connection: str, flow: Flow, *, now: Millis, until: Millis, limit: int, since: Millis = 0
    ) -> list[Message]:
        taken = self._from_stock((connection, flow), now, limit) if not since else []
        if len(taken) < limit:
            wanted = limit - len(taken)
            most = max(wanted, BATCH) if wanted >= MANY and not since else wanted
            key = (connection, *flow, since, now, until, self.owner, most)
            found = await self._claimed("claim", key)
            taken += found[:wanted]
            self._stock[connection, flow].extend(_Held(message, until) for message in found[wanted:])
        return taken

    def _from_stock(self, place: tuple[str, Flow], now: Millis, limit: int) -> list[Message]:
        stock = self._stock.get(place)
        taken: list[Message] = []
        while stock and len(taken) < limit:
            held = stock.popleft()
            if held.until - now >= MARGIN:  # else its lease runs out, and somebody claims it
                taken.append(held.message)
        if not stock:
            self._stock.pop(place, None)
        return taken

    async def claim_overdue(self, connection: str, *, now: Millis, until: Millis, limit: int) -> list[Message]:
        return await self._claimed("claim_overdue", (connection, now, until, self.owner, limit))

    async def _claimed(self, name: str, key: tuple[object, ...]) -> list[Message]:
        found = await self._engine.write(lambda tx: tx.rows(SQL[name], key))
        messages = [replace(rows.to_message(row), due_at=was_due) for was_due, *row in found]
        return sorted(messages, key=lambda message: (message.due_at or 0, message.id))

    def let_go(self, message: Message) -> None:
        """Its step has ended the lease."""

    def let_go_late(self, connection: str, *, now: Millis) -> None:
        """Leases end by themselves."""

    def holds(self, message: Message) -> bool:
        """Whether it is in hand here, unbegun. What others hold is told by the message's row."""
        stock = self._stock.get((message.connection, Flow(message.account_id, message.sender)), ())
        return any(held.message.id == message.id for held in stock)

    async def give_back(self, messages: Iterable[Message], *, now: Millis) -> None:
        given = [(now, message.id, self.owner) for message in messages]
        await self._engine.write(lambda tx: tx.run_many(SQL["give_back"], given))

    async def give_all_back(self, connection: str, *, now: Millis) -> None:
        """What has been claimed for a connection and not been begun."""
        for place in [place for place in self._stock if place[0] == connection]:
            await self.give_back((held.message for held in self._stock.pop(place)), now=now)
