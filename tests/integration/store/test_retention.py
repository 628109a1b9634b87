"""Retention: what is old goes with all that belongs to it, what is not over stays, on both engines."""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import asyncpg
import pytest

from mmsgate.clock import DAY, HOUR, Millis, id_at
from mmsgate.domain.change import CarrierId, Change, Why, move
from mmsgate.domain.message import Content, Message, SmsPart
from mmsgate.domain.state import Happening
from mmsgate.domain.template import Template, TemplateState
from mmsgate.store import Kept, PostbackRow, Snapshot, Store, partitions, retention
from mmsgate.store.partitions import Month, make_partitions, months_ahead
from mmsgate.store.postbacks import Sent
from mmsgate.store.queries import Statement
from tests.integration.store.test_messages import SLIDES, acceptance, numbered
from tests.unit.builders import NOW

DAYS = 400
#: The month of `NOW` has been over for longer than `DAYS` then.
LATER = NOW + (DAYS + 40) * DAY
TABLES = (
    "message", "event", "postback", "sms_part", "tracking", "page", "carrier_id", "content", "content_blob",
    "rendition", "encoded",
)  # fmt: skip

Accept = Callable[..., Awaitable[Message]]


@pytest.fixture
async def accept(store: Store, where: Path | str) -> Accept:
    """Accepts a message at a time; on PostgreSQL that has its month."""
    store.render_with(
        lambda change: [
            PostbackRow(receiver="r", url="http://r/", code=p.code.value, content_type="text/xml", body=b"<x/>")
            for p in change.postbacks
        ]
    )
    if isinstance(where, str):
        await make(where, Month.of(NOW), Month.of(NOW).next)

    async def accepted(number: int, at: Millis = NOW, **changes: object) -> Message:
        message = replace(numbered(number), id=id_at(at) + number, accepted_at=at, **changes)  # type: ignore[arg-type]
        await store.messages.accept(acceptance(message))
        return message

    return accepted


async def make(where: str, *months: Month) -> None:
    connection = await asyncpg.connect(where)
    async with connection.transaction():
        await make_partitions(connection, months)
    await connection.close()


async def step(store: Store, message: Message, happening: Happening, *ids: CarrierId) -> Message:
    parts = (SmsPart(number=1, state="sent"),) if ids else ()

    def decide(snapshot: Snapshot) -> Change:
        return move(
            snapshot.message, happening, Why.of(happening.value, code=1000), at=NOW + 1, due_at=NOW + HOUR,
            carrier_ids=ids, sms_parts=parts,
        )  # fmt: skip

    return (await store.messages.record(message, decide)).change.message


async def delivered(store: Store, message: Message) -> Message:
    """A message in a final state, with all that may belong to one; its postbacks are owed."""
    message = await step(store, message, Happening.SUBMIT)
    message = await step(store, message, Happening.TAKEN, CarrierId(connection="sim", verbatim=f"mm{message.id}"))
    for row in (
        "INSERT INTO rendition VALUES (?, '', NULL, '', 0)",
        "INSERT INTO encoded VALUES (?, '', '', '', '', '', 0, 0)",
    ):
        await store._engine.run(Statement(row), (message.content_id,))
    return await step(store, message, Happening.REPORTED_DELIVERED)


async def told(store: Store) -> None:
    """Every postback is sent."""
    while due := await store.postbacks.claim("r", now=LATER, lease=LATER, owner="me", limit=50):
        await store.postbacks.record([Sent(id=each.id, attempts=1) for each in due], at=LATER)


async def counted(store: Store) -> dict[str, int]:
    """How many rows each table has."""
    return {table: (await store._engine.read(Statement(f"SELECT count(*) FROM {table}")))[0][0] for table in TABLES}


NOTHING = dict.fromkeys(TABLES, 0)


async def test_an_old_message_goes_with_all_that_belongs_to_it(store: Store, accept: Accept) -> None:
    await delivered(store, await accept(1))
    await told(store)
    assert min((await counted(store)).values()) > 0
    await store.retention.keep(now=LATER, days=DAYS)
    assert await counted(store) == NOTHING


async def test_nothing_goes_before_its_time_or_where_messages_stay_for_ever(store: Store, accept: Accept) -> None:
    await delivered(store, await accept(1))
    await told(store)
    before = await counted(store)
    await store.retention.keep(now=NOW + DAYS * DAY, days=DAYS)
    await store.retention.keep(now=LATER, days=0)
    assert await counted(store) == before


async def test_what_is_not_final_stays_whole(store: Store, accept: Accept) -> None:
    message = await step(store, await accept(1), Happening.SUBMIT)
    before = await counted(store)
    await store.retention.keep(now=LATER, days=DAYS)
    assert await counted(store) == before
    assert await store.messages.by_tracking(message.tracking_id) == message


async def test_what_is_owed_a_postback_stays_whole_until_that_is_sent(store: Store, accept: Accept) -> None:
    await delivered(store, await accept(1))
    before = await counted(store)
    await store.retention.keep(now=LATER, days=DAYS)
    assert await counted(store) == before
    await told(store)
    await store.retention.keep(now=LATER + 2 * DAY, days=DAYS)
    assert await counted(store) == NOTHING


