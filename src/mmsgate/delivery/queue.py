"""What waits for one connection: accounts take turns, and so do the senders of each account.

Which accounts and senders have something waiting is known in memory, from what was accepted or postponed here; once
a second the store is asked, for what other processes did. So a claim costs one look into an index for each sender
whose turn it is, however much waits, and none where all that waits was accepted a moment ago: a hundred thousand
messages of one account delay nobody else's.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from mmsgate.bucket import Buckets
from mmsgate.clock import SECOND, Millis
from mmsgate.domain.message import Message
from mmsgate.store.queue import Flow, QueueRows

#: How often the store is asked who waits, for what other processes did.
LOOK_EVERY: Millis = 1 * SECOND
#: The same where others accept what is sent here, while nothing waits: then it costs little, and they wait for it.
IDLE_LOOK: Millis = 100
NEVER: Millis = 1 << 62
#: Messages of a flow that are remembered as they were accepted; where more wait, they are read from the store.
REMEMBERED = 100


@dataclass(slots=True)
class FairQueue:
    """The queue of one connection, and what of it is in hand.

    `accounts` are the limits of the accounts, over all connections; `senders` those of the senders on this one.
    """

    connection: str
    rows: QueueRows
    accounts: Buckets[int]
    senders: Buckets[str]
    #: By account and sender: when something of it is due. The order is that of the turns.
    _flows: dict[int, dict[str, Millis]] = field(default_factory=dict, init=False)
    _looked_at: Millis = field(default=0, init=False)
    #: Flows of which all that waits is known, as it was accepted a moment ago.
    _known: dict[Flow, deque[Message]] = field(default_factory=dict, init=False)
    _timer_at: Millis = field(default=0, init=False)
    _odd_to_fresh: bool = field(default=False, init=False)
    _claimed: list[Message] = field(default_factory=list, init=False)  # since `take` began

    # -- what is known

    def due(self, message: Message) -> None:
        """A message waits (again), from its `due_at` on. It is in nobody's hand any more."""
        self.rows.let_go(message)
        due_at = message.due_at or 0
        senders = self._flows.setdefault(message.account_id, {})
        self._remember(message, first=message.sender not in senders)
        senders[message.sender] = min(senders.get(message.sender, NEVER), due_at)

    def _remember(self, message: Message, *, first: bool) -> None:
        """Keep a message at hand if nothing else of its flow waits but what is at hand too."""
        if not self.rows.remembers:
            return
        flow = Flow(message.account_id, message.sender)
        known = self._known.get(flow)
        if known is None:
            if not first or not self._looked_at:
                return
            known = self._known[flow] = deque()
        if message.due_at != message.updated_at or len(known) == REMEMBERED:
            del self._known[flow]  # some are due later, or wait in the store: it is asked for all of them
        else:
            known.append(message)

    async def look(self, now: Millis) -> None:
        """Ask the store who waits and for what time, if that is a while ago."""
        if self._looked_at <= now < self.next_look:
            return
        self._looked_at = now
        self.rows.let_go_late(self.connection, now=now)
        self._timer_at = await self.rows.next_timer(self.connection, default=NEVER)
        for flow, due_at in (await self.rows.flows(self.connection)).items():
            self._wait(flow.account_id, {flow.sender: due_at})

    @property
    def next_look(self) -> Millis:
        """When to ask the store again."""
        idle = not self.rows.remembers and not self._flows
        return self._looked_at + (IDLE_LOOK if idle else LOOK_EVERY)

    def _wait(self, account: int, senders: Mapping[str, Millis]) -> None:
        """Of those senders something is due then; an account that is new here goes to the end of the line."""
        waiting = self._flows.setdefault(account, {})
        for sender, due in senders.items():
            waiting[sender] = min(waiting.get(sender, NEVER), due)

    def forget(self) -> None:
        """Messages have left the queue for another: what is known of it may be wrong."""
        self._known.clear()
        self._looked_at = 0

    def look_again(self) -> None:
        """Somebody says that there is something new."""
        self._looked_at = 0

    def next_due(self) -> Millis:
        """When something may be taken."""
        return min((due for senders in self._flows.values() for due in senders.values()), default=NEVER)

    # -- taking

    async def give_back(self, messages: Sequence[Message], now: Millis) -> None:
        """What was taken and not begun is due at once, wherever it had come from."""
        self.forget()
        await self.rows.give_back(messages, now=now)

    async def overdue(self, limit: int, now: Millis, until: Millis) -> list[Message]:
        """At most `limit` messages whose timer or lease has run out; they are in hand until then."""
        if self._timer_at > now:
            return []
        found = await self.rows.claim_overdue(self.connection, now=now, until=until, limit=limit)
        if len(found) < limit:
            self._timer_at = NEVER  # until the next look
        return found

    async def take(self, limit: int, now: Millis, until: Millis, *, fresh_since: Millis = 0) -> list[Message]:
        """At most `limit` messages that are due, from each account in turn; they are in hand until then.

        Where messages were left over by an outage that ended at `fresh_since`, newer ones get every second place.
        """
        self._claimed.clear()
        try:
            return await self._in_turn(limit, now, until, fresh_since)
        except BaseException:  # cancelled too: nobody begins them, and they would be held for their whole lease
            await self.give_back(self._claimed, now)
            raise

    async def _in_turn(self, limit: int, now: Millis, until: Millis, fresh_since: Millis) -> list[Message]:
        taken: list[Message] = []
        ready = [account for account, senders in self._flows.items() if min(senders.values()) <= now]
        while ready and len(taken) < limit:
            share = max(1, (limit - len(taken)) // len(ready))
            again = []
            for account in ready:
                wanted = min(share, limit - len(taken))
                if not wanted:
                    break
                got = await self._of_account(account, wanted, now, until, fresh_since)
                taken += got
                if len(got) == wanted:
                    again.append(account)
            ready = again
        return taken

    async def _of_account(
        self, account: int, wanted: int, now: Millis, until: Millis, fresh_since: Millis
    ) -> list[Message]:
        """Up to so many of an account's, from its senders in turn. The account goes to the end of the line."""
        senders = self._flows.pop(account, {})
        room = min(wanted, self.accounts.room(account, now))
        taken: list[Message] = []
        ready = [sender for sender, due in senders.items() if due <= now]
        while ready and len(taken) < room:
            sender = ready.pop(0)
            share = max(1, (room - len(taken)) // (len(ready) + 1))
            del senders[sender]
            found, due = await self._of_sender(Flow(account, sender), share, now, until, fresh_since)
            if due is not None:
                senders[sender] = due
            taken += found
        self.accounts.spend(account, len(taken), now)
        if (free_at := self.accounts.free_at(account, now)) > now:
            senders = {sender: max(due, free_at) for sender, due in senders.items()}
        if senders:
            self._wait(account, senders)
        return taken

    async def _of_sender(
        self, flow: Flow, wanted: int, now: Millis, until: Millis, fresh_since: Millis
    ) -> tuple[list[Message], Millis | None]:
        """Up to so many of a flow, and when to look at it again; None: never."""
        room = min(wanted, self.senders.room(flow.sender, now))
        found = await self._rows_of(flow, room, now, until, fresh_since)
        self.senders.spend(flow.sender, len(found), now)
        if len(found) == room:
            return found, self.senders.free_at(flow.sender, now)
        return found, await self.rows.next_waiting(self.connection, flow, after=now)

    async def _rows_of(
        self, flow: Flow, limit: int, now: Millis, until: Millis, fresh_since: Millis
    ) -> list[Message]:
        if not fresh_since:
            return await self._claim(flow, limit, 0, now, until)
        self._odd_to_fresh = not self._odd_to_fresh
        fresh = await self._claim(flow, (limit + self._odd_to_fresh) // 2, fresh_since, now, until)
        return fresh + await self._claim(flow, limit - len(fresh), 0, now, until)

    async def _claim(self, flow: Flow, limit: int, since: Millis, now: Millis, until: Millis) -> list[Message]:
        if not limit:
            return []
        known = self._known.get(flow)
        if known is None:
            found = await self.rows.claim(self.connection, flow, now=now, until=until, limit=limit, since=since)
        else:
            taken = [known.popleft() for _ in range(min(limit, len(known)))]
            if not known:
                del self._known[flow]
            found = self.rows.hold(self.connection, taken, until)
        self._claimed += found
        return found
