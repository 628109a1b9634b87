"""PostgreSQL as the store of any number of processes: group commit, batches in lockstep, reads that travel
together.

A batch of writes is one transaction of few round trips (`lockstep`). Its first statement leaves a token. When the
connection breaks, the same token is written first in the next try: if it is there already, the earlier try has been
committed after all, and its results count; if the earlier one is still under way, the new one waits for its end. So
a caller is told of success only when it is true, and nothing is written twice.

A connection that is lost, or refused, is tried again for `PATIENCE`; then callers get a `StoreFault`.
"""

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

import asyncpg

from mmsgate.clock import Clock, SystemClock
from mmsgate.store.commit import GroupCommit, Pace, Write, fail_all
from mmsgate.store.engine import Figures, Row, StoreFault, Work
from mmsgate.store.forms import Form, numbered, together
from mmsgate.store.lockstep import Entangled, Lockstep, WorkFailed
from mmsgate.store.pool import LOST, PATIENCE, STATEMENT_TIMEOUT, open_pool, unreachable
from mmsgate.store.queries import Statement
from mmsgate.store.schema import check_schema

log = logging.getLogger("mmsgate.store")

T = TypeVar("T")

#: Seconds between two tries.
RETRY_AFTER = 0.25
#: Connections of one process: one writes, the others read.
CONNECTIONS = 4
#: A transaction costs this process and the server as much as a hundred of the rows in it.
PACE = Pace(most=512, linger=0.05)
#: How often a batch is tried that other transactions get in the way of.
TRIES = 5

#: Another transaction was in the way: the same again will do.
CROSSED = (asyncpg.DeadlockDetectedError, asyncpg.SerializationError)

Connection = Any  # what the pool lends: asyncpg's own type of it has no use outside


@dataclass(slots=True, eq=False)
class _Reads:
    """Reads of one statement that wait for the next round trip."""

    waiting: list[tuple[Sequence[object], asyncio.Future[list[Row]]]] = field(default_factory=list)
    task: asyncio.Task[None] | None = None


