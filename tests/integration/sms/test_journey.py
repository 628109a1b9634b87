"""SMS from the queue to their receipts, over a real socket and a real store: nothing but the SMSC is pretended."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import pytest

from mmsgate.bucket import Buckets
from mmsgate.carriers.profile import Gives, OnUnknown
from mmsgate.carriers.smsc import Receipts, SmscAnswers, SmscPace, SmscProfile
from mmsgate.clock import DAY, SystemClock
from mmsgate.delivery.alarms import Alarms
from mmsgate.delivery.smsc import Carries, slots, smsc_lane
from mmsgate.domain.change import Change
from mmsgate.domain.message import Content, Event, Message
from mmsgate.domain.postback import SentAs
from mmsgate.domain.state import State
from mmsgate.postbacks.ledger import Ledger
from mmsgate.reports.reports import Reports, from_receipt
from mmsgate.sms.message import InboundSms
from mmsgate.sms.receipt import Receipt
from mmsgate.store import Acceptance, Directory, Recorded, Store, migrate
from tests.integration.sms.smsc import DELIVER_SM, Link, Smsc
from tests.unit.builders import a_fallback, a_message, an_account

RTHROTTLED = 0x58
PHONE = "12065550100"


async def not_blocked(_account: int, _sender: str, _recipient: str) -> None:
    """Nobody is."""


class Journey:
    """A lane to that SMSC. `happened` wakes whoever waits for a step, `told` for an alarm."""

    def __init__(self, store: Store, smsc: Smsc) -> None:
        self.store, self.smsc, self.clock = store, smsc, SystemClock()
        self.profile = SmscProfile(
            name="sms", host="127.0.0.1", port=smsc.port, system_id="mmsgate", password="s3cret"
        )
        self.happened, self.told = asyncio.Event(), asyncio.Event()
        directory = Directory(revision=1, accounts={1: an_account()}, by_key={}, patterns=(), profiles={})
        self.ledger = Ledger(store, lambda: directory)
        store.render_with(self.ledger.render)
        self.reports = Reports(store, self.ledger, lambda _: None, self.clock, sms_route=lambda names: names[0])
        self.ledger.on_early_report = self.reports.receive_orphan
        self._follow_up, self.ledger.follow_up = self.ledger.follow_up, self.follow_up  # type: ignore[method-assign]

    async def follow_up(self, recorded: Recorded) -> Change:
        """The ledger's, after which there may be something to see."""
        change = await self._follow_up(recorded)
        self.happened.set()
        return change

    async def raise_(self, subject: str, reason: str) -> None:
        """The alarms' own, after which there is one to see."""
        await self._raise(subject, reason)
        self.told.set()

    async def start(self) -> Link | None:
        """Open the lane; the SMSC's end of its bind, None where that is refused."""

        async def on_receipt(receipt: Receipt, source: str, destination: str) -> None:
            await self.reports.receive(from_receipt("sms", receipt, source, destination))

        async def on_inbound(sms: InboundSms) -> None:
            raise AssertionError(f"nobody has sent one: {sms}")

        alarms = Alarms(self.store, self.clock)
        self._raise, alarms.raise_ = alarms.raise_, self.raise_  # type: ignore[method-assign]
        rooms = Carries(
            store=self.store, ledger=self.ledger, page_url=lambda _: "https://gw.example/m/" + "t" * 22,
            block_reason=not_blocked, alarms=alarms, clock=self.clock, accounts=Buckets(lambda _: 0.0),
            on_change=lambda _: None,
        )  # fmt: skip
        self.lane, self.connection = smsc_lane(self.profile, rooms, on_receipt=on_receipt, on_inbound=on_inbound)
        await self.connection.start()
        self.lane.start()
        link = await self.smsc.link()
        return link if await self.connection.wait_bound(10 if self.smsc.password is None else 0.05) else None

    async def stop(self) -> None:
        await self.lane.stop()
        await self.connection.stop()

    async def accept(self, number: int = 1, *, text: str = "Look:") -> Message:
        """A message that waits for its SMS."""
        now = self.clock.now()
        message = a_message(
            id=number << 22, mms_id=number, content_id=number, tracking_id=f"tracking{number:014}",
            recipient=f"{int(PHONE) + number - 1}", fallback=a_fallback(text=text, token=f"token{number:017}"),
            accepted_at=now, expires_at=now + 3 * DAY, due_at=now, updated_at=now, connection="sms",
            state=State.FALLBACK, sent_as=SentAs.SMS,
        )  # fmt: skip
        content = Content(id=number, account_id=1, name="n", subject="s", created_at=now)
        event = Event(at=now, happening=None, state=State.FALLBACK, reason="accepted")
        await self.store.messages.accept(Acceptance(message=message, content=content, event=event))
        if hasattr(self, "lane"):
            self.lane.wake()
        return message

    async def now(self, message: Message) -> Message:
        """The message as it stands."""
        found = await self.store.messages.by_tracking(message.tracking_id)
        assert found is not None
        return found

    async def reasons(self, message: Message) -> list[str]:
        return [event.reason for event in await self.store.messages.timeline(message.id)]

    async def until(self, message: Message, done: Callable[[Message], bool]) -> None:
        """The message as it stands is so."""
        async with asyncio.timeout(20):
            self.happened.clear()
            while not done(await self.now(message)):
                await self.happened.wait()
                self.happened.clear()

    async def reaches(self, message: Message, state: State) -> None:
        await self.until(message, lambda now: now.state is state)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    migrate(tmp_path / "gateway.db")
    store = Store(tmp_path / "gateway.db")
    await store.start()
    yield store
    await store.stop()


