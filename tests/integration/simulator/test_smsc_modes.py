"""What the gateway's own SMPP client submits, to each SMSC that the simulator plays."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from mmsgate.clock import Ids, SystemClock
from mmsgate.domain.gsm import Alphabet
from mmsgate.simulator.reports import Poster
from mmsgate.simulator.service import Simulator, SimulatorConfig
from mmsgate.simulator.smsc_mode import SMSC_MODES
from mmsgate.sms.outcome import SmsAccepted, SmsOutcome, SmsRefused, SmsThrottled
from mmsgate.sms.receipt import canonical_id
from mmsgate.sms.settings import SmscSettings
from mmsgate.sms.writing import USUAL, LongSms, Writing
from tests.integration.sms.conftest import Desk, connect, parts

WRITINGS = {
    "latin1": Writing(alphabet=Alphabet.LATIN1, data_coding=0),
    "ascii": Writing(alphabet=Alphabet.ASCII, data_coding=0),
    "payload": Writing(long=LongSms.PAYLOAD),
    "sar": Writing(long=LongSms.SAR),
}
SHORT, LONG, FOREIGN = "Grüße {@} 5 €", "Grüße {@} " * 40, "привет 👋 " * 30


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
async def simulator(mode: str, poster: Poster) -> AsyncIterator[Simulator]:
    """One that plays the test's mode, in real time."""
    clock = SystemClock()
    config = SimulatorConfig(mmsc_port=0, smsc_port=0, smsc_mode=mode)
    running = Simulator(config, poster=poster, clock=clock, ids=Ids(clock))
    await running.start()
    yield running
    await running.stop()


async def submitted(simulator: Simulator, desk: Desk, text: str, writing: Writing) -> list[SmsOutcome]:
    """What became of the parts, in order; once each that was taken has its receipt."""
    settings = SmscSettings(
        host="127.0.0.1", port=simulator.smsc_port, system_id="mmsgate", password="mmsgate",
        alphabet=writing.default,
    )  # fmt: skip
    connection = connect(settings, desk)
    await connection.start()
    try:
        assert await connection.wait_bound(10)
        found = await asyncio.gather(*(connection.submit(sms) for sms in parts(text, writing=writing)))
        taken = [outcome for outcome in found if isinstance(outcome, SmsAccepted)]
        receipts = [(await asyncio.wait_for(desk.receipts.get(), 10))[0] for _ in taken]
    finally:
        await connection.stop()
    assert all(receipt.is_delivered for receipt in receipts)
    known = [set(receipt.candidate_ids) for receipt in receipts]
    assert all(canonical_id(outcome.message_id) in ids for outcome, ids in zip(taken, known, strict=True))
    return found


@pytest.mark.parametrize("text", [SHORT, LONG, FOREIGN], ids=["short", "long", "foreign"])
@pytest.mark.parametrize("mode", [name for name in SMSC_MODES if name not in {"throttling", "small-queue"}])
async def test_with_the_fitting_profile_every_text_arrives_and_is_reported(
    simulator: Simulator, desk: Desk, mode: str, text: str
) -> None:
    outcomes = await submitted(simulator, desk, text, WRITINGS.get(mode, USUAL))
    assert all(isinstance(outcome, SmsAccepted) for outcome in outcomes)
    (message,) = simulator.box.after()
    assert message.text == f"{text.rstrip()} https://mms.example/p/abc"


@pytest.mark.parametrize(
    ("mode", "writing", "status"),
    [
        ("gsm7", WRITINGS["latin1"], 0x45),
        ("gsm7", Writing(alphabet=Alphabet.LATIN1), 0x104),
        ("ascii", WRITINGS["latin1"], 0x45),
        ("payload", USUAL, 0x43),
        ("udh", WRITINGS["sar"], 0xC1),
        ("sar", WRITINGS["payload"], 0xC1),
    ],
)
async def test_with_the_wrong_profile_nothing_arrives_and_the_status_says_why(
    simulator: Simulator, desk: Desk, writing: Writing, status: int
) -> None:
    outcomes = await submitted(simulator, desk, LONG, writing)
    assert {outcome.status for outcome in outcomes if isinstance(outcome, SmsRefused)} == {status}
    assert simulator.box.after() == []


@pytest.mark.parametrize("mode", ["latin1"])
async def test_gsm_7_comes_out_wrong_on_an_smsc_that_speaks_latin_1(simulator: Simulator, desk: Desk) -> None:
    await submitted(simulator, desk, "Grüße @", USUAL)
    (message,) = simulator.box.after()
    assert message.text.startswith("Gr~\x1ee \0")


@pytest.mark.parametrize(("mode", "taken"), [("throttling", 10), ("small-queue", 5)])
async def test_too_many_parts_at_once_are_throttled(simulator: Simulator, desk: Desk, taken: int) -> None:
    outcomes = await submitted(simulator, desk, LONG * 5, USUAL)
    kinds = [type(outcome) for outcome in outcomes]
    assert kinds[:taken] == [SmsAccepted] * taken
    assert SmsThrottled in kinds
