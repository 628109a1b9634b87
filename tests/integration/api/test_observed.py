"""What the rooms of a whole gateway say of their work to whoever observes it."""

from collections.abc import Sequence

import pytest

from mmsgate.carriers.profile import Pace
from mmsgate.delivery.connection import Connection
from mmsgate.observe import Work
from mmsgate.ops.snapshot import Reading
from mmsgate.ops.sources import backlogs, lanes
from tests.integration.api.conftest import Api, elements, request
from tests.integration.api.test_inbound import TEXT, deliver
from tests.integration.api.test_reports import accepted, report, sent


class Observer:
    """Notes what it is told."""

    def __init__(self) -> None:
        self.told: list[tuple[Work, str, str, str]] = []

    def __call__(
        self, work: Work, where: str, outcome: str, seconds: float | None = None, tracking_id: str = ""
    ) -> None:
        assert seconds is None or seconds >= 0
        self.told.append((work, where, outcome, tracking_id))

    def of(self, work: Work) -> list[tuple[str, str, str]]:
        return [(where, outcome, tracking_id) for kind, where, outcome, tracking_id in self.told if kind is work]


@pytest.fixture
def observer(api: Api) -> Observer:
    """In the place of nobody, in the rooms that can be told so while they run."""
    observer, gateway = Observer(), api.gateway
    for room in (gateway.reports, gateway.inbound, gateway.ledger, gateway.sender):
        room.observe = observer
    return observer


@pytest.mark.parametrize(("named", "matched_by"), [("00aB7", "id"), ("AB7", "normalised"), ("other", "orphan")])
async def test_a_report_is_told_of_with_what_it_found_its_message_by(
    api: Api, observer: Observer, named: str, matched_by: str
) -> None:
    message = await sent(api, "00aB7")
    observer.told.clear()
    await report(api, named, to="12065550199" if matched_by == "orphan" else message.recipient)
    about = "" if matched_by == "orphan" else message.tracking_id
    assert observer.of(Work.REPORT) == [("dead", matched_by, about)]
    assert observer.of(Work.STEP) == ([("dead", "delivered", about)] if about else [])


async def test_a_report_that_moves_nothing_is_no_step(api: Api, observer: Observer) -> None:
    await sent(api, "a1")
    await report(api, "a1")
    observer.told.clear()
    await report(api, "a1")
    assert len(observer.of(Work.REPORT)) == 1
    assert observer.of(Work.STEP) == []


async def test_an_orphan_that_is_tried_again_and_finds_nothing_is_told_of_once(
    api: Api, observer: Observer
) -> None:
    await report(api, "nobody-s")
    await api.gateway.reports.rematch()
    assert observer.of(Work.REPORT) == [("dead", "orphan", "")]


async def test_a_message_from_a_phone_is_told_of_and_so_is_its_repetition(api: Api, observer: Observer) -> None:
    for _ in range(2):
        await deliver(api, TEXT, transaction_id="t-7")
    assert [(where, outcome) for where, outcome, _ in observer.of(Work.INBOUND)] == [
        ("dead", "mms"),
        ("dead", "repeated"),
    ]


def named(readings: Sequence[Reading]) -> dict[str, float]:
    """Their values by name and labels."""
    return {" ".join((each.metric.name, *each.labels)): each.value for each in readings}


async def test_a_connection_is_shown_as_it_stands_with_its_limits(api: Api) -> None:
    await api.carrier(pace=Pace(connections=8, rate=20))
    read, lane = lanes(api.gateway.dispatcher), api.gateway.dispatcher.lanes["dead"]
    assert isinstance(lane.gate, Connection)
    up = named(await read())
    states = [up[f"mmsgate_connection_state dead {state}"] for state in ("up", "down", "paused")]
    assert states == [True, False, False]
    assert (up["mmsgate_connection_window dead"], up["mmsgate_connection_rate_limit dead"]) == (8, 20)
    lane.gate.health.refused()
    paused = named(await read())
    states = [paused[f"mmsgate_connection_state dead {state}"] for state in ("up", "down", "paused")]
    assert states == [False, False, True]
    assert paused["mmsgate_connection_window dead"] == 2


async def test_what_waits_is_shown_for_every_connection_also_where_nothing_does(api: Api) -> None:
    gateway = api.gateway
    await accepted(api)
    shown = named(await backlogs(gateway.store, gateway.clock, lambda: ("dead", "other"))())
    assert shown["mmsgate_backlog_messages dead"] == 1
    assert shown["mmsgate_backlog_oldest_seconds dead"] == 0, "it is due tomorrow"
    assert shown["mmsgate_backlog_messages other"] == 0
    assert shown["mmsgate_orphaned_reports"] == 0


async def test_a_gateway_that_nobody_observes_works(api: Api) -> None:
    assert dict(elements((await api.post(request())).body))["status"] == "Success"
