"""How many messages a lane may have in hand, as the connection's answers have it."""

import asyncio
from dataclasses import replace
from typing import Any, cast

import pytest

from mmsgate.carriers.outcome import Accepted, Paused, Temporary
from mmsgate.carriers.profile import CarrierProfile, Pace
from mmsgate.clock import MINUTE, SECOND, ManualClock
from mmsgate.delivery.alarms import Alarms
from mmsgate.delivery.connection import Connection
from mmsgate.delivery.health import DOWN_AFTER, Standing
from mmsgate.store.queue import QueueRows
from tests.unit.builders import altered
from tests.unit.delivery.fakes import FakeQueue, FakeStore

OK = Accepted(message_id="1", code=1000, text="1000")
DOWN = Temporary(text="HTTP 503", down=True)


def a_connection(connections: int = 16, rate: float = 0.0, burst: int = 1) -> tuple[Connection, ManualClock]:
    clock = ManualClock()
    profile = CarrierProfile(
        name="sim", endpoints=("http://mmsc.example/",), pace=Pace(connections=connections, rate=rate, burst=burst)
    )
    alarms = Alarms(FakeStore([]).as_store, clock)
    rows = cast("QueueRows", FakeQueue())
    return Connection(profile, rows=rows, alarms=alarms, clock=clock, on_change=lambda _: None), clock


async def answers(connection: Connection, took: int, count: int = 100) -> None:
    for _ in range(count):
        await connection.learn(OK, took, "a message")


async def test_a_fast_carrier_has_two_in_hand_behind_each_connection() -> None:
    connection, _ = a_connection()
    await answers(connection, 50)
    assert [connection.room(in_hand) for in_hand in (0, 40, 48, 60)] == [48, 8, 0, 0]


async def test_the_slower_the_answers_the_fewer_are_taken_from_the_queue_ahead_of_their_turn() -> None:
    """What is in hand goes before what comes later, of whichever account."""
    connection, _ = a_connection()
    await answers(connection, 2 * SECOND)
    assert connection.room(0) == 16 + 8
    await answers(connection, MINUTE)
    assert connection.room(0) == 16 + 4


async def test_with_a_rate_no_more_stand_before_their_turn_than_leave_in_a_second() -> None:
    connection, _ = a_connection(rate=5)
    assert [connection.room(in_hand) for in_hand in (0, 3, 5)] == [5, 2, 0]
    connection.under_way = 4
    assert connection.room(5) == 4


async def test_while_it_is_down_nothing_is_taken_and_then_two_that_try() -> None:
    connection, clock = a_connection()
    for _ in range(DOWN_AFTER):
        await connection.learn(DOWN, 1, "a message")
    assert (connection.room(0), connection.admits(0)) == (0, False)
    clock.advance(SECOND)
    assert [connection.room(in_hand) for in_hand in (0, 1, 2, 9)] == [2, 1, 0, 0]
    assert [connection.admits(in_hand) for in_hand in (0, 1, 2)] == [True, True, False]


async def test_as_soon_as_it_is_up_it_is_a_good_place_for_any_number_of_messages() -> None:
    connection, clock = a_connection()
    for _ in range(DOWN_AFTER):
        await connection.learn(DOWN, 1, "a message")
    clock.advance(SECOND)
    await connection.learn(OK, 1, "a message")
    assert (connection.room(2), connection.admits(1000)) == (0, True)


async def test_the_state_reads_as_a_sentence() -> None:
    connection, clock = a_connection(rate=5)
    assert str(connection.state) == "sim is up: 16 at once, 5 a second, 0 under way"
    await connection.learn(Paused(text="HTTP 401"), 1, "a message")
    assert connection.state.opens_at == clock.now() + 5 * SECOND
    assert str(connection.state).startswith("sim is paused since 2026-01-02T09:30:47+00:00: 2 at once")


# -- a profile that changes


def changed(connection: Connection, **sections: dict[str, Any]) -> CarrierProfile:
    """Another profile for that connection; it has been told."""
    profile = altered(profile_of(connection), **sections)
    connection.follow(profile)
    return profile


