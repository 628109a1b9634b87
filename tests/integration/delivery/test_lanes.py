"""Lanes over a real store: fair, at the carrier's pace, and from one connection to the next when one is down."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, cast

import pytest

from mmsgate.bucket import Buckets
from mmsgate.carriers.client import Mm7Client
from mmsgate.carriers.outcome import Accepted, SubmitOutcome, Temporary, Unknown
from mmsgate.carriers.profile import CarrierProfile, OnUnknown, Pace, Reach
from mmsgate.clock import MINUTE, SECOND, ManualClock
from mmsgate.delivery.alarms import Alarms
from mmsgate.delivery.dispatcher import Dispatcher
from mmsgate.delivery.failover import Failover
from mmsgate.delivery.health import Standing
from mmsgate.delivery.lane import Lane
from mmsgate.delivery.mms import MmsDelivery
from mmsgate.delivery.mmsc import Rooms
from mmsgate.domain.message import Message, SmsPart
from mmsgate.domain.postback import SentAs
from mmsgate.domain.state import Happening, State
from mmsgate.http import HttpClient
from mmsgate.mm7.content import EncodedContent
from mmsgate.postbacks.ledger import Ledger
from mmsgate.store import Directory, Store
from mmsgate.store.engine import StoreFault
from tests.integration.store.test_messages import accepted, step
from tests.unit.builders import altered, an_account
from tests.unit.delivery.fakes import a_content, fake_renditions

PATIENCE = 20.0  # seconds; a test that passes never waits for it
DOWN = Temporary(text="not sent: connection refused", down=True)


async def not_blocked(_account: int, _sender: str, _recipient: str) -> None:
    """Nobody is."""


class Carrier:
    """Answers what a test says, when it says so."""

    def __init__(self) -> None:
        self.outcome: SubmitOutcome | None = None  # None: taken
        self.sent: list[Message] = []
        self.most = self.under_way = 0
        self.open = asyncio.Event()
        self.open.set()

    async def submit(self, message: Message, _content: EncodedContent, _subject: str) -> SubmitOutcome:
        self.sent.append(message)
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        try:
            await self.open.wait()
        finally:
            self.under_way -= 1
        return self.outcome or Accepted(message_id=f"m{message.id}", code=1000, text="1000")

    async def close(self) -> None:
        self.open.set()


class Yard:
    """Two connections to the same operator, `first` before `second`, each with a carrier and a lane."""

    def __init__(self, store: Store, **pace: Any) -> None:
        self.store, self.clock = store, ManualClock()
        directory = Directory(revision=1, accounts={1: an_account()}, by_key={}, patterns=(), profiles={})
        self.ledger = Ledger(store, lambda: directory)
        self.dispatcher = Dispatcher()
        self.ledger.on_due = self.dispatcher.due
        self.profiles = [
            CarrierProfile(
                name=name, endpoints=("http://mmsc.example/",), pace=Pace(**pace), reach=Reach(priority=priority)
            )
            for priority, name in enumerate(("first", "second"))
        ]
        self.carriers = {profile.name: Carrier() for profile in self.profiles}
        self.failover = Failover(
            store=store, ledger=self.ledger, profiles=lambda: self.profiles, is_up=self.dispatcher.is_up,
            moved=self.dispatcher.moved, clock=self.clock,
        )  # fmt: skip
        self.dispatcher.on_stuck = self.failover.stuck
        contents = {1000 + number: a_content(1000 + number) for number in range(1, 2000)}
        self.rooms = Rooms(
            store=store, ledger=self.ledger, http=cast("HttpClient", None), renditions=fake_renditions(contents),
            block_reason=not_blocked, sms_route=lambda _: "", accounts=Buckets(lambda _: 0.0),
            on_change=self.failover.changed, alarms=Alarms(store, self.clock), clock=self.clock,
        )  # fmt: skip

    def open(self) -> None:
        for profile in self.profiles:
            self.open_lane(profile)

    def open_lane(self, profile: CarrierProfile) -> None:
        rooms, connection = self.rooms, self.rooms.connection(profile)
        delivery = MmsDelivery(
            profile, client=cast("Mm7Client", self.carriers[profile.name]), store=self.store,
            ledger=self.ledger, renditions=rooms.renditions.on(profile), block_reason=rooms.block_reason,
            sms_route=rooms.sms_route, connection=connection, clock=self.clock,
        )  # fmt: skip
        lane = Lane(
            profile.name, delivery, store=self.store, clock=self.clock, slots=3 * profile.pace.connections,
            gate=connection, accounts=rooms.accounts, senders=connection.senders,
        )  # fmt: skip
        self.dispatcher.open(profile.name, lane, self.carriers[profile.name].close)

    def change(self, name: str, **sections: dict[str, Any]) -> None:
        """The profile of that connection has changed: another lane is opened, and the one before ends."""
        self.profiles = [
            altered(profile, **sections) if profile.name == name else profile for profile in self.profiles
        ]
        self.open_lane(next(profile for profile in self.profiles if profile.name == name))

    @asynccontextmanager
    async def working(self) -> AsyncIterator["Yard"]:
        self.open()
        self.failover.start()
        try:
            yield self
        finally:
            await self.failover.stop()
            await self.dispatcher.stop()

    async def until(self, **states: int) -> None:
        """So many messages are in each state."""
        wanted = {name.replace("_", "-"): count for name, count in states.items()}
        async with asyncio.timeout(PATIENCE):
            while await self.store.messages.counts() != wanted:
                await asyncio.sleep(0.005)

    async def until_sent(self, name: str, count: int) -> list[Message]:
        async with asyncio.timeout(PATIENCE):
            while len(self.carriers[name].sent) < count:
                await asyncio.sleep(0.005)
        return self.carriers[name].sent

    async def until_in_hand(self, name: str, count: int) -> None:
        """The lane of that name has so many in hand, or more."""
        async with asyncio.timeout(PATIENCE):
            while self.dispatcher._lanes[name]._in_hand < count:
                await asyncio.sleep(0.005)

    async def reasons(self, message_id: int) -> list[str]:
        return [event.reason for event in await self.store.messages.timeline(message_id)]


async def test_a_backlog_of_a_thousand_does_not_hold_up_another_accounts_message(store: Store) -> None:
    yard = Yard(store, connections=2)
    for number in range(1, 1001):
        await accepted(store, number, connection="first", account_id=1)
    yard.carriers["first"].open.clear()
    async with yard.working():
        await yard.until_sent("first", 2)
        other = await accepted(store, 1500, connection="first", account_id=2)
        yard.dispatcher.due(other)
        yard.carriers["first"].open.set()
        await yard.until(sent=1001)
    place = [message.id for message in yard.carriers["first"].sent].index(1500)
    assert place < 20


async def test_what_waits_at_a_connection_that_goes_down_is_sent_by_the_next(store: Store) -> None:
    yard = Yard(store, connections=4)
    for number in range(1, 51):
        await accepted(store, number, connection="first")
    yard.carriers["first"].outcome = DOWN
    async with yard.working():
        await yard.until(sent=50)
    assert len(yard.carriers["second"].sent) == 50
    assert len(yard.carriers["first"].sent) < 15
    assert "first is not up, so it goes to second" in await yard.reasons(50)
    assert "first is down" in {alarm.subject for alarm in await store.accounts.alarms()}


async def test_what_the_first_carrier_may_have_is_never_given_to_the_next(store: Store) -> None:
    """Promise 2: one copy at most."""
    yard = Yard(store, connections=4)
    yard.profiles[0] = altered(
        yard.profiles[0], answers={"on_unknown": OnUnknown.RESEND, "unknown_wait": 10 * MINUTE}
    )
    for number in range(1, 6):
        await accepted(store, number, connection="first")
    yard.carriers["first"].outcome = Unknown(text="no answer", down=True)
    async with yard.working():
        await yard.until(unknown=5)
        yard.carriers["first"].outcome = DOWN
        yard.clock.advance(10 * MINUTE)
        yard.dispatcher.wake("first")
        await yard.until(accepted=5)
        await yard.failover.clear("first")
        await yard.until(accepted=5)
    assert yard.carriers["second"].sent == []


async def test_where_no_other_connection_is_up_messages_wait_and_burn_no_attempts(store: Store) -> None:
    yard = Yard(store, connections=4)
    for number in range(1, 101):
        await accepted(store, number, connection="first")
    for carrier in yard.carriers.values():
        carrier.outcome = DOWN
    async with yard.working():
        await yard.until_sent("first", 5)
        for _ in range(10):
            yard.clock.advance(SECOND)
            yard.dispatcher.wake("first")
            yard.dispatcher.wake("second")
            await asyncio.sleep(0)
        for carrier in yard.carriers.values():
            carrier.outcome = None
        async with asyncio.timeout(PATIENCE):
            while await store.messages.counts() != {"sent": 100}:
                yard.clock.advance(SECOND)
                yard.dispatcher.wake("first")
                yard.dispatcher.wake("second")
                await asyncio.sleep(0.005)
    attempts = [message.attempts for carrier in yard.carriers.values() for message in carrier.sent]
    assert max(attempts) <= 4


async def test_a_connection_that_is_up_again_gets_two_requests_at_once_at_first(store: Store) -> None:
    yard = Yard(store, connections=8)
    yard.profiles.pop()
    for number in range(1, 41):
        await accepted(store, number, connection="first")
    first = yard.carriers["first"]
    first.outcome = DOWN
    async with yard.working():
        await yard.until_sent("first", 5)
        async with asyncio.timeout(PATIENCE):
            while first.under_way or any(map(store.queue.holds, await store.queue.page("first", after=None))):
                await asyncio.sleep(0.005)
        first.outcome, before = None, len(first.sent)
        first.open.clear()
        yard.clock.advance(SECOND)
        for _ in range(5):
            yard.dispatcher.wake("first")
            assert len(await yard.until_sent("first", before + 2)) == before + 2
        first.most = 2
        first.open.set()
        async with asyncio.timeout(PATIENCE):
            while await store.messages.counts() != {"sent": 40}:
                yard.clock.advance(1)
                yard.dispatcher.wake("first")
                await asyncio.sleep(0.001)
    assert first.most == 2


async def test_a_burst_while_a_connection_that_is_down_may_be_tried_gives_it_two_messages(store: Store) -> None:
    yard = Yard(store, connections=4)
    for number in range(1, 21):
        await accepted(store, number, connection="first")
    first = yard.carriers["first"]
    first.outcome = DOWN
    async with yard.working():
        await yard.until(sent=20)
        before = len(first.sent)
        first.open.clear()
        yard.clock.advance(SECOND)
        assert yard.dispatcher.is_up("first")  # it may be tried
        burst = [await accepted(store, number, connection="first") for number in range(101, 151)]
        for message in burst:
            yard.dispatcher.due(message)
        assert not yard.dispatcher.is_up("first")
        await yard.until(sent=68, submitting=2)
        first.open.set()
        await yard.until(sent=70)
        assert len(first.sent) == before + 2
    assert len(yard.carriers["second"].sent) == 70


async def test_what_waits_at_a_connection_that_stays_down_moves_once_another_is_up(store: Store) -> None:
    """Each probe in vain has it looked at again: a connection that is new does not tell."""
    yard = Yard(store, connections=4)
    second = yard.profiles.pop()
    for number in range(1, 21):
        await accepted(store, number, connection="first")
    yard.carriers["first"].outcome = DOWN
    async with yard.working():
        await yard.until_sent("first", 5)
        await yard.until(accepted=20)
        yard.profiles.append(second)
        yard.open_lane(second)
        async with asyncio.timeout(PATIENCE):
            while await store.messages.counts() != {"sent": 20}:
                yard.clock.advance(SECOND)
                yard.dispatcher.wake("first")
                await asyncio.sleep(0.005)
    assert len(yard.carriers["second"].sent) == 20


async def test_what_could_not_be_moved_is_moved_later(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    yard = Yard(store, connections=2)
    message = await accepted(store, 1, connection="gone")
    profiles, yard.profiles = yard.profiles, cast("list[CarrierProfile]", None)
    yard.failover.start()
    yard.failover.stuck(message)
    async with asyncio.timeout(PATIENCE):
        while "messages could not be moved" not in caplog.text:
            await asyncio.sleep(0.005)
    yard.profiles = profiles
    async with yard.working():
        yard.failover.changed("first")
        await yard.until(sent=1)
    assert (await store.messages.timeline(1))[-1].reason.startswith("first accepted it")


async def test_messages_of_another_connection_go_on_while_one_is_stuck(store: Store) -> None:
    yard = Yard(store, connections=2)
    for number in range(1, 101):
        await accepted(store, number, connection="first")
    yard.carriers["first"].open.clear()
    for number in range(101, 201):
        await accepted(store, number, connection="second")
    async with yard.working():
        await yard.until_sent("second", 100)
        assert len(yard.carriers["first"].sent) <= 3
        yard.carriers["first"].open.set()


async def test_the_rate_is_that_of_the_profile_and_not_that_of_the_carrier(store: Store) -> None:
    """By the clock of the test: a turn that is not due is waited for, in real time, so only a few leave."""
    yard = Yard(store, connections=16, rate=20.0, burst=5)
    for number in range(1, 101):
        await accepted(store, number, connection="first")
    async with yard.working():
        await yard.until_sent("first", 5)
        assert len(yard.carriers["first"].sent) <= 6


async def test_a_lane_in_place_of_another_takes_nothing_that_is_still_in_hand(store: Store) -> None:
    """A changed profile opens a new lane while the old one ends what it has begun."""
    yard = Yard(store, connections=2)
    for number in range(1, 31):
        await accepted(store, number, connection="first")
    first = yard.carriers["first"]
    first.open.clear()
    async with yard.working():
        await yard.until_sent("first", 2)
        yard.open()
        await asyncio.sleep(0.05)
        first.open.set()
        await yard.until(sent=30)
    assert sorted(message.id for message in first.sent) == list(range(1, 31))


class Work:
    """A delivery that does what a test says."""

    lease = MINUTE
    patience = 1.0

    def __init__(self, deliver: Callable[[Message], Awaitable[None]]) -> None:
        self._deliver = deliver

    async def deliver(self, message: Message) -> None:
        await self._deliver(message)

    async def broken(self, message: Message, error: Exception) -> None:
        raise error


async def nothing(_: Message) -> None:
    """It is left as it is."""


async def test_what_was_overdue_is_not_held_when_the_store_fails_for_what_waits(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = ManualClock()
    for number, state in ((1, State.SENT), (2, State.ACCEPTED)):
        await accepted(store, number, state=state, due_at=clock.now() - 1)
    lane, claim = Lane("sim", Work(nothing), store=store, clock=clock, slots=6), store.queue.claim

    async def fails(*_: object, **__: object) -> list[Message]:
        raise StoreFault("the disk is full")

    monkeypatch.setattr(store.queue, "claim", fails)
    with pytest.raises(StoreFault):
        await lane._claim(6, clock.now())
    monkeypatch.setattr(store.queue, "claim", claim)
    assert [message.id for message in await lane._claim(6, clock.now())] == [1, 2]


async def test_work_that_ends_after_its_lease_leaves_a_newer_claim_in_hand(store: Store) -> None:
    if store.is_shared:
        pytest.skip("there a claim is a lease in the row, which only the message's next step ends")
    message = await accepted(store, 1)

    async def dawdles(late: Message) -> None:
        store.queue.let_go_late("sim", now=1 << 60)
        assert store.queue.hold("sim", [late], 1 << 61) == [late]

    lane = Lane("sim", Work(dawdles), store=store, clock=ManualClock(), slots=6)
    (taken,) = await lane._claim(6, ManualClock().now())
    await lane._work(taken)
    assert store.queue.holds(message)


# -- a profile that changes


async def test_a_changed_profile_gives_no_new_tokens_to_a_connection_under_load(store: Store) -> None:
    """The test's clock stands still, so each turn is 10 ms after the one before it, whichever lane took it."""
    yard = Yard(store, connections=4, rate=100.0, timeout=SECOND)
    for number in range(1, 31):
        await accepted(store, number, connection="first")
    async with yard.working():
        for count in (5, 10, 15):
            await yard.until_sent("first", count)
            yard.change("first", pace={"timeout": SECOND + count})
        await yard.until(sent=30)
    assert round(yard.rooms.connections["first"].throttle.turn()) == 300


