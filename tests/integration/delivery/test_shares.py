"""Several processes send to one carrier: all together no faster than its profile says, whoever comes and goes."""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import cast

import pytest

from mmsgate.carriers.profile import CarrierProfile, Pace
from mmsgate.clock import SECOND, ManualClock, SystemClock
from mmsgate.delivery import shares as shares_module
from mmsgate.delivery.alarms import Alarms
from mmsgate.delivery.connection import Connection
from mmsgate.delivery.shares import LEASE, MARGIN, ShareKeeper, units_of
from mmsgate.domain.share import BUSY
from mmsgate.store import Store, StoreFault, Wish
from mmsgate.store.shares import Shares

on_postgres = pytest.mark.parametrize("where", ["postgres"], indirect=True)

RATE, WINDOW = 200.0, 16


@dataclass(slots=True, eq=False)
class Worker:
    """One process: its keeper, its connection, and requests one after another as fast as it may."""

    store: Store
    name: str
    left: list[float]
    under_way: list[int]
    keeper: ShareKeeper = field(init=False)
    connection: Connection = field(init=False)

    def __post_init__(self) -> None:
        profile = CarrierProfile(
            name="acme", endpoints=("http://mmsc.example/",), pace=Pace(rate=RATE, connections=WINDOW)
        )
        clock = SystemClock()
        self.connection = Connection(
            profile, rows=self.store.queue, alarms=Alarms(self.store, clock), clock=clock, on_change=lambda _: None
        )
        self.keeper = ShareKeeper(
            self.store.shares, self.name, lambda: {"acme": self.connection.wish}, on_change=self._take, clock=clock
        )
        self._take()

    def _take(self) -> None:
        self.connection.take_part(self.keeper.part("acme"))

    async def work(self) -> None:
        """Until cancelled; then its part is given back."""
        self.keeper.start()
        try:
            await asyncio.gather(*(self._send() for _ in range(WINDOW)))
        finally:
            await self.keeper.stop()

    async def _send(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            async with self.connection:
                self.left.append(loop.time())
                self.under_way[0] += 1
                assert self.under_way[0] <= WINDOW
                await asyncio.sleep(0.005)
                self.under_way[0] -= 1


@on_postgres
async def test_four_workers_that_come_and_go_keep_the_rate_and_the_window_of_one(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not that it is fast, but that it is never faster: more than the rate in a second, and it fails."""
    monkeypatch.setattr(shares_module, "RENEW_EVERY", SECOND // 10)
    left: list[float] = []
    under_way = [0]
    async with AsyncExitStack() as stack:
        for number in range(4):
            task = asyncio.create_task(Worker(store, f"worker {number}", left, under_way).work())
            stack.push_async_callback(_ended, task)
            await _leave(left, 60)
            if number == 1:
                first = task
        first.cancel()
        await _leave(left, 150)
    for begin, moment in enumerate(left):
        in_a_second = sum(moment <= other < moment + 1 for other in left[begin : begin + int(2 * RATE)])
        assert in_a_second <= RATE * 1.02 + 4, (begin, in_a_second)  # and a request of each that comes or goes


async def _ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait({task})
    if not task.cancelled() and (error := task.exception()):
        raise error


async def _leave(left: list[float], more: int) -> None:
    """So many more have left."""
    wanted = len(left) + more
    async with asyncio.timeout(30):
        while len(left) < wanted:
            await asyncio.sleep(0.01)


async def test_a_part_that_can_not_be_renewed_ends_before_others_may_have_it() -> None:
    clock = ManualClock()
    answers: list[dict[str, int] | None] = [{"acme": 8}, None, None]

    async def renew(_: str, __: object, *, lease: int) -> dict[str, int]:
        answer = answers.pop(0)
        if answer is None:
            raise StoreFault("away")
        return answer

    shares = cast("Shares", SimpleNamespace(renew=renew))
    keeper = ShareKeeper(
        shares, "a", lambda: {"acme": Wish(units=16, weight=BUSY)}, on_change=lambda: None, clock=clock
    )
    assert keeper.part("acme") == 0
    await keeper.renew(shares)
    assert keeper.part("acme") == 0.5
    assert keeper.part("other") == 0
    clock.advance(LEASE - MARGIN - 1)
    assert keeper.part("acme") == 0.5
    clock.advance(1)
    assert keeper.part("acme") == 0


async def test_who_is_alone_uses_all_of_it() -> None:
    keeper = ShareKeeper(None, "a", dict, on_change=lambda: None, clock=ManualClock())
    keeper.start()
    assert keeper.part("acme") == 1.0
    await keeper.stop()


@pytest.mark.parametrize(
    ("places", "rate", "units"), [(16, 0.0, 16), (16, 5.0, 1), (16, 50.0, 5), (16, 1000.0, 16), (1, 1000.0, 1)]
)
def test_a_slow_rate_is_hardly_cut(places: int, rate: float, units: int) -> None:
    assert units_of(places, rate) == units
