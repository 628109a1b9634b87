"""The minute's look at the reports that are kept."""

import asyncio
from collections import Counter
from typing import cast

from mmsgate.clock import ManualClock, Millis
from mmsgate.postbacks.ledger import Ledger
from mmsgate.reports.reports import LOOK_BACK, ORPHANS_AT_ONCE, Report, Reports
from mmsgate.store import Orphan, Sought, Store

CLOCK = ManualClock()
KEPT = 3 * ORPHANS_AT_ONCE + 1


class KeptReports:
    """Reports that match nothing. `looked` is how many were looked at, by the turn of the loop."""

    def __init__(self, *, is_shared: bool = False) -> None:
        self.is_shared, self.since = is_shared, 0
        report = Report(kind="mm7", connection="sim", ids=("m1",), status="Retrieved").to_json()
        self._orphans = [Orphan(id=number, connection="sim", report=report) for number in range(1, KEPT + 1)]
        self.turn = 0
        self.looked: Counter[int] = Counter()

    @property
    def reports(self) -> "KeptReports":
        return self

    async def forget_matched_orphans(self, *, before: Millis) -> int:
        return 0

    async def open_orphans(self, *, since: Millis, after: int, limit: int) -> list[Orphan]:
        self.since = since
        return [orphan for orphan in self._orphans if orphan.id > after][:limit]

    async def would_match(self, _: Sought) -> bool:
        self.looked[self.turn] += 1
        return False


def reports_of(kept: KeptReports) -> Reports:
    return Reports(
        cast("Store", kept), cast("Ledger", None), lambda _: None, CLOCK, sms_route=lambda names: names[0]
    )  # fmt: skip


async def test_any_number_of_kept_reports_leaves_the_others_their_turns() -> None:
    kept = KeptReports()

    async def others() -> None:
        while True:
            kept.turn += 1
            await asyncio.sleep(0)

    working = asyncio.create_task(others())
    assert await reports_of(kept).rematch() == 0
    working.cancel()
    assert sum(kept.looked.values()) == KEPT
    assert max(kept.looked.values()) == ORPHANS_AT_ONCE


async def test_where_others_write_ids_the_reports_of_the_last_seconds_are_looked_at_again() -> None:
    kept = KeptReports(is_shared=True)
    await reports_of(kept).rematch_crossed()
    assert sum(kept.looked.values()) == KEPT
    assert kept.since == CLOCK.now() - LOOK_BACK


async def test_one_process_alone_looks_at_none_of_them() -> None:
    kept = KeptReports()
    assert await reports_of(kept).rematch_crossed() == 0
    assert not kept.looked
