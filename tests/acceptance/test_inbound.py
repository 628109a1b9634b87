"""From a phone to the customer's program, and STOP: through the installed program."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from lxml import etree

from mmsgate.carriers.profile import CarrierProfile, Reach
from mmsgate.carriers.record import profile_json
from mmsgate.demo.files import BY_NAME
from mmsgate.provision import SMSC
from mmsgate.store import Store
from tests.acceptance.gateway import PATIENCE, Customer, Program, answered, values
from tests.unit.mm7.deliveries import SMIL, PartOf, deliver_req

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(240)]

CARRIER = "phones"


@pytest_asyncio.fixture(scope="module", loop_scope="session", autouse=True)
async def carrier(program: Program, customer: Customer) -> AsyncIterator[None]:
    """A carrier that only brings messages."""
    profile = CarrierProfile(
        name=CARRIER, endpoints=("http://127.0.0.1:9/mm7",),
        reach=Reach(operators=frozenset({"0001580"}), sms=(SMSC,)),
    )  # fmt: skip
    store = Store(program.data_dir / "mmsgate.db")
    await store.start()
    await store.accounts.put_carrier(CARRIER, profile_json(profile))
    await store.stop()
    async with asyncio.timeout(30):
        while (await customer.post("<a/>", f"/mm7/{CARRIER}")).status == 404:
            await asyncio.sleep(0.05)  # another process: there is no event to wait on
    yield


async def deliver(customer: Customer, *parts: PartOf, **options: Any) -> bytes:
    content_type, body = deliver_req(*parts, **options)
    url = f"{customer.program.url}/mm7/{CARRIER}"
    headers = {"Content-Type": content_type}
    posted = await customer.pool.post(url, headers=headers, buffers=(body,), timeouts=PATIENCE)
    return answered(posted).body


async def told(customer: Customer, sender: str) -> list[dict[str, Any]]:
    """The customer's inbound postbacks from that phone, once there is one."""
    async with asyncio.timeout(60):
        while True:
            entries = json.loads((await customer.get("/demo/postbacks.json")).body)
            if found := [each for each in entries if f">{sender}<" in each["body"] and "_MO<" in each["body"]]:
                return found
            await asyncio.sleep(0.05)


async def test_a_picture_from_a_phone_reaches_the_customer_with_its_file(customer: Customer) -> None:
    photo = BY_NAME["small.jpg"].path.read_bytes()
    for _ in range(2):  # the carrier did not hear the first answer
        rsp = await deliver(customer, SMIL, ("image/jpeg", photo), ("text/plain", b"Look!"), sender="17745551001")
        assert b"<StatusCode>1000<" in rsp
    (postback,) = await told(customer, "17745551001")
    assert (postback["code"], postback["signature"]) == ("N401", "ok")
    files = etree.fromstring(postback["body"].encode()).iterfind("content/file")
    picture, text = [found.text or "" for found in files]
    assert (await customer.get(picture.removeprefix(customer.program.url))).body == photo
    assert (await customer.get(text.removeprefix(customer.program.url))).body == b"Look!"


async def test_stop_is_confirmed_on_the_phone_and_ends_what_is_sent_there(customer: Customer) -> None:
    phone = "17745551002"
    await deliver(customer, ("text/plain", b"Stop."), sender=phone, linked_id="stop")
    async with asyncio.timeout(60):
        while not (received := json.loads((await customer.get(f"/sim/messages?to={phone}&wait=5s")).body)):
            pass
    (confirmation,) = received
    assert confirmation["kind"] == "SMS"
    assert "You will get no more messages from 28444" in json.dumps(confirmation)
    assert values((await customer.post(customer.document(phone))).body)["error-code"] == "E114"
    await deliver(customer, ("text/plain", b"START"), sender=phone, linked_id="start")
    assert values((await customer.post(customer.document(phone))).body)["status"] == "Success"
