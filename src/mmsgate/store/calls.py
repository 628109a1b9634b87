"""Calls of accounts, counted for all processes that take them (PostgreSQL only; one process counts in memory)."""

from enum import StrEnum

from mmsgate.clock import DAY, SECOND, Millis
from mmsgate.domain.account import RateLimits
from mmsgate.domain.request import Action
from mmsgate.store.engine import Engine, Transaction, key_of
from mmsgate.store.queries import queries

SQL = queries("calls")
CALLS, ADD_CALLS = (queries("accounts")[name] for name in ("calls", "add_calls"))


class TooMany(StrEnum):
    """Which limit a call would break."""

    GAP = "gap"
    THROUGHPUT = "throughput"
    QUOTA = "quota"


class Calls:
    """Statements about calls."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def admit(self, account_id: int, action: Action, limits: RateLimits, *, now: Millis) -> TooMany | None:
        """Count a call, or say which limit it would break; then it is not counted.

        Throughput is counted by whole seconds of the clock: at the turn of one, two seconds' calls may meet.
        """

        async def work(tx: Transaction) -> TooMany | None:
            await tx.alone(key_of("calls", account_id), everywhere=True)
            broken = await _broken(tx, account_id, action, limits, now)
            if broken is None:
                await _count(tx, account_id, action, limits, now)
            return broken

        return await self._engine.write(work)


async def _broken(
    tx: Transaction, account_id: int, action: Action, limits: RateLimits, now: Millis
) -> TooMany | None:
    if limits.gap:
        last = await tx.rows(SQL["last"], (account_id,))
        if last and now - last[0][0] < limits.gap * SECOND:
            return TooMany.GAP
    if limits.throughput:
        found = await tx.rows(SQL["in_second"], (account_id, action.value, now // SECOND))
        if found and found[0][0] >= limits.throughput:
            return TooMany.THROUGHPUT
    if limits.quota:
        today = await tx.rows(CALLS, (account_id, now // DAY))
        if today and today[0][0] >= limits.quota:
            return TooMany.QUOTA
    return None


async def _count(tx: Transaction, account_id: int, action: Action, limits: RateLimits, now: Millis) -> None:
    if limits.gap:
        await tx.run(SQL["called"], (account_id, now))
    if limits.throughput:
        await tx.run(SQL["count"], (account_id, action.value, now // SECOND))
    if limits.quota:
        await tx.run(ADD_CALLS, (account_id, now // DAY, 1))
