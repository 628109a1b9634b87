"""Many hosts: workers that are killed, a database and a storage that go away, and nothing is lost or sent twice.

``MMSGATE_TEST_CLUSTER=5000`` sends so many, and lets the outages last 10 s; without it fewer and shorter.
"""

import asyncio
import os
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from io import BytesIO
from itertools import cycle
from pathlib import Path

import pytest
import pytest_asyncio
from PIL import Image
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from mmsgate.carriers.profile import Answers, Auth, CarrierProfile, Pace, Reach, Reporting
from mmsgate.carriers.record import profile_json
from mmsgate.clock import SECOND, Ids, SystemClock
from mmsgate.domain.message import Message
from mmsgate.domain.state import FINAL, State
from mmsgate.http import Answered, HttpClient
from mmsgate.listener import Listener
from mmsgate.mm7.dialect import Dialect
from mmsgate.simulator.service import Simulator, SimulatorConfig
from mmsgate.store import Store
from tests.acceptance.cluster import Process, command
from tests.acceptance.gateway import PATIENCE, values
from tests.acceptance.test_storm import Receiver, an_account
from tests.postgres import PostgresServer, own_server
from tests.s3.server import Relay, S3Server

MESSAGES = int(os.environ.get("MMSGATE_TEST_CLUSTER", "400"))
OUTAGE = 10.0 if MESSAGES >= 5000 else 2.0  # seconds
CALLERS = 16
WORKERS = 3

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(1200)]


@dataclass(slots=True, kw_only=True)
class Cluster:
    """The processes, what they stand on, and what the customer was told."""

    postgres: PostgresServer
    relay: Relay
    apis: list[Process]
    workers: list[Process]
    simulator: Simulator
    receiver: Receiver
    store: Store
    key: str
    http: HttpClient
    origin: str
    accepted: set[str] = field(default_factory=set)
    refused: Counter[str] = field(default_factory=Counter)
    sent: int = 0

    async def send_all(self) -> None:
        pool = self.http.pool(limit=CALLERS)
        numbers = iter(range(MESSAGES))
        turns = cycle(self.apis)

        async def call() -> None:
            for number in numbers:
                document = self._document(number)
                for _ in range(200):  # a customer's program tries again, under the same key
                    posted = await pool.post(
                        f"{next(turns).url}/ep/v1/", buffers=(document,), timeouts=PATIENCE,
                        headers={"Content-Type": "text/xml", "Idempotency-Key": f"cluster-{number}"},
                    )  # fmt: skip
                    answer = values(posted.body) if isinstance(posted, Answered) else {"code": "none"}
                    if answer.get("status") == "Success":
                        self.accepted.add(answer["tracking-id"])
                        break
                    self.refused[answer.get("code", "?")] += 1
                    await asyncio.sleep(0.2)
                self.sent += 1

        await asyncio.gather(*(call() for _ in range(CALLERS)))

    def _document(self, number: int) -> bytes:
        picture = f"<image><url>{self.origin}/picture/{number % 40}.jpg</url></image>" if number % 4 == 0 else ""
        return (
            f"<request><action>sendMMS</action><api-key>{self.key}</api-key>"
            f"<to>{12_065_000_000 + number * 1_000}</to><from>28444</from><service-id>32113</service-id>"
            "<operator-id>31002</operator-id><name>cluster</name>"
            "<fallback-sms-text>You have a message:</fallback-sms-text>"
            f"<slide>{picture}<message-text>Message {number}</message-text></slide></request>"
        ).encode()

    async def past(self, share: float) -> None:
        """Until so much of everything has been sent."""
        while self.sent < share * MESSAGES:
            await asyncio.sleep(0.05)

    async def kill_workers(self) -> None:
        """One every two seconds; another takes its place."""
        for worker in cycle(self.workers):
            await asyncio.sleep(2)
            await worker.kill()
            while not await worker.started():  # it needs the storage that may be away just now
                await asyncio.sleep(0.5)

    async def outages(self) -> None:
        await self.past(0.3)
        await asyncio.to_thread(self.postgres.stop)
        await asyncio.sleep(OUTAGE)
        await asyncio.to_thread(self.postgres.start)
        await self.past(0.6)
        await self.relay.cut()
        await asyncio.sleep(OUTAGE)
        await self.relay.open()

    async def settled(self) -> None:
        """Until every message is in a final state, and every postback has been told."""
        async with asyncio.timeout(600):
            while await self._under_way() or await self._untold():
                await asyncio.sleep(0.5)  # other processes: there is no event to wait on

    async def _under_way(self) -> bool:
        counts = await self.store.messages.counts()
        return sum(counts.get(state, 0) for state in FINAL) < sum(counts.values())

    async def _untold(self) -> bool:
        for each in await self.messages():
            if len(self.receiver.told.get(each.tracking_id, ())) < each.postbacks:
                return True
        return False

    async def messages(self) -> list[Message]:
        found = await asyncio.gather(*map(self.store.messages.by_tracking, sorted(self.accepted)))
        return [message for message in found if message is not None]


