"""What a customer does with the demo: pictures that are too large, links that open and expire, other dialects."""

import asyncio
import io
import json
import os
import re
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urljoin

import pytest
from PIL import Image

from mmsgate.demo import files
from mmsgate.http import Answered
from tests.acceptance.gateway import PATIENCE, Customer, Sent, values

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(180)]

EXAMPLE = Path(__file__).parents[2] / "examples" / "sendmms-two-slides.xml"
FILES = Path(files.__file__).parent / "media"
CHIME_SECONDS = 4
LINK = re.compile(r"(/m/[A-Za-z0-9]+)")


def told_codes(told: list[dict[str, str]]) -> list[tuple[str, str]]:
    return [(each["code"], values(each["body"].encode()).get("sent-as", "")) for each in told]


async def link_of(sent: Sent) -> str:
    """The path of the page behind the fallback SMS on the phone."""
    (sms,) = await sent.phone(kind="SMS")
    found = LINK.search(sms["text"])
    assert found, sms["text"]
    return found[1]


async def test_what_the_carrier_refuses_is_behind_a_link(customer: Customer) -> None:
    sent = await customer.send("12065550118", slides=f"<slide>{customer.demo('lake.mp4', 'video')}</slide>")
    assert told_codes(await sent.told(count=3)) == [("N013", ""), ("N101", "SMS"), ("N102", "SMS")]
    await sent.until("delivered", says=("2004", "SMS instead"))
    path = await link_of(sent)
    page = await customer.get(path)
    assert (page.status, page.headers["x-robots-tag"]) == (200, "noindex, nofollow, noarchive")
    file = re.search(r'src="([^"]+[.]mp4)"', page.body.decode())
    assert file, page.body
    got = await customer.get(urljoin(path, file[1]))
    assert (got.status, int(got.headers["content-length"])) == (200, (FILES / "lake.mp4").stat().st_size)
    assert got.body == (FILES / "lake.mp4").read_bytes()[: len(got.body)]  # only so much of an answer is read


async def test_a_refusal_for_size_gets_a_smaller_picture(customer: Customer) -> None:
    """R-12: a 2004 for size tries the next smaller rendition before the SMS."""
    sent = await customer.send("12065550106", slides=f"<slide>{customer.demo('photo.jpg', 'image')}</slide>")
    assert told_codes(await sent.told(count=2)) == [("N101", "MMS"), ("N102", "MMS")]
    await sent.until(
        "delivered", says=("2004", "a version of at most 307,200 bytes is next", "slide 1: JPEG 419,104 → ")
    )
    (message,) = await sent.phone(kind="MMS")
    (part,) = message["slides"][0]["parts"]
    assert (part["type"], part["size"] < 307_200, message["copies"]) == ("image/jpeg", True, 1)


async def test_without_a_fallback_the_customer_is_told_e101(customer: Customer) -> None:
    slides = f"<slide>{customer.demo('lake.mp4', 'video')}</slide>"
    sent = await customer.send(
        "12065550118", slides=slides, more="<disable-fallback-sms>true</disable-fallback-sms>"
    )
    ready, told = await sent.told(count=2)
    assert ready["code"] == "N013"
    body = values(told["body"].encode())
    assert body["code"] == "E101"
    assert "the fallback SMS is disabled" in body["status-details"]
    await sent.until("failed")


async def test_a_blocked_number_is_refused(customer: Customer) -> None:
    response = values((await customer.post(customer.document("12065550114"))).body)
    assert (response["status"], response["error-code"]) == ("Failure", "E114")


async def test_a_link_expires_without_a_trace_of_its_content(customer: Customer) -> None:
    expiry = (datetime.now(UTC) + timedelta(seconds=4)).isoformat()
    more = f"<fallback-sms-link-expiration>{expiry}</fallback-sms-link-expiration>"
    sent = await customer.send("13125550132", text="a secret of the past", more=more)  # nobody else's phone
    path = await link_of(sent)
    async with asyncio.timeout(60):
        while (page := await customer.get(path)).status == 200:
            assert b"a secret of the past" in page.body
            await asyncio.sleep(0.1)
    assert page.status == 410
    assert b"secret" not in page.body


async def test_skycore_in_skycore_out(customer: Customer) -> None:
    document = (
        f"<REQUEST><ACTION>sendMMS</ACTION><API_KEY>{customer.program.api_key}</API_KEY><TO>12065550199</TO>"
        "<FROM>28444</FROM><CAMPAIGNREF>32113</CAMPAIGNREF><NAME>n</NAME><SERVICEID>32113</SERVICEID>"
        "<SLIDE><TEXT>Hello</TEXT></SLIDE></REQUEST>"
    )
    response = values((await customer.post(document, "/API/wxml/1.3/index.php")).body)
    assert response["STATUS"] == "Success", response
    sent = Sent(customer=customer, to="12065550199", tracking_id=response["TRACKINGID"], mms_id=response["MMSID"])
    told = await sent.told(count=2)
    first = values(told[0]["body"].encode())
    assert (first["CODE"], first["STATUS"], first["MMSID"]) == ("N101", "Message Sent", sent.mms_id)


