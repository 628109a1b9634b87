"""The queues in the store: what waits for a connection, whose turn it is, and what has a timer.

The row of a message is its place in the queue. A claim writes nothing: the one process that works on the database
keeps in memory what it has in hand. Should it die, all of that is due again at once.
"""

import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from mmsgate.clock import Millis
from mmsgate.domain.message import Message
from mmsgate.store import rows
from mmsgate.store.engine import Engine, Transaction
from mmsgate.store.keys import abandon_running
from mmsgate.store.queries import queries

SQL = queries("queue", message=rows.MESSAGE)

ANY_NUMBER = 1 << 62
_BEFORE_ALL = (-1, "", 0, 0)


class Flow(NamedTuple):
    """The messages of one sender of one account for one connection: they go in the order in which they are due."""

    account_id: int
    sender: str


@dataclass(frozen=True, slots=True, eq=False)
class Hold:
    """One claim: its messages are in hand until then. No claim is equal to another, also of the same time."""

    until: Millis


class QueueRows:
    """Statements about queues, and what is in hand: by connection and flow, the ids and until when.

    A claim that nobody let go in time may be claimed again: its work failed in a way that nobody knew. What was
    accepted in this process may be taken into hand without a look at the store if it `remembers`.
    """

    remembers = True

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._in_hand: defaultdict[tuple[str, Flow], dict[int, Hold]] = defaultdict(dict)
        self._hands: dict[tuple[str, int], dict[int, Hold]] = {}  # by connection and id

    # -- claims

    async def claim(
        self, connection: str, flow: Flow, *, now: Millis, until: Millis, limit: int, since: Millis = 0
    ) -> list[Message]:
        """At most `limit` messages of a flow that became due between `since` and `now`, oldest first.

        They are in hand until then, or until they are let go.
        """
        held = list(self._in_hand[connection, flow])
        key = (connection, *flow, since, now, json.dumps(held), limit)
        return self.hold(connection, map(rows.to_message, await self._engine.read(SQL["waiting"], key)), until)

    async def claim_overdue(self, connection: str, *, now: Millis, until: Millis, limit: int) -> list[Message]:
        """At most `limit` messages of a connection whose timer or lease has run out, as `claim` does."""
        held = [message_id for where, message_id in self._hands if where == connection]
        key = (connection, now, json.dumps(held), limit)
        return self.hold(connection, map(rows.to_message, await self._engine.read(SQL["overdue"], key)), until)

    def hold(self, connection: str, found: Iterable[Message], until: Millis) -> list[Message]:
        """They are in hand until then, or until they are let go; what is in hand already is left out."""
        messages, hold = [], Hold(until)
        for message in found:
            if (connection, message.id) in self._hands:
                continue
            hand = self._in_hand[connection, Flow(message.account_id, message.sender)]
            hand[message.id] = hold
            self._hands[connection, message.id] = hand
            messages.append(message)
        return messages

    def let_go(self, message: Message) -> None:
        """It is done with, or has left the queue, or nobody has begun it."""
        hand = self._hands.pop((message.connection, message.id), None)
        if hand is not None:
            del hand[message.id]

    def held(self, message: Message) -> Hold | None:
        """The claim by which it is in hand."""
        hand = self._hands.get((message.connection, message.id), {})
        return hand.get(message.id)

    def end(self, message: Message, hold: Hold | None) -> None:
        """Let it go, unless it has been claimed again since `hold`."""
        if self.held(message) is hold:
            self.let_go(message)

    async def give_back(self, messages: Iterable[Message], *, now: Millis) -> None:
        """Nobody has begun them: they are due at once."""
        for message in messages:
            self.let_go(message)

    async def give_all_back(self, connection: str, *, now: Millis) -> None:
        """The same for what has been claimed for a connection and not been handed out."""

    def let_go_late(self, connection: str, *, now: Millis) -> None:
        """Whatever has been in hand for too long."""
        for (where, message_id), hand in list(self._hands.items()):
            if where == connection and hand[message_id].until <= now:
                del hand[message_id], self._hands[where, message_id]

    def holds(self, message: Message) -> bool:
        """Whether the message is in hand."""
        return (message.connection, message.id) in self._hands

    # -- what waits

    async def flows(self, connection: str) -> dict[Flow, Millis]:
        """Who has messages waiting there, and when the first of them is due."""
        return {Flow(row[0], row[1]): row[2] for row in await self._engine.read(SQL["flows"], (connection,))}

    async def next_waiting(self, connection: str, flow: Flow, *, after: Millis) -> Millis | None:
        """When the flow's next message is due that is not due yet."""
        key = (connection, *flow, after)
        found = (await self._engine.read(SQL["next_waiting"], key))[0][0]
        return None if found is None else int(found)

    async def page(self, connection: str, *, after: Message | None) -> list[Message]:
        """A page of what waits there, due or not: that behind `after`, in the order of the flows."""
        last = _BEFORE_ALL if after is None else (after.account_id, after.sender, after.due_at, after.id)
        return [rows.to_message(row) for row in await self._engine.read(SQL["page"], (connection, *last))]

    async def next_timer(self, connection: str, *, default: Millis) -> Millis:
        """When the connection's next timer or lease runs out."""
        found = (await self._engine.read(SQL["next_timer"], (connection,)))[0][0]
        return default if found is None else int(found)

    async def oldest(self, connection: str, *, default: Millis) -> Millis:
        """When the first of all messages of a connection is due."""
        return min(
            [*(await self.flows(connection)).values(), await self.next_timer(connection, default=default), default]
        )

    async def recover(self, *, now: Millis) -> int:
        """End the leases of what was being submitted: for the start of a gateway, alone on its database."""

        async def work(tx: Transaction) -> int:
            await abandon_running(tx)
            return await tx.run(SQL["recover"], (now,))

        return await self._engine.write(work)

    # -- connections that are not there

    async def in_use(self) -> list[str]:
        """The connections that some message waits for."""
        return [row[0] for row in await self._engine.read(SQL["in_use"])]

    async def stranded(self, connection: str, *, now: Millis) -> list[Message]:
        """Messages of a connection, a page of them, that can't wait any longer for somebody to work it."""
        return [rows.to_message(row) for row in await self._engine.read(SQL["stranded"], (connection, now))]

    # -- moving

    async def times_in_doubt(self, message_id: int) -> int:
        """How often a carrier may have got the message without saying so."""
        return int((await self._engine.read(SQL["times_in_doubt"], (message_id,)))[0][0])

    # -- days

    async def sent(self, connection: str, sender: str, day: int) -> int:
        """How many messages a sender has given the connection on that UTC day."""
        found = await self._engine.read(SQL["sent_today"], (connection, sender, day))
        return int(found[0][0]) if found else 0

    async def count_sent(self, connection: str, sender: str, day: int, *, most: int) -> bool:
        """One more, if there are not `most` (1 or more) by now; whether. All processes together count no more."""
        key = (connection, sender, day, 1, most)
        return bool(await self._engine.write(lambda tx: tx.rows(SQL["count_sent"], key)))

    async def uncount_sent(self, connection: str, sender: str, day: int) -> None:
        """One less: it was not sent after all."""
        key = (connection, sender, day, -1, ANY_NUMBER)
        await self._engine.write(lambda tx: tx.rows(SQL["count_sent"], key))

    async def forget_days(self, *, before: int) -> int:
        """Drop the counts of earlier days; how many."""
        return await self._engine.run(SQL["forget_days"], (before,))
