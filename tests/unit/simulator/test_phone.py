"""Phones that send, without sockets: what they post and deliver, how often, and what their rows make them say."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import pytest
import smpp34

from mmsgate.clock import Entropy, Ids, ManualClock, Millis
from mmsgate.domain.gsm import Alphabet, concatenation, decode, split_header
from mmsgate.http.outcome import Answered, NotSent, PostOutcome, Timeouts
from mmsgate.mm7.answer import encode_submit_rsp
from mmsgate.mm7.deliver import DeliverReq, encode_deliver_rsp
from mmsgate.mm7.request import read_request
from mmsgate.simulator.attempts import Attempts
from mmsgate.simulator.behaviour import TABLE
from mmsgate.simulator.box import Box
from mmsgate.simulator.deliver_sms import deliver_sms
from mmsgate.simulator.message import Kind, Message
from mmsgate.simulator.outgoing import File, Outgoing
from mmsgate.simulator.phone import TAKEN, Outcome, Phones
from mmsgate.simulator.reports import Endpoint
from mmsgate.simulator.smpp import Session
from mmsgate.simulator.smsc import Smsc
from tests.unit.simulator.carrier import ManualScheduler

PHONE = "12399471613"


def answer(code: int = 1000, status: int = 200) -> Answered:
    return Answered(status=status, headers={}, body=encode_deliver_rsp(transaction_id="t", code=code))


@dataclass(slots=True)
class Gateway:
    """Answers with `outcomes` in turn, then as one that takes everything; keeps what came, and when."""

    clock: ManualClock
    outcomes: list[PostOutcome] = field(default_factory=list)
    posted: list[tuple[Millis, DeliverReq]] = field(default_factory=list)
    authorizations: list[str] = field(default_factory=list)

    async def post(
        self, url: str, *, headers: Mapping[str, str], buffers: Sequence[bytes], timeouts: Timeouts
    ) -> PostOutcome:
        request = read_request(headers["Content-Type"], b"".join(buffers))
        assert isinstance(request, DeliverReq)
        self.posted.append((self.clock.now(), request))
        self.authorizations.append(headers.get("Authorization", ""))
        return self.outcomes.pop(0) if self.outcomes else answer()


class Client(Session):
    """A bound client that answers each deliver_sm at once: with `statuses` in turn, then that it has it."""

    def __init__(self, smsc: Smsc) -> None:
        self.smsc = smsc
        self.statuses: list[int] = []
        self.delivered: list[smpp34.DeliverSm] = []

    @property
    def receives(self) -> bool:
        return True

    def deliver(self, make: Callable[[int], smpp34.DeliverSm]) -> int:
        sequence = len(self.delivered) + 1
        self.delivered.append(make(sequence))
        status = self.statuses.pop(0) if self.statuses else 0
        asyncio.get_running_loop().call_soon(self.smsc.delivered, self, sequence, status)
        return sequence

    @property
    def texts(self) -> list[str]:
        return [
            decode(one.short_message, one.data_coding, has_header=bool(one.esm_class & 0x40))
            for one in self.delivered
        ]


class World:
    """Phones, an SMSC without a client, and a gateway's endpoint."""

    def __init__(
        self, url: str = "http://gateway.example/mm7/sim", *, entropy: Callable[[int], bytes] | None = None
    ) -> None:
        self.clock = ManualClock()
        self.box = Box()
        self.scheduler = ManualScheduler(self.clock)
        ids = Ids(self.clock, entropy=entropy or Entropy())
        self.gateway = Gateway(self.clock)
        self.smsc = Smsc(
            box=self.box, attempts=Attempts(self.clock), scheduler=self.scheduler, clock=self.clock, ids=ids
        )
        self.phones = Phones(
            Endpoint(url=url, user="mmsc", password="secret"), self.gateway, smsc=self.smsc, box=self.box,
            scheduler=self.scheduler, clock=self.clock, ids=ids,
        )  # fmt: skip
        self.box.arrived = self.phones.arrived

    def bind(self) -> Client:
        client = Client(self.smsc)
        self.smsc.bound(client)
        return client

    def arrives(self, number: str, kind: Kind = Kind.MMS) -> None:
        self.box.add(Message(kind=kind, to=number, sender="28444", received_at=0, transaction_id=kind.value))

    @property
    def outcomes(self) -> list[str]:
        return [
            one.outcome for phone in self.box.phones() for one in self.box.conversation(phone.number) if one.sent
        ]


