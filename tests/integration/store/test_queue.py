"""Queues in the store: what is in hand is nobody else's, flows go in their order, timers run out."""

import asyncio
import re
from pathlib import Path

import pytest

from mmsgate.clock import DAY, MINUTE
from mmsgate.domain.message import Message
from mmsgate.domain.state import Happening, State
from mmsgate.store import Store, StoreFault, matching, postgres, queue
from mmsgate.store.commit import Write, fail_all
from mmsgate.store.postgres import PostgresEngine
from mmsgate.store.queries import Statement
from mmsgate.store.queue import Flow
from tests.integration.store.test_messages import accepted, step
from tests.unit.builders import NOW

#: What is in memory with SQLite, and in the rows with PostgreSQL (`test_leases`).
sqlite_only = pytest.mark.parametrize("where", ["sqlite"], indirect=True)
FLOW = Flow(1, "28444")
LEASE = NOW + MINUTE


async def claim(
    store: Store, *, now: int = NOW, until: int = LEASE, limit: int = 9, flow: Flow = FLOW, since: int = 0
) -> list[Message]:
    return await store.queue.claim("sim", flow, now=now, until=until, limit=limit, since=since)


async def test_a_claim_takes_what_is_due_oldest_first_and_only_once(store: Store) -> None:
    for number in range(1, 6):
        await accepted(store, number, due_at=NOW - number)
    await accepted(store, 6, due_at=NOW + 1)
    await accepted(store, 7, connection="other")
    claims = [[message.id for message in await claim(store, limit=3)] for _ in range(3)]
    assert claims == [[5, 4, 3], [2, 1], []]
    assert await store.queue.next_waiting("sim", FLOW, after=NOW) == NOW + 1
    leased_until = LEASE if store.is_shared else None
    assert await store.queue.next_waiting("sim", FLOW, after=NOW + 1) == leased_until


async def test_messages_of_one_time_go_in_the_order_of_their_acceptance(store: Store) -> None:
    for number in (3, 1, 2):
        await accepted(store, number)
    assert [message.id for message in await claim(store)] == [1, 2, 3]


@sqlite_only
async def test_what_was_let_go_is_claimed_again(store: Store) -> None:
    message = await accepted(store)
    assert await claim(store) == [message]
    assert store.queue.holds(message)
    store.queue.let_go(message)
    assert not store.queue.holds(message)
    assert await claim(store) == [message]


async def test_what_nobody_let_go_is_claimed_again_when_its_lease_has_run_out(store: Store) -> None:
    message = await accepted(store)
    assert await claim(store) == [message]
    store.queue.let_go_late("sim", now=LEASE - 1)
    assert await claim(store, now=LEASE - 1, until=LEASE + MINUTE) == []
    store.queue.let_go_late("sim", now=LEASE)
    assert [each.id for each in await claim(store, now=LEASE, until=LEASE + MINUTE)] == [message.id]


async def test_a_claim_may_ask_for_what_became_due_since(store: Store) -> None:
    await accepted(store, 1, due_at=NOW - MINUTE)
    await accepted(store, 2, due_at=NOW)
    assert [message.id for message in await claim(store, since=NOW)] == [2]


async def test_everybody_who_waits_is_found_whatever_lies_between(store: Store) -> None:
    for number, (account, sender) in enumerate([(1, "28444"), (1, "28444"), (1, "9"), (7, "28444")], 1):
        await accepted(store, number, account_id=account, sender=sender, due_at=NOW - number)
    await accepted(store, 5, account_id=2, connection="other")
    taken = await accepted(store, 6, account_id=3)
    await store.messages.record(taken, step(Happening.SUBMIT))
    assert await store.queue.flows("sim") == {
        Flow(1, "28444"): NOW - 2, Flow(1, "9"): NOW - 3, Flow(7, "28444"): NOW - 4,
    }  # fmt: skip
    assert await store.queue.flows("nobody") == {}