@pytest.fixture
async def journey(store: Store, smsc: Smsc) -> AsyncIterator[Journey]:
    journey = Journey(store, smsc)
    yield journey
    await journey.stop()


async def opened(journey: Journey) -> Link:
    link = await journey.start()
    assert link is not None
    return link


# -- receipts


class Ids(NamedTuple):
    """The id of the submit response, and those in the receipt's text and receipted_message_id (empty: none)."""

    given: str
    text: str
    tlv: str = ""


FOREIGN = "foreign in the TLV, right in the text"
IDS = {
    "verbatim": Ids("77", "77"),
    "hex given, decimal reported": Ids("1a2b", "6699"),
    "decimal given, hex reported": Ids("6699", "1A2B"),
    "decimal padded": Ids("6699", "0000006699"),
    "hex given, decimal padded reported": Ids("1A2B", "0000006699"),
    "hex padded and in capitals": Ids("1a2b", "00001A2B"),
    "padding given and not reported": Ids("00001a2b", "1a2b"),
    "only in receipted_message_id": Ids("c0ffee-1", "", "c0ffee-1"),
    "receipted_message_id in decimal": Ids("1a2b", "", "6699"),
    "right in the TLV, foreign in the text": Ids("1a2b", "999", "1a2b"),
    FOREIGN: Ids("1a2b", "1a2b", "zzz"),
    "no number at all": Ids("f81d4fae-7dec", "F81D4FAE-7DEC"),
}


def report(link: Link, ids: Ids, state: str = "DELIVRD", *, number: int = 1) -> int:
    """A receipt from that phone; its sequence number."""
    text = f"id:{ids.text} sub:001 dlvrd:001 stat:{state} err:000 text:" if ids.text else f"stat:{state}"
    tlvs = {0x1E: ids.tlv.encode() + b"\0"} if ids.tlv else {}
    return link.deliver(text.encode(), tlvs=tlvs, source=f"{int(PHONE) + number - 1}", destination="28444")


@pytest.mark.parametrize("first", ["answer", "receipt"])
@pytest.mark.parametrize("ids", IDS.values(), ids=IDS.keys())
async def test_a_receipt_finds_its_sms_in_every_spelling_and_either_order(
    journey: Journey, ids: Ids, first: str
) -> None:
    link = await opened(journey)
    message = await journey.accept()
    submit = await link.submit()
    if first == "receipt":
        report(link, ids)
        await link.answer()
        link.accept(submit, ids.given)
        if (
            ids is IDS[FOREIGN]
        ):  # an early one is known by its first name alone, so the look of every minute finds it
            await journey.reaches(message, State.SMS_SENT)
            assert await journey.reports.rematch() == 1
    else:
        link.accept(submit, ids.given)
        await journey.reaches(message, State.SMS_SENT)
        report(link, ids)
        await link.answer()
    await journey.reaches(message, State.DELIVERED)
    assert link.submits.empty()