@pytest.fixture
def world() -> World:
    return World()


def mms(**fields: object) -> Outgoing:
    return Outgoing(**({"sender": PHONE, "to": "28444", "text": "hi"} | fields))  # type: ignore[arg-type]


# -- MMS


async def test_an_mms_is_what_was_typed_and_shows_on_the_phone(world: World) -> None:
    photo = File(name="../a photo.jpg", body=b"\xff\xd8")
    sent = await world.phones.send(mms(subject="Lake", files=(photo,), copies=("12065550100",)))
    ((_, request),) = world.gateway.posted
    assert sent == Outcome(taken=True)
    assert (request.sender.value if request.sender else "", request.subject) == (PHONE, "Lake")
    assert [each.value for each in (*request.recipients, *request.copy_to)] == ["28444", "12065550100"]
    assert [(each.content_type, each.body) for each in request.content.parts[1:]] == [
        ("image/jpeg", b"\xff\xd8"), ("text/plain", b"hi"),
    ]  # fmt: skip
    assert request.content.parts[1].location == "1_.._a_photo.jpg"
    assert world.gateway.authorizations == ["Basic bW1zYzpzZWNyZXQ="]
    (shown,) = world.box.conversation(PHONE)
    assert (shown.text, shown.outcome, [len(slide.parts) for slide in shown.slides]) == ("hi", TAKEN, [2])
    assert world.box.after() == []


@pytest.mark.parametrize(
    ("outcome", "why"),
    [
        (answer(code=3000), "status 3000"),
        (answer(status=401), "HTTP 401"),
        (Answered(status=200, headers={}, body=b""), "can't be read"),
        (
            Answered(status=200, headers={}, body=encode_submit_rsp(transaction_id="t")),
            "no DeliverRsp but SubmitRsp",
        ),
        (NotSent(reason="no connection"), "no connection"),
    ],
)
async def test_what_is_not_answered_with_1000_comes_again(world: World, outcome: PostOutcome, why: str) -> None:
    world.gateway.outcomes = [outcome, outcome]
    start = world.clock.now()
    sent = await world.phones.send(mms())
    assert not sent.taken
    assert why in sent.why
    assert world.outcomes == [f"not taken: {sent.why}"]
    await world.scheduler.run()
    assert [at - start for at, _ in world.gateway.posted] == [0, 1000, 3000]
    assert len({request.transaction_id for _, request in world.gateway.posted}) == 1
    assert world.outcomes == [TAKEN]


async def test_it_is_given_up_in_the_end(world: World) -> None:
    world.gateway.outcomes = [answer(code=3000)] * 20
    await world.phones.send(mms())
    await world.scheduler.run()
    assert len(world.gateway.posted) == 8
    assert world.outcomes[0].endswith("given up")


async def test_without_an_address_of_a_gateway_an_mms_is_refused_in_words() -> None:
    world = World(url="")
    assert "--report-url" in (await world.phones.send(mms())).why
    assert world.gateway.posted == []


async def test_twice_is_the_same_request_twice(world: World) -> None:
    await world.phones.send(mms(twice=True))
    (_, first), (_, second) = world.gateway.posted
    assert first == second


# -- SMS


async def test_an_sms_goes_over_the_bound_session(world: World) -> None:
    client = world.bind()
    assert (await world.phones.send(mms(sms=True, text="{hi}"))).taken
    (pdu,) = client.delivered
    assert (pdu.source_addr, pdu.destination_addr, pdu.data_coding, pdu.esm_class) == (PHONE, "28444", 0, 0)
    assert client.texts == ["{hi}"]
    assert world.outcomes == [TAKEN]


async def test_without_a_bound_session_an_sms_is_refused_in_words(world: World) -> None:
    sent = await world.phones.send(mms(sms=True))
    assert (sent.taken, "no client is bound" in sent.why) == (False, True)
    client = world.bind()
    assert client.delivered == []


async def test_an_sms_that_is_refused_comes_again_until_it_is_acknowledged(world: World) -> None:
    client = world.bind()
    client.statuses = [0x64]
    assert "0x00000064" in (await world.phones.send(mms(sms=True))).why
    await world.scheduler.run()
    await asyncio.sleep(0)  # the client's second answer
    assert client.texts == ["hi", "hi"]
    assert world.outcomes == [TAKEN]


async def test_an_sms_too_long_for_any_phone_is_refused(world: World) -> None:
    client = world.bind()
    assert "at most 255" in (await world.phones.send(mms(sms=True, text="a" * 40_000))).why
    assert client.delivered == []