async def test_a_timer_that_has_run_out_is_claimed_apart_and_once(store: Store) -> None:
    message = await accepted(store)
    await store.messages.record(message, step(Happening.SUBMIT))
    assert await store.queue.next_timer("sim", default=0) == NOW + MINUTE
    assert await store.queue.claim_overdue("sim", now=NOW + MINUTE - 1, until=LEASE, limit=9) == []
    (found,) = await store.queue.claim_overdue("sim", now=NOW + MINUTE, until=LEASE + MINUTE, limit=9)
    assert (found.id, found.state) == (message.id, State.SUBMITTING)
    assert await store.queue.claim_overdue("sim", now=NOW + MINUTE, until=LEASE, limit=9) == []
    assert await claim(store, now=NOW + DAY) == []


async def test_recover_frees_what_a_dead_gateway_submitted(store: Store) -> None:
    await accepted(store, 1)
    submitting = await accepted(store, 2)
    sent = await accepted(store, 3)
    await store.messages.record(submitting, step(Happening.SUBMIT))
    for happening in (Happening.SUBMIT, Happening.TAKEN):
        await store.messages.record(sent, step(happening))
    assert await store.queue.recover(now=NOW) == 1
    (found,) = await store.queue.claim_overdue("sim", now=NOW, until=LEASE, limit=9)
    assert (found.id, found.state) == (2, State.SUBMITTING)


async def test_pages_hold_all_that_waits_once_in_the_order_of_the_flows(store: Store) -> None:
    for number, account in enumerate([2, 1, 2, 1], 1):
        await accepted(store, number, account_id=account, due_at=NOW + DAY)
    whole = await store.queue.page("sim", after=None)
    assert [message.id for message in whole] == [2, 4, 1, 3]
    assert [message.id for message in await store.queue.page("sim", after=whole[1])] == [1, 3]
    assert await store.queue.page("sim", after=whole[-1]) == []


async def test_a_message_that_was_in_doubt_is_known_by_its_timeline(store: Store) -> None:
    message = await accepted(store)
    for happening in (Happening.SUBMIT, Happening.POSTPONED, Happening.SUBMIT):
        await store.messages.record(message, step(happening))
    assert await store.queue.times_in_doubt(message.id) == 0
    for happening in (Happening.IN_DOUBT, Happening.POSTPONED):
        await store.messages.record(message, step(happening))
    assert await store.queue.times_in_doubt(message.id) == 1


async def test_messages_whose_connection_is_gone_are_found_when_their_time_is_over(store: Store) -> None:
    message = await accepted(store)
    assert await store.queue.in_use() == ["sim"]
    assert await store.queue.stranded("sim", now=NOW) == []
    assert [each.id for each in await store.queue.stranded("sim", now=message.expires_at)] == [message.id]
    await store.messages.record(message, step(Happening.SUBMIT))
    assert await store.queue.in_use() == ["sim"]
    assert [each.id for each in await store.queue.stranded("sim", now=NOW + MINUTE)] == [message.id]
    await accepted(store, 2, connection="another")
    assert await store.queue.in_use() == ["another", "sim"]


async def test_the_count_of_a_senders_day_outlives_the_process(store: Store, where: Path | str) -> None:
    for _ in range(2):
        assert await store.queue.count_sent("sim", "28444", 7, most=9)
    again = Store(where)
    await again.start()
    assert [await again.queue.sent("sim", "28444", day) for day in (6, 7)] == [0, 2]
    assert await again.queue.sent("other", "28444", 7) == 0
    await again.stop()
    assert await store.queue.forget_days(before=8) == 1
    assert await store.queue.sent("sim", "28444", 7) == 0


async def test_processes_that_count_at_the_same_time_count_no_more_than_a_senders_day_has(
    store: Store, where: Path | str
) -> None:
    other = Store(where)
    await other.start()
    counted = await asyncio.gather(
        *(each.queue.count_sent("sim", sender, 7, most=10)
          for _ in range(20) for each in (store, other) for sender in ("28444", "28555"))
    )  # fmt: skip
    assert counted.count(True) == 20
    assert [await store.queue.sent("sim", sender, 7) for sender in ("28444", "28555")] == [10, 10]
    await other.queue.uncount_sent("sim", "28444", 7)
    assert [await each.queue.count_sent("sim", "28444", 7, most=10) for each in (store, other)] == [True, False]
    await other.stop()


