"""An embedded installation's database, copied to PostgreSQL: every table as it is, in one transaction.

Nothing of it is there until all of it is: a copy that is interrupted leaves the target empty, and is begun anew.
The source is only read. What the gateway had in hand when it stopped is treated as after a crash: what was being
submitted is overdue, and so becomes unknown (R-19); all other leases are void.
"""

import asyncio
import contextlib
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg

from mmsgate.clock import Millis, moment_of
from mmsgate.store.engine import StoreFault
from mmsgate.store.forms import numbered
from mmsgate.store.migrate import migrations
from mmsgate.store.nodes import DEAD_AFTER
from mmsgate.store.partitions import PARTITIONED, Month, make_partitions, months_ahead
from mmsgate.store.pool import LOST, open_pool, unreachable
from mmsgate.store.queries import queries
from mmsgate.store.schema import check_schema

SQL = queries("copy")

#: Rows in memory at once.
BATCH = 5_000
#: Seconds for a statement over a whole table.
_WHOLE_TABLE = 3600.0
#: Rows that a new database has already.
_THERE_ALREADY = frozenset({"revision"})
_BLOBS = "content_blob", "fetch_cache", "upload", "inbound_file"

#: Told of a table, how many of its rows are copied, and how many it has.
OnRows = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table of the source."""

    name: str
    columns: tuple[str, ...]
    rows: int


class Source:
    """An embedded installation's database, open for reading only. Raises `StoreFault`."""

    def __init__(self, path: Path) -> None:
        if not path.is_file():
            raise StoreFault(f"there is no database {path}: name the data folder of an embedded gateway")
        self._path = path
        try:
            self._connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
            self._check()
        except sqlite3.Error as error:
            raise StoreFault(f"the database {path} can't be read: {error}") from error

    def _check(self) -> None:
        newest = migrations("sqlite")[-1].number
        ((version,),) = self._connection.execute("PRAGMA user_version")
        if version != newest:
            self.close()
            what = (
                f"run `mmsgate migrate --data-dir {self._path.parent}` first"
                if version < newest
                else "copy it with a newer mmsgate"
            )
            raise StoreFault(f"the database {self._path} has schema {version}, this release's is {newest}: {what}")

    def close(self) -> None:
        self._connection.close()

    def tables(self) -> list[Table]:
        """Every table, those first that others refer to."""
        names = self._connection.execute(SQL["tables"]).fetchall()
        return [self._table(name) for (name,) in names]

    def _table(self, name: str) -> Table:
        columns = tuple(row[0] for row in self._connection.execute(SQL["columns"], (name,)))
        ((rows,),) = self._connection.execute(f"SELECT count(*) FROM {name}")  # noqa: S608  our own SQL
        return Table(name=name, columns=columns, rows=rows)

    def batches(self, table: Table) -> Iterator[list[tuple[Any, ...]]]:
        """Its rows, some thousand at a time."""
        cursor = self._connection.execute(f"SELECT {', '.join(table.columns)} FROM {table.name}")  # noqa: S608  our own SQL
        while rows := cursor.fetchmany(BATCH):
            yield [tuple(map(_clean, row)) for row in rows]

    def months(self) -> list[Month]:
        """The months that messages and what belongs to them are of."""
        spans = [self._connection.execute(SQL[f"span_{table}"]).fetchone() for table in PARTITIONED]
        found = [span for span in spans if span[0] is not None]
        if not found:
            return []
        months = [Month.of(moment_of(min(span[0] for span in found)))]
        last = Month.of(moment_of(max(span[1] for span in found)))
        while months[-1].first < last.first:
            months.append(months[-1].next)
        return months

    def blobs(self) -> list[str]:
        """Every blob that something refers to."""
        tables = " UNION ".join(f"SELECT blob FROM {table}" for table in _BLOBS)  # noqa: S608  our own SQL
        return [blob for (blob,) in self._connection.execute(tables)]