async def test_requests_of_the_lane_that_ends_count_against_the_connections_of_the_new_profile(
    store: Store,
) -> None:
    yard = Yard(store, connections=4)
    for number in range(1, 31):
        await accepted(store, number, connection="first")
    first = yard.carriers["first"]
    first.open.clear()
    async with yard.working():
        await yard.until(submitting=5, accepted=25)  # four, and one that stands ready
        await yard.until_in_hand("first", 12)
        yard.change("first", pace={"connections": 2})
        await yard.until_in_hand("first", 1)  # and must not send it yet
        first.open.set()
        await yard.until(sent=30)
    assert first.most == 5


async def test_a_connection_that_is_down_stays_down_when_its_profile_changes(store: Store) -> None:
    yard = Yard(store, connections=4)
    for number in range(1, 21):
        await accepted(store, number, connection="first")
    first = yard.carriers["first"]
    first.outcome = DOWN
    async with yard.working():
        await yard.until(sent=20)
        tried, alarm = len(first.sent), await store.accounts.alarms()
        yard.change("first", pace={"connections": 8})
        assert not yard.dispatcher.is_up("first")
        yard.dispatcher.due(await accepted(store, 21, connection="first"))
        await yard.until(sent=21)
        assert len(first.sent) == tried
        assert await store.accounts.alarms() == alarm
        state = yard.rooms.connections["first"].state
        assert (state.standing, state.window) == (Standing.DOWN, 2)


