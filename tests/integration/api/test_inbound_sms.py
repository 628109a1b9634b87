"""An SMS from a phone, over SMPP: kept before it is acknowledged, joined, told, and STOP is heeded and answered."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

import pytest
import pytest_asyncio
import smpp34
from lxml import etree

from mmsgate.carriers.profile import Reach
from mmsgate.carriers.record import profile_json
from mmsgate.carriers.smsc import SmscProfile
from mmsgate.clock import DAY, Ids, ManualClock, Millis
from mmsgate.domain.account import BlockOrigin, PostbackSettings, Sender
from mmsgate.domain.gsm import Concatenation
from mmsgate.domain.number import SenderType
from mmsgate.domain.optout import Intent
from mmsgate.domain.state import State
from mmsgate.reports.inbound import REPEATED_SMS, InboundDesk, InboundRules
from mmsgate.sms.message import InboundSms
from mmsgate.store import InboundRow
from mmsgate.store.engine import StoreFault
from tests.integration.api.conftest import Api, elements, request
from tests.integration.api.receiver import Receiver, receiving
from tests.integration.api.test_inbound import deliver, inbox, status_of
from tests.integration.sms.smsc import Link, Smsc
from tests.unit.builders import NOW

#: What the SMSC of the tests writes into every deliver_sm.
PHONE, NUMBER = "15550000100", "12345"
OK = 0x05, 0


@dataclass(slots=True)
class Line:
    """The gateway, its SMSC, and the customer's receiver."""

    api: Api
    link: Link
    receiver: Receiver

    async def says(self, text: bytes, *, esm_class: int = 0, data_coding: int = 0) -> tuple[int, int]:
        """A phone writes; command and status of the answer."""
        self.link.deliver(text, esm_class=esm_class, data_coding=data_coding)
        command, status, _ = await self.link.answer()
        return command, status

    async def reads(self) -> smpp34.SubmitSm:
        """The next SMS that the gateway sends; the SMSC takes it."""
        submit = await self.link.submit()
        self.link.accept(submit, f"s-{submit.sequence_number}")
        return submit

    async def inbox(self) -> list[InboundRow]:
        return await inbox(self.api)


@pytest_asyncio.fixture
async def line(api: Api) -> AsyncIterator[Line]:
    smsc = Smsc()
    await smsc.start()
    store = api.gateway.store
    sender = Sender(number=NUMBER, type=SenderType.SHORT_CODE, services=("32113",))
    await store.accounts.put_sender(api.account.id, sender)
    profile = SmscProfile(name="smsc", host="127.0.0.1", port=smsc.port)
    await store.accounts.put_carrier("smsc", profile_json(profile))
    await api.carrier(reach=Reach(sms=("smsc",)))
    async with receiving() as receiver:
        await api.change(postback=PostbackSettings(url=receiver.url))
        yield Line(api, await smsc.link(), receiver)
    await api.gateway.dispatcher.stop()
    await smsc.stop()


async def test_an_sms_is_told_as_n211(line: Line) -> None:
    assert await line.says(b"Hello there") == OK
    root = etree.fromstring((await line.receiver.next()).body)
    told = [(str(child.tag), child.text) for child in root][:5]
    assert told == [
        ("origin", "SMS_MO"), ("code", "N211"), ("from", PHONE), ("to", NUMBER), ("text", "Hello there"),
    ]  # fmt: skip
    (row,) = await line.inbox()
    assert (row.inbound.kind, root.findtext("transaction-id")) == ("sms", row.inbound.tracking_id)


async def test_a_repeated_sms_is_told_once(line: Line) -> None:
    assert await line.says(b"Hello") == OK
    assert await line.says(b"Hello") == OK
    assert await line.says(b"Other") == OK
    assert sorted(row.inbound.text for row in await line.inbox()) == ["Hello", "Other"]


