"""How often an account may call: gap (E106), throughput per action (E113), daily quota (E120).

In one process gap and throughput are kept in memory, they speak of seconds; the quota is counted in the store,
every second in one write for all accounts. Where others take calls, too, each call of an account with limits is
counted in the store before it is let in.
"""

import asyncio
import logging
from collections import Counter, deque

from mmsgate.clock import DAY, SECOND, Clock, Millis
from mmsgate.domain.account import Account, RateLimits
from mmsgate.domain.request import Action
from mmsgate.errors import Refusal
from mmsgate.store import Store, StoreFault
from mmsgate.store.calls import Calls, TooMany

log = logging.getLogger("mmsgate.accept")

FLUSH_EVERY = 1.0  # seconds; at most that much of a count is lost in a crash


class Rates:
    """Counts calls and refuses those that come too often. `start` and `stop` may be called twice."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock = store, clock
        self._last_call: dict[int, Millis] = {}
        self._windows: dict[tuple[int, Action], deque[Millis]] = {}
        self._today: dict[tuple[int, int], int] = {}  # (account, day) → calls
        self._unwritten: Counter[tuple[int, int]] = Counter()
        self._task: asyncio.Task[None] | None = None

    async def admit(self, account: Account, action: Action) -> None:
        """Count a call, or raise `Refusal` E106, E113 or E120. A refused call is not counted."""
        limits = account.rates
        if self._store.calls is not None:
            await _admit_with_others(self._store.calls, account, action, self._clock.now())
            return
        if limits.quota:
            await self._read_count(account.id, self._clock.now() // DAY)
        now = self._clock.now()  # from here on nothing waits: of two calls at once the second sees the first
        if limits.gap and now - self._last_call.get(account.id, 0) < limits.gap * SECOND:
            raise _refusal(TooMany.GAP, limits, action)
        window = self._windows.setdefault((account.id, action), deque())
        if limits.throughput and not _has_room(window, limits.throughput, now):
            raise _refusal(TooMany.THROUGHPUT, limits, action)
        if limits.quota and not self._count_towards_quota(account.id, limits.quota, now // DAY):
            raise _refusal(TooMany.QUOTA, limits, action)
        if limits.throughput:
            window.append(now)
        if limits.gap:
            self._last_call[account.id] = now

    async def _read_count(self, account_id: int, day: int) -> None:
        """Know what was counted before this process began, or by others."""
        key = (account_id, day)
        if key not in self._today:
            calls = await self._store.accounts.calls(account_id, day)
            self._today = {each: calls for each, calls in self._today.items() if each[1] >= day}
            self._today.setdefault(key, calls)

    def _count_towards_quota(self, account_id: int, quota: int, day: int) -> bool:
        """Whether there is room for one more; then it counts."""
        key = (account_id, day)
        calls = self._today.get(key, 0)  # a day that has just begun has none
        if calls >= quota:
            return False
        self._today[key] = calls + 1
        self._unwritten[key] += 1
        return True

    def start(self) -> None:
        if self._task is None:
            self._task = asyncio.create_task(self._write_counts(), name="quota counts")

    async def stop(self) -> None:
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait({task})
            await self._flush()

    async def _write_counts(self) -> None:
        while True:
            await asyncio.sleep(FLUSH_EVERY)
            await self._flush()

    async def _flush(self) -> None:
        if not self._unwritten:
            return
        counts, self._unwritten = self._unwritten, Counter()
        try:
            await self._store.accounts.add_calls(dict(counts))
        except StoreFault:
            self._unwritten.update(counts)
            log.exception("the calls of %d accounts could not be counted; it will be tried again", len(counts))


async def _admit_with_others(calls: Calls, account: Account, action: Action, now: Millis) -> None:
    limits = account.rates
    if not (limits.gap or limits.throughput or limits.quota):
        return
    broken = await calls.admit(account.id, action, limits, now=now)
    if broken is not None:
        raise _refusal(broken, limits, action)


def _refusal(broken: TooMany, limits: RateLimits, action: Action) -> Refusal:
    match broken:
        case TooMany.GAP:
            return Refusal("E106", x=limits.gap)
        case TooMany.THROUGHPUT:
            return Refusal("E113", detail=f"{limits.throughput} calls of {action.value} per second are allowed")
        case TooMany.QUOTA:
            detail = f"{limits.quota:,} calls a day are allowed; the count begins anew at 00:00 UTC"
            return Refusal("E120", detail=detail)


def _has_room(window: deque[Millis], throughput: int, now: Millis) -> bool:
    """Whether another call fits into the second that ends now. What is older is dropped."""
    while window and window[0] <= now - SECOND:
        window.popleft()
    return len(window) < throughput
