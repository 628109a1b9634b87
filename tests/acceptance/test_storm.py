"""A storm: many messages to a carrier that does everything wrong, every switch of chaos at 5 %.

``make storm`` sends 10,000; without it fewer, so that the tests stay quick.
"""

import asyncio
import os
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import pytest_asyncio
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from mmsgate.carriers.profile import Answers, Auth, CarrierProfile, OnUnknown, Pace, Reach, Reporting
from mmsgate.carriers.record import profile_json
from mmsgate.clock import SECOND, Ids, SystemClock
from mmsgate.domain.account import Account, PostbackSettings, Sender, hash_key
from mmsgate.domain.message import Message
from mmsgate.domain.number import SenderType
from mmsgate.domain.state import FINAL, Happening, State
from mmsgate.http import Answered, HttpClient
from mmsgate.listener import Listener
from mmsgate.mm7.dialect import Dialect
from mmsgate.provision import new_api_key
from mmsgate.simulator.chaos import ChaosSettings, Switch
from mmsgate.simulator.service import Simulator, SimulatorConfig
from mmsgate.store import Store, migrate
from tests.acceptance.gateway import PATIENCE, Program, values

MESSAGES = int(os.environ.get("MMSGATE_TEST_STORM", "300"))
CALLERS = 32
SHARE = 0.05
#: Half of the messages each: one carrier's doubts end in failure, the other's in another try (R-19).
CARRIERS = {"careful": ("31002", OnUnknown.FAIL), "stubborn": ("31003", OnUnknown.RESEND)}

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(1200)]


@dataclass(slots=True, kw_only=True)
class Receiver:
    """The customer's program: every postback as it came, by tracking id."""

    told: dict[str, list[tuple[int, str]]] = field(default_factory=dict)

    async def take(self, request: Request) -> Response:
        told = values(await request.body())
        line = (int(request.headers["x-sequence"]), told["code"])
        self.told.setdefault(told["tracking-id"], []).append(line)
        return Response()


@dataclass(slots=True, kw_only=True)
class Storm:
    """A gateway of its own, two carriers in bad weather, and what the customer was told."""

    program: Program
    simulators: dict[str, Simulator]
    receiver: Receiver
    store: Store
    key: str
    http: HttpClient
    accepted: dict[str, str] = field(default_factory=dict)  # tracking id → carrier

    async def send_all(self, count: int) -> None:
        pool = self.http.pool(limit=CALLERS)
        numbers = iter(range(count))

        async def call() -> None:
            for number in numbers:
                carrier = list(CARRIERS)[number % len(CARRIERS)]
                posted = await pool.post(
                    f"{self.program.url}/ep/v1/", headers={"Content-Type": "text/xml"},
                    buffers=(self._document(number, CARRIERS[carrier][0]),), timeouts=PATIENCE,
                )  # fmt: skip
                assert isinstance(posted, Answered)
                answer = values(posted.body)
                assert answer["status"] == "Success", answer
                self.accepted[answer["tracking-id"]] = carrier

        await asyncio.gather(*(call() for _ in range(CALLERS)))

    def _document(self, number: int, operator: str) -> bytes:
        return (
            f"<request><action>sendMMS</action><api-key>{self.key}</api-key>"
            f"<to>{12_065_000_000 + number * 10_000}</to><from>28444</from><service-id>32113</service-id>"
            f"<operator-id>{operator}</operator-id><name>storm</name>"
            "<fallback-sms-text>You have a message:</fallback-sms-text>"
            f"<slide><message-text>Message {number}</message-text></slide></request>"
        ).encode()

    async def settled(self) -> None:
        """Until every message is in a final state, and every postback has been told."""
        async with asyncio.timeout(900):
            while await self._under_way() or await self._untold():
                await asyncio.sleep(0.25)  # other processes: there is no event to wait on

    async def _under_way(self) -> bool:
        counts = await self.store.messages.counts()
        return sum(counts.get(state, 0) for state in FINAL) < len(self.accepted)

    async def _untold(self) -> bool:
        async for each in self.messages():
            if len(self.receiver.told.get(each.tracking_id, ())) < each.postbacks:
                return True
        return False

    async def messages(self) -> AsyncIterator[Message]:
        for tracking_id in self.accepted:
            message = await self.store.messages.by_tracking(tracking_id)
            assert message is not None
            yield message

    def copies(self, carrier: str) -> dict[str, int]:
        """How many copies of each message came to that carrier's phones, by TransactionID."""
        return {each.transaction_id: each.copies for each in self.simulators[carrier].box.after()}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def storm(tmp_path_factory: pytest.TempPathFactory, http: HttpClient) -> AsyncIterator[Storm]:
    """After it: everything has been sent, and has come to its end."""
    data_dir: Path = tmp_path_factory.mktemp("storm")
    receiver = Receiver()
    async with AsyncExitStack() as stack:
        listener = Listener("127.0.0.1", 0)
        listener.bind()
        await listener.start(Starlette(routes=[Route("/", receiver.take, methods=["POST"])]))
        stack.push_async_callback(listener.stop)
        program = Program(data_dir=data_dir, arguments=(), environment={"MMSGATE_LOG_LEVEL": "error"})
        migrate(data_dir / "mmsgate.db")
        store = Store(data_dir / "mmsgate.db")
        await store.start()
        stack.push_async_callback(store.stop)
        key = await an_account(store, f"http://127.0.0.1:{listener.port}/")
        await program.start()
        stack.push_async_callback(program.stop)
        simulators = {}
        for name, (operator, on_unknown) in CARRIERS.items():
            simulators[name] = await simulator(name, program.url, http)
            stack.push_async_callback(simulators[name].stop)
            profile = CarrierProfile(
                name=name, endpoints=(simulators[name].mmsc_url,),
                auth=Auth(username="mmsgate", password="mmsgate"),
                mm7=Dialect(vaspid="v", vasid="28444mms"), reach=Reach(operators=frozenset({operator})),
                pace=Pace(timeout=10 * SECOND), reports=Reporting(wait=20 * SECOND),
                answers=Answers(on_unknown=on_unknown, unknown_wait=5 * SECOND),
            )  # fmt: skip
            await store.accounts.put_carrier(name, profile_json(profile))
        made = Storm(program=program, simulators=simulators, receiver=receiver, store=store, key=key, http=http)
        await known(made)
        await made.send_all(MESSAGES)
        await made.settled()
        yield made


