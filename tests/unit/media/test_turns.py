"""Owners take turns, and none is held up by how many another has waiting."""

import asyncio

import pytest

from mmsgate.media.turns import Crowded, Turns


class Room:
    """Jobs that wait for their turn, do what `work` says and note their names when they have it."""

    def __init__(self, places: int, *, waiting: int = 100) -> None:
        self.turns = Turns(places, waiting=waiting)
        self.order: list[str] = []
        self.inside: dict[str, asyncio.Event] = {}

    def enter(self, owner: str, number: int = 0) -> "asyncio.Task[None]":
        return asyncio.create_task(self._work(owner, f"{owner}{number}"), name=f"{owner}{number}")

    async def _work(self, owner: str, name: str) -> None:
        async with self.turns.turn(owner):
            self.order.append(name)
            self.inside[name] = asyncio.Event()
            await self.inside[name].wait()

    async def leave(self, name: str) -> None:
        self.inside[name].set()
        await settled()

    async def empty(self, *tasks: "asyncio.Task[None]") -> None:
        """Lets everybody through, in order."""
        while not all(task.done() for task in tasks):
            for event in self.inside.values():
                event.set()
            await asyncio.sleep(0)


async def settled() -> None:
    """Until everything that can go on has gone on."""
    for _ in range(20):
        await asyncio.sleep(0)


async def test_owners_take_turns_however_many_each_has_waiting() -> None:
    room = Room(1)
    tasks = [room.enter("a", number) for number in range(5)]
    await settled()
    tasks += [room.enter(owner, number) for owner in "bc" for number in range(3)]
    await settled()
    assert room.order == ["a0", "b0"]  # the second has the place kept for one who has none
    left = 0
    while left < len(room.order):
        await room.leave(room.order[left])
        left += 1
    assert all(task.done() for task in tasks)
    assert room.order == ["a0", "b0", "a1", "b1", "c0", "a2", "b2", "c1", "a3", "c2", "a4"]


async def test_a_hundred_of_one_leave_a_place_for_another_at_once() -> None:
    room = Room(2, waiting=1000)
    tasks = [room.enter("bombs", number) for number in range(100)]
    await settled()
    assert room.order == ["bombs0", "bombs1"]
    tasks.append(room.enter("other"))
    await settled()
    assert room.order[-1] == "other0"
    tasks.append(room.enter("other", 1))
    await settled()
    assert len(room.order) == 3  # the kept place is for the first only
    await room.leave("bombs0")  # three have places, two are for all: nobody follows
    assert len(room.order) == 3
    await room.leave("bombs1")
    assert len(room.order) == 4
    await room.empty(*tasks)


async def test_too_many_of_one_owner_are_refused_and_no_others() -> None:
    room = Room(1, waiting=2)
    tasks = [room.enter("a", number) for number in range(3)]
    await settled()
    with pytest.raises(Crowded):
        await room.enter("a", 9)
    tasks += [room.enter("b", number) for number in range(3)]
    await settled()
    with pytest.raises(Crowded):
        await room.enter("b", 9)
    await room.empty(*tasks)
    assert len(room.order) == 6


async def test_who_gives_up_waiting_leaves_no_gap() -> None:
    room = Room(1)
    tasks = [room.enter("a", number) for number in range(4)]
    await settled()
    tasks[1].cancel()
    tasks[3].cancel()
    await room.leave("a0")
    assert room.order == ["a0", "a2"]
    await room.leave("a2")
    await asyncio.gather(*tasks, return_exceptions=True)
    tasks = [room.enter("a", 5)]
    await settled()
    assert room.order[-1] == "a5"
    await room.empty(*tasks)


async def test_who_gives_up_when_called_passes_the_place_on() -> None:
    room = Room(1)
    tasks = [room.enter("a", number) for number in range(3)]
    await settled()
    room.inside["a0"].set()
    while len(room.turns._queues["a"]) == 2:
        await asyncio.sleep(0)  # until the second was called, before it runs
    tasks[1].cancel()
    await settled()
    assert room.order == ["a0", "a2"]
    await room.empty(tasks[2])


async def test_a_place_is_given_back_when_the_work_fails() -> None:
    turns = Turns(1, waiting=1)
    for _ in range(3):
        with pytest.raises(ZeroDivisionError):
            async with turns.turn("a"):
                raise ZeroDivisionError
    async with asyncio.timeout(5), turns.turn("a"):
        pass
