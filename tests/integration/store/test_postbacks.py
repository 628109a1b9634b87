"""Postbacks in the store: in order per message, retried, parked, replayed."""

from mmsgate.clock import MINUTE
from mmsgate.domain.state import Happening
from mmsgate.store import PostbackRow, Store
from mmsgate.store.postbacks import Again, DuePostback, Parked, Sent
from tests.integration.store.test_messages import accepted, step
from tests.unit.builders import NOW


async def told(store: Store, *numbers: int, ordered: bool = True) -> None:
    """Messages with N101 and N102 waiting."""
    store.render_with(
        lambda change: [
            PostbackRow(
                receiver="r", url="http://u", code=p.code.value, content_type="t", body=b"<x/>", ordered=ordered
            )
            for p in change.postbacks
        ]
    )
    for number in numbers:
        message = await accepted(store, number)
        for happening in (Happening.SUBMIT, Happening.TAKEN, Happening.REPORTED_DELIVERED):
            await store.messages.record(message, step(happening))


async def claim(store: Store, now: int = NOW + 1) -> list[DuePostback]:
    return await store.postbacks.claim("r", now=now, lease=now + MINUTE, owner="me", limit=50)


async def test_a_later_postback_waits_for_the_earlier_of_its_message(store: Store) -> None:
    await told(store, 1, 2)
    assert await store.postbacks.receivers(now=NOW + 1) == ["r"]
    first = await claim(store)
    assert [(due.message_id, due.code) for due in first] == [(1, "N101"), (2, "N101")]
    assert await claim(store) == []
    await store.postbacks.record([Sent(id=first[0].id, attempts=1)], at=NOW)
    again = Again(id=first[1].id, attempts=1, error="HTTP 500", due_at=NOW + MINUTE)
    await store.postbacks.record([again], at=NOW)
    assert [(due.message_id, due.code) for due in await claim(store)] == [(1, "N102")]
    assert await store.postbacks.next_due("r", default=0) == NOW + MINUTE


async def test_unordered_postbacks_wait_for_nobody(store: Store) -> None:
    await told(store, 1, ordered=False)
    assert [due.code for due in await claim(store)] == ["N101", "N102"]


async def test_a_parked_one_lets_the_later_ones_go_on(store: Store) -> None:
    """R-35."""
    await told(store, 1)
    (first,) = await claim(store)
    await store.postbacks.record([Parked(id=first.id, attempts=8, error="gone")], at=NOW)
    assert [due.code for due in await claim(store)] == ["N102"]
    parked = (await store.postbacks.of_message(1))[0]
    assert (parked.state, parked.attempts, parked.last_error) == ("parked", 8, "gone")


async def test_replay_sends_all_of_a_message_again_in_order(store: Store) -> None:
    await told(store, 1)
    for _ in range(2):
        (due,) = await claim(store)
        await store.postbacks.record([Sent(id=due.id, attempts=1)], at=NOW)
    assert await claim(store) == []
    assert await store.postbacks.replay(1, now=NOW) == 2
    assert [(due.code, due.attempts) for due in await claim(store)] == [("N101", 0)]


async def test_recover_frees_what_a_dead_gateway_held(store: Store) -> None:
    await told(store, 1)
    await claim(store)
    assert await store.postbacks.recover(now=NOW) == 1
    assert [due.code for due in await claim(store)] == ["N101"]