async def test_the_day_of_a_sender_goes_on_when_the_profile_changes(store: Store) -> None:
    yard = Yard(store, connections=4, sender_daily=10)
    for number in range(1, 31):
        await accepted(store, number, connection="first")
    first = yard.carriers["first"]
    first.open.clear()
    async with yard.working():
        await yard.until_sent("first", 4)
        yard.change("first", pace={"sender_daily": 12})
        first.open.set()
        await yard.until(sent=12, accepted=18)
    assert len(first.sent) == 12


async def test_the_rate_of_a_sender_goes_on_when_the_profile_changes(store: Store) -> None:
    yard = Yard(store, connections=4, sender_rate=0.001)
    for number in range(1, 4):
        await accepted(store, number, connection="first")
    async with yard.working():
        await yard.until(sent=1, accepted=2)
        yard.change("first", pace={"sender_rate": 0.002})
        lane_is_awake = await accepted(store, 4, connection="first", sender="12065550199")
        yard.dispatcher.due(lane_is_awake)
        await yard.until(sent=2, accepted=2)
        yard.clock.advance(500 * SECOND)
        yard.dispatcher.wake("first")
        await yard.until(sent=3, accepted=1)


# -- SMS: from one SMSC to the next


async def waiting_sms(store: Store, number: int, **changes: Any) -> Message:
    usual = {"state": State.FALLBACK, "sent_as": SentAs.SMS, "connection": "sms"}
    return await accepted(store, number, **usual | changes)


