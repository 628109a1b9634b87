"""kill -9 at every named step, under load: every Success is kept, no second copy outside *unknown*.

The carrier is a process of its own, so that it outlives the gateway and remembers what it received.
"""

import asyncio
import json
import signal
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from mmsgate.carriers.profile import Answers, Auth, CarrierProfile, Reach
from mmsgate.carriers.record import profile_json
from mmsgate.carriers.smsc import SmscAnswers, SmscProfile
from mmsgate.clock import SECOND
from mmsgate.http import Answered, HttpClient, Lost, NotSent
from mmsgate.mm7.dialect import Dialect
from mmsgate.provision import CARRIER, SMSC
from mmsgate.store import Store, migrate
from tests.acceptance.gateway import PATIENCE, Customer, Program, customer_of, values
from tests.kill.killable import PASSINGS, STEPS

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(240)]

MESSAGES = 30
FALLING_BACK = 10  # of them, those whose content the carrier refuses
SOUNDING = 6  # of them, those whose sound is prepared first
AT_ONCE = 4  # gateways; each mostly waits
FINAL = {"delivered", "undelivered", "failed", "unreported"}


class Carrier:
    """``mmsgate simulator`` as a process."""

    def __init__(self, process: asyncio.subprocess.Process, phones_url: str, mm7_url: str, smsc_port: int) -> None:
        self.process, self.phones_url, self.mm7_url, self.smsc_port = process, phones_url, mm7_url, smsc_port


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def runs(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[dict[str, "asyncio.Task[None]"]]:
    """A run for each step that is tested, a few at once; a test waits for its own."""
    client = HttpClient()
    await client.start()
    slots = asyncio.Semaphore(AT_ONCE)

    async def run(step: str) -> None:
        async with slots:
            await die_and_live_on(step, tmp_path_factory.mktemp(step), client)

    wanted = " ".join(item.name for item in request.session.items)
    tasks = {step: asyncio.create_task(run(step)) for step in STEPS if f"[{step}]" in wanted}
    yield tasks
    await asyncio.gather(*tasks.values(), return_exceptions=True)
    await client.stop()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def start_carrier(report_url: str) -> Carrier:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "mmsgate", "simulator", "--mmsc-port", "0", "--smsc-port", "0", "--speed", "20",
        "--report-url", report_url, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        env={"COLUMNS": "200", "PATH": ""},
    )  # fmt: skip
    assert process.stdout is not None
    while "phones" not in (line := (await process.stdout.readline()).decode()):
        assert line, "the simulator ended"
    words = line.split()
    return Carrier(process, words[5], words[1], int(words[3].rpartition(":")[2]))


async def point_to(carrier: Carrier, data_dir: Path) -> None:
    """Write the carrier's profiles into the gateway's store. Unknown outcomes settle within a second."""
    migrate(data_dir / "mmsgate.db")
    store = Store(data_dir / "mmsgate.db")
    await store.start()
    profile = CarrierProfile(
        name=CARRIER, endpoints=(carrier.mm7_url,), auth=Auth(username="mmsgate", password="mmsgate"),
        reach=Reach(sms=(SMSC,)), answers=Answers(unknown_wait=SECOND),
        mm7=Dialect(vaspid="mmsgate", vasid="28444mms"),
    )  # fmt: skip
    smsc = SmscProfile(
        name=SMSC, host="127.0.0.1", port=carrier.smsc_port, system_id="mmsgate", password="mmsgate",
        answers=SmscAnswers(unknown_wait=SECOND),
    )  # fmt: skip
    for each in (profile, smsc):
        await store.accounts.put_carrier(each.name, profile_json(each))
    await store.stop()


async def post_all(customer: Customer, gateway_lives: asyncio.Event) -> dict[str, str]:
    """Post every message with its own Idempotency-Key until it is answered Success: tracking id → number."""
    log: dict[str, str] = {}

    async def post(number: int) -> None:
        to = f"1206{number:03}{'0132' if number < FALLING_BACK else '5555'}"
        sound = f"<slide>{customer.demo('chime.mp3', 'audio')}</slide>" if number >= MESSAGES - SOUNDING else ""
        document = customer.document(to, slides=sound).encode()
        while True:
            await gateway_lives.wait()
            outcome = await customer.pool.post(
                f"{customer.program.url}/ep/v1/", buffers=(document,), timeouts=PATIENCE,
                headers={"Content-Type": "text/xml", "Idempotency-Key": f"key-{number}"},
            )  # fmt: skip
            match outcome:
                case Answered(status=200, body=body) if values(body)["status"] == "Success":
                    log[values(body)["tracking-id"]] = to
                    return
                case Answered(status=409) | NotSent() | Lost():
                    await asyncio.sleep(0.05)  # it died under us, or still holds the key
                case other:
                    raise AssertionError(other)

    await asyncio.gather(*(post(number) for number in range(MESSAGES)))
    return log


async def all_final(customer: Customer, tracking_ids: list[str]) -> dict[str, dict[str, Any]]:
    """Every message once it has ended."""
    shown: dict[str, dict[str, Any]] = {}
    async with asyncio.timeout(90):
        for tracking_id in tracking_ids:
            while shown.get(tracking_id, {}).get("state") not in FINAL:
                shown[tracking_id] = await customer.get_json(
                    f"/messages/{tracking_id}", X_Api_Key=customer.program.api_key
                )
                await asyncio.sleep(0.05)
    return shown


@pytest.mark.parametrize("step", STEPS)
async def test_kill_at(step: str, runs: dict[str, "asyncio.Task[None]"]) -> None:
    await runs[step]
    assert runs[step].done()


async def die_and_live_on(step: str, data_dir: Path, http_client: HttpClient) -> None:
    """Messages are posted to a gateway that dies at the step, and is started again."""
    port = free_port()
    carrier = await start_carrier(f"http://127.0.0.1:{port}/mm7/{CARRIER}")
    program = Program(data_dir=data_dir, arguments=("--demo", "--no-simulator"))
    try:
        await point_to(carrier, data_dir)
        await program.start(die_at=f"{step}:{PASSINGS.get(step, 5)}", port=port)
        customer = await customer_of(program, http_client)
        lives = asyncio.Event()
        lives.set()
        posting = asyncio.create_task(post_all(customer, lives))
        assert await program.wait_dead() == -signal.SIGKILL
        lives.clear()
        await program.start(port=port)
        lives.set()
        log = await posting
        shown = await all_final(customer, list(log))
        await check_nothing_lost_nothing_doubled(customer, carrier, log, shown)
    finally:
        await program.stop()
        carrier.process.terminate()
        await carrier.process.communicate()


async def check_nothing_lost_nothing_doubled(
    customer: Customer, carrier: Carrier, log: dict[str, str], shown: dict[str, dict[str, Any]]
) -> None:
    assert len(log) == MESSAGES
    for tracking_id, to in log.items():
        reasons = " | ".join(event["reason"] for event in shown[tracking_id]["timeline"])
        doubtful = "outcome unknown" in reasons
        found = await customer.pool.get(f"{carrier.phones_url}messages?to={to}", headers={}, timeouts=PATIENCE)
        assert isinstance(found, Answered)
        received = json.loads(found.body)
        copies = sum(each["copies"] for each in received)
        assert copies <= 1, f"{tracking_id} came {copies} times: {reasons}"
        if not doubtful:
            assert shown[tracking_id]["state"] == "delivered", reasons
            assert copies == 1
