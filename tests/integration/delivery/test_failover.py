"""What a connection that is down keeps back: how often it is looked through, and how much of it tries another."""

import asyncio
from typing import Any

import pytest

from mmsgate.carriers.profile import CarrierProfile, Reach
from mmsgate.clock import ManualClock
from mmsgate.delivery.failover import SEARCH_AGAIN, Failover
from mmsgate.delivery.health import FEW
from mmsgate.domain.message import Message
from mmsgate.postbacks.ledger import Ledger
from mmsgate.store import Directory, Store
from tests.integration.store.test_messages import accepted
from tests.unit.builders import a_message, an_account

PATIENCE = 20.0  # seconds; a test that passes never waits for it
WAITING = 12
SENTINEL = a_message(connection="sentinel")


class Yard:
    """Messages wait at `first`. `wants` is how many more each connection would take; 0: it is down.

    `looks` is how often the queue of `first` was looked through.
    """

    def __init__(self, store: Store, monkeypatch: pytest.MonkeyPatch, *, second: str = "*") -> None:
        self.wants = {"first": 0, "second": 0}
        self.clock, self.looks, self.seen = ManualClock(), 0, asyncio.Event()
        self._page = store.queue.page
        monkeypatch.setattr(store.queue, "page", self.page)
        directory = Directory(revision=1, accounts={1: an_account()}, by_key={}, patterns=(), profiles={})
        ledger = Ledger(store, lambda: directory)
        ledger.on_due = self.due
        profiles = [
            CarrierProfile(name="first", endpoints=("http://mmsc.example/",)),
            CarrierProfile(
                name="second", endpoints=("http://mmsc.example/",), reach=Reach(operators=frozenset({second}))
            ),
        ]
        self.failover = Failover(
            store=store, ledger=ledger, profiles=lambda: profiles, is_up=self.is_up,
            moved=lambda *_: None, clock=self.clock,
        )  # fmt: skip

    async def page(self, name: str, **more: Any) -> list[Message]:
        self.looks += name == "first" and more["after"] is None
        return await self._page(name, **more)

    def is_up(self, name: str) -> bool:
        if name == SENTINEL.connection:
            self.seen.set()
            return True
        return self.wants[name] > 0

    def due(self, message: Message) -> None:
        self.wants[message.connection] -= 1

    async def changed(self, name: str) -> int:
        """How often the queue is looked through after that."""
        before = self.looks
        self.failover.changed(name)
        for _ in range(2):  # when the second is looked at, all that was asked for before the first has been done
            self.seen.clear()
            self.failover.stuck(SENTINEL)
            await asyncio.wait_for(self.seen.wait(), PATIENCE)
        return self.looks - before


async def test_what_found_no_better_place_is_not_looked_through_at_each_probe(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hundred thousand messages are seconds of work, and a carrier that is down is probed every ten seconds."""
    yard = Yard(store, monkeypatch, second="31003")
    for number in range(1, WAITING + 1):
        await accepted(store, number, connection="first", operator="31002")
    yard.failover.start()
    assert [await yard.changed("first") for _ in range(3)] == [1, 0, 0]
    yard.clock.advance(SEARCH_AGAIN)
    assert [await yard.changed("first") for _ in range(2)] == [1, 0]
    yard.wants["second"] = WAITING
    assert [await yard.changed("second"), await yard.changed("first")] == [1, 0]
    await yard.failover.stop()


async def test_a_connection_that_is_only_to_be_tried_gets_two_messages(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    yard = Yard(store, monkeypatch)
    for number in range(1, WAITING + 1):
        await accepted(store, number, connection="first")
    yard.wants["second"] = FEW
    assert await yard.failover.clear("first") == FEW
    yard.wants["second"] = 10 * WAITING
    assert await yard.failover.clear("first") == WAITING - FEW
