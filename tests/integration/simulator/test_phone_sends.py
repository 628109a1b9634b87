"""`POST /sim/phones/NUMBER/messages` over sockets: what it refuses, and a client that is sent an SMS."""

import asyncio
import json

import pytest

from mmsgate.clock import Ids, SystemClock
from mmsgate.mm7.multipart import Part, build
from mmsgate.simulator.phone_web import MAX_BODY
from mmsgate.simulator.reports import Poster
from mmsgate.simulator.service import Simulator, SimulatorConfig
from tests.integration.simulator.peer import Response, SmppPeer, request

PHONE = "12399471613"


def form(*fields: tuple[str, str], more: str = "") -> bytes:
    disposition = "Content-Disposition"
    parts = [Part(headers=((disposition, f'form-data; name="{n}"{more}'),), body=v.encode()) for n, v in fields]
    return b"".join(build(parts, "b0undary"))


async def post(port: int, body: bytes, path: str = f"/sim/phones/{PHONE}/messages", **headers: str) -> Response:
    sent = {
        "Content-Type": "multipart/form-data; boundary=b0undary", "Content-Length": str(len(body)),
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }  # fmt: skip
    return await request(port, path, method="POST", headers=sent, body=body)


async def test_an_sms_reaches_the_bound_client_and_the_post_waits_for_its_answer(
    port: int, simulator: Simulator
) -> None:
    async with SmppPeer.connected(simulator.smsc_port) as peer:
        await peer.bind()
        posting = asyncio.create_task(post(port, form(("to", "28444"), ("kind", "sms"), ("text", "hello"))))
        pdu = await peer.receive()
        assert (pdu.command, b"hello" in pdu.body) == (0x05, True)
        assert not posting.done()
        peer.send(0x80000005, b"\0", sequence=pdu.sequence)
        assert json.loads((await posting).body) == {"taken": True, "why": ""}


async def test_an_sms_that_is_not_acknowledged_comes_to_the_next_client(port: int, simulator: Simulator) -> None:
    async with SmppPeer.connected(simulator.smsc_port) as first:
        await first.bind()
        posting = asyncio.create_task(post(port, form(("to", "28444"), ("kind", "sms"), ("text", "again"))))
        await first.receive()
    async with SmppPeer.connected(simulator.smsc_port) as second:
        await second.bind()
        pdu = await second.receive()
        assert b"again" in pdu.body
        second.send(0x80000005, b"\0", sequence=pdu.sequence)
        assert json.loads((await posting).body)["taken"] is True


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ([("text", "hi")], "to must be a number"),
        ([("to", "someone"), ("text", "hi")], "to must be a number"),
        ([("to", "28444")], "nothing to send"),
        ([("to", "28444"), ("kind", "fax"), ("text", "hi")], "mms or sms"),
        ([("to", "28444"), ("kind", "sms"), ("text", "hi"), ("subject", "x")], "text alone"),
        ([("to", "28444"), ("cc", "x"), ("text", "hi")], "cc must be a number"),
        ([("to", "28444"), ("txt", "hi")], "unknown field 'txt'"),
    ],
)
async def test_a_form_that_means_nothing_is_refused(port: int, fields: list[tuple[str, str]], why: str) -> None:
    response = await post(port, form(*fields))
    assert response.status == 400
    answer = json.loads(response.body)
    assert (answer["taken"], why in answer["why"]) == (False, True)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec_Fetch_Site": "cross-site"}, 403),
        ({"Sec_Fetch_Site": "same-site"}, 403),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec_Fetch_Site": "same-origin", "Origin": "null"}, 200),
        ({"Origin": "http://simulator.test"}, 200),
    ],
)
async def test_only_our_own_pages_may_send(port: int, headers: dict[str, str], status: int) -> None:
    body = form(("to", "28444"), ("kind", "sms"), ("text", "hi"))
    assert (await post(port, body, **headers)).status == status


async def test_other_bodies_and_other_addresses_are_refused(port: int) -> None:
    assert (await post(port, b"to=28444", Content_Type="application/x-www-form-urlencoded")).status == 415
    assert (await post(port, b"no form")).status == 400
    assert (await post(port, form(("to", "28444")), "/sim/phones/nobody/messages")).status == 404
    assert (await post(port, form(("to", "1"), more='; filename="to.txt"'))).status == 400


async def test_more_than_16_mb_are_refused(port: int) -> None:
    body = form(("file", "x" * MAX_BODY), more='; filename="big.bin"')
    assert (await post(port, body)).status == 413


async def test_a_form_without_script_leads_back_to_the_phone_where_it_says_why(
    port: int, simulator: Simulator
) -> None:
    body = form(("to", "28444"), ("kind", "sms"), ("text", "anybody?"))
    response = await post(port, body, Accept="text/html,*/*;q=0.8")
    assert (response.status, response.headers["location"]) == (303, f"/sim/phones/{PHONE}")
    page = await request(port, f"/sim/phones/{PHONE}")
    text = page.body.decode()
    assert "form-action 'self'" in page.headers["content-security-policy"]
    assert "anybody?" in text
    assert "not taken: no client is bound" in text
    assert 'name="to" value="28444"' in text
    assert json.loads((await request(port, "/sim/messages")).body) == []


async def test_a_simulator_without_a_gateway_says_so(poster: Poster) -> None:
    clock = SystemClock()
    alone = Simulator(SimulatorConfig(mmsc_port=0, smsc_port=0), poster=poster, clock=clock, ids=Ids(clock))
    await alone.start()
    try:
        port = int(alone.mmsc_url.rpartition(":")[2].partition("/")[0])
        response = await post(port, form(("to", "28444"), ("text", "hi")))
    finally:
        await alone.stop()
    assert "--report-url" in json.loads(response.body)["why"]
