"""SMS over SMPP, against an SMSC in a process of its own.

The first table is the connection alone, beside a bare loop that writes the same octets and counts the
answers. The second is the way from the queue in the store to the receipt, with every commit. The third is the
pace: how exactly a profile's rate is kept, and how an SMSC is used that refuses more than so many a second.
"""

import asyncio
import contextlib
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from rich.table import Table

from bench.process import process, yardstick
from bench.report import progress, table
from bench.smsc import BIND_TRANSCEIVER, HEADER, pdu
from mmsgate.bucket import Buckets
from mmsgate.carriers.smsc import SmscPace, SmscProfile
from mmsgate.clock import DAY, Ids, SystemClock
from mmsgate.delivery.alarms import Alarms
from mmsgate.delivery.smsc import Carries, smsc_lane
from mmsgate.domain.account import Account
from mmsgate.domain.message import Content, Event, Fallback, Message
from mmsgate.domain.number import SenderType
from mmsgate.domain.postback import SentAs
from mmsgate.domain.request import WireDialect
from mmsgate.domain.state import State
from mmsgate.postbacks.ledger import Ledger
from mmsgate.reports.reports import Reports, from_receipt
from mmsgate.sms.client import SmscConnection
from mmsgate.sms.message import InboundSms, OutboundSms
from mmsgate.sms.outcome import SmsAccepted, SmsOutcome, SmsThrottled
from mmsgate.sms.receipt import Receipt
from mmsgate.sms.segments import Segmented, segment
from mmsgate.sms.submit import submit_sm
from mmsgate.store import Acceptance, Directory, Store, migrate

LINK = "https://mms.example/m/" + "t" * 22
FIRST_NUMBER = 12_060_000_000
#: Window, milliseconds until the answer, whether receipts come.
ROWS = ((1, 0, False), (16, 0, False), (64, 0, False), (64, 0, True), (64, 50, False))
PACED_SECONDS = 30.0


@contextlib.asynccontextmanager
async def smsc(delay: int = 0, *, receipts: bool = False, limit: int = 0) -> AsyncIterator[int]:
    """An SMSC; its port."""
    async with process("-m", "bench.smsc", str(delay), str(int(receipts)), str(limit)) as running:
        yield int(await running.output.readline())


def profile(port: int, **pace: float) -> SmscProfile:
    chosen = SmscPace(**pace)  # type: ignore[arg-type]  # its own settings
    return SmscProfile(name="bench", host="127.0.0.1", port=port, system_id="bench", pace=chosen)


def part(number: int) -> OutboundSms:
    sms = segment("You have a picture message:", LINK, reference=number)
    assert isinstance(sms, Segmented)
    return OutboundSms(segment=sms.segments[0], source="28444", destination=str(FIRST_NUMBER + number))


# -- the connection alone


class Counting:
    """A connection, and the receipts that came over it."""

    def __init__(self, port: int, **pace: float) -> None:
        self.receipts, self.came = 0, asyncio.Event()
        self.connection = SmscConnection(
            profile(port, **pace).settings(), on_receipt=self.on_receipt, on_inbound=nobody_writes
        )

    async def on_receipt(self, _receipt: Receipt, _source: str, _destination: str) -> None:
        self.receipts += 1
        self.came.set()

    async def __aenter__(self) -> "Counting":
        await self.connection.start()
        assert await self.connection.wait_bound(10)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.connection.stop()

    async def until(self, receipts: int) -> None:
        while self.receipts < receipts:
            self.came.clear()
            await self.came.wait()


