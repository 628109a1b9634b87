"""Each recipient of the simulator page, played by the SMSC without a socket."""

from collections.abc import Callable

import pytest
import smpp34

from mmsgate.clock import Ids, ManualClock
from mmsgate.domain.gsm import Concatenation, encode_gsm
from mmsgate.simulator.attempts import Attempts
from mmsgate.simulator.behaviour import ESME_RINVDSTADR, ESME_RTHROTTLED
from mmsgate.simulator.box import Box
from mmsgate.simulator.smpp import Session
from mmsgate.simulator.smsc import Smsc
from mmsgate.simulator.smsc_mode import USUAL, SmscMode
from tests.unit.simulator.carrier import ManualScheduler


class Peer(Session):
    """A bound client that keeps what it is sent, in order: ("answer", status, id) and ("receipt", text, tags)."""

    def __init__(self, *, receives: bool = True) -> None:
        self.sent: list[tuple[str, object, object]] = []
        self.sequence = 0
        self._receives = receives

    @property
    def receives(self) -> bool:
        return self._receives

    def answer(self, submit: smpp34.SubmitSm, *, status: int = 0, message_id: str = "") -> None:
        self.sent.append(("answer", status, message_id))

    def deliver(self, make: Callable[[int], smpp34.DeliverSm]) -> int:
        self.sequence += 1
        pdu = make(self.sequence)
        self.sent.append(("receipt", pdu.short_message.decode(), {tlv.tag for tlv in pdu.tlvs}))
        return self.sequence

    @property
    def receipts(self) -> list[str]:
        return [str(text) for kind, text, _ in self.sent if kind == "receipt"]

    @property
    def answers(self) -> list[tuple[object, object]]:
        return [(status, message_id) for kind, status, message_id in self.sent if kind == "answer"]


class Center:
    """An SMSC to call directly, with one client bound."""

    def __init__(self, mode: SmscMode = USUAL) -> None:
        self.clock = ManualClock()
        self.box = Box()
        self.scheduler = ManualScheduler(self.clock)
        self.smsc = Smsc(
            box=self.box,
            attempts=Attempts(self.clock),
            scheduler=self.scheduler,
            clock=self.clock,
            ids=Ids(self.clock),
            mode=mode,
        )
        self.peer = Peer()
        self.smsc.bound(self.peer)

    def submit(self, to: str, text: bytes = b"hi", **fields: object) -> None:
        """Submit one part that asks for a receipt."""
        options = {"registered_delivery": 1} | fields
        pdu = smpp34.SubmitSm("28444", to, text, **options)  # type: ignore[arg-type] # the tests' own fields
        self.smsc.submitted(self.peer, pdu)

    def submit_long(self, to: str, *texts: str) -> None:
        """Submit an SMS of several parts."""
        for number, text in enumerate(texts, 1):
            header = Concatenation(reference=7, total=len(texts), number=number).header()
            self.submit(to, header + encode_gsm(text), esm_class=0x40)


@pytest.fixture
def center() -> Center:
    return Center()


def states(peer: Peer) -> list[str]:
    return [text.partition("stat:")[2].partition(" ")[0] for text in peer.receipts]


def ids(peer: Peer) -> list[str]:
    return [text.partition("id:")[2].partition(" ")[0] for text in peer.receipts]


@pytest.mark.parametrize("digits", ["1613", "0105", "0106", "0118", "0124"])
async def test_a_phone_takes_an_sms_and_a_receipt_follows(center: Center, digits: str) -> None:
    center.submit(f"1239947{digits}")
    assert center.peer.receipts == []
    await center.scheduler.run()
    assert [kind for kind, _, _ in center.peer.sent] == ["answer", "receipt"]
    assert states(center.peer) == ["DELIVRD"]
    assert ids(center.peer) == [message_id for _, message_id in center.peer.answers]
    assert [message.text for message in center.box.after()] == ["hi"]


async def test_0130_stays_undelivered(center: Center) -> None:
    center.submit("12399470130")
    await center.scheduler.run()
    assert (center.peer.answers[0][0], states(center.peer)) == (0, ["UNDELIV"])
    assert center.box.after() == []


async def test_0131_fails_in_the_last_part_alone(center: Center) -> None:
    center.submit_long("12399470131", "one", "two", "three")
    await center.scheduler.run()
    assert states(center.peer) == ["DELIVRD", "DELIVRD", "UNDELIV"]
    assert center.box.after() == []


async def test_0131_fails_in_its_only_part(center: Center) -> None:
    center.submit("12399470131")
    await center.scheduler.run()
    assert states(center.peer) == ["UNDELIV"]