async def test_what_cannot_be_stored_is_not_acknowledged(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    async def full(*_: object) -> None:
        raise StoreFault("the disk is full")

    monkeypatch.setattr(line.api.gateway.store.inbound, "record", full)
    _, status = await line.says(b"Hello")
    assert status == 0x64  # ESME_RX_T_APPN: the SMSC repeats it
    monkeypatch.undo()
    assert await line.says(b"Hello") == OK
    assert len(await line.inbox()) == 1


async def test_the_parts_of_a_long_sms_are_one_message(line: Line) -> None:
    for number in (2, 1, 2):
        header = Concatenation(reference=9, total=2, number=number).header()
        assert await line.says(header + b"part %d." % number, esm_class=0x40) == OK
    (row,) = await line.inbox()
    assert row.inbound.text == "part 1.part 2."


async def test_stop_blocks_stops_what_is_queued_and_is_confirmed_although_blocked(line: Line) -> None:
    await line.says("Opt out!".encode("utf-16-be"), data_coding=8)
    confirmation = await line.reads()
    assert confirmation.destination_addr == PHONE
    assert confirmation.short_message == b"You will get no more messages from 12345. Reply START to get them again."
    (block,) = await line.api.gateway.store.accounts.blocks(line.api.account.id)
    assert (block.number, block.sender, block.origin) == (PHONE, NUMBER, BlockOrigin.PHONE)
    refused = await line.api.post(request(to=PHONE).replace("28444", NUMBER))
    assert b"E114" in refused.body
    assert b"E114" not in (await line.api.post(request(to=PHONE))).body  # another number is not concerned
    await line.says(b"START")
    assert (await line.reads()).short_message.startswith(b"You will get messages from 12345 again.")
    assert await line.api.gateway.store.accounts.blocks(line.api.account.id) == []


async def test_a_message_that_is_queued_when_stop_comes_ends_with_the_reason(line: Line) -> None:
    accepted = dict(elements((await line.api.post(request(to=PHONE).replace("28444", NUMBER))).body))
    await line.says(b"STOP")
    await line.reads()
    async with asyncio.timeout(30):
        while (await line.receiver.next()).body.find(b"E101") < 0:
            pass  # the N211 of the STOP
    message = await line.api.gateway.store.messages.by_tracking(accepted["tracking-id"])
    assert message is not None
    last = (await line.api.gateway.store.messages.timeline(message.id))[-1]
    assert (message.state, last.reason) == (
        State.FAILED, "E114: the recipient is blocked: opted out with 'STOP' by SMS",
    )  # fmt: skip


async def test_help_is_answered_and_nobody_is_told_of_the_answer(line: Line) -> None:
    await line.says(b"HELP")
    answer = await line.reads()
    assert answer.short_message.startswith(b"Messages from 12345: reply STOP")
    root = etree.fromstring((await line.receiver.next()).body)
    assert root.findtext("code") == "N211"
    (row,) = await line.inbox()
    reply = await line.api.gateway.store.messages.by_tracking(row.reply)
    assert reply is not None
    assert await line.api.gateway.store.postbacks.of_message(reply.id) == []


async def test_stop_in_an_mms_is_confirmed_over_the_sms_connection_of_its_carrier(line: Line) -> None:
    answered = await deliver(line.api, ("text/plain", b"STOP"), to=(NUMBER,), sender=PHONE)
    assert status_of(answered) == ("DeliverRsp", "1000")
    assert (await line.reads()).destination_addr == PHONE


async def test_stop_after_start_counts_again(line: Line) -> None:
    for words in (b"STOP", b"START", b"STOP"):
        await line.says(words)
        await line.reads()
    assert len(await line.api.gateway.store.accounts.blocks(line.api.account.id)) == 1


async def test_stop_with_one_linked_id_counts_again_after_start(line: Line) -> None:
    """Some carriers give a conversation one LinkedID. A STOP repeated after START blocks too, the safe side."""
    for words in (b"STOP", b"START", b"STOP", b"STOP"):
        await deliver(line.api, ("text/plain", words), to=(NUMBER,), sender=PHONE, linked_id="1")
    assert len(await line.api.gateway.store.accounts.blocks(line.api.account.id)) == 1
    told = [row.inbound.intent for row in await line.api.gateway.store.inbound.newest(9)]
    assert told == [Intent.OPT_OUT, Intent.OPT_IN, Intent.OPT_OUT]


async def test_stop_twice_is_confirmed_once(line: Line) -> None:
    await line.says(b"STOP")
    await line.says(b"stop.")
    await line.says(b"HELP")
    first, second = await line.reads(), await line.reads()
    assert first.short_message.startswith(b"You will get no more")
    assert second.short_message.startswith(b"Messages from")


# -- what is a repetition


@pytest.mark.parametrize(("later", "kept"), [(REPEATED_SMS, 1), (REPEATED_SMS + 1, 2)])
async def test_the_same_sms_again_is_another_one_after_a_minute(
    api: Api, caplog: pytest.LogCaptureFixture, later: Millis, kept: int
) -> None:
    clock = ManualClock(NOW)
    desk = a_desk(api, clock)
    with caplog.at_level("INFO", "mmsgate.inbound"):
        await desk.take_sms("smsc", an_sms(b"YES"))
        clock.advance(later)
        await desk.take_sms("smsc", an_sms(b"YES"))
    assert len(await inbox(api)) == kept
    assert ("came before, taken once" in caplog.text) is (kept == 1)


async def test_a_part_that_is_taken_for_a_repetition_is_logged_without_the_phones_number(
    api: Api, caplog: pytest.LogCaptureFixture
) -> None:
    desk = a_desk(api, ManualClock(NOW))
    part = Concatenation(reference=9, total=2, number=1)
    with caplog.at_level("INFO", "mmsgate.inbound"):
        for _ in range(2):
            await desk.take_sms("smsc", replace(an_sms(b"Hello"), part=part))
    (line,) = caplog.messages
    assert line == "part 1 of 2 of SMS 9 from 15•••••0100 to 12345: came before, taken once"


def a_desk(api: Api, clock: ManualClock) -> InboundDesk:
    """A desk on the gateway's store with a clock of its own."""
    gateway = api.gateway
    return InboundDesk(
        store=gateway.store, blobs=gateway.blobs, directory=gateway.watch, profile=gateway.profiles.get,
        alarms=gateway.alarms, rules=InboundRules(life=DAY, base="https://gw.example"),
        on_postback=lambda _: None, on_due=lambda _: None, clock=clock, ids=Ids(clock),
    )  # fmt: skip


def an_sms(text: bytes) -> InboundSms:
    return InboundSms(source=PHONE, destination=NUMBER, text=text.decode(), data_coding=0, payload=text)