def profile_of(connection: Connection) -> CarrierProfile:
    return connection._profile


async def paused(connection: Connection) -> None:
    await connection.learn(Paused(text="HTTP 401"), 1, "a message")


@pytest.mark.parametrize(
    "other",
    [
        {"auth": {"username": "acme", "password": "new"}},
        {"auth": {"certificate": "/etc/acme.pem"}},
        {"mm7": {"vaspid": "acme"}},
    ],
    ids=str,
)
async def test_a_pause_ends_gently_when_other_credentials_are_given(other: dict[str, dict[str, Any]]) -> None:
    connection, _ = a_connection()
    await paused(connection)
    changed(connection, **other)
    assert (connection.health.standing, connection.room(0), connection.admits(9)) == (Standing.UP, 2, True)


async def test_a_pause_ends_when_the_carrier_is_another_one() -> None:
    connection, _ = a_connection()
    await paused(connection)
    connection.follow(replace(profile_of(connection), endpoints=("http://other.example/",)))
    assert connection.room(0) == 2


async def test_a_pause_goes_on_whatever_else_changes() -> None:
    connection, clock = a_connection()
    await paused(connection)
    opens_at = connection.opens_at
    changed(connection, pace={"connections": 64, "rate": 5.0}, mm7={"soap_action": "x"}, reports={"user": "x"})
    assert (connection.room(0), connection.opens_at) == (0, opens_at)
    clock.time = opens_at
    await paused(connection)
    assert connection.opens_at == opens_at + 10 * SECOND  # the second in a row


async def test_what_an_earlier_profiles_credentials_are_told_says_nothing_of_the_present_ones() -> None:
    connection, _ = a_connection()
    before = profile_of(connection)
    now = changed(connection, auth={"username": "acme", "password": "new"})
    await connection.learn(Paused(text="HTTP 401"), 1, "a message", by=before)
    assert connection.state.standing is Standing.UP
    await connection.learn(Paused(text="HTTP 401"), 1, "a message", by=now)
    assert str(connection.state).startswith("sim is paused")


async def test_what_is_down_is_probed_at_once_at_another_endpoint_and_not_before_its_time_at_the_same() -> None:
    connection, clock = a_connection()
    for _ in range(DOWN_AFTER):
        await connection.learn(DOWN, 1, "a message")
    changed(connection, pace={"connections": 64})
    assert (connection.room(0), connection.opens_at) == (0, clock.now() + SECOND)
    connection.follow(replace(profile_of(connection), endpoints=("http://other.example/",)))
    assert (connection.health.standing, connection.room(0)) == (Standing.DOWN, 2)


async def test_a_slow_start_goes_on_with_the_connections_of_the_new_profile() -> None:
    connection, clock = a_connection()
    await paused(connection)
    clock.time = connection.opens_at
    await connection.learn(OK, 1, "a message")
    clock.advance(10 * SECOND)
    changed(connection, pace={"connections": 3})
    assert connection.health.window == 3
    changed(connection, pace={"connections": 64})
    assert connection.health.window == 64  # it had been up for all that the profile allowed


async def test_what_is_in_the_hand_of_a_lane_that_ends_leaves_less_room_for_the_other() -> None:
    connection, _ = a_connection()
    await answers(connection, 50)
    connection.under_way = 16
    assert connection.room(0) == connection.room(16) == 32


@pytest.mark.parametrize(("rate", "most"), [(0.0, 5), (1000.0, 4)])
async def test_a_turn_is_only_taken_where_a_connection_is_free_for_it(rate: float, most: int) -> None:
    connection, _ = a_connection(connections=4, rate=rate, burst=100)
    leave = asyncio.Event()

    async def one() -> None:
        async with connection:
            await leave.wait()

    tasks = [asyncio.create_task(one()) for _ in range(20)]
    for _ in range(10):
        await asyncio.sleep(0)
    assert connection.under_way == most
    leave.set()
    await asyncio.gather(*tasks)
    assert connection.under_way == 0