async def test_0132_answers_in_hex_and_reports_in_decimal_without_a_hint(center: Center) -> None:
    center.submit("12399470132")
    await center.scheduler.run()
    answered = str(center.peer.answers[0][1])
    assert answered != ids(center.peer)[0]
    assert int(answered, 16) == int(ids(center.peer)[0])
    assert center.peer.sent[-1][2] == set()


async def test_0133_sends_the_receipt_before_the_response(center: Center) -> None:
    center.submit("12399470133")
    assert [kind for kind, _, _ in center.peer.sent] == ["receipt", "answer"]
    assert ids(center.peer) == [center.peer.answers[0][1]]


async def test_0134_throttles_for_5_s_from_the_first_attempt(center: Center) -> None:
    for wait in (0, 4999, 1):
        center.clock.advance(wait)
        center.submit("12399470134")
    assert [status for status, _ in center.peer.answers] == [ESME_RTHROTTLED, ESME_RTHROTTLED, 0]


async def test_0135_refuses_the_sms_too(center: Center) -> None:
    center.submit("12399470135")
    assert center.peer.answers == [(ESME_RINVDSTADR, "")]
    assert center.scheduler.jobs == []


@pytest.mark.parametrize(
    ("digits", "registered", "receipts"), [("1613", 0, 0), ("1613", 2, 0), ("0130", 2, 1), ("0130", 0, 0)]
)
async def test_receipts_are_sent_as_they_were_asked_for(
    center: Center, digits: str, registered: int, receipts: int
) -> None:
    center.submit(f"1239947{digits}", registered_delivery=registered)
    await center.scheduler.run()
    assert len(center.peer.receipts) == receipts


async def test_parts_are_joined_in_whatever_order_they_come(center: Center) -> None:
    for number, text in ((2, "b€"), (3, "c"), (1, "a{")):
        header = Concatenation(reference=9, total=3, number=number).header()
        center.submit("12399471613", header + encode_gsm(text), esm_class=0x40)
    (message,) = center.box.after()
    assert (message.text, message.segments) == ("a{b€c", 3)


async def test_parts_are_joined_by_sar_parameters(center: Center) -> None:
    for number, text in ((1, "one "), (2, "two")):
        tags = ((0x020C, b"\0\7"), (0x020E, b"\2"), (0x020F, bytes([number])))
        center.submit("12399471613", text.encode(), tlvs=[smpp34.Tlv(tag, value) for tag, value in tags])
    assert [message.text for message in center.box.after()] == ["one two"]


async def test_ucs2_and_a_text_in_a_parameter_are_read(center: Center) -> None:
    center.submit("1", "привет".encode("utf-16-be"), data_coding=8)
    center.submit("1", b"", tlvs=[smpp34.Tlv(0x0424, b"long")])
    assert [message.text for message in center.box.after()] == ["привет", "long"]


async def test_incomplete_messages_are_bounded(center: Center, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mmsgate.simulator.smsc._INCOMPLETE", 2)
    for reference in range(3):
        header = Concatenation(reference=reference, total=2, number=1).header()
        center.submit("1", header + b"x", esm_class=0x40)
    assert len(center.smsc._parts) == 2


async def test_a_receipt_waits_for_a_client_that_can_receive(center: Center) -> None:
    center.smsc.unbound(center.peer)
    transmitter, receiver = Peer(receives=False), Peer()
    center.smsc.bound(transmitter)
    center.submit("12399471613")
    await center.scheduler.run()
    assert transmitter.receipts == []
    center.smsc.bound(receiver)
    assert states(receiver) == ["DELIVRD"]


async def test_a_receipt_that_nobody_acknowledged_comes_again_after_the_next_bind(center: Center) -> None:
    center.submit("12399471613")
    await center.scheduler.run()
    center.smsc.unbound(center.peer)
    again = Peer()
    center.smsc.bound(again)
    assert ids(again) == ids(center.peer)
    center.smsc.delivered(again, 1, 0)
    center.smsc.unbound(again)
    third = Peer()
    center.smsc.bound(third)
    assert third.receipts == []


async def test_a_refused_receipt_comes_again(center: Center) -> None:
    center.submit("12399471613")
    await center.scheduler.run()
    center.smsc.delivered(center.peer, 1, 0x64)
    await center.scheduler.run()
    assert len(center.peer.receipts) == 2
    center.smsc.delivered(center.peer, 99, 0)


async def test_emptying_the_boxes_forgets_what_waits(center: Center) -> None:
    center.smsc.unbound(center.peer)
    center.submit("12399471613")
    await center.scheduler.run()
    center.smsc.forget()
    fresh = Peer()
    center.smsc.bound(fresh)
    assert fresh.receipts == []
