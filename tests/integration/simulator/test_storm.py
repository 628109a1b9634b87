"""Chaos over sockets: what a VASP sees of each cut, and what is on the phone after it."""

import asyncio
import base64
import json
from collections.abc import Mapping

import pytest

from mmsgate.http.outcome import Answered, Lost, NotSent
from mmsgate.http.pool import Pool
from mmsgate.mm7.answer import read_submit_response
from mmsgate.simulator.chaos import Switch, read_settings
from mmsgate.simulator.service import Simulator
from tests.integration.simulator.peer import Endpoint, Response, request, submit
from tests.unit.simulator.submits import golden

TO = "12399471613"
HEADERS = {
    "Authorization": f"Basic {base64.b64encode(b'mmsgate:mmsgate').decode()}",
    "Content-Type": golden().content_type,
}

#: Each switch that ends a request, and whether the message was taken before it did.
TAKEN = {
    "cut-headers": False,
    "http-5xx": False,
    "cut-body": False,
    "cut-answer": True,
    "malformed": True,
    "half-answer": True,
}


def begin(simulator: Simulator, **switches: object) -> None:
    simulator.chaos.begin(read_settings({name.replace("_", "-"): value for name, value in switches.items()}))


async def hung_up(port: int, sent: bytes) -> bytes:
    """What comes back before the connection ends, of which our half stays open."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(sent)
        return await reader.read()
    except ConnectionResetError:  # it had not read everything
        return b""
    finally:
        writer.close()


def head(length: int) -> bytes:
    lines = [
        "POST /mm7 HTTP/1.1",
        "Host: x",
        *(f"{k}: {v}" for k, v in HEADERS.items()),
        f"Content-Length: {length}",
    ]
    return "\r\n".join([*lines, "", ""]).encode()


@pytest.mark.parametrize(("switch", "taken"), TAKEN.items())
async def test_the_phone_has_the_message_if_and_only_if_it_was_taken(
    simulator: Simulator, endpoint: Endpoint, poster: Pool, switch: str, taken: bool
) -> None:
    simulator.chaos.begin(read_settings({switch: 1}))
    outcome = await poster.post(simulator.mmsc_url, headers=HEADERS, buffers=[golden().body])
    assert len(simulator.box.after(to=TO)) == taken
    assert simulator.chaos.done == {Switch(switch): 1}
    if switch == "http-5xx":
        assert isinstance(outcome, Answered)
        assert outcome.status in (500, 502, 503, 504)
    elif switch == "malformed":
        assert isinstance(outcome, Answered)
        assert not read_submit_response(outcome.status, outcome.headers, outcome.body).readable
    elif switch == "cut-headers":
        assert isinstance(outcome, NotSent | Lost)
    else:
        assert isinstance(outcome, Lost)
    if taken:
        assert (await endpoint.reports.get()).message_id == simulator.box.after()[0].message_id


async def test_a_request_is_cut_before_its_body_has_been_sent(simulator: Simulator, port: int) -> None:
    begin(simulator, cut_headers=1)
    assert await hung_up(port, head(100_000)) == b""


async def test_a_request_is_cut_half_way_through_its_body(simulator: Simulator, port: int) -> None:
    begin(simulator, cut_body=1)
    body = golden().body
    assert await hung_up(port, head(len(body)) + body[: len(body) // 2 + 1]) == b""
    assert simulator.chaos.done == {Switch.CUT_BODY: 1}
    assert simulator.box.after() == []


async def test_less_than_half_of_a_body_is_waited_for(simulator: Simulator, port: int) -> None:
    begin(simulator, cut_body=1)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(head(1000) + b"x" * 499)
    await writer.drain()
    assert (await request(port, "/sim/chaos")).status == 200  # it has had its turn
    assert simulator.chaos.done == {}
    writer.write(b"x")
    assert await reader.read() == b""
    writer.close()


async def test_half_an_answer_announces_the_whole(simulator: Simulator, port: int) -> None:
    begin(simulator, half_answer=1)
    response = await submit(port, golden())
    assert response.status == 200
    assert 0 < len(response.body) == int(response.headers["content-length"]) // 2


async def test_a_malformed_answer_is_all_there(simulator: Simulator, port: int) -> None:
    begin(simulator, malformed=1)
    response = await submit(port, golden())
    assert len(response.body) == int(response.headers["content-length"])
    assert b"<?xml" in response.body
    assert b"</env:Envelope>" not in response.body


async def test_an_answer_without_a_body_is_cut_whole(simulator: Simulator, port: int) -> None:
    begin(simulator, half_answer=1)
    assert await submit(port, golden("12399470115")) == Response()
    begin(simulator, malformed=1)
    assert (await submit(port, golden("12399470115"))).status == 200
    assert not simulator.chaos.done


async def test_a_refused_message_stays_refused_whatever_becomes_of_the_answer(
    simulator: Simulator, port: int
) -> None:
    begin(simulator, cut_answer=1)
    assert await submit(port, golden("12399470103")) == Response()
    assert simulator.box.after() == []


async def test_the_recipient_that_cuts_by_itself_still_does(simulator: Simulator, port: int) -> None:
    begin(simulator, malformed=1)
    assert await submit(port, golden("12399470108")) == Response()
    assert len(simulator.box.after()) == 1
    assert not simulator.chaos.done


async def test_a_kept_connection_goes_on_after_a_5xx(simulator: Simulator, poster: Pool) -> None:
    begin(simulator, http_5xx=1)
    for _ in range(3):
        outcome = await poster.post(simulator.mmsc_url, headers=HEADERS, buffers=[golden().body])
        assert isinstance(outcome, Answered)
        assert outcome.body == b""
    begin(simulator)
    outcome = await poster.post(simulator.mmsc_url, headers=HEADERS, buffers=[golden().body])
    assert isinstance(outcome, Answered)
    assert outcome.status == 200


async def test_a_client_that_hangs_up_in_a_storm_leaves_nothing(simulator: Simulator, port: int) -> None:
    for switch in ("http-5xx", "cut-body"):
        simulator.chaos.begin(read_settings({switch: 1}))
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(head(1000) + b"half")
        await writer.drain()
        writer.close()
        await writer.wait_closed()
        begin(simulator)
        assert (await submit(port, golden())).status == 200
        assert not simulator.chaos.done


async def test_phones_and_switches_have_fair_weather(simulator: Simulator, port: int) -> None:
    begin(simulator, all=1)
    assert (await request(port, "/sim/")).status == 200
    assert json.loads((await request(port, "/sim/messages")).body) == []
    assert json.loads((await request(port, "/sim/chaos")).body)["requests"] == 0


async def storm(simulator: Simulator, port: int) -> list[tuple[int, bool, int]]:
    """Sixty messages: the status of each answer, the length of its body, and the copies on the phone."""
    begin(simulator, all=0.15, seed=42, latency_ms=[0, 100], delay_ms=[0, 100])
    simulator.box.clear()
    seen = []
    for number in range(60):
        to = f"1239947{2000 + number}"
        response = await submit(port, golden(to, transaction=str(number)))
        seen.append((response.status, len(response.body) > 0, len(simulator.box.after(to=to))))
    return seen


async def test_the_same_seed_is_the_same_storm(simulator: Simulator, port: int) -> None:
    first, struck = await storm(simulator, port), simulator.chaos.done.copy()
    second = await storm(simulator, port)
    assert first == second
    of_requests = {switch: count for switch, count in struck.items() if not switch.startswith("report-")}
    assert of_requests == {switch: simulator.chaos.done[switch] for switch in of_requests}
    assert set(TAKEN) <= set(of_requests)
    lost = sum(of_requests[Switch(name)] for name, taken in TAKEN.items() if not taken)
    assert sum(copies for _, _, copies in first) == 60 - lost


# -- switched over HTTP


async def put(port: int, body: bytes) -> tuple[int, Mapping[str, object]]:
    headers = {"Content-Length": str(len(body))}
    response = await request(port, "/sim/chaos", method="PUT", headers=headers, body=body)
    return response.status, json.loads(response.body)


async def test_chaos_is_switched_on_counted_and_ended_over_http(simulator: Simulator, port: int) -> None:
    status, now = await put(port, b'{"seed": 7, "cut-answer": 1, "latency-ms": [1, 2]}')
    assert (status, now["on"], now["seed"], now["cut-answer"], now["latency-ms"]) == (200, True, 7, 1.0, [1, 2])
    assert await submit(port, golden()) == Response()
    now = json.loads((await request(port, "/sim/chaos")).body)
    assert now["requests"] == 1
    assert now["done"] == dict.fromkeys(Switch, 0) | {"cut-answer": 1}
    ended = json.loads((await request(port, "/sim/chaos", method="DELETE")).body)
    assert (ended["on"], ended["requests"]) == (False, 0)
    assert (await submit(port, golden())).status == 200


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b'{"cut-boddy": 0.1}', "'cut-boddy' is no switch of chaos"),
        (b'{"cut-body": 1.5}', "cut-body must be a probability from 0 to 1, not 1.5"),
        (b'{"cut-body": "0.5"}', "cut-body must be a probability from 0 to 1, not '0.5'"),
        (b"[]", "the body must be a JSON object"),
        (b"", "the body is no JSON"),
        (b"\xff", "the body is no JSON"),
        (b'{"seed": "' + b"7" * 70_000 + b'"}', "the body has more than 65,536 bytes"),
    ],
)
async def test_wrong_chaos_is_refused_in_words_and_changes_nothing(
    simulator: Simulator, port: int, body: bytes, words: str
) -> None:
    begin(simulator, malformed=1)
    status, said = await put(port, body)
    assert status == 400
    assert words in str(said["error"])
    assert simulator.chaos.settings == read_settings({"malformed": 1})