async def test_the_two_slide_example(customer: Customer) -> None:
    """The example of the documentation with the demo's files: what it says is what the phone shows."""
    text = EXAMPLE.read_text(encoding="utf-8")
    text = text.replace("YOUR-API-KEY", customer.program.api_key)
    document = text.replace("http://127.0.0.1:8080", customer.program.url)
    response = values((await customer.post(document)).body)
    assert response["status"] == "Success", response
    sent = Sent(customer=customer, to="12399471613", tracking_id=response["tracking-id"], mms_id=response["mms-id"])
    (message,) = await sent.phone(kind="MMS")
    assert message["subject"] == "Saturday at the lake"
    first, second = message["slides"]
    assert (first["duration_ms"], second["duration_ms"]) == (CHIME_SECONDS * 1000, 10000)  # as long as its sound
    names = [[part["type"] for part in slide["parts"]] for slide in (first, second)]
    assert names == [["image/jpeg", "audio/mpeg", "text/plain"], ["text/plain"]]
    assert [part["type"] for part in message["attachments"]] == ["text/calendar"]
    assert first["parts"][0]["size"] == (FILES / "photo.jpg").stat().st_size


async def told_of_template(customer: Customer, mms_id: str) -> None:
    """Wait for N003."""
    ready = {"origin": "MMS_MT", "code": "N003", "mms-id": mms_id}
    async with asyncio.timeout(60):
        while True:
            told = await customer.get_json("/demo/postbacks.json")
            if any(values(each["body"].encode()) == ready for each in told):
                return
            await asyncio.sleep(0.05)


async def test_saved_once_sent_to_many_each_with_its_own_text(customer: Customer) -> None:
    key = customer.program.api_key
    photo = customer.demo("photo.jpg", "image")
    saving = (
        f"<request><action>saveMMS</action><api-key>{key}</api-key><name>lake</name>"
        "<message-subject>Saturday</message-subject><fallback-sms-text>See it, {$name|friend}:</fallback-sms-text>"
        f"<slide>{photo}<message-text>Hello {{$name|friend}}</message-text></slide></request>"
    )
    mms_id = values((await customer.post(saving)).body)["mms-id"]
    await told_of_template(customer, mms_id)
    texts = {"12065550201": "Ada", "12065550202": "", "12065560132": "Bob"}
    for to, name in texts.items():
        response = values((await customer.post(
            f"<request><action>sendSavedMMS</action><api-key>{key}</api-key><mms-id>{mms_id}</mms-id><to>{to}</to>"
            f"<from>28444</from><service-id>32113</service-id><data><name>{name}</name></data></request>"
        )).body)  # fmt: skip
        assert (response["status"], response["mms-id"]) == ("Success", mms_id), response
        sent = Sent(customer=customer, to=to, tracking_id=response["tracking-id"], mms_id=mms_id)
        told = await sent.told(count=2)
        way = "SMS" if to.endswith("0132") else "MMS"
        assert told_codes(told) == [("N101", way), ("N102", way)]
        (message,) = await sent.phone(kind=way)
        expected = f"See it, {name or 'friend'}:" if way == "SMS" else f"Hello {name or 'friend'}"
        assert message["text"].startswith(expected)


async def test_a_device_discovery_goes_ahead_and_names_the_handset(customer: Customer) -> None:
    """The phone 0128 says what it is; the one of 0103 does not exist."""
    key = customer.program.api_key
    saving = (
        f"<request><action>saveMMS</action><api-key>{key}</api-key><name>lake</name>"
        "<message-subject>Saturday</message-subject><fallback-sms-text>See it:</fallback-sms-text>"
        "<slide><message-text>Hello</message-text></slide></request>"
    )
    mms_id = values((await customer.post(saving)).body)["mms-id"]
    expected = {
        "12065570128": ["N501 ", "N502 Nokia6630", "N101 ", "N102 Nokia6630"], "12065570103": ["E501 ", "E101 "],
    }  # fmt: skip
    for to, codes in expected.items():
        response = values((await customer.post(
            f"<request><action>sendSavedMMS</action><api-key>{key}</api-key><mms-id>{mms_id}</mms-id><to>{to}</to>"
            "<from>28444</from><service-id>32113</service-id><ddm-message-text>Your phone?</ddm-message-text>"
            "</request>"
        )).body)  # fmt: skip
        assert response["status"] == "Success", response
        sent = Sent(customer=customer, to=to, tracking_id=response["tracking-id"], mms_id=mms_id)
        told = await sent.told(count=len(codes))
        seen = [values(each["body"].encode()) for each in told]
        assert [f"{each['code']} {each.get('handset', '')}" for each in seen] == codes
        assert {each["mms-id"] for each in seen} == {mms_id}
        if to.endswith("0128"):
            first, second = await sent.phone(kind="MMS")
            assert (first["subject"], first["text"], second["text"]) == ("Device Discovery", "Your phone?", "Hello")


