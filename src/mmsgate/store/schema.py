"""The schema on PostgreSQL: numbered migrations under a lock."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg

from mmsgate.clock import Millis
from mmsgate.store.engine import StoreFault
from mmsgate.store.migrate import Migration, migrations
from mmsgate.store.partitions import LOCK, make_partitions, months_ahead
from mmsgate.store.pool import open_pool

log = logging.getLogger("mmsgate.store")

#: The oldest PostgreSQL that takes our SQL.
OLDEST_SERVER = 16


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
            await connection.execute("SELECT pg_advisory_xact_lock($1)", LOCK)
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
    refuse_old_server(connection.get_server_version().major)
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
    await make_partitions(connection, months_ahead(now))
    return [each.number for each in applied]


async def check_schema(pool: Any) -> None:
    """Raise `StoreFault` unless this release can work on the database."""
    async with pool.acquire() as connection:
        refuse_old_server(connection.get_server_version().major)
        schema = await _schema(connection)
    known = migrations("postgres")
    refuse_stranger(schema, known)
    if schema.version < known[-1].number:
        state = f"has schema {schema.version}" if schema.version else "is empty"
        raise StoreFault(
            f"the database {state}, this release needs {known[-1].number}: run `mmsgate migrate` first"
        )


def refuse_old_server(version: int) -> None:
    """Raise `StoreFault` for a server that does not understand our SQL."""
    if version < OLDEST_SERVER:
        raise StoreFault(f"the server of database_url is PostgreSQL {version}, at least {OLDEST_SERVER} is needed")


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
