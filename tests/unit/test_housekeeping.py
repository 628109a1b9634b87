"""Chores: whose turn it is, and how often."""

import asyncio

from mmsgate.errors import Fault
from mmsgate.housekeeping import Housekeeping


class Chores:
    """Counts; `fails` before it does."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.twice = asyncio.Event()

    async def own(self) -> None:
        self.done.append("own")
        if self.done.count("own") == 2:
            self.twice.set()

    async def common(self) -> None:
        self.done.append("common")

    async def fails(self) -> None:
        raise Fault("the disk is full")


async def test_one_that_does_not_lead_does_its_own_chores_alone() -> None:
    chores = Chores()
    await Housekeeping(own=[chores.own], common=[chores.common], leads=lambda: False).keep()
    assert chores.done == ["own"]


async def test_a_chore_that_fails_keeps_no_other_from_its_turn() -> None:
    chores = Chores()
    await Housekeeping(own=[chores.fails, chores.own], common=[chores.common], leads=lambda: True).keep()
    assert chores.done == ["own", "common"]


async def test_there_is_a_round_every_so_often_until_it_is_stopped() -> None:
    chores = Chores()
    keeper = Housekeeping(own=[chores.own], common=(), leads=lambda: True, every=0.001)
    keeper.start()
    await asyncio.wait_for(chores.twice.wait(), 10)
    await keeper.stop()
    await keeper.stop()
    assert set(chores.done) == {"own"}
