"""The queue under a day's load: a simulation, the same for the same seed.

    python -m bench.day --peak 1000 --headroom 1.25

Messages come by a curve over the hours, each minute's number at random around it. Each carrier takes its share of
them as fast as it and the workers can; one of them is away for a while at the peak. What an outage has left over is
sent as the gateway does it: new messages get every second place.
"""

import argparse
import math
import random
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from rich.console import Console
from rich.table import Table

#: What comes in each hour of the day, in parts of the busiest one: what businesses send to people.
CURVE = (8, 5, 4, 3, 3, 4, 8, 20, 45, 75, 95, 100, 90, 80, 80, 85, 90, 95, 85, 60, 40, 28, 20, 12)
MINUTE, HOUR, DAY = 60, 3600, 86400  # seconds
SHARES = (0.5, 0.3, 0.2)
SEED = 20261126


@dataclass(frozen=True, slots=True, kw_only=True)
class Carrier:
    """One connection: its `share` of all messages, how many a second it takes, and from when to when it is away.

    Times are seconds since midnight.
    """

    share: float
    rate: float
    away: tuple[int, int] = (0, 0)

    def is_away(self, at: int) -> bool:
        """Whether it takes nothing then."""
        return self.away[0] <= at < self.away[1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What there is: `peak` messages a second in the busiest hour, `workers` a second of all workers together."""

    peak: float
    workers: float
    carriers: Sequence[Carrier]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hour:
    """Messages that came and left a second; the most that waited, and the seconds that the oldest of them had."""

    number: int
    came: float
    left: float
    backlog: int
    oldest: int


@dataclass(slots=True)
class _Queue:
    """What waits for one carrier: pairs of a minute and how many came in it. `old` is what an outage has left."""

    old: deque[tuple[int, float]] = field(default_factory=deque)
    new: deque[tuple[int, float]] = field(default_factory=deque)
    was_away: bool = False

    @property
    def size(self) -> float:
        return sum(count for _, count in (*self.old, *self.new))

    def oldest(self, now: int) -> int:
        first = [line[0][0] for line in (self.old, self.new) if line]
        return now - min(first) if first else 0

    def came_back(self) -> None:
        """All that waits is the backlog of an outage now."""
        self.old.extend(self.new)
        self.new.clear()

    def take(self, count: float) -> None:
        """Take so many out: half of them new ones, where there are."""
        rest = count - _taken(self.new, count / 2 if self.old else count)
        _taken(self.new, rest - _taken(self.old, rest))


def _taken(line: deque[tuple[int, float]], count: float) -> float:
    """Take as many as there are, and no more than that; how many."""
    left = count
    while line and left > 0:
        at, there = line.popleft()
        if there > left:
            line.appendleft((at, there - left))
            there = left
        left -= there
    return count - left


def simulate(plan: Plan, *, seed: int = SEED) -> list[Hour]:
    """The hours of one day, which begins with empty queues."""
    chance = random.Random(seed)
    queues = [_Queue() for _ in plan.carriers]
    return [_hour(number, plan, queues, chance) for number in range(24)]


def _hour(number: int, plan: Plan, queues: list[_Queue], chance: random.Random) -> Hour:
    came = left = backlog = 0.0
    oldest = 0
    for now in range(number * HOUR, (number + 1) * HOUR, MINUTE):
        mean = plan.peak * CURVE[number] / 100 * MINUTE
        arrived = max(0.0, chance.gauss(mean, math.sqrt(mean)))
        came += arrived
        left += _minute(now, arrived, plan, queues)
        backlog = max(backlog, sum(queue.size for queue in queues))
        oldest = max(oldest, *(queue.oldest(now + MINUTE) for queue in queues))
    return Hour(number=number, came=came / HOUR, left=left / HOUR, backlog=round(backlog), oldest=oldest)


def _minute(now: int, arrived: float, plan: Plan, queues: list[_Queue]) -> float:
    """Messages come, and leave as fast as carriers and workers can; how many left."""
    wanted = []
    for carrier, queue in zip(plan.carriers, queues, strict=True):
        queue.new.append((now, arrived * carrier.share))
        away = carrier.is_away(now)
        if queue.was_away and not away:
            queue.came_back()
        queue.was_away = away
        wanted.append(0.0 if away else min(queue.size, carrier.rate * MINUTE))
    part = min(1.0, plan.workers * MINUTE / sum(wanted)) if sum(wanted) else 0.0
    for queue, count in zip(queues, wanted, strict=True):
        queue.take(count * part)
    return sum(wanted) * part


def plan_of(peak: float, headroom: float, *, minutes_away: int = 30) -> Plan:
    """Three carriers and the workers with so much more than the peak; the largest carrier is away from 11:00 on."""
    away = (11 * HOUR, 11 * HOUR + minutes_away * MINUTE)
    carriers = [
        Carrier(share=share, rate=peak * share * headroom, away=away if share == max(SHARES) else (0, 0))
        for share in SHARES
    ]
    return Plan(peak=peak, workers=peak * headroom, carriers=carriers)


def _rows(hours: Sequence[Hour]) -> Iterator[tuple[str, ...]]:
    for hour in hours:
        yield (
            f"{hour.number:02}:00", f"{hour.came:,.0f}", f"{hour.left:,.0f}", f"{hour.backlog:,}",
            f"{hour.oldest // MINUTE} min" if hour.oldest > MINUTE else "–",
        )  # fmt: skip


def _table(peak: float, headroom: float) -> Table:
    shown = Table(
        title=f"{peak:,.0f} MMS/s at the peak, {headroom:g} × that of carriers and workers, 30 min outage"
    )
    for column in ("hour", "arrivals/s", "sent/s", "backlog", "oldest"):
        shown.add_column(column, justify="right")
    for row in _rows(simulate(plan_of(peak, headroom))):
        shown.add_row(*row)
    return shown


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m bench.day", description=__doc__)
    parser.add_argument("--peak", type=float, default=1000, help="messages a second in the busiest hour")
    parser.add_argument("--headroom", type=float, default=1.25, help="what there is, by the peak")
    given = parser.parse_args()
    Console(width=100).print(_table(given.peak, given.headroom))
