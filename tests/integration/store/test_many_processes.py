"""Two processes at the same row at the same moment, over PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from mmsgate.clock import MINUTE
from mmsgate.domain.rendition import Preparation
from mmsgate.domain.request import WireDialect
from mmsgate.store import Store
from mmsgate.store.engine import Transaction
from mmsgate.store.preparations import insert_preparation
from tests.unit.builders import NOW

pytestmark = pytest.mark.parametrize("where", ["postgres"], indirect=True)

PREPARATION = Preparation(content_id=7, account_id=1, dialect=WireDialect.KEBAB)


@pytest.fixture
async def other(where: str) -> AsyncIterator[Store]:
    """The store as another process sees it."""
    other = Store(where, name="other")
    await other.start()
    yield other
    await other.stop()


async def ask_for_it(store: Store, preparation: Preparation = PREPARATION) -> None:
    async def work(tx: Transaction) -> None:
        await insert_preparation(tx, preparation, due_at=NOW)

    await store._engine.write(work)


async def claimed(store: Store, owner: str) -> list[Preparation]:
    return await store.preparations.claim(now=NOW, lease=NOW + MINUTE, owner=owner, limit=8, each=8)


async def test_two_who_prepare_take_nothing_twice(store: Store, other: Store) -> None:
    for number in range(1, 9):
        await ask_for_it(store, Preparation(content_id=number, account_id=1, dialect=WireDialect.KEBAB))
    for _ in range(5):
        found = await asyncio.gather(claimed(store, "a"), claimed(other, "b"))
        both = [each.content_id for each in (*found[0], *found[1])]
        assert sorted(both) == list(range(1, 9))
        for one, owner in zip((store, other), "ab", strict=True):
            await one.preparations.release_all(at=NOW, owner=owner)


async def test_a_late_try_does_not_take_back_what_another_works_on(store: Store, other: Store) -> None:
    await ask_for_it(store)
    (late,) = await claimed(store, "a")
    await store.preparations.release([late], at=NOW, owner="a")
    assert len(await claimed(other, "b")) == 1
    await store.preparations.retry(late, due_at=NOW, owner="a")
    assert await claimed(store, "a") == []


async def test_what_is_asked_for_while_it_ends_is_prepared_again(store: Store, other: Store) -> None:
    """Whoever comes to wait for it finds it, or asks for it anew: nobody waits for what is not there."""
    await ask_for_it(store)
    for _ in range(20):
        await asyncio.gather(other.preparations.finish(PREPARATION), ask_for_it(store))
        assert await store.preparations.count() in (0, 1)
    await ask_for_it(store)
    assert await store.preparations.count() == 1
