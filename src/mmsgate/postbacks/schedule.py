"""When a postback is tried again (R-08). One line of data per schedule."""

import random
from collections.abc import Callable
from dataclasses import dataclass

from mmsgate.clock import HOUR, MINUTE, SECOND, Millis, jittered


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """`delays` before each try, the first of which is at once; `spread` is the share by which each may vary."""

    delays: tuple[Millis, ...]
    spread: float


SCHEDULES: dict[str, Schedule] = {
    "default": Schedule(
        delays=(0, 5 * SECOND, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 10 * HOUR), spread=0.2
    ),
    "sinch": Schedule(delays=(0, *(5 * MINUTE,) * 5), spread=0),
}


def delay_before(schedule: str, attempt: int, roll: Callable[[], float] = random.random) -> Millis | None:
    """The delay before try number `attempt` (0 is the first); None when the schedule is exhausted."""
    found = SCHEDULES[schedule]
    return jittered(found.delays[attempt], found.spread, roll) if attempt < len(found.delays) else None
