"""Simulated phones that send, through the installed program: by a post, by the command, by rows of the table."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from mmsgate.demo.files import BY_NAME
from mmsgate.mm7.multipart import Part, build
from tests.acceptance.gateway import PATIENCE, Customer, Program, answered, values

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(240)]

PHOTO = BY_NAME["small.jpg"].path.read_bytes()


def part(name: str, value: bytes, more: str = "") -> Part:
    return Part(headers=(("Content-Disposition", f'form-data; name="{name}"{more}'),), body=value)


async def post(customer: Customer, phone: str, *parts: Part) -> dict[str, Any]:
    """What the phone's post is answered with."""
    posted = await customer.pool.post(
        f"{customer.program.url}/sim/phones/{phone}/messages",
        headers={"Content-Type": "multipart/form-data; boundary=b0undary"},
        buffers=build(parts, "b0undary"), timeouts=PATIENCE,
    )  # fmt: skip
    answer: dict[str, Any] = json.loads(answered(posted).body)
    return answer


async def told(customer: Customer, phone: str) -> list[dict[str, Any]]:
    """The postbacks about what that phone sent, once there is one."""
    async with asyncio.timeout(60):
        while True:
            entries = await customer.get_json("/demo/postbacks.json")
            if found := [each for each in entries if f">{phone}<" in each["body"] and "_MO<" in each["body"]]:
                return found
            await asyncio.sleep(0.05)  # another process: there is no event to wait on


async def files_of(customer: Customer, postback: dict[str, Any]) -> list[bytes]:
    found = etree.fromstring(postback["body"].encode()).iterfind("content/file")
    urls = [(each.text or "").removeprefix(customer.program.url) for each in found]
    return [(await customer.get(url)).body for url in urls]


async def test_a_picture_posted_on_a_phone_reaches_the_customer_with_the_same_bytes(customer: Customer) -> None:
    phone = "17745552001"
    photo = part("file", PHOTO, '; filename="small.jpg"')
    assert await post(customer, phone, part("to", b"28444"), part("text", b"Look!"), photo) == {
        "taken": True, "why": "",
    }  # fmt: skip
    (postback,) = await told(customer, phone)
    assert (postback["code"], postback["signature"]) == ("N401", "ok")
    assert PHOTO in await files_of(customer, postback)
    page = (await customer.get(f"/sim/phones/{phone}")).body.decode()
    assert "taken by the gateway" in page


async def test_the_command_sends_a_file_and_says_that_it_was_taken(
    customer: Customer, program: Program, tmp_path: Path
) -> None:
    phone, path = "17745552002", tmp_path / "photo.jpg"
    path.write_bytes(PHOTO)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "mmsgate", "simulator", "mo", "--from", phone, "--file", str(path), "--twice",
        "--url", program.url, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    output, _ = await process.communicate()
    assert (process.returncode, output) == (0, b"taken by the gateway\n")
    (postback,) = await told(customer, phone)
    assert PHOTO in await files_of(customer, postback)


async def test_an_sms_typed_on_a_phone_reaches_the_customer_whole(customer: Customer) -> None:
    phone, text = "17745552003", "Grüße vom See 👋 " * 12
    sent = await post(customer, phone, part("to", b"28444"), part("kind", b"sms"), part("text", text.encode()))
    assert sent["taken"], sent
    (postback,) = await told(customer, phone)
    assert text.strip() in postback["body"]


async def test_0113_answers_an_mms_with_a_picture(customer: Customer) -> None:
    phone = "17745550113"
    await customer.send(phone)
    (postback,) = await told(customer, phone)
    assert postback["code"] == "N401"
    assert any(body.startswith(b"\x89PNG") for body in await files_of(customer, postback))


async def test_0139_is_told_once_though_it_came_twice(customer: Customer) -> None:
    phone = "17745550139"
    await customer.send(phone)
    await told(customer, phone)
    page = ""
    async with asyncio.timeout(60):
        while "taken by the gateway" not in page:  # that is: both were answered
            page = (await customer.get(f"/sim/phones/{phone}")).body.decode()
            await asyncio.sleep(0.05)
    await post(customer, "17745552004", part("to", b"28444"), part("text", b"after it"))
    await told(customer, "17745552004")  # what comes later has been told
    assert [each["code"] for each in await told(customer, phone)] == ["N401"]


@pytest.mark.parametrize("phone", ["17745550136", "17745550137"])
async def test_a_phone_that_opts_out_gets_nothing_more(customer: Customer, phone: str) -> None:
    await customer.send(phone)
    response: dict[str, str] = {}
    async with asyncio.timeout(60):
        while response.get("error-code") != "E114":
            response = values((await customer.post(customer.document(phone))).body)
            await asyncio.sleep(0.05)
    assert response["status"] == "Failure"


async def test_0138_is_answered_by_sms(customer: Customer) -> None:
    sent = await customer.send("17745550138")
    (answer,) = await sent.phone(kind="SMS")
    assert "STOP" in answer["text"]
