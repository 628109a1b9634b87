"""How often an account may call: gap, throughput and quota, over a store in memory."""

import asyncio
from collections import Counter
from typing import cast

import pytest

from mmsgate.accept import rates as rates_module
from mmsgate.accept.rates import Rates
from mmsgate.clock import DAY, SECOND, ManualClock
from mmsgate.domain.account import Account, RateLimits
from mmsgate.domain.request import Action
from mmsgate.errors import Refusal
from mmsgate.store import Store, StoreFault
from tests.unit.builders import NOW, an_account

TODAY = NOW // DAY
SEND, SAVE = Action.SEND_MMS, Action.SAVE_MMS


class FakeAccounts:
    """The calls that were counted, by (account, day); `faults` are raised first."""

    def __init__(self) -> None:
        self.counted: Counter[tuple[int, int]] = Counter()
        self.writes = 0
        self.faults: list[StoreFault] = []
        self.tried = asyncio.Event()

    async def calls(self, account_id: int, day: int) -> int:
        return self.counted[account_id, day]

    async def add_calls(self, calls: dict[tuple[int, int], int]) -> None:
        self.tried.set()
        if self.faults:
            raise self.faults.pop()
        self.writes += 1
        self.counted.update(calls)


class FakeStore:
    def __init__(self) -> None:
        self.accounts = FakeAccounts()
        self.calls = None