async def test_a_templates_content_outlives_its_messages(store: Store, accept: Accept) -> None:
    content = Content(id=1001, account_id=1, name="n", subject="s", slides=SLIDES, created_at=NOW)
    template = Template(id=1001, account_id=1, state=TemplateState.READY, size=9, created_at=NOW)
    kept = Kept(idempotency_key="", response=b"", response_expires=0)
    await store.templates.save(template, content, notices=(), kept=kept)
    message = replace(numbered(1), id=id_at(NOW), accepted_at=NOW)
    await store.messages.accept(replace(acceptance(message), content=None))
    await delivered(store, message)
    await told(store)
    await store.retention.keep(now=LATER, days=DAYS)
    left = await counted(store)
    assert {name for name in TABLES if left[name]} == {"content", "content_blob", "rendition", "encoded"}


async def test_old_postbacks_about_templates_go_once_they_are_sent(store: Store, accept: Accept) -> None:
    number = id_at(NOW) + 5
    content = Content(id=number, account_id=1, name="n", subject="s", slides=SLIDES, created_at=NOW)
    template = Template(id=number, account_id=1, state=TemplateState.READY, size=9, created_at=NOW)
    notice = PostbackRow(receiver="r", url="http://r/", code="N003", content_type="text/xml", body=b"<x/>")
    kept = Kept(idempotency_key="", response=b"", response_expires=0)
    await store.templates.save(template, content, notices=[notice], kept=kept)
    await store.retention.keep(now=LATER, days=DAYS)
    assert (await counted(store))["postback"] == 1
    await told(store)
    await store.retention.keep(now=LATER + 2 * DAY, days=DAYS)
    assert (await counted(store))["postback"] == 0
    assert await store.templates.get(number, 1) == template


async def test_a_round_goes_on_where_the_one_before_ended(
    store: Store, accept: Accept, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (retention, partitions):
        monkeypatch.setattr(module, "STEP", 2)
        monkeypatch.setattr(module, "ROUND", 2)
    for number in range(6):
        await delivered(store, await accept(number))
    await told(store)
    await store.retention.keep(now=LATER, days=DAYS)
    assert (await counted(store))["tracking"] == 2
    await store.retention.keep(now=LATER, days=DAYS)
    assert await counted(store) == NOTHING


@pytest.mark.parametrize("where", ["postgres"], indirect=True)
async def test_a_month_in_which_something_is_not_over_stays_and_says_so(
    store: Store, accept: Accept, where: str, caplog: pytest.LogCaptureFixture
) -> None:
    await delivered(store, await accept(1))
    await told(store)
    await step(store, await accept(2), Happening.SUBMIT)
    later = NOW + 40 * DAY
    await delivered(store, await accept(3, later))
    await told(store)
    with caplog.at_level(logging.WARNING):
        await store.retention.keep(now=later + (DAYS + 40) * DAY, days=DAYS)
    assert "January 2026 stay though they are older than the retention: 1 of them" in caplog.text
    left = await counted(store)
    assert (left["message"], left["tracking"], left["content"]) == (2, 1, 1)


@pytest.mark.parametrize("where", ["postgres"], indirect=True)
async def test_months_to_come_get_their_partitions(store: Store, where: str) -> None:
    far = NOW + 1000 * DAY
    await store.retention.keep(now=far, days=0)
    connection = await asyncpg.connect(where)
    for month in months_ahead(far):
        for table in partitions.PARTITIONED:
            assert await connection.fetchval("SELECT to_regclass($1)", month.partition(table)) is not None
    await connection.close()


@pytest.mark.parametrize("where", ["postgres"], indirect=True)
async def test_a_table_in_use_is_left_for_a_minute(
    store: Store, accept: Accept, where: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(partitions, "_LOCK_WITHIN", "10ms")
    await delivered(store, await accept(1))
    await told(store)
    await store.retention.keep(now=LATER, days=0)  # the months to come
    reader = await asyncpg.connect(where)
    transaction = reader.transaction()
    await transaction.start()
    await reader.fetch("SELECT count(*) FROM postback")
    with caplog.at_level(logging.INFO):
        await store.retention.keep(now=LATER, days=DAYS)
    assert "the partitions are in use" in caplog.text
    assert (await counted(store))["message"] == 1
    await transaction.rollback()
    await reader.close()
    await store.retention.keep(now=LATER, days=DAYS)
    assert await counted(store) == NOTHING


@pytest.mark.parametrize("where", ["postgres"], indirect=True)
async def test_tokens_of_old_transactions_are_forgotten(store: Store) -> None:
    await store.health.write()
    count = Statement("SELECT count(*) FROM commit_token")
    assert (await store._engine.read(count))[0][0] == 1
    await store.retention.keep(now=LATER * 2, days=0)
    assert (await store._engine.read(count))[0][0] <= 1  # that of the write which forgets


@pytest.mark.parametrize("where", ["sqlite"], indirect=True)
async def test_each_step_finds_its_rows_by_an_index(store: Store) -> None:
    for name, statement in retention.SQL.items():
        row = (0, 1, 1) if name == "step" else (0, 1)
        plan = await store._engine.read(Statement(f"EXPLAIN QUERY PLAN {statement}"), row)
        scans = [line[3] for line in plan if line[3].startswith("SCAN") and line[3] != "SCAN message"]
        assert not scans, (name, plan)
