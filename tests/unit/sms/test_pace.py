"""The pace of a connection: its token bucket, and how it slows down, probes and recovers. No time is waited."""

from dataclasses import dataclass, field

import pytest

from mmsgate.sms.pace import DOUBLING, FIRST_STOP, LONGEST_STOP, PROBE_PATIENCE, Pace

STEP = 0.001


@dataclass(slots=True, kw_only=True)
class Smsc:
    """Takes `limit` parts in each second of the clock, 0 none, and answers after `delay` seconds."""

    limit: float
    delay: float = 0.02
    taken: int = 0
    refused: int = 0
    at: list[float] = field(default_factory=list)
    _second: int = -1
    _count: int = 0

    def takes(self, now: float) -> bool:
        if int(now) != self._second:
            self._second, self._count = int(now), 0
        self._count += 1
        if self._count > self.limit:
            self.refused += 1
            return False
        self.taken += 1
        self.at.append(now)
        return True


def run(pace: Pace, smsc: Smsc, *, seconds: float, start: float = 0.0, window: int = 64) -> None:
    """A queue that never runs dry, against that SMSC, in steps of a millisecond."""
    under_way: list[tuple[float, float, bool]] = []  # when the answer comes, when it left, what it says
    for step in range(round(start / STEP), round((start + seconds) / STEP)):
        now = step * STEP
        while under_way and under_way[0][0] <= now:
            _, left, was_taken = under_way.pop(0)
            if was_taken:
                pace.answered(now)
            else:
                pace.refused(left, now)
        while len(under_way) < window and pace.wait(now) == 0:
            pace.take(1, now)
            under_way.append((now + smsc.delay, now, smsc.takes(now)))


# -- the token bucket


@pytest.mark.parametrize("rate", [1.0, 7.0, 50.0, 333.0])
def test_the_rate_of_the_profile_is_kept_within_one_per_cent(rate: float) -> None:
    smsc = Smsc(limit=1e9)
    run(Pace(rate=rate), smsc, seconds=30)
    assert smsc.taken == pytest.approx(rate * 30, rel=0.01, abs=1)


def test_without_a_rate_only_the_window_holds_back() -> None:
    smsc = Smsc(limit=1e9, delay=0.1)
    run(Pace(), smsc, seconds=1)
    assert smsc.taken == 64 * 10


def test_after_a_rest_as_many_leave_at_once_as_the_burst_says() -> None:
    pace = Pace(rate=2.0, burst=5)
    pace.take(1, 100.0)
    smsc = Smsc(limit=1e9)
    run(pace, smsc, seconds=0.4, start=200.0)
    assert smsc.taken == 5


def test_a_message_of_many_parts_takes_the_time_of_them_all() -> None:
    pace = Pace(rate=10.0)
    assert pace.wait(50.0) == 0
    pace.take(20, 50.0)
    assert pace.wait(50.0) == pytest.approx(2.0, abs=0.03)


def test_a_turn_that_comes_a_little_late_does_not_slow_the_rate() -> None:
    pace = Pace(rate=100.0)
    now = 10.0
    for _ in range(1000):
        while (wait := pace.wait(now)) > 0:
            now += wait + 0.004  # a busy loop
        pace.take(1, now)
    assert now - 10.0 == pytest.approx(10.0, rel=0.01)


# -- an SMSC that wants it slower


def test_a_refusal_stops_everything_for_a_moment() -> None:
    pace = Pace()
    assert pace.refused(1.0, 1.1)
    assert pace.stopped(1.2)
    assert pace.wait(1.1) == pytest.approx(FIRST_STOP)
    assert not pace.stopped(1.1 + FIRST_STOP)
    assert pace.wait(1.1 + FIRST_STOP) == 0


def test_after_the_stop_one_message_leaves_alone_until_it_is_answered() -> None:
    pace = Pace()
    pace.refused(1.0, 1.1)
    pace.take(1, 2.2)
    assert pace.wait(2.3) == pytest.approx(PROBE_PATIENCE - 0.1)
    assert pace.answered(2.4)
    assert pace.wait(2.4 + 1.0) == 0
    assert not pace.answered(2.5)  # no news: nobody waits for it


def test_a_probe_that_nobody_answers_does_not_hold_the_others_back_for_ever() -> None:
    pace = Pace()
    pace.refused(1.0, 1.1)
    pace.take(1, 2.2)
    assert pace.wait(2.2 + PROBE_PATIENCE) == 0


def test_what_left_before_the_stop_changes_nothing_when_it_is_refused_too() -> None:
    pace = Pace()
    pace.refused(1.0, 1.1)
    assert not pace.refused(1.05, 1.3)
    assert pace.wait(1.1) == pytest.approx(FIRST_STOP)


def test_each_refused_probe_makes_the_stop_longer_up_to_the_longest() -> None:
    pace, now, stops = Pace(), 1.0, []
    for _ in range(8):
        pace.refused(now, now + 0.1)
        stops.append(pace.wait(now + 0.1))
        now += 0.2 + stops[-1]
    assert stops == pytest.approx([1, 2, 4, 8, 16, LONGEST_STOP, LONGEST_STOP, LONGEST_STOP])


@pytest.mark.parametrize("rate", [0.0, 500.0])
def test_an_smsc_with_a_limit_of_its_own_is_used_well_and_hardly_refuses_any(rate: float) -> None:
    smsc = Smsc(limit=50)
    run(Pace(rate=rate), smsc, seconds=300)
    assert smsc.taken > 0.6 * 50 * 300
    assert smsc.refused < 0.02 * smsc.taken


def test_an_smsc_whose_queue_is_full_is_asked_with_single_messages_only() -> None:
    pace, full = Pace(), Smsc(limit=0)
    run(pace, full, seconds=300)
    assert full.refused <= 64 + 15  # the window's first load, then probes 1, 2, 4, … 30 seconds apart
    empty = Smsc(limit=1e9)
    run(pace, empty, seconds=120, start=300.0)
    assert empty.at[0] - 300 <= LONGEST_STOP
    assert empty.taken > 1_000


def test_it_doubles_every_ten_seconds_up_to_the_rate_of_the_profile() -> None:
    pace, smsc = Pace(rate=400.0), Smsc(limit=100)
    run(pace, smsc, seconds=1.5)
    smsc.limit, smsc.at = 1e9, []
    run(pace, smsc, seconds=60, start=1.5)
    first = [at for at in smsc.at if at < smsc.at[0] + 1.0]
    last = [at for at in smsc.at if at > 60.5]
    assert len(first) == pytest.approx(50, rel=0.15)
    assert len(last) == pytest.approx(400, rel=0.02)
    after = [at for at in smsc.at if smsc.at[0] + DOUBLING <= at < smsc.at[0] + DOUBLING + 1]
    assert len(after) == pytest.approx(2 * len(first), rel=0.15)


def test_without_a_rate_the_limit_is_gone_after_some_minutes() -> None:
    pace = Pace()
    pace.refused(1.0, 1.1)
    pace.answered(2.2)
    pace.take(1, 2.2)
    assert pace.wait(2.3) > 0
    pace.take(1, 1_000.0)
    assert pace.wait(1_000.0) == 0
