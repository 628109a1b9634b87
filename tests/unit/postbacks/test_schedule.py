"""When a postback is tried again (R-08)."""

import pytest

from mmsgate.clock import HOUR, MINUTE, SECOND, Millis
from mmsgate.postbacks.schedule import SCHEDULES, delay_before


def all_delays(schedule: str) -> list[Millis | None]:
    """The delays of all tries, and what comes after the last one."""
    return [delay_before(schedule, attempt) for attempt in range(len(SCHEDULES[schedule]) + 2)]


def test_the_default_schedule_is_the_rulings() -> None:
    assert all_delays("default") == [
        0, 5 * SECOND, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 10 * HOUR, None, None,
    ]  # fmt: skip


def test_the_schedule_of_the_original_is_five_more_tries_five_minutes_apart() -> None:
    assert all_delays("sinch") == [0, *[5 * MINUTE] * 5, None, None]


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_the_first_try_is_at_once(schedule: str) -> None:
    assert delay_before(schedule, 0) == 0
