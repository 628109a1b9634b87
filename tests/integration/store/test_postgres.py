"""PostgreSQL when something is wrong: the address, the rights, the schema, the connection, the clock."""

import asyncio
import importlib
import pkgutil
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import pytest

import mmsgate.store
from mmsgate.clock import DAY, HOUR, ManualClock, SystemClock
from mmsgate.store import Store, StoreFault, pool, postgres
from mmsgate.store.migrate import migrations
from mmsgate.store.nodes import DEAD_AFTER, MOST_SKEW, Heart, Nodes
from mmsgate.store.postgres import PostgresEngine
from mmsgate.store.queries import Statement
from mmsgate.store.schema import migrate_postgres
from tests.integration.store.test_postbacks import told
from tests.postgres import drop_database, new_database
from tests.unit.builders import NOW

on_postgres = pytest.mark.parametrize("where", ["postgres"], indirect=True)

PUT = Statement("INSERT INTO doubt (connection, recipient, message_id, since) VALUES ('c', 'r', ?, 0)")
COUNT = Statement("SELECT count(*) FROM doubt")


def engine_of(store: Store) -> PostgresEngine:
    assert isinstance(store._engine, PostgresEngine)
    return store._engine


async def count(store: Store) -> int:
    return int((await store._engine.read(COUNT))[0][0])


@pytest.fixture
async def empty(postgres: str) -> AsyncIterator[str]:
    """The address of an empty database."""
    address = await new_database(postgres)
    yield address
    await drop_database(postgres, address)


# -- statements


@on_postgres
async def test_every_statement_is_one_for_postgresql_too(store: Store) -> None:
    """Those of the queue in memory, and those that look at a file that is copied, are SQLite's alone."""
    only_sqlite = {"queue.waiting", "queue.overdue", "copy.tables", "copy.columns"}
    engine = engine_of(store)
    checked = 0
    wrong: dict[str, str] = {}
    async with engine._connection() as connection:
        for module in pkgutil.iter_modules(mmsgate.store.__path__):
            statements = vars(importlib.import_module(f"mmsgate.store.{module.name}")).get("SQL", {})
            for statement in statements.values():
                if statement.name in only_sqlite or "{" in statement:  # the braces are filled by another room
                    continue
                try:
                    form = await engine._form(connection, statement)
                    for text in filter(None, (form.one, form.many)):
                        await connection.prepare(text)
                except asyncpg.PostgresError as error:
                    wrong[statement.name] = str(error)
                checked += 1
    assert wrong == {}
    assert checked > 150


@on_postgres
async def test_text_with_a_nul_is_kept_without_it(store: Store) -> None:
    await store.accounts.raise_alarm("sub\0ject", "reason", at=1)
    assert [alarm.subject for alarm in await store.accounts.alarms()] == ["sub\N{REPLACEMENT CHARACTER}ject"]


@on_postgres
async def test_a_write_that_the_database_refuses_fails_alone(store: Store) -> None:
    results = await asyncio.gather(
        *(store._engine.run(PUT, (number,)) for number in (1, 2, 2, 3)), return_exceptions=True
    )
    assert sorted(map(str, results))[:3] == ["1", "1", "1"]
    assert sum(isinstance(each, StoreFault) for each in results) == 1
    assert await count(store) == 3


# -- the connection


