"""The simulation of a day."""

from dataclasses import replace

import pytest
from bench.day import CURVE, HOUR, MINUTE, Carrier, Plan, plan_of, simulate

QUIET = Plan(peak=100, workers=1000, carriers=(Carrier(share=1, rate=1000),))


def test_the_same_seed_gives_the_same_day_and_another_one_another() -> None:
    plan = plan_of(100, 1.25)
    assert simulate(plan, seed=1) == simulate(plan, seed=1)
    assert simulate(plan, seed=1) != simulate(plan, seed=2)


def test_with_enough_of_everything_nothing_waits_and_all_that_came_has_left() -> None:
    hours = simulate(QUIET)
    assert {hour.backlog for hour in hours} == {0}
    assert {hour.oldest for hour in hours} == {0}
    for hour, part in zip(hours, CURVE, strict=True):
        assert hour.left == pytest.approx(hour.came)
        assert hour.came == pytest.approx(part, rel=0.05)


def test_an_outage_leaves_what_came_in_it_and_the_oldest_is_as_old_as_the_outage() -> None:
    away = (11 * HOUR, 11 * HOUR + 30 * MINUTE)
    hours = simulate(replace(QUIET, carriers=(Carrier(share=1, rate=1000, away=away),)))
    assert hours[11].backlog == pytest.approx(100 * 30 * MINUTE, rel=0.02)
    assert hours[11].oldest == 30 * MINUTE
    assert hours[12].backlog == 0
    assert sum(hour.left for hour in hours) == pytest.approx(sum(hour.came for hour in hours))


def test_a_carrier_s_outage_holds_up_none_of_the_others() -> None:
    carriers = (Carrier(share=0.5, rate=0), Carrier(share=0.5, rate=1000))
    hours = simulate(replace(QUIET, carriers=carriers))
    for hour in hours:
        assert hour.left == pytest.approx(hour.came / 2)


def test_workers_that_are_too_slow_let_it_grow_until_the_night() -> None:
    hours = simulate(replace(QUIET, workers=50))
    assert max(hours, key=lambda hour: hour.backlog).number in {18, 19}
    assert hours[14].left == pytest.approx(50)


def test_new_messages_get_every_second_place_beside_what_an_outage_left() -> None:
    """Else all of them would be as late as the outage was long, until the last of it has left."""
    plan = plan_of(100, 1.25)
    first = simulate(plan)
    assert first[11].backlog > first[12].backlog > 0
    assert first[12].oldest > 30 * MINUTE
