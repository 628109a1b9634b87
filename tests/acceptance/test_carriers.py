"""One saved video to three phones on three carriers: each shows a version that fits, the smallest gets a link."""

import asyncio
import json
import os
import re
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from mmsgate.carriers.profile import Auth, CarrierProfile, Limits, Reach
from mmsgate.carriers.record import profile_json
from mmsgate.clock import Ids, SystemClock
from mmsgate.http import Answered, HttpClient
from mmsgate.mm7.dialect import Dialect
from mmsgate.provision import SMSC
from mmsgate.simulator.service import Simulator, SimulatorConfig
from mmsgate.store import Store
from tests.acceptance.gateway import PATIENCE, Customer, Program, Sent, reasons, values
from tests.integration.media.footage import AAC, FRONT, H264, ffmpeg, pictures, tone

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(240)]

#: Carrier, its operator, and how much it takes: the whole film, a third of it, next to nothing.
LIMITS = {"wide": ("31004", 900_000), "narrow": ("31003", 250_000), "tiny": ("31005", 12_000)}
SECONDS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Carriers:
    """Three carriers with phones of their own, and a film that the widest takes as it is."""

    simulators: dict[str, Simulator]
    film: bytes
    url: str

    async def phone(self, carrier: str, to: str, customer: Customer) -> dict[str, Any]:
        """What came to that phone."""
        base = self.simulators[carrier].phones_url
        async with asyncio.timeout(60):
            while True:
                found = await customer.pool.get(f"{base}messages?to={to}&wait=5s", headers={}, timeouts=PATIENCE)
                assert isinstance(found, Answered)
                if received := json.loads(found.body):
                    (message,) = received
                    return dict(message)


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """640×360 with sound, some 700 KB."""
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    rates = ("-b:v", "850k", "-maxrate", "900k", "-bufsize", "900k", "-b:a", "64k")
    ffmpeg(*pictures("640x360", SECONDS), *tone(SECONDS), *H264, *AAC, *rates, *FRONT, path)
    return path.read_bytes()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def carriers(film: bytes, program: Program, customer: Customer, http: HttpClient) -> AsyncIterator[Carriers]:
    clock = SystemClock()
    async with AsyncExitStack() as stack:
        simulators = {}
        for name in LIMITS:
            config = SimulatorConfig(mmsc_port=0, smsc_port=0, report_url=f"{program.url}/mm7/{name}", speed=10)
            simulators[name] = Simulator(config, poster=http.pool(limit=4), clock=clock, ids=Ids(clock))
            await simulators[name].start()
            stack.push_async_callback(simulators[name].stop)
        store = Store(program.data_dir / "mmsgate.db")
        await store.start()
        for name, (operator, limit) in LIMITS.items():
            profile = CarrierProfile(
                name=name, endpoints=(simulators[name].mmsc_url,),
                auth=Auth(username="mmsgate", password="mmsgate"), limits=Limits(bytes=limit),
                reach=Reach(operators=frozenset({operator}), sms=(SMSC,)),
                mm7=Dialect(vaspid="v", vasid="28444mms"),
            )  # fmt: skip
            await store.accounts.put_carrier(name, profile_json(profile))
        await store.stop()
        uploaded = await customer.pool.post(
            f"{program.url}/media", headers={"X-Api-Key": program.api_key}, buffers=(film,), timeouts=PATIENCE
        )
        assert isinstance(uploaded, Answered)
        await known(customer)
        yield Carriers(simulators=simulators, film=film, url=json.loads(uploaded.body)["url"])


async def known(customer: Customer) -> None:
    """Until the gateway has seen the carriers: before, it would send by the demo's, which serves everybody."""
    body = customer.document("12065559312").encode()
    async with asyncio.timeout(60):
        while True:
            preview = await customer.pool.post(
                f"{customer.program.url}/ep/v1/?dry-run=1", headers={"Content-Type": "text/xml"}, buffers=(body,),
                timeouts=PATIENCE,
            )  # fmt: skip
            assert isinstance(preview, Answered)
            if LIMITS.keys() <= {each["connection"] for each in json.loads(preview.body)["renditions"]}:
                return
            await asyncio.sleep(0.05)


async def saved(customer: Customer, url: str) -> str:
    """A template with the film, once it can be sent."""
    key = customer.program.api_key
    answered = values(
        (await customer.post(
            f"<request><action>saveMMS</action><api-key>{key}</api-key><name>film</name>"
            "<message-subject>Film</message-subject><fallback-sms-text>Watch it:</fallback-sms-text>"
            f"<slide><video><url>{url}</url></video><message-text>Look</message-text></slide></request>"
        )).body
    )  # fmt: skip
    assert answered["status"] == "Success", answered
    mms_id = answered["mms-id"]
    async with asyncio.timeout(120):
        while True:
            told = await customer.get_json("/demo/postbacks.json")
            codes = [v["code"] for each in told if (v := values(each["body"].encode())).get("mms-id") == mms_id]
            if codes:
                assert codes == ["N003"]
                return mms_id
            await asyncio.sleep(0.05)


