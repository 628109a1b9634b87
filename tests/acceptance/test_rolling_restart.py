"""Two APIs behind a load balancer are restarted one after the other, and no request fails.

The balancer is a tiny one that asks /readyz, and nginx with the configuration of `deploy/`, where it is installed.
"""

import asyncio
import re
import socket
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import pytest
import pytest_asyncio

from mmsgate.carriers.profile import CarrierProfile, Reach
from mmsgate.carriers.record import profile_json
from mmsgate.http import Answered, HttpClient, Pool
from mmsgate.store import Store
from tests.acceptance.cluster import Process, command
from tests.acceptance.gateway import PATIENCE, values
from tests.acceptance.test_storm import an_account
from tests.integration.deploy.files import COMPOSE, program, with_temporary_files
from tests.postgres import drop_database, new_database
from tests.s3.server import S3Server

CALLERS = 4
#: Calls that each API must have answered before anything is restarted, and again after it was.
ENOUGH = 20
DRAIN = "1.5"  # seconds

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(240)]

#: The address for the next request.
Choose = Callable[[], Awaitable[str]]


@dataclass(slots=True, kw_only=True)
class Traffic:
    """Customers who send one message after the other, and what they were told."""

    pool: Pool
    key: str
    choose: Choose
    succeeded: int = 0
    failed: list[str] = field(default_factory=list)
    _numbers: "count[int]" = field(default_factory=count)

    async def go_on(self) -> None:
        while True:
            number = next(self._numbers)
            document = (
                f"<request><action>sendMMS</action><api-key>{self.key}</api-key>"
                f"<to>{12_065_000_000 + number}</to><from>28444</from><service-id>32113</service-id>"
                "<operator-id>31002</operator-id><name>rolling</name><fallback-sms-text>x</fallback-sms-text>"
                f"<slide><message-text>Message {number}</message-text></slide></request>"
            )
            posted = await self.pool.post(
                f"{await self.choose()}/ep/v1/", headers={"Content-Type": "text/xml"},
                buffers=(document.encode(),), timeouts=PATIENCE,
            )  # fmt: skip
            if isinstance(posted, Answered) and posted.status == 200 and _is_success(posted.body):
                self.succeeded += 1
            else:
                self.failed.append(repr(posted))

    async def flows(self) -> None:
        """Until so many more were answered."""
        wanted = self.succeeded + ENOUGH
        async with asyncio.timeout(60):
            while self.succeeded < wanted:
                await asyncio.sleep(0.01)  # other processes: there is no event to wait on


def _is_success(body: bytes) -> bool:
    return values(body).get("status") == "Success"


@dataclass(slots=True, kw_only=True)
class Balancer:
    """Asks each API whether it is ready, twenty times a second, and lets those take turns that are."""

    pool: Pool
    apis: list[Process]
    ready: list[Process] = field(default_factory=list)
    chosen: Counter[str] = field(default_factory=Counter)
    _turns: "count[int]" = field(default_factory=count)

    async def watch(self) -> None:
        while True:
            for api in self.apis:
                is_ready = await self._is_ready(api)
                if is_ready and api not in self.ready:
                    self.ready.append(api)
                elif not is_ready and api in self.ready:
                    self.ready.remove(api)
            await asyncio.sleep(0.05)

    async def _is_ready(self, api: Process) -> bool:
        if not api.ops_url:
            return False
        asked = await self.pool.get(f"{api.ops_url}/readyz", headers={}, timeouts=PATIENCE)
        return isinstance(asked, Answered) and asked.status == 200

    async def until(self, *ready: Process) -> None:
        """Until those are ready and no others."""
        async with asyncio.timeout(60):
            while {id(api) for api in self.ready} != {id(api) for api in ready}:
                await asyncio.sleep(0.01)  # other processes: there is no event to wait on

    async def choose(self) -> str:
        api = self.ready[next(self._turns) % len(self.ready)]
        self.chosen[api.url] += 1
        return api.url


