"""Work that many ask for at once is done once, and outlives who asked first."""

import asyncio

import pytest

from mmsgate.flights import Flights


class Kitchen:
    """Makes a number, when it is told to go on."""

    def __init__(self) -> None:
        self.go_on = asyncio.Event()
        self.made = 0

    async def make(self) -> int:
        await self.go_on.wait()
        self.made += 1
        return self.made


async def test_who_comes_meanwhile_gets_the_same() -> None:
    flights, kitchen = Flights[str, int](), Kitchen()
    asked = [asyncio.create_task(flights.join("a", kitchen.make)) for _ in range(5)]
    await asyncio.sleep(0)
    kitchen.go_on.set()
    assert await asyncio.gather(*asked) == [1] * 5
    assert await flights.join("a", kitchen.make) == 2


async def test_another_key_is_other_work() -> None:
    flights, kitchen = Flights[str, int](), Kitchen()
    kitchen.go_on.set()
    assert {await flights.join("a", kitchen.make), await flights.join("b", kitchen.make)} == {1, 2}


async def test_it_outlives_who_asked_first() -> None:
    flights, kitchen = Flights[str, int](), Kitchen()
    first = asyncio.create_task(flights.join("a", kitchen.make))
    await asyncio.sleep(0)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    second = asyncio.create_task(flights.join("a", kitchen.make))
    kitchen.go_on.set()
    assert await second == 1


async def test_a_failure_reaches_everybody_who_waits_and_nobody_later() -> None:
    flights, kitchen = Flights[str, int](), Kitchen()

    async def fail() -> int:
        await kitchen.go_on.wait()
        raise ValueError("burnt")

    asked = [asyncio.create_task(flights.join("a", fail)) for _ in range(2)]
    await asyncio.sleep(0)
    kitchen.go_on.set()
    for task in asked:
        with pytest.raises(ValueError, match="burnt"):
            await task
    assert await flights.join("a", kitchen.make) == 1
