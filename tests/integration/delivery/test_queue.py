"""Whose turn it is, over the store: accounts, then senders; what an outage left over; what the limits allow."""

from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

import pytest

from mmsgate.bucket import Buckets
from mmsgate.clock import HOUR, MINUTE, SECOND
from mmsgate.delivery.queue import REMEMBERED, FairQueue
from mmsgate.domain.change import Change, Why, move
from mmsgate.domain.message import Message
from mmsgate.domain.state import Happening
from mmsgate.store import Snapshot, Store
from mmsgate.store.engine import Row, StoreFault
from mmsgate.store.queries import Statement
from mmsgate.store.queue import SQL as QUEUE
from tests.integration.store.test_messages import accepted
from tests.unit.builders import NOW


class Asked:
    """The statements that the store runs from now on."""

    def __init__(self, store: Store) -> None:
        self.statements: list[str] = []
        engine = store.queue._engine
        read = engine.read

        async def asked(sql: Statement, parameters: Sequence[object] = ()) -> Sequence[Row]:
            self.statements.append(sql)
            return await read(sql, parameters)

        engine.read = asked  # type: ignore[method-assign,assignment]  # for this test's store


def a_queue(store: Store, *, account_rate: float = 0.0, sender_rate: float = 0.0) -> FairQueue:
    return FairQueue("sim", store.queue, Buckets(lambda _: account_rate), Buckets(lambda _: sender_rate))


async def take(queue: FairQueue, limit: int, *, now: int = NOW, fresh_since: int = 0) -> list[Message]:
    await queue.look(now)
    return await queue.take(limit, now, now + MINUTE, fresh_since=fresh_since)


async def waiting(store: Store) -> AsyncIterator[Message]:
    """All that waits for sim, page by page."""
    page = await store.queue.page("sim", after=None)
    while page:
        for message in page:
            yield message
        page = await store.queue.page("sim", after=page[-1])


def whose(messages: list[Message]) -> Counter[tuple[int, str]]:
    return Counter((message.account_id, message.sender) for message in messages)


async def backlog(store: Store, count: int, *, first: int = 1, **changes: object) -> None:
    for number in range(first, first + count):
        await accepted(store, number, **{"due_at": NOW - HOUR + number, **changes})


async def test_a_backlog_of_one_account_leaves_the_others_their_turns(store: Store) -> None:
    await backlog(store, 100, account_id=1)
    await backlog(store, 3, first=201, account_id=2, due_at=NOW)
    queue = a_queue(store)
    assert whose(await take(queue, 8)) == {(1, "28444"): 5, (2, "28444"): 3}
    await accepted(store, 301, account_id=3)
    queue.look_again()
    assert whose(await take(queue, 2)) == {(1, "28444"): 1, (3, "28444"): 1}


async def test_with_one_place_at_a_time_accounts_take_it_in_turn(store: Store) -> None:
    await backlog(store, 20, account_id=1)
    await backlog(store, 20, first=101, account_id=2)
    await backlog(store, 20, first=201, account_id=3)
    queue = a_queue(store)
    assert [(await take(queue, 1))[0].account_id for _ in range(7)] == [1, 2, 3, 1, 2, 3, 1]


async def test_a_backlog_of_one_sender_leaves_the_accounts_other_senders_their_turns(store: Store) -> None:
    await backlog(store, 50, sender="28444")
    await backlog(store, 2, first=101, sender="9", due_at=NOW)
    assert whose(await take(a_queue(store), 4)) == {(1, "28444"): 2, (1, "9"): 2}


async def test_all_places_are_used_where_only_some_have_much(store: Store) -> None:
    await backlog(store, 100, account_id=1)
    for account in range(2, 12):
        await accepted(store, 200 + account, account_id=account)
    queue = a_queue(store)
    taken = await take(queue, 48)
    assert len(taken) == len({message.id for message in taken}) == 48


async def test_the_messages_of_a_flow_go_in_their_order_and_none_twice(store: Store) -> None:
    await backlog(store, 30)
    queue = a_queue(store)
    assert [message.id for _ in range(4) for message in await take(queue, 9)] == list(range(1, 31))
    assert await take(queue, 9, now=NOW + SECOND) == []


async def test_what_is_not_due_yet_is_taken_when_it_is(store: Store) -> None:
    message = await accepted(store, 1, due_at=NOW + 5 * MINUTE)
    queue = a_queue(store)
    assert await take(queue, 9) == []
    assert queue.next_due() == NOW + 5 * MINUTE
    assert await take(queue, 9, now=NOW + 5 * MINUTE) == [message]


async def test_a_postponed_message_is_known_without_a_look_into_the_store(store: Store) -> None:
    message = await accepted(store, 1)
    queue = a_queue(store)
    assert await take(queue, 9) == [message]

    def later(snapshot: Snapshot) -> Change:
        return move(snapshot.message, Happening.POSTPONED, Why.of("later"), at=NOW, due_at=NOW + 10)

    postponed = (await store.messages.record(message, later)).change.message
    queue.due(postponed)
    assert queue.next_due() == NOW + 10
    assert await queue.take(9, NOW + 9, NOW + MINUTE) == []
    assert await queue.take(9, NOW + 10, NOW + MINUTE) == [postponed]


