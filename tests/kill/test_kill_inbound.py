"""kill -9 while an inbound MMS is taken: the carrier repeats it, and the customer hears of it once."""

import asyncio
import json
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from lxml import etree

from mmsgate.carriers.profile import CarrierProfile
from mmsgate.carriers.record import profile_json
from mmsgate.http import Answered, HttpClient, PostOutcome
from mmsgate.store import Store, migrate
from tests.acceptance.gateway import PATIENCE, Customer, Program, customer_of
from tests.kill.killable import INBOUND_STEPS
from tests.kill.test_kill import free_port
from tests.unit.mm7.deliveries import deliver_req

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(240)]

PHOTO = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00" + bytes(50_000)


@pytest_asyncio.fixture(loop_scope="session")
async def client() -> AsyncIterator[HttpClient]:
    http = HttpClient()
    await http.start()
    yield http
    await http.stop()


async def deliver(customer: Customer) -> PostOutcome:
    content_type, body = deliver_req(("image/jpeg", PHOTO))
    return await customer.pool.post(
        f"{customer.program.url}/mm7/phones", headers={"Content-Type": content_type}, buffers=(body,),
        timeouts=PATIENCE,
    )  # fmt: skip


@pytest.mark.parametrize("step", INBOUND_STEPS)
async def test_kill_at(step: str, tmp_path: Path, client: HttpClient) -> None:
    store = Store(tmp_path / "mmsgate.db")
    migrate(tmp_path / "mmsgate.db")
    await store.start()
    profile = CarrierProfile(name="phones", endpoints=("http://127.0.0.1:9/mm7",))
    await store.accounts.put_carrier("phones", profile_json(profile))
    await store.stop()
    program, port = Program(data_dir=tmp_path), free_port()  # its address stands in postbacks
    await program.start(die_at=step, port=port)
    assert not isinstance(await deliver(await customer_of(program, client)), Answered)
    assert await program.wait_dead() == -signal.SIGKILL
    await program.start(port=port)
    try:
        customer = await customer_of(program, client)
        again = await deliver(customer)
        assert isinstance(again, Answered)
        assert b"<StatusCode>1000<" in again.body
        (file,) = await told(customer)
        assert (await customer.get(file.removeprefix(program.url))).body == PHOTO
    finally:
        await program.stop()
    await store.start()
    assert len(await store.inbound.newest(5)) == 1
    await store.stop()


async def told(customer: Customer) -> list[str]:
    """The files of the only inbound postback."""
    async with asyncio.timeout(90):
        while not (entries := json.loads((await customer.get("/demo/postbacks.json?wait=5s")).body)):
            pass
    (entry,) = entries
    return [found.text or "" for found in etree.fromstring(entry["body"].encode()).iterfind("content/file")]
