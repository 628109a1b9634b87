"""Writes side by side: those that wait for the same statement are answered together, each with its own."""

from collections.abc import Sequence
from typing import Any

import pytest

from mmsgate.store.engine import Transaction
from mmsgate.store.lockstep import LOCK, Entangled, Lockstep, WorkFailed
from mmsgate.store.queries import Statement

ONE, TWO, THREE = (Statement(name, name=name) for name in ("one", "two", "three"))


class Server:
    """Answers each statement with its parameters, or their number, and remembers what came together."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, list[tuple[object, ...]]]] = []

    async def execute(
        self, statement: Statement, parameters: Sequence[Sequence[object]], wants_rows: bool
    ) -> Sequence[Any]:
        self.asked.append((statement.name, [tuple(each) for each in parameters]))
        return [[tuple(each)] if wants_rows else 1 for each in parameters]

    async def run(self, *works: Any) -> list[object]:
        return await Lockstep(self.execute).run(works)


@pytest.fixture
def server() -> Server:
    return Server()


async def test_the_same_statement_of_many_writes_is_asked_once(server: Server) -> None:
    def work(number: int) -> Any:
        async def write(tx: Transaction) -> object:
            await tx.run(ONE, (number,))
            return await tx.rows(TWO, (number,))

        return write

    assert await server.run(*map(work, range(3))) == [[(0,)], [(1,)], [(2,)]]
    assert server.asked == [("one", [(0,), (1,), (2,)]), ("two", [(0,), (1,), (2,)])]


async def test_who_has_come_least_far_is_served_first_so_that_the_groups_grow(server: Server) -> None:
    async def long(tx: Transaction) -> None:
        await tx.run(ONE, ("long",))
        await tx.run(TWO, ("long",))
        await tx.run(THREE, ("long",))

    async def short(tx: Transaction) -> None:
        await tx.run(TWO, ("short",))
        await tx.run(THREE, ("short",))

    await server.run(short, long)
    assert [name for name, _ in server.asked].count("three") <= 2
    assert ("one", [("long",)]) in server.asked


async def test_many_sets_of_one_write_go_together_and_are_counted(server: Server) -> None:
    async def several(tx: Transaction) -> int:
        return await tx.run_many(ONE, [(1,), (2,)])

    async def single(tx: Transaction) -> int:
        return await tx.run(ONE, (3,))

    async def none(tx: Transaction) -> int:
        return await tx.run_many(ONE, [])

    assert await server.run(several, single, none) == [2, 1, 0]
    assert server.asked == [("one", [(1,), (2,), (3,)])]


async def test_two_writes_of_one_key_take_turns(server: Server) -> None:
    order = []

    def work(name: str) -> Any:
        async def write(tx: Transaction) -> None:
            await tx.alone(7)
            for step in ("first", "last"):
                await tx.run(ONE, (name,))
                order.append((name, step))

        return write

    await server.run(work("a"), work("b"), work("c"))
    assert order == [(name, step) for name in "abc" for step in ("first", "last")]


async def test_a_key_may_be_named_twice_by_the_same_write(server: Server) -> None:
    async def write(tx: Transaction) -> str:
        await tx.alone(7)
        await tx.alone(7)
        return "done"

    assert await server.run(write, write) == ["done", "done"]


async def test_a_key_for_everybody_is_locked_in_the_database(server: Server) -> None:
    async def write(tx: Transaction) -> None:
        await tx.alone(7, everywhere=True)

    await server.run(write)
    assert server.asked == [(LOCK.name, [(7,)])]


async def test_writes_that_wait_for_one_another_are_told(server: Server) -> None:
    def work(first: int, second: int) -> Any:
        async def write(tx: Transaction) -> None:
            await tx.alone(first)
            await tx.run(ONE, ())
            await tx.alone(second)

        return write

    with pytest.raises(Entangled):
        await server.run(work(1, 2), work(2, 1))


async def test_a_write_that_fails_by_itself_is_named(server: Server) -> None:
    async def good(tx: Transaction) -> None:
        await tx.run(ONE, ())

    async def bad(tx: Transaction) -> None:
        await tx.run(ONE, ())
        raise ValueError("mine")

    with pytest.raises(WorkFailed) as failed:
        await server.run(good, bad, good)
    assert failed.value.index == 1
    assert str(failed.value.error) == "mine"


async def test_a_write_that_waits_for_something_else_is_refused(server: Server) -> None:
    class Other:
        def __await__(self) -> Any:
            yield "something else"

    async def write(_: Transaction) -> None:
        await Other()

    with pytest.raises(WorkFailed) as failed:
        await server.run(write)
    assert "nothing but its statements" in str(failed.value.error)
