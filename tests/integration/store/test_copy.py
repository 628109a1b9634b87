"""The copy of an embedded installation to PostgreSQL: all of it or nothing, and the source stays as it is."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from mmsgate.clock import DAY, HOUR, Millis, id_at
from mmsgate.domain.account import Account
from mmsgate.domain.change import Change, Why, move
from mmsgate.domain.message import Message
from mmsgate.domain.state import Happening, State
from mmsgate.store import PostbackRow, Snapshot, Store, StoreFault, copy, migrate
from mmsgate.store.copy import Source, Table, copy_store, open_source
from mmsgate.store.postbacks import Sent
from mmsgate.store.queries import Statement
from tests.integration.store.test_messages import acceptance, numbered
from tests.postgres import drop_database, new_database
from tests.unit.builders import NOW

LATER = NOW + 40 * DAY
AT_COPY = LATER + DAY


@pytest.fixture
def target(postgres: str, migrated: str) -> Iterator[str]:
    """The address of a new database with the release's schema."""
    address = asyncio.run(new_database(postgres, template=migrated))
    yield address
    asyncio.run(drop_database(postgres, address))


@pytest.fixture
async def path(tmp_path: Path) -> Path:
    """An embedded gateway's database that was not shut in good order."""
    path = tmp_path / "mmsgate.db"
    migrate(path)
    store = Store(path)
    await store.start()
    await filled(store)
    await store.stop()
    return path


async def filled(store: Store) -> None:
    """Two months of messages: delivered ones, one of whose postbacks is being sent, and one being submitted."""
    store.render_with(
        lambda change: [
            PostbackRow(receiver="r", url="http://r/", code=p.code.value, content_type="t", body=b"\0<x/>\xff")
            for p in change.postbacks
        ]
    )
    await store.accounts.create("acme", Account(id=0, name="acme"), at=NOW)
    for number, at in ((1, NOW), (2, LATER)):
        message = await accept(store, number, at)
        for happening in (Happening.SUBMIT, Happening.TAKEN, Happening.REPORTED_DELIVERED):
            message = await step(store, message, happening)
    await step(store, await accept(store, 3, LATER, service_id="a\0b"), Happening.SUBMIT)
    await accept(store, 4, LATER)
    (first, _) = await store.postbacks.claim("r", now=LATER, lease=LATER + 9 * DAY, owner="dead", limit=9)
    await store.postbacks.record([Sent(id=first.id, attempts=1)], at=LATER)


async def accept(store: Store, number: int, at: Millis, **changes: object) -> Message:
    message = replace(numbered(number), id=id_at(at) + number, accepted_at=at, **changes)  # type: ignore[arg-type]
    await store.messages.accept(acceptance(message))
    return message


async def step(store: Store, message: Message, happening: Happening) -> Message:
    def decide(snapshot: Snapshot) -> Change:
        why = Why.of(happening.value, code=1000)
        return move(snapshot.message, happening, why, at=NOW + 1, due_at=LATER + 9 * DAY)

    return (await store.messages.record(message, decide)).change.message


async def copied(path: Path, target: str) -> list[Table]:
    with open_source(path) as source:
        return await copy_store(source, target, now=AT_COPY, on_rows=lambda *_: None)


@pytest.fixture
async def both(path: Path, target: str) -> AsyncIterator[tuple[Store, Store]]:
    """The source and the target after the copy, open."""
    await copied(path, target)
    stores = Store(path), Store(target)
    for store in stores:
        await store.start()
    yield stores
    for store in stores:
        await store.stop()


async def rows(store: Store, table: str, columns: str) -> list[tuple[object, ...]]:
    found = await store._engine.read(Statement(f"SELECT {columns} FROM {table}"))
    return sorted((tuple(row) for row in found), key=repr)


def tables(path: Path) -> dict[str, str]:
    """Every table of SQLite with its columns."""
    with closing(sqlite3.connect(path)) as connection:
        names = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall()
        return {
            name: ", ".join(row[1] for row in connection.execute(f"PRAGMA table_info({name})")) for (name,) in names
        }


async def test_every_row_comes_as_it_is_but_for_what_was_in_hand(both: tuple[Store, Store], path: Path) -> None:
    source, target = both
    for table, columns in tables(path).items():
        if table not in {"message", "postback"}:
            assert await rows(target, table, columns) == await rows(source, table, columns), table
    for number in (1, 2, 4):
        tracking = numbered(number).tracking_id
        assert await target.messages.by_tracking(tracking) == await source.messages.by_tracking(tracking)
    fixed = "id, message_id, sequence, body, state, attempts, ended_at"
    assert await rows(target, "postback", fixed) == await rows(source, "postback", fixed)


