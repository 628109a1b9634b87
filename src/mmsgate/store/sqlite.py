"""SQLite as a durable store under asyncio: one writer with group commit, one reader.

How a write travels. Callers hand `write` a function that runs statements. All functions that wait are run in one
transaction, on the event loop: each statement only touches pages in memory, a few microseconds. The one thing that
waits for the disk, COMMIT with its fsync (``synchronous=FULL``), runs in a thread while the next batch gathers.
Only then do the callers get their results: Success means committed (promise 1). Running the statements in a thread
was measured first: every statement gives the interpreter lock away and has to win it back from the loop.

Other processes (the command line) may write to the same file; the writer never waits for their lock on the loop.
"""

import asyncio
import contextlib
import logging
import sqlite3
from collections.abc import Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from mmsgate.store.commit import GroupCommit, Write, fail_all
from mmsgate.store.engine import Figures, Row, StoreFault, Work
from mmsgate.store.queries import Statement

log = logging.getLogger("mmsgate.store")

T = TypeVar("T")

#: How long to wait for another process that holds the write lock, in seconds.
LOCK_PATIENCE = 30.0


def connect(path: Path) -> sqlite3.Connection:
    """A connection with the settings that the promises rest on."""
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=0)
    try:
        for pragma in ("synchronous = FULL", "foreign_keys = ON", "cache_size = -65536", "temp_store = MEMORY"):
            connection.execute(f"PRAGMA {pragma}")
    except sqlite3.Error:
        connection.close()
        raise
    return connection


class SqliteTransaction:
    """A transaction's statements, each run at once: they touch pages in memory."""

    def __init__(self, connection: sqlite3.Connection, figures: Figures) -> None:
        self._connection, self._figures = connection, figures

    async def rows(self, statement: Statement, parameters: Sequence[object] = ()) -> list[Row]:
        self._figures.statements += 1
        return self._connection.execute(statement, parameters).fetchall()

    async def run(self, statement: Statement, parameters: Sequence[object] = ()) -> int:
        self._figures.statements += 1
        return self._connection.execute(statement, parameters).rowcount

    async def run_many(self, statement: Statement, parameters: Sequence[Sequence[object]]) -> int:
        self._figures.statements += len(parameters)
        return self._connection.executemany(statement, parameters).rowcount if parameters else 0

    async def alone(self, key: int, *, everywhere: bool = False) -> None:
        """Always so: each write ends before the next begins."""


class SqliteEngine:
    """The two connections to one database file, which `start` makes if need be."""

    is_shared = False

    def __init__(self, path: Path) -> None:
        self._path = path
        self._commit_together = GroupCommit(self._transact)
        self._writer: sqlite3.Connection | None = None
        self._transaction: SqliteTransaction | None = None
        self._reader: sqlite3.Connection | None = None
        self._thread: ThreadPoolExecutor | None = None
        self.commits = 0  # how many transactions, for the benchmark and /metrics

    @property
    def figures(self) -> Figures:
        return self._commit_together.figures

    async def start(self) -> None:
        if self._writer is not None:
            return
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="store-commit")
        self._writer = await asyncio.get_running_loop().run_in_executor(self._thread, self._open)
        self._transaction = SqliteTransaction(self._writer, self.figures)
        self._reader = connect(self._path)
        self._reader.execute("PRAGMA query_only = ON")

    def _open(self) -> sqlite3.Connection:
        connection = connect(self._path)
        connection.execute("PRAGMA busy_timeout = 10000")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA wal_autocheckpoint = 4000")
        connection.execute("PRAGMA busy_timeout = 0")
        return connection

    async def stop(self) -> None:
        if self._writer is None or self._reader is None or self._thread is None:
            return
        await self._commit_together.stop()
        writer, reader, thread = self._writer, self._reader, self._thread
        self._writer = self._reader = self._thread = None
        reader.close()
        await asyncio.get_running_loop().run_in_executor(thread, writer.close)
        thread.shutdown()

    async def read(self, statement: Statement, parameters: Sequence[object] = ()) -> list[Row]:
        """Rows of one short query. Never waits for a writer (WAL)."""
        if self._reader is None:
            raise StoreFault("the store is not open")
        self.figures.statements += 1
        try:
            return self._reader.execute(statement, parameters).fetchall()
        except sqlite3.Error as error:
            raise StoreFault(f"the database could not be read: {error}") from error

    async def write(self, work: Work[T]) -> T:
        if self._writer is None:
            raise StoreFault("the store is not open")
        return await self._commit_together.write(work)

    async def run(self, statement: Statement, parameters: Sequence[object] = ()) -> int:
        return await self.write(lambda tx: tx.run(statement, parameters))

    async def _transact(self, batch: list[Write]) -> None:
        while batch:
            try:
                await self._begin()
            except StoreFault as fault:
                return fail_all(batch, fault)
            results, failed = self._run(batch)
            if failed is None:
                return await self._commit(batch, results)
            self._rollback()
            index, error = failed
            batch.pop(index).fail(error)
        return None

    def _run(self, batch: list[Write]) -> tuple[list[object], tuple[int, Exception] | None]:
        assert self._transaction is not None
        results: list[object] = []
        for index, write in enumerate(batch):
            try:
                results.append(_finished(write.work(self._transaction)))
            except sqlite3.Error as error:
                return results, (index, StoreFault(f"the database refused a statement: {error}"))
            except Exception as error:  # noqa: BLE001  it is the caller's, who gets it
                return results, (index, error)
        return results, None

    async def _begin(self) -> None:
        assert self._writer is not None
        deadline = asyncio.get_running_loop().time() + LOCK_PATIENCE
        while True:
            try:
                self._writer.execute("BEGIN IMMEDIATE")
            except sqlite3.Error as error:
                if "locked" not in str(error) or asyncio.get_running_loop().time() > deadline:
                    raise StoreFault(f"no transaction could be begun: {error}") from error
                await asyncio.sleep(0.002)  # another process is writing
            else:
                return

    async def _commit(self, batch: list[Write], results: list[object]) -> None:
        assert self._writer is not None
        assert self._thread is not None
        try:
            await asyncio.get_running_loop().run_in_executor(self._thread, self._writer.execute, "COMMIT")
        except sqlite3.Error as error:
            log.exception("a transaction of %d writes could not be committed", len(batch))
            self._rollback()
            fail_all(batch, StoreFault(f"the transaction could not be committed: {error}"))
            return
        self.commits += 1
        for write, result in zip(batch, results, strict=True):
            write.end(result)

    def _rollback(self) -> None:
        assert self._writer is not None
        with contextlib.suppress(sqlite3.Error):  # SQLite may have rolled back by itself
            self._writer.execute("ROLLBACK")


def _finished(work: Coroutine[Any, Any, T]) -> T:
    """The result of a coroutine that has nothing to wait for."""
    try:
        work.send(None)
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return]  # it is what the coroutine returns
    work.close()
    raise RuntimeError("a transaction may wait for nothing but its statements")
