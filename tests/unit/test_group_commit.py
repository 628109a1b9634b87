"""When a batch of writes is handed on: at once, or when those are back who waited for the last one."""

import asyncio

from mmsgate.store.commit import MANY, GroupCommit, Pace, Write
from mmsgate.store.engine import Transaction

FOR_EVER = 3600.0


class Batches:
    """Ends each batch; `sizes` tells them."""

    def __init__(self, pace: Pace) -> None:
        self.sizes: list[int] = []
        self.commit = GroupCommit(self._transact, pace)

    async def _transact(self, batch: list[Write]) -> None:
        self.sizes.append(len(batch))
        for write in batch:
            write.end(None)

    async def write(self) -> None:
        await self.commit.write(_nothing)

    async def twice(self, turns: int) -> None:
        """Two writes, one after the other, with so many turns of the loop between them."""
        await self.write()
        for _ in range(turns):
            await asyncio.sleep(0)
        await self.write()


async def _nothing(_: Transaction) -> None:
    """It is the number of writes that counts."""


async def test_a_batch_waits_until_all_are_back_who_waited_for_the_last_one() -> None:
    batches = Batches(Pace(linger=FOR_EVER))
    await asyncio.gather(*(batches.twice(turns=3 * number) for number in range(2 * MANY)))
    assert batches.sizes == [2 * MANY, 2 * MANY]


async def test_without_a_pace_it_waits_for_none_of_them() -> None:
    batches = Batches(Pace())
    await asyncio.gather(*(batches.twice(turns=3 * number) for number in range(2 * MANY)))
    assert len(batches.sizes) > 2


async def test_who_does_not_come_back_is_waited_for_no_longer_than_that() -> None:
    batches = Batches(Pace(linger=0.01))
    await asyncio.gather(*(batches.write() for _ in range(2 * MANY)))
    await batches.write()
    assert batches.sizes == [2 * MANY, 1]


async def test_after_few_writes_nobody_is_waited_for() -> None:
    batches = Batches(Pace(linger=FOR_EVER))
    await asyncio.gather(*(batches.write() for _ in range(MANY - 1)))
    await batches.write()
    assert batches.sizes == [MANY - 1, 1]


async def test_no_batch_has_more_than_the_most() -> None:
    batches = Batches(Pace(most=5))
    await asyncio.gather(*(batches.write() for _ in range(12)))
    assert batches.sizes == [5, 5, 2]