async def test_what_was_being_submitted_is_overdue_at_once(both: tuple[Store, Store]) -> None:
    _, target = both
    found = await target.queue.claim_overdue("sim", now=AT_COPY, until=AT_COPY + HOUR, limit=9)
    assert [(message.state, message.due_at) for message in found] == [(State.SUBMITTING, AT_COPY)]
    assert found[0].service_id == "a\N{REPLACEMENT CHARACTER}b", "PostgreSQL's text can't hold NUL"


async def test_a_postback_that_was_being_sent_is_due_at_once(both: tuple[Store, Store]) -> None:
    _, target = both
    due = await target.postbacks.claim("r", now=AT_COPY, lease=AT_COPY + HOUR, owner="me", limit=9)
    assert len(due) == 2, "the dead one's, and the one that waited for the first of its message"


async def test_new_rows_get_numbers_behind_those_that_came(both: tuple[Store, Store]) -> None:
    source, target = both
    account = await target.accounts.create("other", Account(id=0, name="other"), at=AT_COPY)
    assert [account] == [row[0] + 1 for row in await rows(source, "account", "id")]  # type: ignore[operator]
    (message,) = await target.queue.claim_overdue("sim", now=AT_COPY, until=AT_COPY + HOUR, limit=9)
    await step(target, message, Happening.TAKEN)
    events = [event.happening for event in await target.messages.timeline(message.id)]
    assert events == [None, Happening.SUBMIT, Happening.TAKEN]


async def test_messages_are_in_the_partitions_of_their_months(both: tuple[Store, Store]) -> None:
    _, target = both
    assert len(await rows(target, "message_2026_01", "id")) == 1
    assert len(await rows(target, "message_2026_02", "id")) == 3
    assert await rows(target, "message_rest", "id") == []


async def test_the_source_is_not_changed(path: Path, target: str) -> None:
    before = path.read_bytes()
    await copied(path, target)
    assert path.read_bytes() == before


async def test_an_interrupted_copy_leaves_nothing_and_can_be_run_again(path: Path, target: str) -> None:
    def stop(table: str, done: int, _: int) -> None:
        if table == "postback" and done:
            raise KeyboardInterrupt

    with open_source(path) as source, pytest.raises(KeyboardInterrupt):
        await copy_store(source, target, now=AT_COPY, on_rows=stop)
    assert {table.name: table.rows for table in await copied(path, target)}["message"] == 4


async def test_a_table_of_many_batches_comes_whole(
    path: Path, target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copy, "BATCH", 2)
    seen: list[tuple[str, int, int]] = []
    with open_source(path) as source:
        await copy_store(source, target, now=AT_COPY, on_rows=lambda *step: seen.append(step))
    assert [done for table, done, _ in seen if table == "message"] == [0, 2, 4]


async def test_a_target_with_rows_in_it_is_refused(path: Path, target: str) -> None:
    await copied(path, target)
    with pytest.raises(StoreFault, match="is not empty, there are rows in its table account: name a new one"):
        await copied(path, target)


async def test_a_target_that_somebody_works_on_is_refused(path: Path, target: str) -> None:
    store = Store(target)
    await store.start()
    assert store.nodes is not None
    await store.nodes.join("living", "worker")
    with pytest.raises(StoreFault, match="processes work on the database of database_url: stop them"):
        await copied(path, target)
    await store.stop()


async def test_a_target_that_has_not_been_migrated_is_refused(path: Path, postgres: str) -> None:
    empty = await new_database(postgres)
    with pytest.raises(StoreFault, match=r"the database is empty, this release needs [0-9]+: run"):
        await copied(path, empty)
    await drop_database(postgres, empty)


@pytest.mark.parametrize(("version", "advice"), [(3, "run `mmsgate migrate --data-dir"), (9999, "a newer mmsgate")])
def test_a_source_with_another_schema_is_refused(path: Path, version: int, advice: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA user_version = {version}")
    with pytest.raises(StoreFault, match=f"has schema {version}, this release's is .*{advice}"):
        Source(path)


def test_a_folder_without_a_database_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreFault, match=r"there is no database .*: name the data folder of an embedded gateway"):
        Source(tmp_path / "mmsgate.db")