async def send_saved(customer: Customer, mms_id: str, to: str, operator: str) -> Sent:
    key = customer.program.api_key
    async with asyncio.timeout(10):
        while True:
            answered = values(
                (await customer.post(
                    f"<request><action>sendSavedMMS</action><api-key>{key}</api-key><mms-id>{mms_id}</mms-id>"
                    f"<to>{to}</to><from>28444</from><service-id>32113</service-id>"
                    f"<operator-id>{operator}</operator-id></request>"
                )).body
            )  # fmt: skip
            if answered["status"] == "Success":
                return Sent(customer=customer, to=to, tracking_id=answered["tracking-id"], mms_id=mms_id)
            assert answered["error-code"] == "E626", answered
            await asyncio.sleep(0.05)


async def shown_by_command(program: Program, tracking_id: str) -> str:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "mmsgate", "message", "show", tracking_id, "--data-dir", str(program.data_dir),
        stdout=asyncio.subprocess.PIPE, env={**os.environ, "COLUMNS": "400"},
    )  # fmt: skip
    said, _ = await process.communicate()
    return " ".join(said.decode().split())


async def test_a_saved_video_reaches_each_carrier_s_phone_in_a_version_that_fits(
    carriers: Carriers, program: Program, customer: Customer, tmp_path: Path
) -> None:
    mms_id = await saved(customer, carriers.url)
    size = len(carriers.film)
    assert LIMITS["narrow"][1] < size < LIMITS["wide"][1]
    sent = {
        name: await send_saved(customer, mms_id, f"1206555930{number}", operator)
        for number, (name, (operator, _)) in enumerate(LIMITS.items())
    }
    for name in ("wide", "narrow"):
        message = await carriers.phone(name, sent[name].to, customer)
        (slide,) = message["slides"]
        video, text = slide["parts"]
        assert (video["type"], text["text"]) == ("video/mp4", "Look")
        assert slide["duration_ms"] == SECONDS * 1000
        assert message["size"] <= LIMITS[name][1]
        assert (video["size"] == size) == (name == "wide")
        assert await is_a_film(carriers.simulators[name], video["url"], customer, tmp_path)
    (sms,) = await sent["tiny"].phone(kind="SMS")
    page = await customer.get(re.search(r"(/m/[A-Za-z0-9]+)", sms["text"])[1])  # type: ignore[index]  # or it fails
    assert (page.status, b"<video" in page.body) == (200, True)

    for name, state in (("wide", "delivered"), ("narrow", "delivered"), ("tiny", "delivered")):
        shown = await sent[name].until(state)
        assert reasons(shown)
        told = await shown_by_command(program, sent[name].tracking_id)
        if name == "narrow":
            assert f"slide 1: MP4 {size:,} → " in told
            assert "to fit 250,000 decoded on Verizon/short-code" in told
        if name == "tiny":
            assert f"slide 1: Video of {size:,} bytes" in told
            assert "over the 12,000 decoded on Sprint/short-code" in told


async def is_a_film(simulator: Simulator, url: str, customer: Customer, folder: Path) -> bool:
    """Whether the phone's file decodes, every frame of it."""
    base = simulator.phones_url.removesuffix("/sim/")
    got = await customer.pool.get(f"{base}{url}", headers={"Range": "bytes=0-"}, timeouts=PATIENCE)
    assert isinstance(got, Answered)
    whole = b""
    while len(whole) < int(got.headers["content-length"]):  # only so much of an answer is read
        piece = await customer.pool.get(
            f"{base}{url}", headers={"Range": f"bytes={len(whole)}-{len(whole) + 200_000}"}, timeouts=PATIENCE
        )
        assert isinstance(piece, Answered)
        whole += piece.body
    (folder / "got.mp4").write_bytes(whole)
    ffmpeg("-xerror", "-i", folder / "got.mp4", "-f", "null", "-")
    return whole[4:8] == b"ftyp"


async def test_a_video_in_sendmms_is_prepared_and_told_of(carriers: Carriers, customer: Customer) -> None:
    operator, limit = LIMITS["narrow"]
    to = "12065559310"
    slides = f"<slide><video><url>{carriers.url}</url></video></slide>"
    sent = await customer.send(to, slides=slides, more=f"<operator-id>{operator}</operator-id>")
    assert (await sent.show())["timeline"][0]["state"] == "preparing"
    told = await sent.told(count=3)
    assert [each["code"] for each in told] == ["N013", "N101", "N102"]
    message = await carriers.phone("narrow", to, customer)
    assert message["size"] <= limit


async def test_a_broken_video_ends_a_template_and_a_message(carriers: Carriers, customer: Customer) -> None:
    cut = carriers.film[: len(carriers.film) // 2]
    uploaded = await customer.pool.post(
        f"{customer.program.url}/media", headers={"X-Api-Key": customer.program.api_key}, buffers=(cut,),
        timeouts=PATIENCE,
    )  # fmt: skip
    assert isinstance(uploaded, Answered)
    url = json.loads(uploaded.body)["url"]
    sent = await customer.send("12065559311", slides=f"<slide><video><url>{url}</url></video></slide>")
    (told,) = await sent.told(count=1)
    body = values(told["body"].encode())
    assert (body["code"], body["video-name"]) == ("E013", url)
    assert body["status-details"].startswith("slide 1: Video: ")
    await sent.until("failed")