async def test_a_receipt_for_another_phone_is_not_believed_when_only_its_guessed_spelling_fits(
    journey: Journey,
) -> None:
    link = await opened(journey)
    message = await journey.accept()
    link.accept(await link.submit(), "1a2b")
    await journey.reaches(message, State.SMS_SENT)
    report(link, Ids("", "6699"), number=2)
    await link.answer()
    assert (await journey.now(message)).state is State.SMS_SENT
    assert await journey.store.reports.count_orphans() == 1


async def test_a_receipt_is_on_disk_when_it_is_acknowledged(journey: Journey, tmp_path: Path) -> None:
    link = await opened(journey)
    message = await journey.accept()
    link.accept(await link.submit(), "77")
    await journey.reaches(message, State.SMS_SENT)
    sequence = report(link, Ids("77", "77"))
    assert await link.answer() == (DELIVER_SM, 0, sequence)
    elsewhere = sqlite3.connect(tmp_path / "gateway.db")
    try:
        assert elsewhere.execute("SELECT state FROM message").fetchone() == ("delivered",)
    finally:
        elsewhere.close()


async def test_a_long_sms_is_delivered_when_every_part_is(journey: Journey) -> None:
    link = await opened(journey)
    message = await journey.accept(text="Look: " + "0123456789" * 25)
    first = await link.submit()
    assert link.submits.empty()  # the others follow when it has been taken
    link.accept(first, "a1")
    link.accept(await link.submit(), "a2")
    await journey.reaches(message, State.SMS_SENT)
    for number in ("161", "162"):  # in decimal
        assert (await journey.now(message)).state is State.SMS_SENT
        report(link, Ids("", number))
        await link.answer()
    await journey.reaches(message, State.DELIVERED)


# -- a lost link


async def test_an_sms_whose_answer_was_lost_is_settled_by_its_receipt_and_sent_once(journey: Journey) -> None:
    link = await opened(journey)
    message = await journey.accept()
    await link.submit()
    link.cut()
    await journey.reaches(message, State.SMS_UNKNOWN)
    again = await journey.smsc.link()
    assert await journey.connection.wait_bound(10)
    report(again, Ids("", "4711"))
    await again.answer()
    await journey.reaches(message, State.DELIVERED)
    other = await journey.accept(2)
    submit = await again.submit()
    assert submit.destination_addr == other.recipient  # it, and nothing before it
    again.accept(submit, "4712")
    await journey.reaches(other, State.SMS_SENT)
    assert again.submits.empty()


async def test_an_outcome_that_stays_unknown_fails_without_a_second_copy(journey: Journey) -> None:
    journey.profile = replace(journey.profile, answers=SmscAnswers(unknown_wait=30))
    link = await opened(journey)
    message = await journey.accept()
    await link.submit()
    link.cut()
    again = await journey.smsc.link()
    await journey.reaches(message, State.FAILED)
    assert again.submits.empty()
    assert "on_unknown is fail" in (await journey.reasons(message))[-1]


async def test_an_outcome_that_stays_unknown_is_sent_again_where_the_profile_says_so(journey: Journey) -> None:
    answers = SmscAnswers(unknown_wait=30, on_unknown=OnUnknown.RESEND)
    journey.profile = replace(journey.profile, answers=answers)
    link = await opened(journey)
    message = await journey.accept()
    first = await link.submit()
    link.cut()
    again = await journey.smsc.link()
    second = await again.submit()
    assert (second.destination_addr, second.short_message) == (first.destination_addr, first.short_message)
    again.accept(second, "1")
    await journey.reaches(message, State.SMS_SENT)


