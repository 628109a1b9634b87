"""Messages of a connection that is down go to the next that takes them and is up.

What only waits is moved, with an event that says why: an MMS to the next connection that takes its recipient, an
SMS to the next SMSC of the profile's list. What a carrier has or may have stays where it is: a message that is
being submitted, whose outcome is unknown, or that was in doubt once (promise 2), and an SMS that was tried,
whatever came of it. So does the gateway's own answer to STOP or HELP: it leaves by the SMSC of the number that was
written to. New messages are accepted for the first connection that is up, so that all is as before when it is up.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence

from mmsgate.carriers.profile import CarrierProfile
from mmsgate.carriers.routing import NoRoute, first_up, route, sms_after
from mmsgate.clock import MINUTE, Clock, Millis
from mmsgate.delivery.health import FEW
from mmsgate.delivery.verdict import Verdict
from mmsgate.domain.change import Why
from mmsgate.domain.message import Message
from mmsgate.domain.state import WAITING, Happening, State
from mmsgate.postbacks.ledger import Ledger
from mmsgate.store import Store

log = logging.getLogger("mmsgate.delivery")

#: Messages moved at once, in one commit.
AT_ONCE = 100
#: Where nothing has a better place than the connection that is down, all of it is looked through again after that
#: long, or when a connection has come up: a hundred thousand messages are seconds of work.
SEARCH_AGAIN: Millis = 1 * MINUTE


class Failover:
    """Moves messages. `start` and `stop` may be called twice; what is asked for before `start` waits."""

    def __init__(
        self, *, store: Store, ledger: Ledger, profiles: Callable[[], Sequence[CarrierProfile]],
        is_up: Callable[[str], bool], moved: Callable[[str, str], None], clock: Clock,
    ) -> None:  # fmt: skip
        self._store, self._ledger, self._profiles = store, ledger, profiles
        self._is_up, self._moved, self._clock = is_up, moved, clock
        self._asked = asyncio.Event()
        self._stuck: deque[Message] = deque()
        self._changed = False
        self._search_at: dict[str, Millis] = {}  # by connection
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        if self._task is None:
            self._task = asyncio.create_task(self._work(), name="failover")

    async def stop(self) -> None:
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait({task})

    def changed(self, name: str) -> None:
        """A connection went down, came up or was tried in vain: there may be messages to move."""
        if self._is_up(name):
            self._search_at.clear()
        self._changed = True
        self._asked.set()

    def stuck(self, message: Message) -> None:
        """That message waits at a connection that is not up."""
        if message.state in WAITING:
            self._stuck.append(message)
            self._asked.set()

    async def _work(self) -> None:
        while True:
            await self._asked.wait()
            self._asked.clear()
            try:
                await self._move_stuck()
                if self._changed:
                    await self._clear_all()
            except Exception:  # whatever it was: without this task no message moves
                log.exception("messages could not be moved; tried again when a connection changes")

    async def _move_stuck(self) -> None:
        stuck = [self._stuck.popleft() for _ in range(len(self._stuck))]
        try:
            await self._move_all(stuck)
        except Exception:
            self._stuck.extend(stuck)  # what has moved meanwhile moves no further
            raise

    async def _clear_all(self) -> None:
        self._changed = False
        try:
            profiles = self._profiles()
            smscs = dict.fromkeys(name for profile in profiles for name in profile.reach.sms)
            for name in [*(profile.name for profile in profiles), *smscs]:
                if self._clock.now() >= self._search_at.get(name, 0):
                    await self.clear(name)
        except Exception:
            self._changed = True
            raise

    async def clear(self, name: str) -> int:
        """Move what waits at a connection that is down; how many."""
        moved, last = 0, None
        if not self._is_up(name):
            await self._store.queue.give_all_back(name, now=self._clock.now())
        while not self._is_up(name):
            page = await self._store.queue.page(name, after=last)
            if not page:
                self._search_at[name] = self._clock.now() + SEARCH_AGAIN
                break
            last = page[-1]
            await asyncio.sleep(0)  # also where nothing is moved others get their turn
            moved += await self._move_all(page)
        if moved:
            log.warning("%s is not up: %d messages moved to other connections", name, moved)
        return moved

    async def _move_all(self, messages: Sequence[Message]) -> int:
        """Each to where it is better off; how many. One that only wants to be tried gets no more than that."""
        moved, left = 0, deque(messages)
        while left:
            some = [left.popleft() for _ in range(min(AT_ONCE if moved else FEW, len(left)))]
            better = [(message, other) for message in some if (other := await self._better(message))]
            if not better:
                continue
            await asyncio.gather(*(self._move(*each) for each in better))
            for origin, goal in {(message.connection, other) for message, other in better}:
                self._moved(origin, goal)
            moved += len(better)
        return moved

    async def _better(self, message: Message) -> str:
        """The connection that takes the message and is up; empty if there is none."""
        if self._is_up(message.connection) or self._store.queue.holds(message):
            return ""
        match message.state:
            case State.ACCEPTED:
                return await self._better_mmsc(message)
            case State.FALLBACK:
                return await self._better_smsc(message)
            case _:
                return ""

    async def _better_mmsc(self, message: Message) -> str:
        routes = route(
            self._profiles(), operator=message.operator, recipient=message.recipient,
            sender_type=message.sender_type,
        )  # fmt: skip
        if isinstance(routes, NoRoute):
            return ""
        first = first_up(routes, self._is_up).profile.name
        if first == message.connection or not self._is_up(first):
            return ""
        return "" if message.attempts and await self._store.queue.times_in_doubt(message.id) else first

    async def _better_smsc(self, message: Message) -> str:
        others = sms_after(
            self._profiles(), message.connection, operator=message.operator, recipient=message.recipient,
            sender_type=message.sender_type,
        )  # fmt: skip
        first = next(filter(self._is_up, others), "")
        if not first or message.is_reply:
            return ""
        return "" if await self._store.messages.sms_parts(message.id) else first

    async def _move(self, message: Message, other: str) -> None:
        why = Why.of(f"{message.connection} is not up, so it goes to {other}", carrier=other)
        now = self._clock.now()
        due_at = min(message.due_at or now, now - 1)  # older than what is accepted from now on
        verdict = Verdict(happening=Happening.POSTPONED, why=why, due_at=due_at, connection=other)
        decide = verdict.decide(now, on=message.connection, of=message.state, untried=True)
        await self._ledger.record(message, decide)