async def test_a_large_photo_is_made_smaller_and_the_timeline_says_so(customer: Customer) -> None:
    picture = Image.merge(
        "RGB",
        [
            Image.effect_noise((500, 375), 80).resize((4000, 3000), Image.Resampling.BICUBIC),
            Image.radial_gradient("L").resize((4000, 3000)),
            Image.effect_noise((4000, 3000), 20),
        ],
    )
    made = io.BytesIO()
    picture.save(made, "JPEG", quality=90)
    size = len(made.getvalue())
    uploaded = await customer.pool.post(
        f"{customer.program.url}/media", headers={"X-Api-Key": customer.program.api_key},
        buffers=(made.getvalue(),), timeouts=PATIENCE,
    )  # fmt: skip
    assert isinstance(uploaded, Answered)
    url = json.loads(uploaded.body)["url"]
    sent = await customer.send("12065550203", slides=f"<slide><image><url>{url}</url></image></slide>")
    await sent.until("delivered", says=(f"slide 1: JPEG {size:,} → ", "to fit 614,400 decoded on sim/short-code"))
    (message,) = await sent.phone(kind="MMS")
    (part,) = message["slides"][0]["parts"]
    assert (part["type"], part["size"] < 614_400) == ("image/jpeg", True)


async def test_a_saved_message_is_sent_to_one_number_and_watched_until_it_is_delivered(customer: Customer) -> None:
    key = customer.program.api_key
    saving = (
        f"<request><action>saveMMS</action><api-key>{key}</api-key><name>one</name>"
        "<message-subject>S</message-subject><fallback-sms-text>Look:</fallback-sms-text>"
        "<slide><message-text>Hello {$name|friend}</message-text></slide></request>"
    )
    mms_id = values((await customer.post(saving)).body)["mms-id"]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "mmsgate", "send", "--mms-id", mms_id, "--to", "12065554100", "--url",
        customer.program.url, "--api-key", key, stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "COLUMNS": "200"},
    )  # fmt: skip
    said, _ = await process.communicate()
    *events, last = said.decode().splitlines()
    assert (process.returncode, "accepted for sim" in events[0]) == (0, True), said.decode()
    assert last.startswith("delivered  ")
    assert last.endswith(f"28444 → 12065554100  mms-id {mms_id}")
    sent = Sent(customer=customer, to="12065554100", tracking_id="", mms_id=mms_id)
    (message,) = await sent.phone(kind="MMS")
    assert message["text"] == "Hello friend"


async def test_a_list_is_sent_once_however_often_the_command_runs(customer: Customer, tmp_path: Path) -> None:
    key = customer.program.api_key
    saving = (
        f"<request><action>saveMMS</action><api-key>{key}</api-key><name>list</name>"
        "<message-subject>S</message-subject><fallback-sms-text>Look:</fallback-sms-text>"
        "<slide><message-text>Hello {$name}</message-text></slide></request>"
    )
    mms_id = values((await customer.post(saving)).body)["mms-id"]
    numbers = tmp_path / "numbers.csv"
    people = "\n".join(f"1206555{4000 + number},P{number}" for number in range(50))
    numbers.write_text(f"number,name\n{people}\n12065550114,Blocked\n", encoding="utf-8")

    async def run() -> tuple[int | None, str]:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "mmsgate", "send", "--mms-id", mms_id, "--to-file", str(numbers),
            "--url", customer.program.url, "--api-key", key, stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT, env={**os.environ, "COLUMNS": "200"},
        )  # fmt: skip
        said, _ = await process.communicate()
        return process.returncode, said.decode()

    status, said = await run()
    assert status == 1, said
    assert re.search(r"50\s+accepted\b", said), said
    assert re.search(r"1\s+E114 .*\s52\b", said), said
    assert "1 of 51 were not accepted" in said
    _, again = await run()
    assert re.search(r"50\s+accepted by an earlier run", again), again
    sent = Sent(customer=customer, to="12065554049", tracking_id="", mms_id=mms_id)
    (message,) = await sent.phone(kind="MMS")
    assert (message["text"], message["copies"]) == ("Hello P49", 1)
