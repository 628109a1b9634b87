"""A running gateway as its operator sees it: numbers, ids in the log, traces, and how it stops."""

import asyncio
import json
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from prometheus_client.parser import text_string_to_metric_families

from mmsgate.http import Answered, HttpClient, Pool
from mmsgate.ops.catalogue import METRICS
from mmsgate.ops.traces import trace_of
from tests.acceptance.gateway import PATIENCE, Customer, Program, customer_of, values
from tests.integration.http.origin import Exchange, Origin

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(240)]

IMAGE = Path(__file__).parents[2] / "src" / "mmsgate" / "demo" / "media" / "small.jpg"


@pytest_asyncio.fixture(loop_scope="session")
async def origin() -> AsyncIterator[Origin]:
    async with Origin() as origin:
        yield origin


async def asked(pool: Pool, url: str) -> Answered:
    answer = await pool.get(url, headers={}, timeouts=PATIENCE)
    assert isinstance(answer, Answered), answer
    return answer


async def until_ready(program: Program, pool: Pool, status: int) -> dict[str, Any]:
    """What /readyz says once it answers with that status."""
    async with asyncio.timeout(60):
        while not program.ops_url or (answer := await asked(pool, f"{program.ops_url}/readyz")).status != status:
            await asyncio.sleep(0.02)  # another process: there is no event to wait on
    found: dict[str, Any] = json.loads(answer.body)
    return found


async def samples(program: Program, pool: Pool) -> dict[str, float]:
    """Every sample of /metrics, as it is written there."""
    text = (await asked(pool, f"{program.ops_url}/metrics")).body.decode()
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}


async def test_every_metric_of_the_page_is_there_and_the_ones_of_a_message_go_up(
    program: Program, customer: Customer
) -> None:
    assert (await until_ready(program, customer.pool, 200))["checks"]["store can be written"] == "ok"
    before = await samples(program, customer.pool)
    sent = await customer.send("13105550100")  # numbers that no other test of this gateway uses
    await sent.until("delivered")
    await sent.told(count=2)
    by_sms = await customer.send("13105550132")
    await by_sms.until("delivered")
    after = await samples(program, customer.pool)
    body = (await asked(customer.pool, f"{program.ops_url}/metrics")).body.decode()
    shown = {family.name for family in text_string_to_metric_families(body)}
    assert {metric.name for metric in METRICS} <= shown
    for name in (
        'mmsgate_api_requests_total{action="sendMMS",code="success"}',
        'mmsgate_messages_accepted_total{connection="sim"}',
        'mmsgate_submits_total{connection="sim",outcome="accepted"}',
        'mmsgate_submits_total{connection="sim-sms",outcome="accepted"}',
        'mmsgate_message_steps_total{connection="sim",state="delivered"}',
        'mmsgate_message_steps_total{connection="sim-sms",state="delivered"}',
        'mmsgate_reports_total{connection="sim",matched_by="id"}',
        'mmsgate_postbacks_total{code="N102",outcome="sent"}',
        "mmsgate_store_writes_total",
        "mmsgate_store_statements_total",
    ):
        assert after[name] > before.get(name, 0), name
    for name in ("sim", "sim-sms"):
        assert after[f'mmsgate_connection_state{{connection="{name}",state="up"}}'] == 1, name


async def test_refusals_are_counted_by_code_and_an_action_of_nobody_s_is_one_label(
    program: Program, customer: Customer
) -> None:
    await until_ready(program, customer.pool, 200)
    before = await samples(program, customer.pool)
    for number in range(3):
        wrong = f"<request><action>do{number}</action><api-key>{program.api_key}</api-key></request>"
        assert values((await customer.post(wrong)).body)["error-code"] == "E107"
    name = 'mmsgate_api_requests_total{action="none",code="E107"}'
    after = await samples(program, customer.pool)
    assert after[name] - before.get(name, 0) == 3


async def test_the_public_port_has_no_metrics(customer: Customer) -> None:
    assert (await customer.get("/metrics")).status == 404


async def test_lines_of_the_log_are_json_with_the_ids_and_one_trace_leads_from_request_to_report(
    tmp_path: Path, http: HttpClient, origin: Origin
) -> None:
    taken: list[bytes] = []

    async def collect(exchange: Exchange) -> None:
        taken.append(exchange.body)
        exchange.writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    origin.routes["/v1/traces"] = collect
    program = Program(
        data_dir=tmp_path,
        environment={
            "MMSGATE_LOG_FORMAT": "json", "MMSGATE_TRACE_URL": origin.url("/v1/traces"),
            "MMSGATE_SIMULATOR_SPEED": "10",
        },
    )  # fmt: skip
    await program.start()
    customer = await customer_of(program, http)
    sent = await customer.send("12065550100")
    await sent.until("delivered")
    await sent.told(count=2)
    assert await program.stop() == 0
    lines = [json.loads(line) for line in program.output if line.startswith("{")]
    about = [line for line in lines if line.get("tracking_id") == sent.tracking_id]
    assert {line["logger"] for line in about} >= {"mmsgate.api", "mmsgate.messages"}
    assert any(line["logger"] == "mmsgate.messages" and line.get("request_id") for line in about), "the report's"
    assert not any(sent.to in line["text"] for line in about)
    spans = [
        span
        for body in taken
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    ]
    names = [span.name for span in spans if span.trace_id == trace_of(sent.tracking_id).trace_id.to_bytes(16)]
    assert sorted(names) == ["accept", "postback", "postback", "report", "sendMMS", "submit"]


async def test_a_gateway_that_drains_says_so_first_and_answers_everybody(
    tmp_path: Path, http: HttpClient, origin: Origin
) -> None:
    asked_for, go_on = asyncio.Event(), asyncio.Event()

    async def slow(exchange: Exchange) -> None:
        asked_for.set()
        await go_on.wait()
        image = IMAGE.read_bytes()
        head = f"HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\nContent-Length: {len(image)}\r\n\r\n"
        exchange.writer.write(head.encode() + image)

    origin.routes["/slow.jpg"] = slow
    program = Program(
        data_dir=tmp_path,
        environment={"MMSGATE_DRAIN_SECONDS": "600", "MMSGATE_FETCH_ALLOW": f"127.0.0.1:{origin.port}"},
    )
    await program.start()
    customer = await customer_of(program, http)
    await until_ready(program, http.pool(limit=1), 200)
    slides = f"<slide><image><url>{origin.url('/slow.jpg')}</url></image></slide>"
    under_way = asyncio.create_task(customer.send("12065550100", slides=slides))
    await asked_for.wait()
    assert program.process is not None
    program.process.send_signal(signal.SIGTERM)
    verdict = await until_ready(program, http.pool(limit=1), 503)
    assert verdict["checks"]["process"] == "it is draining"
    for _ in range(20):
        answer = await customer.post(customer.document("12065550101"))
        assert values(answer.body)["status"] == "Success"
        assert answer.headers["connection"] == "close"  # so that none is left when it stops
    program.process.send_signal(signal.SIGTERM)
    await until_deaf(program)
    go_on.set()
    assert (await under_way).tracking_id
    assert await program.wait_dead() == 0


async def until_deaf(program: Program) -> None:
    """Until it listens no more."""
    async with asyncio.timeout(60):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", program.port)
            except ConnectionRefusedError:
                return
            writer.close()
            await asyncio.sleep(0.02)  # another process: there is no event to wait on
