"""The health of a connection: when it is down, how it is probed, and how it comes up again."""

from functools import partial

from mmsgate.clock import MINUTE, SECOND, ManualClock
from mmsgate.delivery.health import DOWN_AFTER, Health, Standing


def a_health(connections: int = 16) -> tuple[Health, ManualClock]:
    clock = ManualClock()
    return Health(connections, clock), clock


def down(connections: int = 16) -> tuple[Health, ManualClock]:
    health, clock = a_health(connections)
    for _ in range(DOWN_AFTER):
        health.failed()
    return health, clock


def closed(health: Health) -> bool:
    """As it is now: a type checker believes that what was asserted stays so."""
    return health.closed


def test_it_is_up_at_first_and_uses_all_its_connections() -> None:
    health, _ = a_health()
    assert (health.standing, health.closed, health.slow, health.window) == (Standing.UP, False, False, 16)


def test_failures_in_a_row_mark_it_down_once() -> None:
    health, clock = a_health()
    news = [health.failed() for _ in range(DOWN_AFTER + 3)]
    assert news == [False] * (DOWN_AFTER - 1) + [True, False, False, False]
    assert (health.standing, health.since, health.opens_at) == (Standing.DOWN, clock.now(), clock.now() + SECOND)


def test_an_answer_in_between_begins_a_new_row() -> None:
    health, _ = a_health()
    for _ in range(20):
        for _ in range(DOWN_AFTER - 1):
            assert not health.failed()
        health.answered(accepted=False)
    assert health.standing is Standing.UP


def test_while_it_is_down_it_is_left_alone_longer_and_longer_and_then_two_may_try() -> None:
    health, clock = down()
    lengths = []
    for _ in range(6):
        lengths.append(health.opens_at - clock.now())
        clock.advance(lengths[-1] - 1)
        assert closed(health) is True
        clock.advance(1)
        assert closed(health) is False
        assert health.window == 2
        health.failed()
        health.failed()  # the other probe brings no news
    assert lengths == [1 * SECOND, 2 * SECOND, 5 * SECOND, 10 * SECOND, 10 * SECOND, 10 * SECOND]


def test_what_is_up_again_gets_two_at_once_and_at_most_twice_as_many_every_ten_seconds() -> None:
    health, clock = down()
    clock.advance(SECOND)
    assert health.answered(accepted=False)
    assert health.up_since == clock.now()
    windows = []
    for _ in range(8):
        windows.append(health.window)
        clock.advance(5 * SECOND)
    assert windows == [2, 2, 4, 4, 8, 8, 16, 16]
    assert not health.slow


def test_a_failure_while_it_gets_faster_begins_anew_with_two() -> None:
    health, clock = down()
    health.answered(accepted=True)
    clock.advance(20 * SECOND)
    assert health.window == 8
    health.failed()
    assert health.window == 2


def test_a_single_connection_is_probed_by_one_and_is_all_there_is() -> None:
    health, _ = down(connections=1)
    assert (health.window, health.slow) == (1, True)
    health.answered(accepted=True)
    assert (health.window, health.slow) == (1, False)


def test_refused_credentials_pause_it_longer_each_time_and_only_an_accepted_message_ends_that() -> None:
    health, clock = a_health()
    lengths, news = [], []
    for _ in range(7):
        news.append(health.refused())
        assert not health.refused()  # of what was under way
        lengths.append(health.opens_at - clock.now())
        clock.advance(lengths[-1])
        assert not health.answered(accepted=False)
    assert news == [True] + [False] * 6
    assert lengths == [5 * SECOND, 10 * SECOND, 30 * SECOND, MINUTE, 5 * MINUTE, 5 * MINUTE, 5 * MINUTE]
    assert health.standing is Standing.PAUSED
    assert health.answered(accepted=True)
    assert (health.standing, health.closed, health.window) == (Standing.UP, False, 2)


def test_a_paused_connection_is_closed_again_by_every_probe_that_is_not_accepted() -> None:
    health, clock = a_health()
    health.refused()
    lengths = []
    for probe in (health.failed, partial(health.answered, accepted=False), health.refused):
        clock.advance(health.opens_at - clock.now())
        assert closed(health) is False
        assert not probe()
        assert closed(health) is True
        assert health.standing is Standing.PAUSED
        lengths.append(health.opens_at - clock.now())
    assert lengths == [10 * SECOND, 30 * SECOND, MINUTE]


def test_it_is_left_alone_for_as_long_as_any_answer_asks() -> None:
    health, clock = down()
    clock.advance(SECOND)
    for asked, opens_in in ((0, 2), (120, 120), (60, 120)):  # the probes, and what was under way before them
        health.failed(after=asked * SECOND)
        assert health.opens_at == clock.now() + opens_in * SECOND
    clock.advance(120 * SECOND)
    health.failed(after=SECOND)
    assert health.opens_at == clock.now() + 5 * SECOND


def test_every_change_is_told_and_so_is_every_probe_in_vain() -> None:
    told: list[Standing] = []
    clock = ManualClock()
    health = Health(16, clock, lambda: told.append(health.standing))
    for _ in range(DOWN_AFTER + 1):
        health.failed()
    assert told == [Standing.DOWN]
    clock.advance(SECOND)
    health.failed()
    health.failed()
    assert told == [Standing.DOWN] * 2
    health.refused()
    health.refused()
    health.answered(accepted=False)
    assert told[2:] == [Standing.PAUSED]
    health.answered(accepted=True)
    health.answered(accepted=True)
    assert told[3:] == [Standing.UP]


def test_refused_credentials_after_an_outage_are_a_pause_and_count_anew() -> None:
    health, clock = down()
    clock.advance(SECOND)
    assert health.refused()
    assert (health.standing, health.opens_at) == (Standing.PAUSED, clock.now() + 5 * SECOND)
