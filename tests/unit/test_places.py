"""Places that may become more or fewer while they are taken."""

import asyncio

from mmsgate.places import Places


class Hall:
    """Guests, who come in by their numbers and leave when they are told."""

    def __init__(self, most: int) -> None:
        self.places = Places(most)
        self.inside: list[int] = []
        self._leave: dict[int, asyncio.Event] = {}
        self._tasks: dict[int, asyncio.Task[None]] = {}

    async def come(self, *numbers: int) -> None:
        for number in numbers:
            self._leave[number] = asyncio.Event()
            self._tasks[number] = asyncio.create_task(self._visit(number))
        await self.settle()

    async def leave(self, *numbers: int) -> None:
        for number in numbers:
            self._leave[number].set()
        await self.settle()

    async def settle(self) -> None:
        for _ in range(5):
            await asyncio.sleep(0)

    def cancel(self, number: int) -> None:
        self._tasks[number].cancel()

    async def _visit(self, number: int) -> None:
        async with self.places:
            self.inside.append(number)
            await self._leave[number].wait()
            self.inside.remove(number)


async def test_no_more_are_in_than_there_are_places_and_the_rest_follow_in_line() -> None:
    hall = Hall(2)
    await hall.come(1, 2, 3, 4)
    assert hall.inside == [1, 2]
    await hall.leave(2)
    assert hall.inside == [1, 3]
    await hall.leave(1, 3)
    assert hall.inside == [4]
    await hall.leave(4)
    assert hall.places.taken == 0


async def test_more_places_let_those_in_who_wait() -> None:
    hall = Hall(1)
    await hall.come(1, 2, 3, 4)
    hall.places.change(3)
    await hall.settle()
    assert hall.inside == [1, 2, 3]
    await hall.leave(1, 2, 3, 4)
    assert hall.places.taken == 0


async def test_where_there_are_fewer_nobody_follows_until_enough_have_left() -> None:
    hall = Hall(3)
    await hall.come(1, 2, 3, 4)
    hall.places.change(1)
    await hall.leave(1, 2)
    assert hall.inside == [3]
    await hall.leave(3)
    assert hall.inside == [4]
    await hall.leave(4)
    assert hall.places.taken == 0


async def test_who_gives_up_in_line_keeps_nobody_out() -> None:
    hall = Hall(1)
    await hall.come(1, 2, 3)
    hall.cancel(2)
    await hall.settle()
    await hall.leave(1)
    assert hall.inside == [3]
    await hall.leave(3)
    assert hall.places.taken == 0


async def test_who_gives_up_in_the_moment_of_his_turn_hands_the_place_on() -> None:
    hall = Hall(1)
    await hall.come(1, 2, 3)
    hall.places.change(2)  # 2 has the place, and does not know yet
    hall.cancel(2)
    await hall.settle()
    assert hall.inside == [1, 3]
    await hall.leave(1, 3)
    assert hall.places.taken == 0


async def test_who_gives_up_while_the_place_is_given_away_takes_none() -> None:
    hall = Hall(1)
    await hall.come(1, 2, 3)
    hall.cancel(2)
    hall.places.change(2)
    await hall.settle()
    assert hall.inside == [1, 3]
    await hall.leave(1, 3)
    assert hall.places.taken == 0
