"""Group commit: durable when it returns, one bad write harms no other, other processes are waited for."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from mmsgate.store.engine import StoreFault, Transaction, Work
from mmsgate.store.migrate import migrate, migrations
from mmsgate.store.queries import Statement
from mmsgate.store.sqlite import SqliteEngine, connect

INSERT = Statement("INSERT INTO word (text) VALUES (?) RETURNING id")
ALL = Statement("SELECT text FROM word")
ONE = Statement("SELECT 1")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    connection = connect(tmp_path / "test.db")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("CREATE TABLE word (id INTEGER PRIMARY KEY, text TEXT UNIQUE NOT NULL)")
    connection.close()
    return tmp_path / "test.db"


@pytest.fixture
async def engine(path: Path) -> AsyncIterator[SqliteEngine]:
    engine = SqliteEngine(path)
    await engine.start()
    yield engine
    await engine.stop()


def insert(text: str | None) -> Work[int]:
    async def work(tx: Transaction) -> int:
        ((number,),) = await tx.rows(INSERT, (text,))
        return int(number)

    return work


async def test_what_waits_together_is_committed_together(engine: SqliteEngine) -> None:
    await asyncio.gather(*(engine.write(insert(f"word {n}")) for n in range(60)))
    assert len(await engine.read(ALL)) == 60
    assert engine.commits <= 2


async def test_what_comes_turn_by_turn_is_committed_together(
    engine: SqliteEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mmsgate.store.commit.GATHER", 60)  # however slow this machine is

    async def write_after(turns: int) -> None:
        for _ in range(turns):
            await asyncio.sleep(0)
        await engine.write(lambda tx: tx.rows(ONE))

    await asyncio.gather(*(write_after(turns) for turns in range(5)))
    assert engine.commits == 1


async def test_a_failing_write_fails_alone(engine: SqliteEngine) -> None:
    results = await asyncio.gather(
        *(engine.write(insert(None if n == 5 else f"word {n}")) for n in range(10)), return_exceptions=True
    )
    assert [isinstance(result, StoreFault) for result in results] == [n == 5 for n in range(10)]
    assert len(await engine.read(ALL)) == 9


async def test_an_exception_of_the_work_comes_back_to_its_caller(engine: SqliteEngine) -> None:
    async def refuse(_: Transaction) -> None:
        raise KeyError("mine")

    good = asyncio.ensure_future(engine.write(insert("good")))
    with pytest.raises(KeyError, match="mine"):
        await engine.write(refuse)
    assert await good == 1


async def test_a_cancelled_caller_does_not_undo_its_write(engine: SqliteEngine) -> None:
    task = asyncio.ensure_future(engine.write(insert("kept")))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await engine.stop()
    await engine.start()
    assert await engine.read(ALL) == [("kept",)]


async def test_stop_waits_for_what_was_asked_for(engine: SqliteEngine, path: Path) -> None:
    tasks = [asyncio.ensure_future(engine.write(insert(f"word {n}"))) for n in range(200)]
    await asyncio.sleep(0)
    await engine.stop()
    await asyncio.gather(*tasks)
    connection = connect(path)
    assert connection.execute("SELECT count(*) FROM word").fetchone() == (200,)
    connection.close()


async def test_another_process_that_writes_is_waited_for_without_holding_up_the_loop(
    engine: SqliteEngine, path: Path
) -> None:
    other = connect(path)
    other.execute("BEGIN IMMEDIATE")
    waiting = asyncio.ensure_future(engine.write(insert("after")))
    turns = 0
    for _ in range(20):
        await asyncio.sleep(0.001)
        turns += 1
    assert turns == 20
    assert not waiting.done()
    other.execute("ROLLBACK")
    other.close()
    assert await waiting == 1


async def test_start_and_stop_twice_and_stop_first(path: Path) -> None:
    engine = SqliteEngine(path)
    await engine.stop()
    await engine.start()
    await engine.start()
    await engine.stop()
    await engine.stop()
    with pytest.raises(StoreFault):
        await engine.write(insert("never"))
    with pytest.raises(StoreFault):
        await engine.read(ONE)


async def test_a_full_disk_is_a_fault_and_nothing_is_lost(engine: SqliteEngine) -> None:
    await engine.write(insert("before"))

    async def limit(tx: Transaction) -> None:
        ((pages,),) = await tx.rows(Statement("PRAGMA page_count"))
        await tx.run(Statement(f"PRAGMA max_page_count = {pages}"))

    await engine.write(limit)
    with pytest.raises(StoreFault, match="full"):
        await engine.write(insert("x" * 100_000))
    assert await engine.read(ALL) == [("before",)]
    assert await engine.write(insert("small")) == 2


def test_migrate_is_safe_to_call_twice(tmp_path: Path) -> None:
    assert migrate(tmp_path / "new.db") == [each.number for each in migrations("sqlite")]
    assert migrate(tmp_path / "new.db") == []


def test_a_schema_from_the_future_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "future.db"
    migrate(path)
    connection = connect(path)
    connection.execute("PRAGMA user_version = 999")
    connection.close()
    with pytest.raises(StoreFault, match="schema 999"):
        migrate(path)


def test_a_file_that_is_no_database_is_a_fault(tmp_path: Path) -> None:
    path = tmp_path / "no.db"
    path.write_bytes(b"this is no database, whatever its name says" * 100)
    with pytest.raises(StoreFault, match=r"no\.db"):
        migrate(path)