async def copy_store(source: Source, dsn: str, *, now: Millis, on_rows: OnRows) -> list[Table]:
    """Copy all of it; what was copied. The target has been migrated and is empty.

    Raises `StoreFault` with what is wrong; nothing has been written then.
    """
    pool = await open_pool(dsn, name="mmsgate store copy", connections=1)
    try:
        await check_schema(pool)
        async with pool.acquire() as connection, connection.transaction():
            return await _copy(connection, source, now, on_rows)
    except (asyncpg.PostgresError, ValueError, sqlite3.Error) as error:
        raise StoreFault(f"the copy failed, and nothing of it has been written: {error}") from error
    except LOST as error:
        raise unreachable(error) from error
    finally:
        pool.terminate()


async def _copy(connection: Any, source: Source, now: Millis, on_rows: OnRows) -> list[Table]:
    tables = source.tables()
    await _check_target(connection, tables)
    await make_partitions(connection, sorted({*source.months(), *months_ahead(now)}, key=lambda month: month.first))
    for table in tables:
        await _copy_table(connection, source, table, on_rows)
    await _void_leases(connection, now)
    await _set_numbers(connection)
    return tables


async def _check_target(connection: Any, tables: Sequence[Table]) -> None:
    """Raise `StoreFault` unless it is empty; whoever begins to work on it waits from here on."""
    await connection.execute("LOCK TABLE node, account, message IN ACCESS EXCLUSIVE MODE")
    if await connection.fetchval(numbered(SQL["living"]), DEAD_AFTER):
        raise StoreFault("processes work on the database of database_url: stop them, and copy then")
    for table in tables:
        there = await connection.fetch(numbered(SQL["target_columns"]), table.name)
        if missing := set(table.columns) - {row[0] for row in there}:
            raise StoreFault(f"the target has no place for {table.name} ({', '.join(sorted(missing))})")
        if table.name not in _THERE_ALREADY and await _has_rows(connection, table.name):
            raise StoreFault(
                f"the database of database_url is not empty, there are rows in its table {table.name}: name a new "
                "one, and run `mmsgate migrate` on it"
            )


async def _has_rows(connection: Any, name: str) -> bool:
    return bool(await connection.fetchval(f"SELECT EXISTS (SELECT 1 FROM {name})"))  # noqa: S608  our own SQL


async def _copy_table(connection: Any, source: Source, table: Table, on_rows: OnRows) -> None:
    """Copy a table, and see that as many rows came."""
    if table.name in _THERE_ALREADY:
        await connection.execute(f"DELETE FROM {table.name}")  # noqa: S608  our own SQL
    done = 0
    on_rows(table.name, done, table.rows)
    for rows in source.batches(table):
        await connection.copy_records_to_table(table.name, records=rows, columns=table.columns)
        done += len(rows)
        on_rows(table.name, done, table.rows)
        await asyncio.sleep(0)
    query = f"SELECT count(*) FROM {table.name}"  # noqa: S608  our own SQL
    arrived = await connection.fetchval(query, timeout=_WHOLE_TABLE)
    if arrived != table.rows:
        raise StoreFault(
            f"{arrived:,} rows of {table.rows:,} came to the table {table.name}: the copy is undone; run it again"
        )


async def _void_leases(connection: Any, now: Millis) -> None:
    for name in ("overdue", "free_messages", "free_postbacks", "free_preparations", "free_keys"):
        parameters = (now,) if "?" in SQL[name] else ()
        await connection.execute(numbered(SQL[name]), *parameters, timeout=_WHOLE_TABLE)


async def _set_numbers(connection: Any) -> None:
    """The next number of each kind is behind those that are there."""
    for table, sequence in await connection.fetch(numbered(SQL["sequences"])):
        top = await connection.fetchval(f"SELECT max(id) FROM {table}", timeout=_WHOLE_TABLE)  # noqa: S608  our own SQL
        if top is not None:
            await connection.execute("SELECT setval($1::text::regclass, $2)", sequence, top)


def _clean(value: object) -> object:
    """PostgreSQL's text can't hold NUL."""
    return value.replace("\0", "\N{REPLACEMENT CHARACTER}") if isinstance(value, str) and "\0" in value else value


@contextlib.contextmanager
def open_source(path: Path) -> Iterator[Source]:
    """The source, shut in the end."""
    source = Source(path)
    try:
        yield source
    finally:
        source.close()
