"""When a postback is tried again (R-08)."""

import pytest

from mmsgate.clock import HOUR, MINUTE, SECOND, Millis
from mmsgate.postbacks.schedule import SCHEDULES, delay_before


def all_delays(schedule: str) -> list[Millis | None]:
    """The delays of all tries without their jitter, and what comes after the last one."""
    tries = range(len(SCHEDULES[schedule].delays) + 2)
    return [delay_before(schedule, attempt, roll=lambda: 0.5) for attempt in tries]


def test_the_default_schedule_is_the_rulings() -> None:
    assert all_delays("default") == [
        0, 5 * SECOND, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 10 * HOUR, None, None,
    ]  # fmt: skip


def test_the_schedule_of_the_original_is_five_more_tries_five_minutes_apart() -> None:
    assert all_delays("sinch") == [0, *[5 * MINUTE] * 5, None, None]


@pytest.mark.parametrize(
    ("schedule", "roll", "delay"),
    [
        ("default", 0.0, 4 * MINUTE),
        ("default", 1.0, 6 * MINUTE),
        ("sinch", 0.0, 5 * MINUTE),
        ("sinch", 1.0, 5 * MINUTE),
    ],
)
def test_a_delay_varies_by_a_fifth_but_not_in_the_schedule_of_the_original(
    schedule: str, roll: float, delay: Millis
) -> None:
    """R-08."""
    assert delay_before(schedule, 2, roll=lambda: roll) == delay


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_the_first_try_is_at_once(schedule: str) -> None:
    assert delay_before(schedule, 0) == 0
