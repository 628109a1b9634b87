"""When a message is tried again (R-36), and how long a refused connection is left alone."""

import pytest

from mmsgate.clock import HOUR, MINUTE, SECOND, Millis
from mmsgate.delivery.retry import pause_length, retry_delay


@pytest.mark.parametrize(
    ("failures", "usual"),
    [
        (1, 1 * SECOND),
        (2, 5 * SECOND),
        (3, 30 * SECOND),
        (4, 2 * MINUTE),
        (5, 10 * MINUTE),
        (6, 30 * MINUTE),
        (7, 1 * HOUR),
        (8, 1 * HOUR),
        (80, 1 * HOUR),
    ],
)
def test_the_delay_follows_the_schedule_give_or_take_a_fifth(failures: int, usual: Millis) -> None:
    delays = [retry_delay(failures) for _ in range(50)]
    assert 0.8 * usual <= min(delays) < max(delays) <= 1.2 * usual


def test_a_carrier_that_asks_for_more_time_gets_exactly_that() -> None:
    assert retry_delay(1, asked=10 * MINUTE) == 10 * MINUTE


@pytest.mark.parametrize("asked", [0, 1, None])
def test_a_carrier_that_asks_for_less_time_does_not_get_its_message_sooner(asked: Millis | None) -> None:
    assert retry_delay(4, asked=asked) >= 0.8 * 2 * MINUTE


@pytest.mark.parametrize(
    ("refusals", "seconds"), [(1, 5), (2, 10), (3, 30), (4, 60), (5, 300), (6, 300), (100, 300)]
)
def test_a_connection_pauses_longer_with_each_refusal(refusals: int, seconds: int) -> None:
    assert pause_length(refusals) == seconds * SECOND