async def _picture(request: Request) -> Response:
    number = int(request.path_params["number"])
    written = BytesIO()
    Image.new("RGB", (320, 240 + number), (number * 6, 80, 120)).save(written, "JPEG")
    return Response(written.getvalue(), media_type="image/jpeg")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def cluster(
    tmp_path_factory: pytest.TempPathFactory, http: HttpClient, s3_server: S3Server
) -> AsyncIterator[Cluster]:
    """After it: everything has been sent through all that went wrong, and has come to its end."""
    folder: Path = tmp_path_factory.mktemp("cluster")
    receiver = Receiver()
    async with AsyncExitStack() as stack:
        listener = Listener("127.0.0.1", 0)
        listener.bind()
        routes = [Route("/", receiver.take, methods=["POST"]), Route("/picture/{number}.jpg", _picture)]
        await listener.start(Starlette(routes=routes))
        stack.push_async_callback(listener.stop)
        postgres = stack.enter_context(own_server())
        relay = Relay(s3_server.port)
        await relay.open()
        stack.push_async_callback(relay.cut)
        environment = {
            "MMSGATE_DATABASE_URL": postgres.address, "MMSGATE_BLOBS_URL": f"s3://{s3_server.bucket()}/blobs",
            "MMSGATE_S3_ENDPOINT": relay.url, "MMSGATE_S3_REGION": "us-east-1", "MMSGATE_S3_ACCESS_KEY": "id",
            "MMSGATE_S3_SECRET_KEY": "secret", "MMSGATE_PUBLIC_URL": "http://127.0.0.1:1",
            "MMSGATE_FETCH_ALLOW": f"127.0.0.1:{listener.port}", "MMSGATE_IMAGE_WORKERS": "1",
            "MMSGATE_LOG_LEVEL": "warning",
        }  # fmt: skip
        await command({**environment, "MMSGATE_DATA_DIR": str(folder)}, "migrate")
        store = Store(postgres.address, name="test")
        await store.start()
        stack.push_async_callback(store.stop)
        key = await an_account(store, f"http://127.0.0.1:{listener.port}/")

        def process(role: str, number: int, *arguments: str) -> Process:
            data_dir = folder / f"{role}-{number}"
            return Process(role=role, data_dir=data_dir, environment=environment, arguments=arguments)

        apis = [process("api", number, "--port", "0") for number in range(2)]
        workers = [process("worker", number) for number in range(WORKERS)]
        media = process("media", 0)
        for each in (*apis, *workers, media):
            stack.push_async_callback(each.stop)
        await asyncio.gather(*(each.start() for each in apis))
        simulator = await _simulator(apis[0].url, http)
        stack.push_async_callback(simulator.stop)
        await store.accounts.put_carrier("sim", profile_json(_profile(simulator.mmsc_url)))
        await asyncio.gather(*(each.start() for each in (*workers, media)))
        made = Cluster(
            postgres=postgres, relay=relay, apis=apis, workers=workers, simulator=simulator, receiver=receiver,
            store=store, key=key, http=http, origin=f"http://127.0.0.1:{listener.port}",
        )  # fmt: skip
        killer = asyncio.create_task(made.kill_workers())
        await asyncio.gather(made.send_all(), made.outages())
        killer.cancel()
        await asyncio.wait({killer})
        for worker in workers:
            if worker.process is None:
                await worker.start()
        await made.settled()
        yield made


def _profile(endpoint: str) -> CarrierProfile:
    return CarrierProfile(
        name="sim", endpoints=(endpoint,), auth=Auth(username="mmsgate", password="mmsgate"),
        mm7=Dialect(vaspid="v", vasid="28444mms"), reach=Reach(operators=frozenset({"*"})),
        pace=Pace(timeout=10 * SECOND, connections=16), reports=Reporting(wait=15 * SECOND),
        answers=Answers(unknown_wait=5 * SECOND),
    )  # fmt: skip


async def _simulator(api: str, http: HttpClient) -> Simulator:
    clock = SystemClock()
    config = SimulatorConfig(
        mmsc_port=0, smsc_port=0, report_url=f"{api}/mm7/sim", max_messages=2 * MESSAGES, speed=10.0
    )
    made = Simulator(config, poster=http.pool(limit=32), clock=clock, ids=Ids(clock))
    await made.start()
    return made


async def test_no_accepted_message_is_lost(cluster: Cluster) -> None:
    messages = await cluster.messages()
    assert len(cluster.accepted) == MESSAGES, cluster.refused
    assert len(messages) == MESSAGES
    assert {message.state for message in messages} <= set(FINAL)
    delivered = sum(message.state is State.DELIVERED for message in messages)
    assert delivered > 0.8 * MESSAGES, Counter(message.state for message in messages)


async def test_each_message_ends_in_exactly_one_final_state(cluster: Cluster) -> None:
    for message in await cluster.messages():
        events = await cluster.store.messages.timeline(message.id)
        ends = [event.state for event in events if event.changed and event.state in FINAL]
        assert len(ends) == 1, events


async def test_no_phone_has_two_copies(cluster: Cluster) -> None:
    """R-19: what a killed worker was submitting is unknown, and this carrier's unknown ones are not sent again."""
    copies = {each.transaction_id: each.copies for each in cluster.simulator.box.after()}
    assert {transaction: count for transaction, count in copies.items() if count > 1} == {}


async def test_postbacks_come_in_order(cluster: Cluster) -> None:
    for message in await cluster.messages():
        told = cluster.receiver.told.get(message.tracking_id, [])
        firsts = list(dict.fromkeys(sequence for sequence, _ in told))  # a killed worker's last one may come twice
        assert firsts == list(range(1, message.postbacks + 1)), (message, told)
