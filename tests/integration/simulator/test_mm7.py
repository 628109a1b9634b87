"""The MMSC over sockets: foreign bytes in, answers and reports out."""

import asyncio
from pathlib import Path

import pytest

from mmsgate.mm7.answer import SubmitAnswer, read_submit_response
from mmsgate.simulator.service import Simulator
from tests.integration.simulator.peer import Endpoint, Response, parse, request, submit, submit_chunked
from tests.unit.simulator.submits import PICTURE, PNG, Post, golden, mixed, mmsbox

PEERS = Path(__file__).parents[2] / "golden" / "mm7" / "peers"


def mm7(response: Response) -> SubmitAnswer:
    return read_submit_response(response.status, response.headers, response.body)


def captured(name: str) -> Post:
    """A request as it was recorded, its head cut off."""
    request = parse(b"HTTP/1.1 200 \r\n" + (PEERS / name).read_bytes().partition(b"\r\n")[2])
    return Post(content_type=request.headers["content-type"], body=request.body)


async def test_the_golden_message_is_shown_and_reported(
    simulator: Simulator, port: int, endpoint: Endpoint
) -> None:
    answer = mm7(await submit(port, golden()))
    assert (answer.status_code, answer.transaction_id) == (1000, "42")
    (message,) = simulator.box.after(to="12399471613")
    assert message.message_id == answer.message_id
    assert message.parts[1].body == PICTURE[2]
    assert message.text == "Hi"
    report = await endpoint.reports.get()
    assert (report.message_id, report.raw_status) == (answer.message_id, "Retrieved")
    phone, _ = report.parties()
    assert phone is not None
    assert phone.value == "12399471613"
    assert endpoint.authorizations == ["Basic bW1zYzpzZWNyZXQ="]


@pytest.mark.parametrize("post", [mmsbox(), mixed(), captured("mmsbox-style-submit.http")])
async def test_foreign_bytes_reach_the_phone(simulator: Simulator, port: int, post: Post) -> None:
    assert mm7(await submit(port, post)).status_code == 1000
    message = simulator.box.after(to="15550001111")[0]
    assert any(part.kind == "image" for part in message.parts)
    assert message.text
    if post == mmsbox():
        assert PNG in [part.body for part in message.parts]


async def test_wrong_credentials(port: int) -> None:
    response = await submit(port, golden(), auth="mmsgate:wrong")
    assert (response.status, response.body) == (401, b"")


async def test_a_chunked_body_is_refused(port: int) -> None:
    answer = mm7(await submit_chunked(port, golden()))
    assert (answer.status_code, answer.is_fault) == (2500, True)


async def test_only_post_is_allowed(port: int) -> None:
    assert (await request(port, "/mm7")).status == 405


async def test_0108_cuts_the_connection_and_reports_later(
    simulator: Simulator, port: int, endpoint: Endpoint
) -> None:
    assert await submit(port, golden("12399470108")) == Response()
    (message,) = simulator.box.after()
    assert (await endpoint.reports.get()).message_id == message.message_id
    assert mm7(await submit(port, golden())).status_code == 1000


async def test_0115_is_an_empty_200(port: int) -> None:
    response = await submit(port, golden("12399470115"))
    assert (response.status, response.body, response.headers["content-length"]) == (200, b"", "0")


async def test_0110_reports_before_the_answer(port: int, endpoint: Endpoint) -> None:
    answer = mm7(await submit(port, golden("12399470110")))
    assert endpoint.reports.get_nowait().message_id == answer.message_id


async def test_0109_reports_twice(port: int, endpoint: Endpoint) -> None:
    await submit(port, golden("12399470109"))
    first, second = await endpoint.reports.get(), await endpoint.reports.get()
    assert (first.message_id, first.status) == (second.message_id, second.status)


async def test_a_report_outlives_an_endpoint_that_fails(port: int, endpoint: Endpoint) -> None:
    endpoint.statuses = [500, 302]
    await submit(port, golden())
    reports = [await endpoint.reports.get() for _ in range(3)]
    assert len({report.transaction_id for report in reports}) == 1


async def test_a_client_that_hangs_up_halfway_leaves_nothing(simulator: Simulator, port: int) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"POST /mm7 HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nhalf")
    await writer.drain()
    writer.close()
    await writer.wait_closed()
    assert mm7(await submit(port, golden())).status_code == 1000
    assert len(simulator.box.after()) == 1