def with_two_smscs(store: Store, *up: str) -> tuple[Yard, list[str]]:
    """MMSCs whose SMS go to `sms`, then to `spare`; who of them is up, and a list that may change."""
    yard, are_up = Yard(store), list(up)
    yard.profiles = [altered(profile, reach={"sms": ("sms", "spare")}) for profile in yard.profiles]
    yard.failover._is_up = are_up.__contains__
    return yard, are_up


async def test_sms_that_wait_at_an_smsc_that_is_down_go_to_the_next_and_are_told_why(store: Store) -> None:
    yard, _ = with_two_smscs(store, "spare")
    for number in range(1, 4):
        await waiting_sms(store, number)
    assert await yard.failover.clear("sms") == 3
    assert {message.connection for message in await store.queue.page("spare", after=None)} == {"spare"}
    assert (await yard.reasons(1))[-1] == "sms is not up, so it goes to spare"
    assert await store.messages.counts() == {"fallback": 3}


async def test_sms_stay_where_they_are_while_no_other_smsc_is_up_and_while_theirs_is(store: Store) -> None:
    yard, up = with_two_smscs(store)
    await waiting_sms(store, 1)
    assert await yard.failover.clear("sms") == 0
    up += ["sms", "spare"]
    assert await yard.failover.clear("sms") == 0