async def test_after_an_outage_new_messages_get_every_second_place(store: Store) -> None:
    await backlog(store, 50)
    await backlog(store, 50, first=101, due_at=NOW)
    queue = a_queue(store)
    new = [
        sum(message.id > 100 for message in await take(queue, limit, fresh_since=NOW)) for limit in (10, 1, 1, 1, 1)
    ]
    assert new[0] == 5
    assert sum(new[1:]) == 2
    assert [message.id for message in await take(queue, 4, fresh_since=NOW)][-2:] == [8, 9]


async def test_places_that_new_messages_do_not_need_are_the_backlogs(store: Store) -> None:
    await backlog(store, 50)
    await accepted(store, 101)
    taken = await take(a_queue(store), 10, fresh_since=NOW)
    assert [message.id for message in taken] == [101, *range(1, 10)]


async def test_an_account_gets_no_more_than_its_rate_and_holds_nobody_up(store: Store) -> None:
    await backlog(store, 100, account_id=1)
    queue = a_queue(store, account_rate=10)
    taken = sum([len(await take(queue, 50, now=NOW + at)) for at in range(0, 10 * SECOND, 10)])
    assert taken in {100, 101}
    await backlog(store, 100, first=201, account_id=1)
    await backlog(store, 1, first=401, account_id=2)
    queue.look_again()
    assert (2, "28444") in whose(await take(queue, 50, now=NOW + 10 * SECOND))
    assert NOW + 10 * SECOND < queue.next_due() <= NOW + 10 * SECOND + 100


async def test_a_sender_gets_no_more_than_its_rate_and_the_accounts_others_go_on(store: Store) -> None:
    await backlog(store, 100, sender="1")
    await backlog(store, 1, first=201, sender="2", due_at=NOW + 3 * SECOND)
    queue = a_queue(store, sender_rate=2)
    taken = [message for at in range(0, 5 * SECOND, 50) for message in await take(queue, 50, now=NOW + at)]
    assert whose(taken) in ({(1, "1"): 10, (1, "2"): 1}, {(1, "1"): 11, (1, "2"): 1})


@pytest.mark.parametrize("where", ["sqlite"], indirect=True)
async def test_what_was_accepted_a_moment_ago_is_not_read_again(store: Store) -> None:
    queue = a_queue(store)
    await queue.look(NOW)
    messages = [await accepted(store, number) for number in range(1, 6)]
    for message in messages:
        queue.due(message)
    asked = Asked(store)
    assert await queue.take(3, NOW, NOW + MINUTE) == messages[:3]
    assert await queue.take(3, NOW, NOW + MINUTE) == messages[3:]
    assert asked.statements == [QUEUE["next_waiting"]]
    assert all(map(store.queue.holds, messages))


async def test_where_more_waits_than_is_remembered_the_store_is_asked_for_all(store: Store) -> None:
    await backlog(store, REMEMBERED + 50)
    queue = a_queue(store)
    queue._looked_at = NOW  # nothing was there then
    for message in [each async for each in waiting(store)]:
        queue.due(replace(message, due_at=message.updated_at))
    assert [message.id for message in await take(queue, 200)] == list(range(1, REMEMBERED + 51))


async def test_a_backlog_goes_before_what_was_accepted_a_moment_ago(store: Store) -> None:
    await backlog(store, 3)
    queue = a_queue(store)
    await queue.look(NOW)
    queue.due(await accepted(store, 9))
    assert [message.id for message in await queue.take(9, NOW, NOW + MINUTE)] == [1, 2, 3, 9]


async def test_a_message_that_is_due_later_does_not_hide_the_others_of_its_flow(store: Store) -> None:
    queue = a_queue(store)
    await queue.look(NOW)
    for number, due_at in enumerate([NOW, NOW + SECOND, NOW], 1):
        queue.due(await accepted(store, number, due_at=due_at))
    assert [message.id for message in await queue.take(9, NOW, NOW + MINUTE)] == [1, 3]
    assert queue.next_due() == NOW + SECOND
    assert [message.id for message in await queue.take(9, NOW + SECOND, NOW + MINUTE)] == [2]


@pytest.mark.parametrize("statement", ["claim", "next_waiting"])
async def test_what_was_taken_before_the_store_failed_is_taken_again_at_once(
    store: Store, statement: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for account in (1, 2):
        await backlog(store, 3, first=100 * account, account_id=account)
    queue, real, asked = a_queue(store), getattr(store.queue, statement), []

    async def fails_the_second_time(*values: object, **named: object) -> object:
        asked.append(values)
        if len(asked) == 2:
            raise StoreFault("the disk is full")
        return await real(*values, **named)

    monkeypatch.setattr(store.queue, statement, fails_the_second_time)
    with pytest.raises(StoreFault):
        await take(queue, 20)
    assert whose(await take(queue, 20, now=NOW + 1)) == {(1, "28444"): 3, (2, "28444"): 3}