class PostgresEngine:
    """The connections of one process to one database."""

    is_shared = True

    def __init__(self, dsn: str, *, clock: Clock | None = None, name: str = "mmsgate") -> None:
        self._dsn, self._name, self._clock = dsn, name, clock or SystemClock()
        self._pool: Any = None
        self._commit_together = GroupCommit(self._transact, PACE)
        self._forms: dict[Statement, Form] = {}
        self._reads: dict[Statement, _Reads] = {}
        self.commits = 0

    @property
    def figures(self) -> Figures:
        return self._commit_together.figures

    async def start(self) -> None:
        if self._pool is None:
            pool = await open_pool(self._dsn, name=self._name, connections=CONNECTIONS)
            try:
                await check_schema(pool)
            except StoreFault:
                await pool.close()
                raise
            self._pool = pool

    async def stop(self) -> None:
        pool = self._pool
        if pool is None:
            return
        await self._commit_together.stop()
        self._pool = None
        try:
            async with asyncio.timeout(STATEMENT_TIMEOUT):
                await pool.close()
        except TimeoutError:
            pool.terminate()

    # -- reads

    async def read(self, statement: Statement, parameters: Sequence[object] = ()) -> Sequence[Row]:
        """Rows of one short query; those of the same statement that wait together travel together."""
        if self._pool is None:
            raise StoreFault("the store is not open")
        reads = self._reads.setdefault(statement, _Reads())
        loop = asyncio.get_running_loop()
        future: asyncio.Future[list[Row]] = loop.create_future()
        reads.waiting.append((parameters, future))
        if reads.task is None:
            reads.task = loop.create_task(self._read_all(statement, reads), name="store-reader")
        return await future

    async def _read_all(self, statement: Statement, reads: _Reads) -> None:
        try:
            while reads.waiting:
                batch, reads.waiting = reads.waiting, []
                await self._read_batch(statement, batch)
        finally:
            reads.task = None

    async def _read_batch(
        self, statement: Statement, batch: list[tuple[Sequence[object], asyncio.Future[list[Row]]]]
    ) -> None:
        async def fetch(connection: Connection) -> Sequence[Any]:
            return await self._execute(connection, statement, [parameters for parameters, _ in batch], True)

        try:
            answers = await self._patiently(fetch)
        except StoreFault as fault:
            for _, future in batch:
                if not future.done():
                    future.set_exception(fault)
            return
        for (_, future), found in zip(batch, answers, strict=True):
            if not future.done():
                future.set_result(found)

    async def _patiently(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        """The result of work that can be repeated. Raises `StoreFault`."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + PATIENCE
        while True:
            try:
                async with self._connection() as connection:
                    return await work(connection)
            except LOST as error:
                if loop.time() > deadline or self._pool is None:
                    raise unreachable(error) from error
            except asyncpg.PostgresError as error:
                raise StoreFault(f"the database could not be read: {error}") from error
            await asyncio.sleep(RETRY_AFTER)

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[Connection]:
        pool = self._pool
        if pool is None:
            raise ConnectionError("the store is not open")
        connection = await pool.acquire(timeout=PATIENCE)
        try:
            yield connection
        except LOST:
            connection.terminate()  # whatever state it is in
            raise
        finally:
            await pool.release(connection, timeout=PATIENCE)

    # -- writes

    async def write(self, work: Work[T]) -> T:
        if self._pool is None:
            raise StoreFault("the store is not open")
        return await self._commit_together.write(work)

    async def run(self, statement: Statement, parameters: Sequence[object] = ()) -> int:
        return await self.write(lambda tx: tx.run(statement, parameters))

    async def _transact(self, batch: list[Write]) -> None:
        """Commit a batch, without those of it that fail by themselves."""
        loop = asyncio.get_running_loop()
        deadline, tries = loop.time() + PATIENCE, 0
        attempt = _Attempt()
        while batch:
            try:
                results = await self._attempt(attempt, batch)
                for write, result in zip(batch, results, strict=True):
                    write.end(result)
                return None
            except WorkFailed as failed:
                batch.pop(failed.index).fail(failed.error)
            except LOST as error:
                if loop.time() > deadline:
                    log.exception("a transaction of %d writes could not be committed", len(batch))
                    return fail_all(batch, unreachable(error))
                await asyncio.sleep(RETRY_AFTER)
            except (*CROSSED, Entangled, asyncpg.PostgresError) as error:
                tries += 1
                if isinstance(error, CROSSED) and tries < TRIES:
                    continue
                return await self._one_by_one(batch, error)
        return None

    async def _one_by_one(self, batch: list[Write], error: Exception) -> None:
        """One of them is wrong, and nobody says which."""
        if len(batch) == 1:
            batch[0].fail(StoreFault(f"the database refused a statement: {error}"))
            return
        for write in batch:
            await self._transact([write])

    async def _attempt(self, attempt: "_Attempt", batch: list[Write]) -> list[object]:
        async with self._connection() as connection:
            try:
                if not await self._begin(connection, attempt):
                    assert attempt.results is not None
                    await connection.execute("ROLLBACK")
                    return attempt.results  # it had been committed before the connection was lost
                attempt.results = None
                results = await Lockstep(partial(self._execute, connection)).run([write.work for write in batch])
            except BaseException:
                await _roll_back(connection)
                raise
            attempt.results = results
            await connection.execute("COMMIT")
            self.figures.round_trips += 1
        self.commits += 1
        return results

    async def _begin(self, connection: Connection, attempt: "_Attempt") -> bool:
        """Begin, and leave the token; False if an earlier try has, and was committed.

        Only a try whose COMMIT had been sent can have been committed, and it knows its results. Both statements are
        one text, and go in one round trip: that takes no parameters, but these are numbers of our own.
        """
        left = f"INSERT INTO commit_token (token, left_at) VALUES ({attempt.token}, {self._clock.now()})"  # noqa: S608  two numbers
        self.figures.round_trips += 1
        self.figures.statements += 1
        status = await connection.execute(f"BEGIN; {left} ON CONFLICT DO NOTHING")
        return bool(status != "INSERT 0 0")

    # -- statements

    async def _execute(
        self, connection: Connection, statement: Statement, parameters: Sequence[Sequence[object]], wants_rows: bool
    ) -> Sequence[Any]:
        """Rows, or how many were written, for each set of parameters."""
        form = await self._form(connection, statement)
        sets = [_clean(each) for each in parameters]
        self.figures.statements += len(sets)
        if len(sets) == 1 or not form.many:
            return await self._one_after_another(connection, form.one, sets, wants_rows)
        self.figures.round_trips += 1
        found = await connection.fetch(form.many, *map(list, zip(*sets, strict=True)))
        if form.each:
            return [1] * len(sets)
        return _rows_of(found, len(sets)) if wants_rows else _counts_of(found, len(sets))

    async def _one_after_another(
        self, connection: Connection, text: str, sets: Sequence[Sequence[object]], wants_rows: bool
    ) -> Sequence[Any]:
        """Where rows are wanted each set is another write's, so their order is free: all processes take the same
        one, so that two batches that change the same rows wait for one another in one direction only."""
        order = sorted(range(len(sets)), key=lambda index: repr(sets[index])) if wants_rows else range(len(sets))
        answers: dict[int, Any] = {}
        for index in order:
            answers[index] = await self._one(connection, text, sets[index], wants_rows)
        return [answers[index] for index in range(len(sets))]

    async def _one(self, connection: Connection, text: str, each: Sequence[object], wants_rows: bool) -> Any:
        self.figures.round_trips += 1
        if wants_rows:
            return [tuple(row) for row in await connection.fetch(text, *each)]
        status: str = await connection.execute(text, *each)
        return int(status.rpartition(" ")[2])

    async def _form(self, connection: Connection, statement: Statement) -> Form:
        form = self._forms.get(statement)
        if form is None:
            one = statement.postgres or numbered(statement)
            form = Form(one, many=statement.many)
            if not statement.many:
                types = (await connection.prepare(one)).get_parameters()
                if all(kind.kind == "scalar" for kind in types):
                    form = together(one, [kind.name for kind in types])
            self._forms[statement] = form
        return form


@dataclass(slots=True)
class _Attempt:
    """The tries of one batch: `results` are those of a try whose COMMIT was sent and not answered."""

    token: int = field(default_factory=lambda: secrets.randbits(63))
    results: list[object] | None = None


async def _roll_back(connection: Connection) -> None:
    try:
        await connection.execute("ROLLBACK")
    except (*LOST, asyncpg.PostgresError) as error:
        log.debug("nothing to roll back on a connection that is lost: %s", error)


def _clean(parameters: Iterable[object]) -> list[object]:
    """Parameters without NUL, which PostgreSQL's text can't hold."""
    return [
        each.replace("\0", "\N{REPLACEMENT CHARACTER}") if isinstance(each, str) and "\0" in each else each
        for each in parameters
    ]


def _rows_of(found: Iterable[Any], count: int) -> list[list[Row]]:
    answers: list[list[Row]] = [[] for _ in range(count)]
    for record in found:
        number, *row = record
        answers[number - 1].append(tuple(row))
    return answers


def _counts_of(found: Iterable[Any], count: int) -> list[int]:
    answers = [0] * count
    for record in found:
        answers[record[0] - 1] += 1
    return answers
