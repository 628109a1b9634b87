"""An SMSC and a connection to it, both gone after the test."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable

import pytest

from mmsgate.sms.client import SmscConnection
from mmsgate.sms.message import InboundSms, OutboundSms
from mmsgate.sms.outcome import SmsOutcome
from mmsgate.sms.outflow import Outflow
from mmsgate.sms.receipt import Receipt
from mmsgate.sms.segments import Segmented, segment
from mmsgate.sms.settings import SmscSettings
from mmsgate.sms.writing import USUAL, Writing
from tests.integration.sms.smsc import Link, Smsc


class Desk:
    """The callbacks: what was handed over, and a gate that storing waits at. `states` are those of the bind."""

    def __init__(self) -> None:
        self.receipts: asyncio.Queue[tuple[Receipt, str, str]] = asyncio.Queue()
        self.inbound: asyncio.Queue[InboundSms] = asyncio.Queue()
        self.storing: asyncio.Queue[str] = asyncio.Queue()
        self.states: asyncio.Queue[str] = asyncio.Queue()
        self.gate = asyncio.Event()
        self.gate.set()
        self.broken = False

    async def on_receipt(self, receipt: Receipt, source: str, destination: str) -> None:
        self.storing.put_nowait(receipt.message_id)
        await self.gate.wait()
        if self.broken:
            raise OSError("the disk is full")
        self.receipts.put_nowait((receipt, source, destination))

    async def on_inbound(self, sms: InboundSms) -> None:
        self.inbound.put_nowait(sms)

    async def on_state(self, problem: str) -> None:
        self.states.put_nowait(problem)


@pytest.fixture
async def smsc() -> AsyncIterator[Smsc]:
    smsc = Smsc()
    await smsc.start()
    yield smsc
    await smsc.stop()


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def settings(smsc: Smsc) -> SmscSettings:
    return SmscSettings(
        host="127.0.0.1",
        port=smsc.port,
        system_id="mmsgate",
        password="s3cret",
        request_timeout=20.0,
        stop_grace=10.0,
        reconnect_first=10,
        reconnect_longest=50,
    )


@pytest.fixture
async def connection(settings: SmscSettings, desk: Desk) -> AsyncIterator[SmscConnection]:
    connection = connect(settings, desk)
    yield connection
    await connection.stop()


def connect(settings: SmscSettings, desk: Desk, *, now: Callable[[], float] = time.monotonic) -> SmscConnection:
    """A connection that hands over to that desk."""
    return SmscConnection(
        settings,
        on_receipt=desk.on_receipt,
        on_inbound=desk.on_inbound,
        on_state=desk.on_state,
        outflow=Outflow(settings, now=now),
    )


async def bound(connection: SmscConnection, smsc: Smsc) -> Link:
    """Start it; the SMSC's end of the bind."""
    await connection.start()
    link = await smsc.link()
    assert await connection.wait_bound(10)
    return link


def submitting(connection: SmscConnection) -> asyncio.Task[SmsOutcome]:
    """A part that is being submitted."""
    (sms,) = parts()
    return asyncio.create_task(connection.submit(sms))


def parts(
    text: str = "Look:", link: str = "https://mms.example/p/abc", *, writing: Writing = USUAL
) -> list[OutboundSms]:
    """An SMS to …0100 in its parts."""
    sms = segment(text, link, reference=7, writing=writing)
    assert isinstance(sms, Segmented)
    return [
        OutboundSms(segment=part, source="12345", source_ton=3, source_npi=0, destination="15550000100")
        for part in sms.segments
    ]
