"""Sends postbacks: in order per message, one lane per receiver, retried on the account's schedule."""

import asyncio
import logging
import time
from collections.abc import Callable
from functools import partial

from mmsgate.clock import MINUTE, SECOND, Clock, Millis, iso
from mmsgate.domain.account import Account
from mmsgate.http import Answered, HttpClient, Lost, NotSent, Pool, PostOutcome, Timeouts
from mmsgate.observe import Observe, Work, unobserved
from mmsgate.postbacks.schedule import delay_before
from mmsgate.postbacks.signature import sign
from mmsgate.pump import Pump
from mmsgate.store import Store, StoreFault
from mmsgate.store.accounts import Directory
from mmsgate.store.postbacks import Again, DuePostback, Parked, PostbackOutcome, Sent
from mmsgate.trail import Trail

log = logging.getLogger("mmsgate.postbacks")

#: Posts under way to one receiver at once.
CONCURRENCY = 16
#: Postbacks worked at once, per post that may be under way: the next is claimed, the last recorded meanwhile. Posts
#: are quick and commits are slow where many wait for one transaction.
AHEAD = 12
#: Longer than the last of them waits behind posts that all time out.
LEASE: Millis = 5 * MINUTE
#: 10 s to connect, 10 s for the answer (postback contract 1).
PATIENCE = Timeouts(connect=10, idle=10, total=20)
LOOK_EVERY = 1.0  # seconds
#: How far each look goes back for postbacks that two processes left to one another (`free_forgotten`).
LOOK_BACK: Millis = 15 * SECOND
_NAMES: dict[type[PostbackOutcome], str] = {Sent: "sent", Again: "again", Parked: "parked"}


class PostbackSender:
    """Works off the postbacks of all accounts.

    A receiver that is down only holds up its own lane: each has a pump of its own, made when something is due for
    it. `wake` says that a step has made postbacks for a receiver; whatever else is due (after a restart, by another
    process) is found within a second.
    """

    def __init__(
        self, store: Store, http: HttpClient, directory: Callable[[], Directory], *, clock: Clock, owner: str
    ) -> None:
        self._store, self._http, self._directory = store, http, directory
        self._clock, self._owner = clock, owner
        self.observe: Observe = unobserved
        self._lanes: dict[str, Pump[DuePostback]] = {}
        self._pools: dict[str, Pool] = {}
        self._turns: dict[str, asyncio.Semaphore] = {}
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        if self._task is None:
            self._task = asyncio.create_task(self._look_after_lanes(), name="postbacks")

    def wake(self, receiver: str) -> None:
        """Postbacks are due for that receiver. While nothing runs they wait in the store."""
        if self._task is not None:
            self._lane(receiver).wake()

    def _lane(self, receiver: str) -> Pump[DuePostback]:
        if receiver not in self._lanes:
            self._lanes[receiver] = self._open(receiver)
        return self._lanes[receiver]

    async def stop(self) -> None:
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait({task})
        await asyncio.gather(*(lane.stop() for lane in self._lanes.values()))
        await asyncio.gather(*(pool.close() for pool in self._pools.values()))
        self._lanes.clear()
        self._pools.clear()
        self._turns.clear()

    async def _look_after_lanes(self) -> None:
        while True:
            try:
                now = self._clock.now()
                await self._store.postbacks.free_forgotten(now=now, since=now - LOOK_BACK)
                for receiver in await self._store.postbacks.receivers(now=now):
                    self._lane(receiver)
            except StoreFault as fault:
                log.warning("receivers could not be looked up, trying again: %s", fault)
            await asyncio.sleep(LOOK_EVERY)

    def _open(self, receiver: str) -> Pump[DuePostback]:
        self._pools[receiver] = self._http.pool(limit=CONCURRENCY)
        self._turns[receiver] = asyncio.Semaphore(CONCURRENCY)
        lane: Pump[DuePostback] = Pump(
            f"postbacks of account {receiver.partition(' ')[0]}",
            claim=partial(self._claim, receiver),
            work=self._work,
            next_due=partial(self._next_due, receiver),
            clock=self._clock,
            slots=CONCURRENCY * AHEAD,
        )
        lane.start()
        return lane

    async def _claim(self, receiver: str, limit: int, now: Millis) -> list[DuePostback]:
        if await self._next_due(receiver, now + 1) > now:
            return []
        return await self._store.postbacks.claim(
            receiver, now=now, lease=now + LEASE, owner=self._owner, limit=limit
        )

    async def _next_due(self, receiver: str, default: Millis) -> Millis:
        return await self._store.postbacks.next_due(receiver, default=default)

    async def _work(self, due: DuePostback) -> None:
        with Trail(tracking_id=due.tracking_id):
            await self._send(due)

    async def _send(self, due: DuePostback) -> None:
        account = self._account(due.account_id)
        problem, took = await self._post(due, account)
        outcome = self._outcome(due, account, problem)
        self.observe(Work.POSTBACK, due.code, _NAMES[type(outcome)], took, due.tracking_id)
        await self._store.postbacks.record([outcome], at=self._clock.now())
        if isinstance(outcome, Parked):
            log.warning("postback %s of message %d is parked: %s", due.code, due.message_id, outcome.error)
        self._lanes[due.receiver].wake()  # the message's next one may go

    async def _post(self, due: DuePostback, account: Account | None) -> tuple[str, float]:
        """Post it; what was wrong, empty if the receiver took it, and how many seconds it took."""
        try:
            headers = self._headers(due, account)
        except ValueError as error:
            return str(error), 0.0
        pool = self._pools[due.receiver]
        async with self._turns[due.receiver]:  # not the pool's own queue: waiting there would be the receiver's
            began = time.perf_counter()
            posted = await pool.post(due.url, headers=headers, buffers=(due.body,), timeouts=PATIENCE)
            took = time.perf_counter() - began
        return _problem(posted, account), took

    def _account(self, account_id: int) -> Account | None:
        return self._directory().accounts.get(account_id)

    def _headers(self, due: DuePostback, account: Account | None) -> dict[str, str]:
        headers = {
            "Content-Type": due.content_type,
            "X-Sequence": str(due.sequence),
            "X-Event-Time": iso(due.event_at),
            "webhook-id": f"msg_{due.message_id}_{due.sequence}",
            "webhook-timestamp": str(self._clock.now() // 1000),
        }
        if account is not None and account.postback.secrets:
            headers["webhook-signature"] = sign(
                account.postback.secrets,
                identifier=headers["webhook-id"],
                timestamp=int(headers["webhook-timestamp"]),
                body=due.body,
            )
        return headers

    def _outcome(self, due: DuePostback, account: Account | None, problem: str) -> PostbackOutcome:
        attempts = due.attempts + 1
        if not problem:
            return Sent(id=due.id, attempts=attempts)
        schedule = account.postback.schedule if account else "default"
        delay = delay_before(schedule, attempts)
        if delay is None:
            return Parked(id=due.id, attempts=attempts, error=problem)
        return Again(id=due.id, attempts=attempts, error=problem, due_at=self._clock.now() + delay)


def _problem(posted: PostOutcome, account: Account | None) -> str:
    """What was wrong with the receiver's answer; empty if it took the postback (R-08)."""
    match posted:
        case NotSent(reason=reason) | Lost(reason=reason):
            return reason
        case Answered(status=status):
            any_2xx = account is None or account.switches.better(account.switches.any_2xx)
            taken = 200 <= status < 300 if any_2xx else status == 200
            return "" if taken else f"HTTP {status}"
