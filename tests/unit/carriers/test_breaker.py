"""The circuit breaker before the lookup."""

from mmsgate.carriers.breaker import MOST_FAILURES, PAUSES, Breaker
from mmsgate.clock import ManualClock


def opened(clock: ManualClock) -> Breaker:
    breaker = Breaker(clock)
    for _ in range(MOST_FAILURES):
        breaker.failed()
    return breaker


def test_it_bears_a_few_failures_and_then_opens() -> None:
    breaker = Breaker(ManualClock())
    for _ in range(MOST_FAILURES):
        assert breaker.admits()
        breaker.failed()
    assert breaker.is_open
    assert not breaker.admits()


def test_a_success_in_between_begins_the_count_anew() -> None:
    breaker = Breaker(ManualClock())
    for _ in range(3 * MOST_FAILURES):
        breaker.failed()
        breaker.succeeded()
    assert breaker.admits()


def test_after_the_pause_one_call_is_the_trial() -> None:
    clock = ManualClock()
    breaker = opened(clock)
    clock.advance(PAUSES[0] - 1)
    assert not breaker.admits()
    clock.advance(1)
    assert [breaker.admits() for _ in range(3)] == [True, False, False]


def test_a_trial_that_succeeds_closes_it() -> None:
    clock = ManualClock()
    breaker = opened(clock)
    clock.advance(PAUSES[0])
    assert breaker.admits()
    breaker.succeeded()
    assert not breaker.is_open
    assert [breaker.admits() for _ in range(3)] == [True, True, True]


def test_each_trial_that_fails_makes_the_next_pause_longer_up_to_the_last() -> None:
    clock = ManualClock()
    breaker = opened(clock)
    waited = []
    for pause in (*PAUSES, PAUSES[-1]):
        clock.advance(pause - 1)
        waited.append(breaker.admits())
        clock.advance(1)
        waited.append(breaker.admits())
        breaker.failed()
    assert waited == [False, True] * (len(PAUSES) + 1)


def test_what_was_under_way_when_it_opened_makes_no_pause_longer() -> None:
    clock = ManualClock()
    breaker = opened(clock)
    for _ in range(100):
        breaker.failed()
    clock.advance(PAUSES[0])
    assert breaker.admits()


def test_a_trial_that_nobody_ends_is_followed_by_another() -> None:
    clock = ManualClock()
    breaker = opened(clock)
    clock.advance(PAUSES[0])
    assert breaker.admits()
    clock.advance(PAUSES[0])
    assert breaker.admits()
