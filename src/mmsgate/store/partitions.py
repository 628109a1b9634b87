"""PostgreSQL's monthly partitions: made ahead, and dropped when all their messages are older than the retention.

A month is dropped whole. Before, its messages are gone through in steps for what names them from outside the
partitions. A month in which a message is not over stays, and with it the rows of its other messages.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import asyncpg

from mmsgate.clock import DAY, HOUR, Millis, id_at
from mmsgate.store.engine import Engine, StoreFault
from mmsgate.store.pool import open_pool
from mmsgate.store.queries import queries
from mmsgate.store.retention import OUTSIDE, free
from mmsgate.store.retention import SQL as RETENTION

SQL = queries("postgres")

log = logging.getLogger("mmsgate.store")

#: Tables in monthly partitions; each by the id of the message that a row belongs to.
PARTITIONED = ("message", "event", "postback", "sms_part")
#: How many months ahead there are partitions.
AHEAD = 3
#: One migrates, or makes or drops partitions, at a time; the others wait. (Any number will do.)
LOCK = 0x6D6D73
_TUNING = (
    "autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_insert_scale_factor = 0.1, "
    "autovacuum_analyze_scale_factor = 0.05, fillfactor = 85"
)

#: Whoever waits for a table's lock makes everybody else wait behind it: for so long at most.
_LOCK_WITHIN = "2s"
_IN_THE_WAY = (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError)
#: How long a transaction's token is kept: the connection that it was written on has broken long before.
TOKEN_LIFE: Millis = HOUR
#: A month that can't go yet is looked at again after this.
AGAIN_AFTER: Millis = DAY
#: Messages of one transaction, and steps of one round, of which there is one a minute.
STEP, ROUND = 1_000, 200


@dataclass(frozen=True, slots=True)
class Month:
    """A month of UTC; `first` is its first message's least id, `after` the next month's."""

    begin: datetime

    @staticmethod
    def of(moment: Millis) -> "Month":
        day = datetime.fromtimestamp(moment / 1000, UTC)
        return Month(day.replace(day=1, hour=0, minute=0, second=0, microsecond=0))

    @property
    def next(self) -> "Month":
        return Month.of(round(self.begin.timestamp() * 1000) + 32 * DAY)

    @property
    def first(self) -> int:
        return id_at(round(self.begin.timestamp() * 1000))

    def partition(self, table: str) -> str:
        """The name of a table's part."""
        return f"{table}_{self.begin:%Y_%m}"

    def __str__(self) -> str:
        return f"{self.begin:%B %Y}"


def months_ahead(now: Millis) -> list[Month]:
    """This month and the next ones."""
    months = [Month.of(now)]
    while len(months) <= AHEAD:
        months.append(months[-1].next)
    return months


async def make_partitions(connection: Any, months: Sequence[Month]) -> None:
    """See to it that these months have their partitions, in a transaction of the caller's."""
    await connection.execute("SELECT pg_advisory_xact_lock($1)", LOCK)
    for table in PARTITIONED:
        for month in months:
            name = month.partition(table)
            if await connection.fetchval("SELECT to_regclass($1)", name) is None:
                bounds = f"FROM ({month.first}) TO ({month.next.first})"
                await connection.execute(
                    f"CREATE TABLE {name} PARTITION OF {table} FOR VALUES {bounds} WITH ({_TUNING})"
                )


class MonthlyRetention:
    """PostgreSQL's `Retention`, and what else its tables need: partitions for the months to come, no old tokens."""

    def __init__(self, engine: Engine, dsn: str, *, name: str, aside: Callable[[], Engine]) -> None:
        self._engine, self._dsn, self._name, self._aside = engine, dsn, name, aside
        self._steps = 0
        self._at: dict[Month, tuple[int, int]] = {}  # how far a month has been gone through, and how many stay
        self._again: dict[Month, Millis] = {}

    async def keep(self, *, now: Millis, days: int) -> None:
        """Forget what is older than so many days; 0: nothing. Raises `StoreFault`."""
        await self._engine.run(SQL["forget_tokens"], (now - TOKEN_LIFE,))
        pool = await open_pool(self._dsn, name=self._name, connections=1)
        try:
            async with pool.acquire() as connection:
                async with connection.transaction():
                    await connection.execute(f"SET LOCAL lock_timeout = '{_LOCK_WITHIN}'")
                    await make_partitions(connection, months_ahead(now))
                if days:
                    await self._drop_old(connection, now, id_at(now - days * DAY))
        except _IN_THE_WAY as error:
            log.info("the partitions are in use; they are looked at again in a minute: %s", error)
        except asyncpg.PostgresError as error:
            raise StoreFault(f"the partitions could not be kept: {error}") from error
        finally:
            await pool.close()

    async def _drop_old(self, connection: Any, now: Millis, before: int) -> None:
        self._steps = ROUND
        aside = self._aside()  # a step must not hold up what is sent meanwhile
        await aside.start()
        try:
            await self._drop_months(connection, aside, now, before)
        finally:
            await aside.stop()

    async def _drop_months(self, connection: Any, aside: Engine, now: Millis, before: int) -> None:
        for month in await _existing(connection):
            if month.next.first > before:
                return
            if self._again.get(month, 0) > now:
                continue
            stay = await self._free(aside, month)
            if stay is None:
                return  # the rest in the next round
            if stay or not await _drop(connection, month):
                self._again[month] = now + AGAIN_AFTER
                log.warning(
                    "the messages of %s stay though they are older than the retention: %d of them are not in a "
                    "final state, or are owed postbacks",
                    month, max(stay, 1),
                )  # fmt: skip
            else:
                log.info("the messages of %s were older than the retention, and have been dropped", month)

    async def _free(self, aside: Engine, month: Month) -> int | None:
        """Forget what names its messages from outside; how many are not over. None: there is more to do."""
        end = month.next.first - 1
        after, stay = self._at.pop(month, (month.first - 1, 0))
        while after < end:
            if not self._steps:
                self._at[month] = after, stay
                return None
            self._steps -= 1
            after, more = await _step(aside, after, end)
            stay += more
        return stay


async def _step(aside: Engine, after: int, end: int) -> tuple[int, int]:
    """Where the next few messages end, and how many of them are not over."""
    ((last, stay),) = await aside.read(RETENTION["step"], (after, end, STEP))
    if last is None:
        return end, 0
    await aside.write(lambda tx: free(tx, OUTSIDE, after, last))
    return int(last), int(stay)


async def _existing(connection: Any) -> list[Month]:
    """The months that have partitions, the oldest first."""
    rows = await connection.fetch(
        "SELECT substr(child.relname, 9) FROM pg_inherits JOIN pg_class AS child ON child.oid = inhrelid "
        "WHERE inhparent = to_regclass('message') ORDER BY child.relname"
    )
    names = [row[0] for row in rows if row[0] != "rest"]
    return [Month(datetime.strptime(name, "%Y_%m").replace(tzinfo=UTC)) for name in names]


async def _drop(connection: Any, month: Month) -> bool:
    """Drop a month; False if something of it is still to be sent: somebody has had postbacks sent again."""
    async with connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock($1)", LOCK)
        await connection.execute(f"SET LOCAL lock_timeout = '{_LOCK_WITHIN}'")
        await connection.execute(f"LOCK TABLE {month.partition('postback')} IN ACCESS EXCLUSIVE MODE")
        owed = "SELECT EXISTS (SELECT 1 FROM {} WHERE state = 'pending')"
        if await connection.fetchval(owed.format(month.partition("postback"))):
            return False
        for table in PARTITIONED:
            await connection.execute(f"DROP TABLE {month.partition(table)}")
    return True
