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
from collections import deque
from collections.abc import Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from mmsgate.store.engine import Row, StoreFault, Work
from mmsgate.store.queries import Statement

log = logging.getLogger("mmsgate.store")

T = TypeVar("T")

#: Functions run in one transaction at most: bounds how long the loop is busy with one batch (about 5 ms).
MAX_BATCH = 128
#: How long a batch may grow, in seconds, while each turn of the event loop brings more functions.
GATHER = 0.008
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

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    async def rows(self, statement: Statement, parameters: Sequence[object] = ()) -> list[Row]:
        return self._connection.execute(statement, parameters).fetchall()

    async def run(self, statement: Statement, parameters: Sequence[object] = ()) -> int:
        return self._connection.execute(statement, parameters).rowcount

    async def run_many(self, statement: Statement, parameters: Sequence[Sequence[object]]) -> int:
        return self._connection.executemany(statement, parameters).rowcount if parameters else 0

    async def alone(self, key: int, *, everywhere: bool = False) -> None:
        """Always so: each write ends before the next begins."""


class SqliteEngine:
    """The two connections to one database file, which `start` makes if need be."""

    is_shared = False

    def __init__(self, path: Path) -> None:
        self._path = path
        self._waiting: deque[tuple[Work[Any], asyncio.Future[Any]]] = deque()
        self._drain_task: asyncio.Task[None] | None = None
        self._writer: sqlite3.Connection | None = None
        self._transaction: SqliteTransaction | None = None
        self._reader: sqlite3.Connection | None = None
        self._thread: ThreadPoolExecutor | None = None
        self.commits = 0  # how many transactions, for the benchmark and /metrics

    async def start(self) -> None:
        if self._writer is not None:
            return
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="store-commit")
        self._writer = await asyncio.get_running_loop().run_in_executor(self._thread, self._open)
        self._transaction = SqliteTransaction(self._writer)
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
        while self._drain_task is not None:
            await asyncio.wait({self._drain_task})
        writer, reader, thread = self._writer, self._reader, self._thread
        self._writer = self._reader = self._thread = None
        reader.close()
        await asyncio.get_running_loop().run_in_executor(thread, writer.close)
        thread.shutdown()

    async def read(self, statement: Statement, parameters: Sequence[object] = ()) -> list[Row]:
        """Rows of one short query. Never waits for a writer (WAL)."""
        if self._reader is None:
            raise StoreFault("the store is not open")
        try:
            return self._reader.execute(statement, parameters).fetchall()
        except sqlite3.Error as error:
            raise StoreFault(f"the database could not be read: {error}") from error

    async def write(self, work: Work[T]) -> T:
        if self._writer is None:
            raise StoreFault("the store is not open")
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._waiting.append((work, future))
        if self._drain_task is None:
            self._drain_task = asyncio.get_running_loop().create_task(self._drain(), name="store-writer")
        # A caller that is cancelled takes its future along; the write has been asked for and is done all the same.
        return await future

    async def run(self, statement: Statement, parameters: Sequence[object] = ()) -> int:
        return await self.write(lambda tx: tx.run(statement, parameters))

    async def _drain(self) -> None:
        try:
            while self._waiting:
                await self._gather()
                count = min(len(self._waiting), MAX_BATCH)
                await self._transact([self._waiting.popleft() for _ in range(count)])
        finally:
            self._drain_task = None

    async def _gather(self) -> None:
        """Let the batch grow while the loop is busy with what makes more writes; an idle one waits for nothing."""
        loop = asyncio.get_running_loop()
        until = loop.time() + GATHER
        seen = 0
        while seen < len(self._waiting) < MAX_BATCH and loop.time() < until:
            seen = len(self._waiting)
            await asyncio.sleep(0)

    async def _transact(self, batch: list[tuple[Work[Any], asyncio.Future[Any]]]) -> None:
        while batch:
            try:
                await self._begin()
            except StoreFault as fault:
                return _fail(batch, fault)
            results, failed = self._run(batch)
            if failed is None:
                return await self._commit(batch, results)
            self._rollback()
            index, error = failed
            _fail([batch.pop(index)], error)
        return None

    def _run(
        self, batch: list[tuple[Work[Any], asyncio.Future[Any]]]
    ) -> tuple[list[object], tuple[int, Exception] | None]:
        assert self._transaction is not None
        results: list[object] = []
        for index, (work, _) in enumerate(batch):
            try:
                results.append(_finished(work(self._transaction)))
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

    async def _commit(self, batch: list[tuple[Work[Any], asyncio.Future[Any]]], results: list[object]) -> None:
        assert self._writer is not None
        assert self._thread is not None
        try:
            await asyncio.get_running_loop().run_in_executor(self._thread, self._writer.execute, "COMMIT")
        except sqlite3.Error as error:
            log.exception("a transaction of %d writes could not be committed", len(batch))
            self._rollback()
            _fail(batch, StoreFault(f"the transaction could not be committed: {error}"))
            return
        self.commits += 1
        for (_, future), result in zip(batch, results, strict=True):
            if not future.done():
                future.set_result(result)

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


def _fail(batch: list[tuple[Work[Any], asyncio.Future[Any]]], error: Exception) -> None:
    for _, future in batch:
        if not future.done():
            future.set_exception(error)
