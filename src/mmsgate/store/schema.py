"""The schema on PostgreSQL: numbered migrations under a lock, and the partitions of the months."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import asyncpg

from mmsgate.clock import DAY, Millis, id_at
from mmsgate.store.engine import StoreFault
from mmsgate.store.migrate import Migration, migrations
from mmsgate.store.pool import open_pool

log = logging.getLogger("mmsgate.store")

#: Tables in monthly partitions; each by the id of the message that a row belongs to.
PARTITIONED = ("message", "event", "postback", "sms_part")
#: How many months ahead there are partitions.
AHEAD = 3
#: One migrates, or makes partitions, at a time; the others wait. (Any number will do.)
_LOCK = 0x6D6D73
_TUNING = (
    "autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_insert_scale_factor = 0.1, "
    "autovacuum_analyze_scale_factor = 0.05, fillfactor = 85"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Schema:
    """How far a database has been migrated: 0 is a new one. `serves` is the oldest schema whose programs may use
    it.
    """

    version: int
    serves: int


async def migrate_postgres(dsn: str, *, now: Millis) -> list[int]:
    """Bring the database to this release's schema; the numbers of the migrations that were applied.

    Safe to call twice, and from two processes at once. Raises `StoreFault`, also for a schema from the future.
    """
    pool = await open_pool(dsn, name="mmsgate migrate", connections=1)
    try:
        async with pool.acquire() as connection, connection.transaction():
            await connection.execute("SELECT pg_advisory_xact_lock($1)", _LOCK)
            return await _apply(connection, now)
    except asyncpg.InsufficientPrivilegeError as error:
        raise StoreFault(
            f"the user of database_url may not make tables in its database: {error}; GRANT CREATE ON SCHEMA public "
            "to it, or let its owner run mmsgate migrate"
        ) from error
    except asyncpg.PostgresError as error:
        raise StoreFault(f"the database could not be migrated: {error}") from error
    finally:
        await pool.close()


async def _apply(connection: Any, now: Millis) -> list[int]:
    known = migrations("postgres")
    schema = await _schema(connection)
    refuse_stranger(schema, known)
    applied = [each for each in known if each.number > schema.version]
    for each in applied:
        await connection.execute(each.sql)
    if applied:
        await connection.execute(
            "UPDATE schema_version SET version = $1, serves = $2", applied[-1].number, applied[-1].serves
        )
    await _partition(connection, now)
    return [each.number for each in applied]


async def check_schema(pool: Any) -> None:
    """Raise `StoreFault` unless this release can work on the database."""
    async with pool.acquire() as connection:
        schema = await _schema(connection)
    known = migrations("postgres")
    refuse_stranger(schema, known)
    if schema.version < known[-1].number:
        state = f"has schema {schema.version}" if schema.version else "is empty"
        raise StoreFault(
            f"the database {state}, this release needs {known[-1].number}: run `mmsgate migrate` first"
        )


def refuse_stranger(schema: Schema, known: Sequence[Migration]) -> None:
    """Raise `StoreFault` for a schema that this release's programs can't work on."""
    if schema.serves > known[-1].number:
        raise StoreFault(
            f"the database has schema {schema.version}, which programs with schema {known[-1].number} can't use: "
            "start a newer mmsgate"
        )


async def _schema(connection: Any) -> Schema:
    if await connection.fetchval("SELECT to_regclass('schema_version')") is None:
        return Schema(version=0, serves=0)
    row = await connection.fetchrow("SELECT version, serves FROM schema_version")
    return Schema(version=row[0], serves=row[1])


# -- partitions


async def make_partitions(pool: Any, *, now: Millis) -> None:
    """See to it that there are partitions for this month and the next ones."""
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock($1)", _LOCK)
        await _partition(connection, now)


async def _partition(connection: Any, now: Millis) -> None:
    months = _months(now, AHEAD + 1)
    for table in PARTITIONED:
        for begin, end in pairwise(months):
            name = f"{table}_{begin:%Y_%m}"
            if await connection.fetchval("SELECT to_regclass($1)", name) is None:
                bounds = f"FROM ({_first_id(begin)}) TO ({_first_id(end)})"
                await connection.execute(
                    f"CREATE TABLE {name} PARTITION OF {table} FOR VALUES {bounds} WITH ({_TUNING})"
                )


async def drop_partitions(pool: Any, *, before: Millis) -> list[str]:
    """Drop the partitions whose messages were all accepted before that time, and what names them; which."""
    dropped: list[str] = []
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock($1)", _LOCK)
        for table, name, month in await _existing(connection):
            if _first_id(_next(month)) <= id_at(before):
                await connection.execute(f"DROP TABLE {name}")
                dropped.append(name)
                if table == "message":
                    await _forget(connection, _first_id(_next(month)))
    return dropped


async def _forget(connection: Any, end: int) -> None:
    """What is kept outside the partitions for messages before that id."""
    for table in ("tracking", "carrier_id", "page"):
        await connection.execute(f"DELETE FROM {table} WHERE message_id < $1", end)  # noqa: S608  our own SQL


async def _existing(connection: Any) -> list[tuple[str, str, datetime]]:
    """Table, name and month of each monthly partition, the oldest first."""
    rows = await connection.fetch(
        "SELECT parent.relname, child.relname FROM pg_inherits JOIN pg_class AS parent ON parent.oid = inhparent "
        "JOIN pg_class AS child ON child.oid = inhrelid WHERE parent.relname = ANY($1) ORDER BY child.relname",
        list(PARTITIONED),
    )
    found = []
    for table, name in rows:
        month = name.removeprefix(f"{table}_")
        if month != "rest":
            found.append((table, name, datetime.strptime(month, "%Y_%m").replace(tzinfo=UTC)))
    return found


def _months(now: Millis, count: int) -> list[datetime]:
    """The first days of this month and the next ones."""
    month = datetime.fromtimestamp(now / 1000, UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    months = [month]
    while len(months) <= count:
        months.append(_next(months[-1]))
    return months[: count + 1]


def _next(month: datetime) -> datetime:
    later = datetime.fromtimestamp(month.timestamp() + 32 * DAY / 1000, UTC)
    return later.replace(day=1)


def _first_id(month: datetime) -> int:
    return id_at(round(month.timestamp() * 1000))