@pytest.mark.parametrize("where", ["postgres"], indirect=True)
async def test_workers_that_count_the_same_senders_in_another_order_never_wait_for_one_another(
    store: Store, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A deadlock costs both a second, and all that they write in it."""
    crossed: list[Exception] = []

    async def no_second_try(_: PostgresEngine, batch: list[Write], error: Exception) -> None:
        crossed.append(error)
        fail_all(batch, StoreFault(str(error)))

    monkeypatch.setattr(postgres, "TRIES", 1)
    monkeypatch.setattr(PostgresEngine, "_one_by_one", no_second_try)
    other, senders = Store(where), [str(number) for number in range(30)]
    await other.start()

    async def count(store: Store, senders: list[str]) -> None:
        for most in range(1, 11):
            await asyncio.gather(
                *(store.queue.count_sent("sim", sender, 7, most=2 * most) for sender in senders),
                *(store.queue.uncount_sent("sim", sender, 7) for sender in senders),
            )

    outcomes = await asyncio.gather(count(store, senders), count(other, senders[::-1]), return_exceptions=True)
    await other.stop()
    assert not crossed
    assert list(outcomes) == [None, None]


async def test_a_day_that_has_less_room_than_was_counted_takes_no_more_and_never_falls_below_nothing(
    store: Store,
) -> None:
    for _ in range(3):
        await store.queue.count_sent("sim", "28444", 7, most=3)
    assert not await store.queue.count_sent("sim", "28444", 7, most=2)
    for _ in range(4):
        await store.queue.uncount_sent("sim", "28444", 7)
    assert await store.queue.sent("sim", "28444", 7) == 0


@sqlite_only
@pytest.mark.parametrize(
    ("statements", "name", "index"),
    [
        (
            queue.SQL,
            "waiting",
            "message_queue (connection=? AND account_id=? AND sender=? AND due_at>? AND due_at<?)",
        ),
        (queue.SQL, "next_waiting", "message_queue (connection=? AND account_id=? AND sender=? AND due_at>?)"),
        (queue.SQL, "flows", "message_queue (connection=? AND account_id>?)"),
        (queue.SQL, "page", "message_queue (connection=? AND (account_id,sender,due_at)>(?,?,?))"),
        (queue.SQL, "overdue", "message_timer (connection=? AND due_at>? AND due_at<?)"),
        (queue.SQL, "next_timer", "message_timer (connection=?"),
        (queue.SQL, "recover", "message_timer"),
        (matching.SQL, "find_by_recipient", "message_waiting (recipient=?)"),
        (matching.SQL, "find_doubtful_part", "message_waiting (recipient=?)"),
    ],
)
async def test_a_statement_that_is_run_often_finds_its_rows_by_an_index(
    store: Store, statements: dict[str, Statement], name: str, index: str
) -> None:
    """A condition that is not word for word that of the index makes SQLite read the whole table instead."""
    numbered = re.findall(r"[?](\d+)", statements[name])
    count = max(map(int, numbered)) if numbered else statements[name].count("?")
    rows = await store.queue._engine.read(Statement(f"EXPLAIN QUERY PLAN {statements[name]}"), (0,) * count)
    assert index in "\n".join(str(row[3]) for row in rows)


@sqlite_only
async def test_a_message_that_is_in_hand_is_not_taken_twice(store: Store) -> None:
    message = await accepted(store)
    assert store.queue.hold("sim", [message, message], NOW + MINUTE) == [message]
    assert store.queue.hold("sim", [message], NOW + MINUTE) == []
    store.queue.let_go(message)
    assert store.queue.hold("sim", [message], NOW + MINUTE) == [message]
