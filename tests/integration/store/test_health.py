"""What a readiness probe asks of the store, and what waits in it."""

import asyncio
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import asyncpg
import pytest

from mmsgate.clock import HOUR
from mmsgate.domain.state import State
from mmsgate.store import Store, StoreFault
from tests.integration.store.test_messages import accepted, numbered
from tests.integration.store.test_postbacks import told
from tests.unit.builders import NOW


async def test_all_is_well_with_a_store_that_is_open(store: Store) -> None:
    for check in (store.health.read, store.health.write, store.health.schema):
        await check()


async def test_the_check_of_writing_is_a_transaction_each_time_and_leaves_nothing_that_counts(store: Store) -> None:
    before = store.commits
    await store.health.write()
    await store.health.write()
    assert store.commits == before + 2
    assert await store.queue.forget_days(before=1) == 1


@pytest.mark.parametrize("where", ["sqlite"], indirect=True)
async def test_the_check_of_writing_reaches_the_disk_each_time(store: Store, where: Path) -> None:
    log = where.with_name(f"{where.name}-wal")
    sizes = [log.stat().st_size]
    for _ in range(3):
        await store.health.write()
        sizes.append(log.stat().st_size)
    assert sizes == sorted(set(sizes)), "an UPDATE that changes nothing would write nothing"


async def test_a_store_that_is_not_open_can_be_neither_read_nor_written(where: Path | str) -> None:
    store = Store(where)
    for check in (store.health.read, store.health.write, store.health.schema):
        with pytest.raises(StoreFault):
            await check()


async def test_a_schema_of_an_older_release_is_named_and_a_newer_one_will_do(
    store: Store, where: Path | str
) -> None:
    await set_schema(where, 9999)
    await store.health.schema()
    await set_schema(where, 2)
    with pytest.raises(StoreFault, match=r"schema 2, this release needs [0-9]+: run mmsgate migrate"):
        await store.health.schema()


async def set_schema(where: Path | str, version: int) -> None:
    if isinstance(where, Path):
        with closing(sqlite3.connect(where)) as other:
            other.execute(f"PRAGMA user_version = {version}")
        return
    connection = await asyncpg.connect(where)
    await connection.execute("UPDATE schema_version SET version = $1", version)
    await connection.close()


async def test_a_backlog_is_what_waits_for_its_turn_at_a_connection(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    await accepted(store, 1, connection="acme", due_at=NOW + HOUR)
    await accepted(store, 2, connection="acme", due_at=NOW)
    await accepted(store, 3, connection="acme", due_at=NOW, state=State.SENT)
    await accepted(store, 4, connection="other", due_at=NOW)
    assert [await store.backlogs.messages(name) for name in ("acme", "other", "third")] == [2, 1, 0]
    monkeypatch.setattr("mmsgate.store.backlogs.MOST", 1)
    assert await store.backlogs.messages("acme") == 1


async def test_the_postbacks_that_wait_are_counted_with_the_time_of_the_first(store: Store) -> None:
    assert await store.backlogs.postbacks() == (0, None)
    await told(store, 1, 2)
    count, oldest = await store.backlogs.postbacks()
    (first, _) = await store.postbacks.claim("r", now=NOW + HOUR, lease=NOW + 2 * HOUR, owner="o", limit=9)
    assert (count, oldest) == (2, first.event_at), "those behind an earlier one of their message are not due"
    assert first.tracking_id == numbered(1).tracking_id


async def test_the_writes_of_many_are_counted_with_the_time_that_their_transactions_took(store: Store) -> None:
    before, commits = replace(store.figures), store.commits
    for _ in range(3):
        await store.health.write()
    assert (store.figures.writes - before.writes, store.commits - commits) == (3, 3)
    assert store.figures.seconds > before.seconds


async def test_statements_that_wait_at_the_same_time_are_counted_each_and_travel_together(store: Store) -> None:
    await store.health.read()
    before = replace(store.figures)
    await asyncio.gather(*(store.messages.by_tracking(f"{number}") for number in range(20)))
    statements, trips = store.figures.statements - before.statements, store.figures.round_trips - before.round_trips
    assert statements == 20
    assert trips == (1 if store.is_shared else 0)
