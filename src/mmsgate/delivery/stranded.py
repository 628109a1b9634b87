"""Messages whose connection does not exist: its profile was removed, or never written.

They wait, so that an operator can put it right; an alarm says so. What has had its time ends.
"""

import asyncio

from mmsgate.clock import MINUTE, Clock, Millis
from mmsgate.delivery.alarms import Alarms
from mmsgate.delivery.verdict import Verdict, gave_up
from mmsgate.domain.change import Why
from mmsgate.domain.message import Message
from mmsgate.domain.state import IN_FLIGHT, Happening, State
from mmsgate.postbacks.ledger import Ledger
from mmsgate.store import Store

#: How long a report may settle a request that was under way when its connection went.
DOUBT: Millis = 15 * MINUTE


class Stranded:
    """Looks after them, a page at a time."""

    def __init__(self, store: Store, ledger: Ledger, alarms: Alarms, clock: Clock) -> None:
        self._store, self._ledger, self._alarms, self._clock = store, ledger, alarms, clock
        self._raised: set[str] = set()

    async def settle(self, connections: frozenset[str]) -> None:
        """Raise an alarm for each connection that messages wait for and that is not one of `connections`."""
        missing = set(await self._store.queue.in_use()) - connections
        for name in sorted(missing):
            await self._alarms.raise_(_subject(name), "its profile is missing; the messages end when they expire")
            await self._settle_all(name)
        for name in self._raised - missing:
            await self._alarms.clear(_subject(name))
        self._raised = missing

    async def _settle_all(self, name: str) -> None:
        """Page after page, until there is none, or one on which nothing could be ended."""
        now = self._clock.now()
        while page := await self._store.queue.stranded(name, now=now):
            ended = 0
            for message in page:
                ending = _ending(message, name, now)  # its profile may come back meanwhile, and its lane take it
                change = await self._ledger.record(message, ending.decide(now, on=name, of=message.state))
                ended += change.event.changed
            if not ended:
                return
            await asyncio.sleep(0)  # others get their turn


def _subject(name: str) -> str:
    return f"messages wait for the connection {name!r}, which does not exist"


def _ending(message: Message, name: str, now: Millis) -> Verdict:
    reason = f"the connection {name!r} does not exist any more"
    if message.state in IN_FLIGHT:
        return Verdict(happening=Happening.IN_DOUBT, why=Why.of(reason), due_at=now + DOUBT)
    if message.state is State.DISCOVERING:  # nobody can send the discovery; the content waits like any other
        return Verdict(happening=Happening.DISCOVERED, why=Why.of(reason), due_at=now)
    if message.state in {State.SENT, State.SMS_SENT}:
        return Verdict(happening=Happening.NEVER_REPORTED, why=Why.of(f"{reason}, and no final report has come"))
    return gave_up(reason)