@pytest.mark.parametrize("state", ["pending", "sent", "unknown"])
async def test_an_sms_that_an_smsc_was_given_once_stays_there_whatever_came_of_it(store: Store, state: str) -> None:
    """Promise 2: one copy at most."""
    yard, _ = with_two_smscs(store, "spare")
    message = await waiting_sms(store, 1)
    parts = (SmsPart(number=1, state="submitting"),)
    await store.messages.record(message, step(Happening.SUBMIT, parts=parts))
    await store.messages.record(message, step(Happening.POSTPONED, parts=(SmsPart(number=1, state=state),)))
    assert await store.messages.counts() == {"fallback": 1}
    assert await yard.failover.clear("sms") == 0


async def test_an_sms_that_is_tried_between_the_look_at_it_and_its_move_stays(store: Store) -> None:
    yard, _ = with_two_smscs(store, "spare")
    message = await waiting_sms(store, 1)
    assert await yard.failover._better(message) == "spare"
    await store.messages.record(message, step(Happening.SUBMIT, parts=(SmsPart(number=1, state="submitting"),)))
    await store.messages.record(message, step(Happening.POSTPONED, parts=(SmsPart(number=1, state="pending"),)))
    await yard.failover._move(message, "spare")
    assert (await store.messages.counts(), await store.queue.page("spare", after=None)) == ({"fallback": 1}, [])


async def test_the_gateways_own_answer_to_stop_leaves_by_the_smsc_of_its_number(store: Store) -> None:
    yard, _ = with_two_smscs(store, "spare")
    await waiting_sms(store, 1)
    (first,) = await store.queue.page("sms", after=None)
    assert await yard.failover._better(first) == "spare"
    assert await yard.failover._better(replace(first, mms_id=0)) == ""


async def test_when_an_smsc_goes_down_all_that_waits_there_is_looked_at_by_itself(store: Store) -> None:
    yard, up = with_two_smscs(store, "sms", "spare")
    for number in range(1, 4):
        await waiting_sms(store, number)
    yard.failover.start()
    try:
        up.remove("sms")
        yard.failover.changed("sms")
        async with asyncio.timeout(PATIENCE):
            while len(await store.queue.page("spare", after=None)) < 3:
                await asyncio.sleep(0.005)
        late = await waiting_sms(store, 4)
        yard.failover.stuck(late)
        async with asyncio.timeout(PATIENCE):
            while len(await store.queue.page("spare", after=None)) < 4:
                await asyncio.sleep(0.005)
    finally:
        await yard.failover.stop()