async def nobody_writes(sms: InboundSms) -> None:
    raise AssertionError(f"nobody has sent one: {sms}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """Submits per second, and CPU of this process in microseconds for each."""

    rate: float
    cpu: float


async def connection_row(window: int, delay: int, count: int, *, receipts: bool) -> Row:
    async with smsc(delay, receipts=receipts) as port, Counting(port, window=window) as counting:
        left = iter(range(count))

        async def submit() -> None:
            for number in left:
                outcome = await counting.connection.submit(part(number))
                assert isinstance(outcome, SmsAccepted), outcome

        cpu, begun = time.process_time(), time.perf_counter()
        await asyncio.gather(*(submit() for _ in range(window)))
        if receipts:
            await counting.until(count)
        seconds, cpu = time.perf_counter() - begun, time.process_time() - cpu
    return Row(rate=count / seconds, cpu=cpu / count * 1e6)


async def floor_row(window: int, delay: int, count: int) -> Row:
    """Octets made beforehand, and answers that are only counted."""
    async with smsc(delay) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(pdu(BIND_TRANSCEIVER, 1, b"bench\0\0\0\x34\0\0\0"))
        await _skip(reader)
        ready = submit_sm(part(0), 1)
        cpu, begun = time.process_time(), time.perf_counter()
        for _ in range(window):
            writer.write(ready)
        for answered in range(count):
            await _skip(reader)
            if answered + window < count:
                writer.write(ready)
        seconds, cpu = time.perf_counter() - begun, time.process_time() - cpu
        writer.close()
    return Row(rate=count / seconds, cpu=cpu / count * 1e6)


async def _skip(reader: asyncio.StreamReader) -> None:
    length = HEADER.unpack(await reader.readexactly(HEADER.size))[0]
    await reader.readexactly(length - HEADER.size)


async def measure_connection(count: int) -> Table:
    shown = table(
        f"SMPP, the connection alone, {count:,} submit_sm a row",
        "window", "answers after", "receipts", "submits/s", "CPU µs", "floor/s", "floor µs", "of window ÷ delay",
        "yardstick",
    )  # fmt: skip
    for window, delay, receipts in ROWS:
        stick = yardstick()
        row = await connection_row(window, delay, count, receipts=receipts)
        bare = await floor_row(window, delay, count)
        share = f"{row.rate * delay / 1000 / window:.0%}" if delay else "-"
        shown.add_row(
            str(window), f"{delay} ms", "yes" if receipts else "no", f"{row.rate:,.0f}", f"{row.cpu:.0f}",
            f"{bare.rate:,.0f}", f"{bare.cpu:.0f}", share, f"{stick:.0f}",
        )  # fmt: skip
        progress(f"SMPP window {window}, {delay} ms: {row.rate:,.0f} submits/s")
    return shown


# -- from the queue to the receipt


async def measure_queue(count: int) -> Table:
    """A store full of SMS that wait for their turn, worked by the lane as in the gateway."""
    shown = table(
        f"SMS from the queue to the receipt, {count:,} a row", "window", "delivered/s", "CPU ms/SMS", "yardstick"
    )
    for window in (16, 64):
        stick = yardstick()
        rate, cpu = await _work_queue(window, count)
        shown.add_row(str(window), f"{rate:,.0f}", f"{cpu * 1000:.2f}", f"{stick:.0f}")
        progress(f"SMS from the queue, window {window}: {rate:,.0f} delivered/s")
    return shown


async def _work_queue(window: int, count: int) -> tuple[float, float]:
    """SMS delivered per second, CPU seconds for each."""
    with tempfile.TemporaryDirectory(prefix="mmsgate-bench-") as folder:
        migrate(Path(folder) / "gateway.db")
        store = Store(Path(folder) / "gateway.db")
        await store.start()
        async with smsc(receipts=True) as port:
            try:
                return await _deliver(store, profile(port, window=window), count)
            finally:
                await store.stop()


async def _deliver(store: Store, smsc_profile: SmscProfile, count: int) -> tuple[float, float]:
    clock, delivered, done = SystemClock(), 0, asyncio.Event()
    directory = Directory(
        revision=1, accounts={1: Account(id=1, name="bench")}, by_key={}, patterns=(), profiles={}
    )
    ledger = Ledger(store, lambda: directory)
    store.render_with(ledger.render)
    reports = Reports(store, ledger, lambda _: None, clock, sms_route=lambda names: names[0])
    ledger.on_early_report = reports.receive_orphan

    async def on_receipt(receipt: Receipt, source: str, destination: str) -> None:
        nonlocal delivered
        await reports.receive(from_receipt(smsc_profile.name, receipt, source, destination))
        delivered += 1
        if delivered == count:
            done.set()

    rooms = Carries(
        store=store, ledger=ledger, page_url=lambda _: LINK, block_reason=nobody_blocked,
        alarms=Alarms(store, clock), clock=clock, accounts=Buckets(lambda _: 0.0),
        on_change=lambda _: None,
    )  # fmt: skip
    ids = Ids(clock)
    await asyncio.gather(*(store.messages.accept(waiting(ids, number)) for number in range(count)))
    lane, connection = smsc_lane(smsc_profile, rooms, on_receipt=on_receipt, on_inbound=nobody_writes)
    cpu, begun = time.process_time(), time.perf_counter()
    await connection.start()
    lane.start()
    await done.wait()
    seconds, cpu = time.perf_counter() - begun, time.process_time() - cpu
    await lane.stop()
    await connection.stop()
    states = await store.messages.counts()
    assert states == {State.DELIVERED.value: count}, states
    return count / seconds, cpu / count


async def nobody_blocked(_account_id: int, _sender: str, _recipient: str) -> None:
    """Everybody may be sent to."""


def waiting(ids: Ids, number: int) -> Acceptance:
    """A message that waits for its SMS."""
    now, content_id = ids.clock.now(), ids.number()
    message = Message(
        id=ids.number(), tracking_id=ids.tracking(), account_id=1, mms_id=content_id, content_id=content_id,
        dialect=WireDialect.KEBAB, sender="28444", sender_type=SenderType.SHORT_CODE, sender_mask="",
        recipient=str(FIRST_NUMBER + number), operator="", service_id="32113",
        fallback=Fallback(enabled=True, text="Look:", link=True, token=ids.token(), expires_at=now + DAY),
        accepted_at=now, expires_at=now + DAY, connection="bench", state=State.FALLBACK, sent_as=SentAs.SMS,
        due_at=now, updated_at=now,
    )  # fmt: skip
    return Acceptance(
        message=message, content=Content(id=content_id, account_id=1, name="bench", created_at=now),
        event=Event(at=now, happening=None, state=State.FALLBACK, reason="accepted"),
    )  # fmt: skip


# -- the pace


async def measure_pace() -> Table:
    shown = table(
        f"SMPP, the pace, {PACED_SECONDS:g} s a row",
        "profile's rate", "SMSC takes at most", "taken/s", "of the lower", "refused", "refused share",
    )  # fmt: skip
    for rate, limit in ((100, 0), (1000, 0), (100, 100), (0, 100), (0, 1000)):
        taken, refused = await _paced(rate, limit)
        least = min(filter(None, (rate, limit)))
        share = refused / (taken + refused)
        shown.add_row(
            str(rate or "none"), f"{limit}/s" if limit else "all", f"{taken / PACED_SECONDS:,.1f}",
            f"{taken / PACED_SECONDS / least:.1%}", f"{refused:,}", f"{share:.1%}",
        )  # fmt: skip
        progress(f"SMPP rate {rate or 'none'}, SMSC {limit or 'unlimited'}: {taken / PACED_SECONDS:,.1f} taken/s")
    return shown


async def _paced(rate: int, limit: int) -> tuple[int, int]:
    """A queue that never runs dry: how many parts were taken, how many refused."""
    outcomes: Counter[type[SmsOutcome]] = Counter()
    async with smsc(limit=limit) as port, Counting(port, rate=float(rate)) as counting:
        ends = time.monotonic() + PACED_SECONDS

        async def submit() -> None:
            while (left := ends - time.monotonic()) > 0:
                if await counting.connection.turn(1, within=left):
                    outcomes[type(await counting.connection.submit(part(0)))] += 1

        await asyncio.gather(*(submit() for _ in range(64)))
    return outcomes[SmsAccepted], outcomes[SmsThrottled]


async def measure_all(count: int) -> list[Table]:
    """The three tables."""
    return [await measure_connection(count), await measure_queue(count), await measure_pace()]