async def test_the_reference_of_a_long_sms_is_drawn_at_random() -> None:
    drawn = iter((b"\xc8", b"\x11"))
    world = World(entropy=lambda _: next(drawn))
    client = world.bind()
    for _ in range(2):
        await world.phones.send(mms(sms=True, text="a" * 200))
    found = [concatenation(split_header(one.short_message)[0]) for one in client.delivered]
    assert [one.reference for one in found if one] == [0xC8, 0xC8, 0x11, 0x11]


@pytest.mark.parametrize(
    ("text", "ucs2", "parts", "data_coding"),
    [
        ("a" * 160, False, 1, 0), ("a" * 161, False, 2, 0), ("{" * 81, False, 2, 0),
        ("д" * 70, False, 1, 8), ("👋" * 36, False, 2, 8), ("opt out", True, 1, 8),
    ],
)  # fmt: skip
def test_a_text_is_cut_where_no_character_is(text: str, ucs2: bool, parts: int, data_coding: int) -> None:
    pdus = [make(9) for make in deliver_sms(text, sender=PHONE, to="28444", reference=7, ucs2=ucs2)]
    assert {pdu.data_coding for pdu in pdus} == {data_coding}
    assert "".join(decode(p.short_message, p.data_coding, has_header=parts > 1) for p in pdus) == text
    if parts > 1:
        places = [concatenation(split_header(pdu.short_message)[0]) for pdu in pdus]
        assert [(one.reference, one.total, one.number) for one in places if one] == [
            (7, parts, number) for number in range(1, parts + 1)
        ]
    assert all(len(pdu.short_message) <= (140 if data_coding else 160) for pdu in pdus)


@pytest.mark.parametrize(
    ("default", "text", "data_coding", "octets"),
    [
        (Alphabet.LATIN1, "Grüße", 0, "Grüße".encode("latin-1")),
        (Alphabet.ASCII, "STOP", 0, b"STOP"),
        (Alphabet.ASCII, "é", 8, "é".encode("utf-16-be")),
        (Alphabet.GSM7, "é", 0, b"\x05"),
    ],
)
def test_data_coding_0_is_the_smsc_s_own_alphabet(
    default: Alphabet, text: str, data_coding: int, octets: bytes
) -> None:
    (make,) = deliver_sms(text, sender=PHONE, to="28444", reference=7, default=default)
    assert (make(9).data_coding, make(9).short_message) == (data_coding, octets)


# -- rows


async def test_0113_replies_with_a_picture(world: World) -> None:
    world.arrives("12399470113")
    await world.scheduler.run()
    ((_, request),) = world.gateway.posted
    assert request.recipients[0].value == "28444"
    assert request.content.parts[1].body.startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("digits", "text", "data_coding"), [("0136", "STOP", 0), ("0137", "opt out", 8), ("0138", "HELP", 0)]
)
async def test_words_by_sms(world: World, digits: str, text: str, data_coding: int) -> None:
    client = world.bind()
    world.arrives(f"1239947{digits}")
    await world.scheduler.run()
    assert (client.texts, client.delivered[0].data_coding) == ([text], data_coding)


@pytest.mark.parametrize(("digits", "text"), [("0136", "STOP"), ("0137", "opt out"), ("0138", "HELP")])
async def test_words_by_mms_where_nobody_takes_an_sms(world: World, digits: str, text: str) -> None:
    world.arrives(f"1239947{digits}")
    await world.scheduler.run()
    ((_, request),) = world.gateway.posted
    assert [part.body.decode() for part in request.content.parts[1:]] == [text]


async def test_0139_brings_the_same_mms_twice(world: World) -> None:
    world.arrives("12399470139")
    await world.scheduler.run()
    (_, first), (_, second) = world.gateway.posted
    assert (first.linked_id, first.transaction_id) == (second.linked_id, second.transaction_id)


async def test_a_copy_of_a_message_is_not_answered_again(world: World) -> None:
    world.arrives("12399470113")
    world.arrives("12399470113")
    await world.scheduler.run()
    assert len(world.gateway.posted) == 1


@pytest.mark.parametrize("digits", [row.digits for row in TABLE.values() if row.reply])
async def test_an_sms_is_never_answered_lest_two_machines_talk_forever(world: World, digits: str) -> None:
    world.bind()
    world.arrives(f"1239947{digits}", Kind.SMS)
    assert world.scheduler.jobs == []