async def an_account(store: Store, receiver: str) -> str:
    now = SystemClock().now()
    account = Account(id=0, name="storm", postback=PostbackSettings(url=receiver))
    account_id = await store.accounts.create("storm", account, at=now)
    key = new_api_key()
    await store.accounts.add_key(account_id, hash_key(key), label="storm", hint="", at=now)
    sender = Sender(number="28444", type=SenderType.SHORT_CODE, services=("32113",))
    await store.accounts.put_sender(account_id, sender)
    return key


async def simulator(name: str, gateway: str, http: HttpClient) -> Simulator:
    clock = SystemClock()
    chaos = ChaosSettings(
        seed=7, probabilities=dict.fromkeys(Switch, SHARE), latency=(100, 1000), delay=(1000, 8000)
    )
    config = SimulatorConfig(
        mmsc_port=0, smsc_port=0, report_url=f"{gateway}/mm7/{name}", chaos=chaos, max_messages=2 * MESSAGES
    )
    made = Simulator(config, poster=http.pool(limit=32), clock=clock, ids=Ids(clock))
    await made.start()
    return made


async def known(storm: Storm) -> None:
    """Until the gateway has seen the carriers."""
    pool = storm.http.pool(limit=1)
    async with asyncio.timeout(30):
        while True:
            posted = await pool.post(
                f"{storm.program.url}/ep/v1/?dry-run=1", headers={"Content-Type": "text/xml"},
                buffers=(storm._document(0, "31003"),), timeouts=PATIENCE,
            )  # fmt: skip
            if isinstance(posted, Answered) and b'"stubborn"' in posted.body:
                return
            await asyncio.sleep(0.05)


async def test_each_message_ends_in_exactly_one_final_state(storm: Storm) -> None:
    ends = {}
    async for message in storm.messages():
        moves = [event for event in await storm.store.messages.timeline(message.id) if event.changed]
        ends[message.tracking_id] = [event.state for event in moves if event.state in FINAL]
    assert len(ends) == MESSAGES
    assert {tracking_id: states for tracking_id, states in ends.items() if len(states) != 1} == {}


async def test_what_the_phone_has_is_never_called_refused(storm: Storm) -> None:
    """The end of a message that a phone shows is delivered, or doubtful; most are delivered."""
    on_phones = {each for name in CARRIERS for each in storm.copies(name)}
    shown = Counter([each.state async for each in storm.messages() if each.transaction_id in on_phones])
    missing = [message async for message in storm.messages() if message.transaction_id not in on_phones]
    assert shown[State.DELIVERED] > 0.9 * MESSAGES * (1 - SHARE) ** 2, shown
    assert {message.state for message in missing} <= {State.FAILED}, missing


async def test_no_phone_has_more_copies_than_the_profile_allows(storm: Storm) -> None:
    """R-19: a message is sent again only when its outcome stayed unknown and the profile says so."""
    assert {copies for copies in storm.copies("careful").values() if copies > 1} == set()
    by_transaction = {message.transaction_id: message async for message in storm.messages()}
    for transaction_id, copies in storm.copies("stubborn").items():
        events = await storm.store.messages.timeline(by_transaction[transaction_id].id)
        resent = sum(event.happening is Happening.POSTPONED and "resend" in event.reason for event in events)
        assert copies <= 1 + resent, events


async def test_postbacks_come_in_order_and_once_and_end_with_the_final_one(storm: Storm) -> None:
    async for message in storm.messages():
        told = storm.receiver.told.get(message.tracking_id, [])
        assert [sequence for sequence, _ in told] == list(range(1, message.postbacks + 1)), message
        codes = [code for _, code in told]
        finals = [code for code in codes if code != "N101"]
        assert len(finals) <= 1, codes
        assert codes[-1:] == finals or not finals, codes
        assert (finals == ["N102"]) == (message.state is State.DELIVERED), (message.state, codes)


async def test_every_report_is_matched_or_kept(storm: Storm) -> None:
    invented = sum(simulator.chaos.done[Switch.REPORT_ORPHAN] for simulator in storm.simulators.values())
    assert 0 < await storm.store.reports.count_orphans() <= invented


async def test_every_switch_has_struck(storm: Storm) -> None:
    """Otherwise the storm was none."""
    for simulator in storm.simulators.values():
        assert {switch for switch in Switch if not simulator.chaos.done[switch]} == set()