class Breaking:
    """Breaks the connection at COMMITs: before they are sent, or before their answer is read."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, after: bool, times: int = 1) -> None:
        self.left = times
        execute = asyncpg.Connection.execute

        async def broken(connection: Any, query: str, *args: Any, **options: Any) -> Any:
            if query != "COMMIT" or not self.left:
                return await execute(connection, query, *args, **options)
            self.left -= 1
            if after:
                await execute(connection, query, *args, **options)
            connection.terminate()
            raise ConnectionResetError("cut")

        monkeypatch.setattr(asyncpg.Connection, "execute", broken)


@on_postgres
@pytest.mark.parametrize("after", [True, False])
async def test_a_commit_without_an_answer_is_done_exactly_once(
    store: Store, monkeypatch: pytest.MonkeyPatch, after: bool
) -> None:
    breaking = Breaking(monkeypatch, after=after, times=2)
    assert await store._engine.run(PUT, (1,)) == 1
    assert breaking.left == (1 if after else 0)  # a commit that was done is not asked for again
    assert await count(store) == 1


@on_postgres
async def test_a_database_that_stays_away_is_a_fault_and_nothing_is_half_done(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(postgres, "PATIENCE", 0.5)
        Breaking(patch, after=False, times=1000)
        with pytest.raises(StoreFault, match="can't be reached"):
            await store._engine.run(PUT, (1,))
    assert await count(store) == 0
    assert await store._engine.run(PUT, (1,)) == 1


@on_postgres
async def test_a_full_disk_is_a_fault_and_the_next_write_works(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:

        async def full(*_: Any, **__: Any) -> Any:
            raise asyncpg.DiskFullError("could not extend file: No space left on device")

        patch.setattr(PostgresEngine, "_one", full)
        with pytest.raises(StoreFault, match="No space left on device"):
            await store._engine.run(PUT, (1,))
    assert await store._engine.run(PUT, (1,)) == 1


# -- the address, the rights, the schema


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("postgresql://postgres@127.0.0.1:1/mmsgate", "can't be reached"),
        ("postgresql://postgres@127.0.0.1:notaport/mmsgate", "can't be reached"),
    ],
)
async def test_a_server_that_is_not_there_is_named_with_its_setting(
    monkeypatch: pytest.MonkeyPatch, address: str, words: str
) -> None:
    monkeypatch.setattr(pool, "PATIENCE", 1.0)
    with pytest.raises(StoreFault, match=words) as fault:
        await Store(address).start()
    assert "database_url" in str(fault.value)


async def test_a_database_that_is_not_there_is_named(postgres: str) -> None:
    with pytest.raises(StoreFault, match=r"database_url names a database that is not there: .*nowhere"):
        await Store(f"{postgres.rpartition('/')[0]}/nowhere").start()


async def test_an_empty_database_asks_for_the_migration(empty: str) -> None:
    with pytest.raises(StoreFault, match=r"the database is empty, .* run `mmsgate migrate` first"):
        await Store(empty).start()


async def test_migrating_twice_or_at_once_is_the_same_as_once(empty: str) -> None:
    now = SystemClock().now()
    applied = await asyncio.gather(*(migrate_postgres(empty, now=now) for _ in range(3)))
    assert sorted(map(len, applied)) == [0, 0, len(migrations("postgres"))]


async def test_who_may_not_make_tables_is_told_what_to_grant(empty: str) -> None:
    owner = await asyncpg.connect(empty)
    await owner.execute("DROP ROLE IF EXISTS nobody_here")
    await owner.execute("CREATE ROLE nobody_here LOGIN")
    try:
        with pytest.raises(StoreFault, match=r"may not make tables .* GRANT CREATE ON SCHEMA public"):
            await migrate_postgres(empty.replace("postgres@", "nobody_here@"), now=0)
    finally:
        await owner.execute("DROP OWNED BY nobody_here")
        await owner.execute("DROP ROLE nobody_here")
        await owner.close()


@on_postgres
@pytest.mark.parametrize(("serves", "starts"), [(10_000, False), (9, True)])
async def test_a_newer_schema_says_whether_older_programs_may_go_on(where: str, serves: int, starts: bool) -> None:
    connection = await asyncpg.connect(where)
    await connection.execute("UPDATE schema_version SET version = 10000, serves = $1", serves)
    await connection.close()
    store = Store(where)
    if starts:
        await store.start()
        await store.stop()
        return
    with pytest.raises(StoreFault, match=r"schema 10000, .* start a newer mmsgate"):
        await store.start()


# -- nodes


class SkewedNodes(Nodes):
    """The statements of a host whose clock is off."""

    off = 0

    async def skew(self) -> int:
        return await super().skew() + self.off


def a_heart(store: Store, name: str, clock: ManualClock | None = None) -> Heart:
    assert store.nodes is not None
    nodes = SkewedNodes(store._engine, clock or SystemClock())
    return Heart(nodes, name, "worker", on_number=lambda _: None, clock=clock or SystemClock())


@on_postgres
async def test_each_node_has_a_number_of_its_own_and_leaves_it(store: Store) -> None:
    assert store.nodes is not None
    numbers = await asyncio.gather(*(store.nodes.join(f"node {number}", "worker") for number in range(20)))
    assert sorted(numbers) == list(range(20))
    await store.nodes.leave("node 7")
    free = set(range(20)) - {each.number for each in await store.nodes.all()}
    assert await store.nodes.join("another", "api") in free


@on_postgres
async def test_what_a_node_that_leaves_still_holds_is_due_again(store: Store) -> None:
    assert store.nodes is not None
    await told(store, 1)
    await store.nodes.join("leaving", "worker")
    held = await store.postbacks.claim("r", now=NOW + HOUR, lease=NOW + DAY, owner="leaving", limit=9)
    assert await store.postbacks.claim("r", now=NOW + HOUR, lease=NOW + DAY, owner="other", limit=9) == []
    await store.nodes.leave("leaving")
    now = SystemClock().now()
    found = await store.postbacks.claim("r", now=now, lease=now + DAY, owner="other", limit=9)
    assert [each.id for each in found] == [each.id for each in held]


@on_postgres
@pytest.mark.parametrize(("off", "words"), [(5 * 60_000, "300.0 s ahead of"), (-5 * 60_000, "300.0 s behind")])
async def test_a_host_whose_clock_is_off_does_not_start(
    store: Store, monkeypatch: pytest.MonkeyPatch, off: int, words: str
) -> None:
    monkeypatch.setattr(SkewedNodes, "off", off)
    with pytest.raises(StoreFault, match=f"this host's clock is {words} the database's, .* NTP"):
        await a_heart(store, "late").start()
    assert store.nodes is not None
    assert await store.nodes.all() == []
    assert MOST_SKEW < 5 * 60_000


@on_postgres
async def test_a_node_that_was_taken_for_dead_goes_on_under_another_number(store: Store) -> None:
    assert store.nodes is not None
    numbers: list[int] = []
    heart = Heart(store.nodes, "alive", "worker", on_number=numbers.append, clock=SystemClock())
    await heart.start()
    await store.nodes.leave("alive")
    await store.nodes.join("other", "worker")
    await heart.beat()
    await heart.stop()
    assert numbers == [0, 1]


@on_postgres
async def test_nobody_is_called_dead_by_one_who_has_just_come_back(store: Store) -> None:
    assert store.nodes is not None
    await store.nodes.join("silent", "worker")
    await engine_of(store).run(Statement("UPDATE node SET seen_at = seen_at - ?"), (2 * DEAD_AFTER,))
    clock = ManualClock(SystemClock().now())
    heart = a_heart(store, "back", clock)
    await heart.start()
    await heart.beat()
    assert {each.name for each in await store.nodes.all()} == {"silent", "back"}
    clock.advance(DEAD_AFTER)
    await heart.beat()
    assert {each.name for each in await store.nodes.all()} == {"back"}
    assert heart.leads
    await heart.stop()


@on_postgres
async def test_there_are_partitions_for_the_months_to_come(store: Store, where: Path | str) -> None:
    connection = await asyncpg.connect(str(where))
    rows = await connection.fetch("SELECT relname FROM pg_class WHERE relname ~ '^message_20.._..$'")
    await connection.close()
    assert datetime.now(UTC).strftime("message_%Y_%m") in {row[0] for row in rows}
    assert len(rows) >= 3