@dataclass(slots=True, kw_only=True)
class Pair:
    """Two APIs, and somebody who knows which of them is ready."""

    apis: list[Process]
    balancer: Balancer
    key: str
    http: HttpClient

    async def restart_each(self, traffic: Traffic) -> None:
        """As an operator would: SIGTERM, wait for the end, start, wait until it is ready; then the other."""
        for api, other in (self.apis, self.apis[::-1]):
            await traffic.flows()
            assert api.process is not None
            api.process.terminate()
            await self.balancer.until(other)
            assert await api.stop() == 0
            await traffic.flows()
            await api.start()
            await self.balancer.until(api, other)
        await traffic.flows()

    async def under_traffic(self, choose: Choose) -> Traffic:
        """The traffic that has gone through a restart of each."""
        traffic = Traffic(pool=self.http.pool(limit=CALLERS), key=self.key, choose=choose)
        callers = [asyncio.create_task(traffic.go_on()) for _ in range(CALLERS)]
        restarts = asyncio.create_task(self.restart_each(traffic))
        done, _ = await asyncio.wait({restarts, *callers}, return_when=asyncio.FIRST_COMPLETED)
        for task in (restarts, *callers):
            task.cancel()
        await asyncio.wait({restarts, *callers})
        for task in done:
            task.result()  # of callers only what went wrong
        return traffic


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def pair(
    tmp_path_factory: pytest.TempPathFactory, http: HttpClient, postgres: str, s3_server: S3Server
) -> AsyncIterator[Pair]:
    """Nobody delivers: what was accepted stays in the queue."""
    folder = tmp_path_factory.mktemp("rolling")
    async with AsyncExitStack() as stack:
        address = await new_database(postgres)
        stack.push_async_callback(drop_database, postgres, address)
        environment = {
            "MMSGATE_DATABASE_URL": address, "MMSGATE_BLOBS_URL": f"s3://{s3_server.bucket()}/blobs",
            "MMSGATE_S3_ENDPOINT": s3_server.url, "MMSGATE_S3_REGION": "us-east-1", "MMSGATE_S3_ACCESS_KEY": "id",
            "MMSGATE_S3_SECRET_KEY": "secret", "MMSGATE_PUBLIC_URL": "http://127.0.0.1:1",
            "MMSGATE_IMAGE_WORKERS": "1", "MMSGATE_DRAIN_SECONDS": DRAIN, "MMSGATE_LOG_LEVEL": "warning",
        }  # fmt: skip
        await command({**environment, "MMSGATE_DATA_DIR": str(folder)}, "migrate")
        store = Store(address, name="test")
        await store.start()
        stack.push_async_callback(store.stop)
        key = await an_account(store, "http://127.0.0.1:1/")
        carrier = CarrierProfile(
            name="sim", endpoints=("http://127.0.0.1:1/",), reach=Reach(operators=frozenset({"*"}))
        )
        await store.accounts.put_carrier("sim", profile_json(carrier))
        apis = [
            Process(
                role="api", data_dir=folder / f"api-{number}", environment=environment, arguments=("--port", "0")
            )
            for number in range(2)
        ]
        stack.push_async_callback(lambda: asyncio.gather(*(api.stop() for api in apis)))
        await asyncio.gather(*(api.start() for api in apis))
        for api in apis:  # it comes back where it was
            api.arguments = ("--port", api.url.rpartition(":")[2])
        balancer = Balancer(pool=http.pool(limit=2), apis=apis)
        watching = asyncio.create_task(balancer.watch())
        stack.push_async_callback(asyncio.wait, {watching})
        stack.callback(watching.cancel)
        await balancer.until(*apis)
        yield Pair(apis=apis, balancer=balancer, key=key, http=http)


async def test_no_request_fails_while_each_api_is_restarted_behind_a_balancer_that_asks_who_is_ready(
    pair: Pair,
) -> None:
    traffic = await pair.under_traffic(pair.balancer.choose)
    assert traffic.failed == []
    assert min(pair.balancer.chosen[api.url] for api in pair.apis) >= ENOUGH


async def test_no_request_fails_while_each_api_is_restarted_behind_nginx(pair: Pair, tmp_path: Path) -> None:
    """It does not ask who is ready: that it lets go of idle connections in time, and tries the other, is enough."""
    nginx = program("nginx", of="nginx")
    port = _free_port()
    path = tmp_path / "nginx.conf"
    path.write_text(_configuration(pair.apis, port, tmp_path), encoding="utf-8")
    server = await asyncio.create_subprocess_exec(
        nginx, "-p", tmp_path, "-c", path, "-e", "stderr", "-g", "daemon off;"
    )
    try:
        await _listens(port)
        traffic = await pair.under_traffic(lambda: _always(f"http://127.0.0.1:{port}"))
    finally:
        server.terminate()
        await server.wait()
    assert traffic.failed == []


def _configuration(apis: list[Process], port: int, folder: Path) -> str:
    """nginx.conf of `deploy/` with these APIs; its idle connections end before this shorter drain does."""
    text = (COMPOSE / "nginx.conf").read_text(encoding="utf-8")
    for number, api in enumerate(apis, start=1):
        text = text.replace(f"api-{number}:8080", api.url.removeprefix("http://"))
    text = text.replace("pages:8080", "127.0.0.1:1").replace("listen 80;", f"listen 127.0.0.1:{port};")
    text = re.sub(r"keepalive_timeout \d+s", "keepalive_timeout 1s", text)
    return with_temporary_files(text, folder)


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


async def _listens(port: int) -> None:
    """Until somebody does."""
    async with asyncio.timeout(20):
        while True:
            with suppress(ConnectionRefusedError):
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
                return
            await asyncio.sleep(0.02)  # another process: there is no event to wait on


async def _always(url: str) -> str:
    return url
