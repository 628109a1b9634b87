"""When a postback is tried again (R-08). One line of data per schedule."""

from mmsgate.clock import HOUR, MINUTE, SECOND, Millis

#: Delay before each try; the first is the first try itself.
SCHEDULES: dict[str, tuple[Millis, ...]] = {
    "default": (0, 5 * SECOND, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 10 * HOUR),
    "sinch": (0, *(5 * MINUTE,) * 5),
}


def delay_before(schedule: str, attempt: int) -> Millis | None:
    """The delay before try number `attempt` (0 is the first); None when the schedule is exhausted."""
    delays = SCHEDULES[schedule]
    return delays[attempt] if attempt < len(delays) else None
