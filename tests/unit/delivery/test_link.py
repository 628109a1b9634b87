"""What is known of an SMSC: it outlives the connection that told it."""

from dataclasses import replace

from mmsgate.carriers.smsc import SmscPace, SmscProfile
from mmsgate.clock import SECOND, ManualClock
from mmsgate.delivery.alarms import Alarms
from mmsgate.delivery.link import Link
from tests.unit.delivery.fakes import FakeStore

PROFILE = SmscProfile(name="sms", host="smsc.example", port=2775, pace=SmscPace(rate=10.0, window=8))


def a_link() -> tuple[Link, ManualClock]:
    clock, store = ManualClock(), FakeStore([]).as_store
    alarms = Alarms(store, clock)
    return Link(PROFILE, rows=store.queue, alarms=alarms, clock=clock, on_change=lambda _: None), clock


def waits(link: Link) -> bool:
    """Whether the queue waits."""
    return link.gate.closed


async def test_the_queue_waits_until_the_connection_of_the_new_profile_has_its_bind() -> None:
    link, _ = a_link()
    link.begin("first")
    await link.told("first", "")
    assert not waits(link)
    link.begin("second")
    assert waits(link)
    await link.told("first", "")  # the lane that ends has found its SMSC again
    assert waits(link)
    await link.told("second", "")
    assert not waits(link)


async def test_what_the_connection_of_a_lane_that_ends_has_lost_closes_nothing() -> None:
    link, _ = a_link()
    for connection in ("first", "second"):
        link.begin(connection)
        await link.told(connection, "")
    link.lost("first")
    assert not waits(link)
    link.lost("second")
    assert waits(link)


async def test_a_gate_that_is_closed_stays_closed_as_long_when_the_profile_changes() -> None:
    link, clock = a_link()
    link.begin("first")
    opens_at = link.gate.opens_at
    clock.advance(SECOND)
    link.follow(replace(PROFILE, pace=SmscPace(rate=20.0)))
    link.begin("second")
    assert link.gate.opens_at == opens_at


async def test_without_a_bind_it_is_no_worse_a_place_until_somebody_should_look_at_it() -> None:
    link, _ = a_link()
    link.begin("first")
    assert (link.room(0), link.admits(99)) == (0, True)
    await link.told("first", "the bind was refused")
    assert not link.admits(0)
    link.follow(PROFILE)
    link.begin("second")
    assert not link.admits(0)  # another profile is no bind
    await link.told("second", "")
    assert link.admits(99)


async def test_each_time_that_it_is_found_down_and_once_that_it_is_up_is_told() -> None:
    link, _ = a_link()
    told: list[str] = []
    link._on_change = told.append
    link.begin("first")
    for problem in ("", "refused", "refused", "", ""):
        await link.told("first", problem)
    assert told == ["sms"] * 3


async def test_the_figures_of_the_new_profile_hold() -> None:
    link, _ = a_link()
    assert (link.outflow.window.most, link.ready.most) == (8, 10)
    link.follow(replace(PROFILE, pace=SmscPace(window=16)))
    assert (link.outflow.window.most, link.ready.most) == (16, 20)


async def test_the_days_and_rates_of_senders_go_on_when_the_profile_changes() -> None:
    link, clock = a_link()
    link.follow(replace(PROFILE, pace=SmscPace(sender_daily=2, sender_rate=1.0)))
    assert await link.caps.take("28444")
    link.senders.spend("28444", 1, clock.now())
    link.follow(replace(PROFILE, pace=SmscPace(sender_daily=3, sender_rate=2.0)))
    assert [await link.caps.take("28444") is not None for _ in range(3)] == [True, True, False]
    assert link.senders.free_at("28444", clock.now()) == clock.now() + SECOND // 2
