"""Messages whose connection does not exist, over a real store."""

from mmsgate.clock import ManualClock
from mmsgate.delivery.alarms import Alarms
from mmsgate.delivery.stranded import Stranded
from mmsgate.postbacks.ledger import Ledger
from mmsgate.store import Directory, Store
from tests.integration.store.test_messages import accepted
from tests.unit.builders import NOW, an_account


async def test_more_than_a_page_of_them_ends_in_one_go_and_what_has_time_stays(store: Store) -> None:
    for number in range(1, 131):
        await accepted(store, number, connection="gone", expires_at=NOW)
    await accepted(store, 200, connection="gone")
    directory = Directory(revision=1, accounts={1: an_account()}, by_key={}, patterns=(), profiles={})
    clock = ManualClock()
    assert len(await store.queue.stranded("gone", now=NOW)) == 100
    await Stranded(store, Ledger(store, lambda: directory), Alarms(store, clock), clock).settle(frozenset())
    assert await store.messages.counts() == {"failed": 130, "accepted": 1}


async def test_a_page_is_short_enough_to_hold_nobody_up(store: Store) -> None:
    for number in range(1, 131):
        await accepted(store, number)
    first = await store.queue.page("sim", after=None)
    assert (len(first), len(await store.queue.page("sim", after=first[-1]))) == (100, 30)