class Desk:
    """Rates, their clock and their store. `calls` tells how each of some calls went."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.store = FakeStore()
        self.rates = self.restarted()

    def restarted(self) -> Rates:
        """Rates that remember nothing but what was written."""
        return Rates(cast("Store", self.store), self.clock)

    async def call(self, account: Account, action: Action = SEND) -> str:
        """The code of the refusal; empty if it was admitted."""
        try:
            await self.rates.admit(account, action)
        except Refusal as refusal:
            return refusal.code
        return ""

    async def calls(self, count: int, account: Account, action: Action = SEND) -> list[str]:
        return [await self.call(account, action) for _ in range(count)]


def limited(*, account_id: int = 1, gap: int = 0, throughput: int = 0, quota: int = 0) -> Account:
    return an_account(id=account_id, rates=RateLimits(gap=gap, throughput=throughput, quota=quota))


async def test_without_limits_every_call_is_admitted_and_nothing_counted() -> None:
    desk = Desk()
    desk.rates.start()
    assert set(await desk.calls(1000, limited())) == {""}
    await desk.rates.stop()
    assert desk.store.accounts.writes == 0


# -- gap


@pytest.mark.parametrize(
    ("after", "code"), [(0, "E106"), (1, "E106"), (2 * SECOND - 1, "E106"), (2 * SECOND, ""), (DAY, "")]
)
async def test_a_call_must_keep_its_distance_from_the_one_before(after: int, code: str) -> None:
    desk = Desk()
    assert await desk.call(limited(gap=2)) == ""
    desk.clock.advance(after)
    assert await desk.call(limited(gap=2)) == code


async def test_a_refusal_for_the_gap_names_its_seconds() -> None:
    desk = Desk()
    await desk.call(limited(gap=2))
    with pytest.raises(Refusal) as caught:
        await desk.rates.admit(limited(gap=2), SEND)
    assert caught.value.x == 2


async def test_a_call_that_came_too_soon_does_not_begin_the_gap_anew() -> None:
    desk = Desk()
    await desk.call(limited(gap=2))
    desk.clock.advance(SECOND)
    assert await desk.call(limited(gap=2)) == "E106"
    desk.clock.advance(SECOND)
    assert await desk.call(limited(gap=2)) == ""


async def test_the_gap_is_between_calls_of_any_action_and_of_one_account() -> None:
    desk = Desk()
    await desk.call(limited(gap=2), SEND)
    assert await desk.call(limited(gap=2), SAVE) == "E106"
    assert await desk.call(limited(gap=2, account_id=2)) == ""


# -- throughput


async def test_as_many_calls_as_the_throughput_go_in_one_second() -> None:
    assert await Desk().calls(5, limited(throughput=3)) == ["", "", "", "E113", "E113"]


async def test_the_second_slides_with_the_calls() -> None:
    """No more than two in any second, wherever it begins."""
    desk, account = Desk(), limited(throughput=2)
    went: dict[int, str] = {}
    for moment in (0, 600, 999, 1000, 1001, 1599, 1600, 2000):
        desk.clock.time = NOW + moment
        went[moment] = await desk.call(account)
    assert went == {0: "", 600: "", 999: "E113", 1000: "", 1001: "E113", 1599: "E113", 1600: "", 2000: ""}


async def test_a_call_over_the_throughput_is_not_counted() -> None:
    desk, account = Desk(), limited(throughput=1)
    assert await desk.calls(50, account) == ["", *["E113"] * 49]
    desk.clock.advance(SECOND)
    assert await desk.call(account) == ""


async def test_each_action_and_each_account_has_a_throughput_of_its_own() -> None:
    desk = Desk()
    went = [
        await desk.call(limited(throughput=1), SEND),
        await desk.call(limited(throughput=1), SAVE),
        await desk.call(limited(throughput=1, account_id=2), SEND),
        await desk.call(limited(throughput=1), SEND),
    ]
    assert went == ["", "", "", "E113"]


# -- quota


async def test_as_many_calls_as_the_quota_go_in_one_day() -> None:
    desk = Desk()
    assert await desk.calls(3, limited(quota=2)) == ["", "", "E120"]
    assert await desk.call(limited(quota=2, account_id=2)) == ""


async def test_the_quota_begins_anew_at_midnight_utc() -> None:
    desk, account = Desk(), limited(quota=1)
    await desk.call(account)
    desk.clock.time = (TODAY + 1) * DAY - 1
    assert await desk.call(account) == "E120"
    desk.clock.advance(1)
    assert await desk.calls(2, account) == ["", "E120"]


async def test_what_was_counted_before_a_restart_counts() -> None:
    desk = Desk()
    desk.store.accounts.counted[1, TODAY] = 4
    desk.store.accounts.counted[1, TODAY - 1] = 100
    assert await desk.calls(2, limited(quota=5)) == ["", "E120"]


async def test_a_raised_quota_counts_at_once() -> None:
    desk = Desk()
    assert await desk.calls(2, limited(quota=1)) == ["", "E120"]
    assert await desk.calls(2, limited(quota=2)) == ["", "E120"]


async def test_the_calls_of_each_day_are_written_when_it_stops() -> None:
    desk, account = Desk(), limited(quota=10)
    desk.rates.start()
    await desk.calls(2, account)
    desk.clock.advance(DAY)
    await desk.calls(3, account)
    await desk.call(limited(quota=1, account_id=2))
    await desk.rates.stop()
    assert desk.store.accounts.counted == {(1, TODAY): 2, (1, TODAY + 1): 3, (2, TODAY + 1): 1}
    assert desk.store.accounts.writes == 1


async def test_a_stop_and_a_start_lose_and_double_nothing() -> None:
    desk, account = Desk(), limited(quota=5)
    for _ in range(3):
        desk.rates.start()
        desk.rates.start()
        await desk.call(account)
        await desk.rates.stop()
        await desk.rates.stop()
    assert desk.store.accounts.counted == {(1, TODAY): 3}
    desk.rates = desk.restarted()
    assert await desk.calls(3, account) == ["", "", "E120"]


async def test_refused_calls_are_not_written() -> None:
    desk = Desk()
    desk.rates.start()
    await desk.calls(5, limited(quota=2))
    await desk.rates.stop()
    assert desk.store.accounts.counted == {(1, TODAY): 2}


async def test_counts_are_written_as_time_goes_by(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rates_module, "FLUSH_EVERY", 0)
    desk = Desk()
    desk.rates.start()
    await desk.call(limited(quota=2))
    async with asyncio.timeout(5):
        await desk.store.accounts.tried.wait()
    assert desk.store.accounts.counted == {(1, TODAY): 1}
    await desk.rates.stop()


async def test_counts_that_could_not_be_written_are_written_later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rates_module, "FLUSH_EVERY", 0)
    desk = Desk()
    desk.store.accounts.faults = [StoreFault("disk full")]
    desk.rates.start()
    await desk.call(limited(quota=5))
    async with asyncio.timeout(5):
        await desk.store.accounts.tried.wait()
    await desk.call(limited(quota=5))
    await desk.rates.stop()
    assert desk.store.accounts.counted == {(1, TODAY): 2}


# -- together


async def test_a_call_over_the_quota_does_not_count_towards_the_throughput() -> None:
    desk = Desk()
    assert await desk.calls(4, limited(throughput=2, quota=1)) == ["", "E120", "E120", "E120"]


async def test_a_call_over_throughput_or_quota_does_not_begin_a_gap() -> None:
    desk = Desk()
    account = limited(gap=1, quota=1)
    await desk.call(account)
    desk.clock.advance(SECOND)
    assert await desk.calls(2, account) == ["E120", "E120"]


async def test_gap_comes_before_throughput_and_throughput_before_quota() -> None:
    desk = Desk()
    assert await desk.calls(2, limited(gap=1, throughput=1, quota=1)) == ["", "E106"]
    assert await desk.calls(2, limited(account_id=2, throughput=1, quota=1)) == ["", "E113"]
