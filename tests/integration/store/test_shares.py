"""What several processes share over PostgreSQL: parts of rates, and calls of accounts."""

import asyncio

import pytest

from mmsgate.clock import DAY, SECOND
from mmsgate.domain import share
from mmsgate.domain.account import RateLimits
from mmsgate.domain.request import Action
from mmsgate.store import Store, Wish
from mmsgate.store.calls import Calls, TooMany
from mmsgate.store.shares import Shares
from tests.unit.builders import NOW

pytestmark = pytest.mark.parametrize("where", ["postgres"], indirect=True)

BUSY = {"acme": Wish(units=16, weight=share.BUSY)}
SEND = Action.SEND_MMS


def shares(store: Store) -> Shares:
    assert store.shares is not None
    return store.shares


def calls(store: Store) -> Calls:
    assert store.calls is not None
    return store.calls


async def test_two_nodes_come_to_hold_half_each_and_never_more_together(store: Store) -> None:
    assert await shares(store).renew("a", BUSY, lease=60 * SECOND) == {"acme": 16}
    assert await shares(store).renew("b", BUSY, lease=60 * SECOND) == {"acme": 0}
    assert await shares(store).renew("a", BUSY, lease=60 * SECOND) == {"acme": 8}
    assert await shares(store).renew("b", BUSY, lease=60 * SECOND) == {"acme": 8}


async def test_what_is_given_back_or_has_run_out_is_free(store: Store) -> None:
    await shares(store).renew("a", BUSY, lease=60 * SECOND)
    await shares(store).give_back("a")
    assert await shares(store).renew("b", BUSY, lease=0) == {"acme": 16}
    assert await shares(store).renew("c", BUSY, lease=60 * SECOND) == {"acme": 16}


async def test_many_who_ask_at_once_hold_no_more_than_there_is(store: Store) -> None:
    names = [f"node {number}" for number in range(20)]
    for _ in range(3):
        granted = await asyncio.gather(*(shares(store).renew(name, BUSY, lease=60 * SECOND) for name in names))
    assert sum(each["acme"] for each in granted) == 16


async def test_what_is_not_wished_any_more_is_given_back(store: Store) -> None:
    await shares(store).renew("a", BUSY, lease=60 * SECOND)
    assert await shares(store).renew("a", {}, lease=60 * SECOND) == {}
    assert await shares(store).renew("b", BUSY, lease=60 * SECOND) == {"acme": 16}


async def test_the_throughput_of_an_account_holds_over_all_nodes(store: Store) -> None:
    limits = RateLimits(throughput=3)
    admitted = await asyncio.gather(*(calls(store).admit(1, SEND, limits, now=NOW) for _ in range(10)))
    assert admitted.count(None) == 3
    assert admitted.count(TooMany.THROUGHPUT) == 7
    assert await calls(store).admit(1, Action.SAVE_MMS, limits, now=NOW) is None
    assert await calls(store).admit(2, SEND, limits, now=NOW) is None
    assert await calls(store).admit(1, SEND, limits, now=NOW + SECOND) is None


async def test_clocks_that_differ_let_in_no_more(store: Store) -> None:
    limits = RateLimits(throughput=3)
    nows = [NOW + number % 2 * SECOND for number in range(20)]
    admitted = [await calls(store).admit(1, SEND, limits, now=now) for now in nows]
    assert admitted.count(None) <= 4


async def test_the_gap_between_calls_holds_over_all_nodes(store: Store) -> None:
    limits = RateLimits(gap=2)
    answers = [await calls(store).admit(1, SEND, limits, now=NOW + after) for after in (0, 1999, 2000)]
    assert answers == [None, TooMany.GAP, None]


async def test_the_quota_of_a_day_holds_over_all_nodes_and_a_refused_call_does_not_count(store: Store) -> None:
    limits = RateLimits(quota=2)
    assert [await calls(store).admit(1, SEND, limits, now=NOW) for _ in range(4)] == [
        None, None, TooMany.QUOTA, TooMany.QUOTA,
    ]  # fmt: skip
    assert await store.accounts.calls(1, NOW // DAY) == 2
    assert await calls(store).admit(1, SEND, limits, now=NOW + DAY) is None