async def test_no_answer_in_time_is_unknown_and_sent_once(journey: Journey) -> None:
    journey.profile = replace(journey.profile, pace=SmscPace(timeout=50))
    link = await opened(journey)
    message = await journey.accept()
    submit = await link.submit()
    await journey.reaches(message, State.SMS_UNKNOWN)
    link.accept(submit, "77")  # too late to be heard
    report(link, Ids("77", "77"))
    await link.answer()
    await journey.reaches(message, State.DELIVERED)
    assert link.submits.empty()


# -- no bind


async def test_a_refused_bind_raises_an_alarm_and_the_queue_waits_for_the_bind(journey: Journey) -> None:
    journey.smsc.password = "other"
    journey.profile = replace(journey.profile, pace=SmscPace(retry=50))
    binding: asyncio.Queue[Link] = asyncio.Queue()

    def answer(link: Link, sequence: int) -> None:
        journey.smsc.answer_bind(link, sequence)
        if journey.smsc.password is None:
            binding.put_nowait(link)

    journey.smsc.binding = answer
    message = await journey.accept()
    assert await journey.start() is None
    await journey.told.wait()
    (alarm,) = await journey.store.accounts.alarms()
    assert (alarm.subject, alarm.reason) == (
        "sms has no bind",
        "the bind was refused: ESME_RINVPASWD; its SMS wait",
    )
    assert ((await journey.now(message)).state, (await journey.now(message)).attempts) == (State.FALLBACK, 0)
    journey.smsc.password = None
    link = await asyncio.wait_for(binding.get(), 10)
    link.accept(await link.submit(), "1")
    await journey.reaches(message, State.SMS_SENT)
    assert (await journey.now(message)).attempts == 1
    assert await journey.store.accounts.alarms() == []


async def test_an_unreadable_deliver_sm_raises_an_alarm_that_shows_its_octets(journey: Journey) -> None:
    link = await journey.start()
    assert link is not None
    link.write(DELIVER_SM, 5, body=b"\0\1\1nonsense" + b"x" * 500)
    await link.answer()
    (alarm,) = await journey.store.accounts.alarms()
    assert alarm.subject == "sms sends what can't be read"
    _, _, shown = alarm.reason.rpartition(": ")
    assert b"nonsense" in bytes.fromhex(shown)
    assert len(shown) == 300


async def test_without_an_smsc_messages_wait_and_leave_as_soon_as_it_is_back(journey: Journey) -> None:
    link = await opened(journey)
    await journey.smsc.stop()
    messages = [await journey.accept(number) for number in range(1, 6)]
    assert {(await journey.now(message)).state for message in messages} == {State.FALLBACK}
    await journey.smsc.start()
    link = await journey.smsc.link()
    for number in range(5):
        link.accept(await link.submit(), str(number))
    for message in messages:
        await journey.reaches(message, State.SMS_SENT)
        assert (await journey.now(message)).attempts == 1


# -- what the profile says


async def test_a_throttled_message_leaves_later_and_is_sent_once_more(journey: Journey) -> None:
    link = await opened(journey)
    message = await journey.accept()
    link.refuse(await link.submit(), RTHROTTLED)
    await journey.until(message, lambda now: now.due_at != message.due_at)
    link.accept(await link.submit(), "1")
    await journey.reaches(message, State.SMS_SENT)
    assert (await journey.now(message)).attempts == 2


async def test_an_smsc_without_receipts_ends_its_sms_when_it_has_taken_them(journey: Journey) -> None:
    journey.profile = replace(journey.profile, receipts=Receipts(gives=Gives.NONE))
    link = await opened(journey)
    message = await journey.accept()
    submit = await link.submit()
    assert submit.registered_delivery == 0
    link.accept(submit, "1")
    await journey.reaches(message, State.UNREPORTED)


@pytest.mark.parametrize(
    ("pace", "expected"),
    [
        (SmscPace(), 128),
        (SmscPace(window=1), 2),
        (SmscPace(rate=3.0), 30),
        (SmscPace(rate=0.01), 1),
        (SmscPace(rate=1000.0), 128),
    ],
)
def test_no_more_is_worked_at_once_than_leaves_soon(pace: SmscPace, expected: int) -> None:
    assert slots(SmscProfile(name="sms", host="h", port=1, pace=pace)) == expected
