"""Parts of a whole: fair among those who have work, never more than there is, whoever comes and goes."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmsgate.domain.share import BUSY, DOWN, IDLE, Holder, allot


def holders(*busy: bool) -> list[Holder]:
    return [Holder(name=f"node {number}", weight=BUSY if each else IDLE) for number, each in enumerate(busy)]


def asked_in_turn(nodes: list[Holder], units: int, rounds: int = 3) -> list[int]:
    """What each holds after all have asked so often, one after the other."""
    for _ in range(rounds):
        for place, node in enumerate(nodes):
            others = nodes[:place] + nodes[place + 1 :]
            nodes[place] = replace(node, units=allot(node, others, units))
            assert sum(each.units for each in nodes) <= units
    return [each.units for each in nodes]


@pytest.mark.parametrize(
    ("busy", "units", "parts"),
    [
        ((True,), 16, [16]),
        ((True, True, True, True), 16, [4, 4, 4, 4]),
        ((True, True, True), 16, [6, 5, 5]),
        ((True, False), 10, [8, 2]),
        ((False, False), 10, [5, 5]),
        ((True, True), 1, [1, 0]),
        ((False, True), 1, [0, 1]),
    ],
)
def test_the_parts_are_fair_among_those_who_have_work(busy: tuple[bool, ...], units: int, parts: list[int]) -> None:
    assert asked_in_turn(holders(*busy), units) == parts


def test_a_newcomer_gets_only_what_the_others_have_given_up() -> None:
    first = Holder(name="a", weight=BUSY, units=16)
    newcomer = Holder(name="b", weight=BUSY)
    assert allot(newcomer, [first], 16) == 0
    first = replace(first, units=allot(first, [newcomer], 16))
    assert first.units == 8
    assert allot(newcomer, [first], 16) == 8


def test_what_a_dead_one_held_is_shared_out_among_the_others() -> None:
    assert asked_in_turn([replace(each, units=4) for each in holders(True, True)], 16) == [8, 8]


@given(
    st.lists(st.tuples(st.sampled_from("abcdef"), st.booleans()), max_size=60),
    st.integers(1, 40),
)
def test_nobody_ever_makes_it_more_than_there_is(asks: list[tuple[str, bool]], units: int) -> None:
    held: dict[str, Holder] = {}
    for name, busy in asks:
        others = [each for each in held.values() if each.name != name]
        me = Holder(name=name, weight=BUSY if busy else IDLE)
        held[name] = replace(me, units=allot(me, others, units))
        assert sum(each.units for each in held.values()) <= units


def test_who_can_not_reach_it_leaves_the_last_unit_to_who_can() -> None:
    unbound, bound = Holder(name="a", weight=DOWN), Holder(name="b", weight=IDLE)
    assert asked_in_turn([unbound, bound], 1) == [0, 1]
    assert asked_in_turn([replace(unbound, units=1), bound], 1) == [0, 1]
    assert asked_in_turn([unbound, Holder(name="b", weight=DOWN)], 1) == [1, 0]
