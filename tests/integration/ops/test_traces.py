"""Spans on their way to a collector, over loopback; and a collector that is no help."""

import logging
from collections.abc import AsyncIterator

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from mmsgate.config import ConfigFault, Settings
from mmsgate.observe import Work
from mmsgate.ops import process
from mmsgate.ops.process import Ops
from mmsgate.ops.traces import Traces, trace_of
from tests.integration.http.origin import Exchange, Origin

TRACKING = "3WWY5qAVSdqxNqPs4DcEXw"


class Collector:
    """What a collector received; it answers with `status`."""

    def __init__(self) -> None:
        self.status = "200 OK"
        self.spans: list[Span] = []
        self.roles: set[str] = set()
        self.batches = 0

    async def take(self, exchange: Exchange) -> None:
        self.batches += 1
        if self.status == "200 OK":
            request = ExportTraceServiceRequest.FromString(exchange.body)
            for resource in request.resource_spans:
                named = {each.key: each.value.string_value for each in resource.resource.attributes}
                self.roles.add(f"{named['service.name']} {named['mmsgate.role']}")
                self.spans += [span for scope in resource.scope_spans for span in scope.spans]
        exchange.writer.write(f"HTTP/1.1 {self.status}\r\nContent-Length: 0\r\n\r\n".encode())
        await exchange.writer.drain()


@pytest.fixture
async def origin() -> AsyncIterator[Origin]:
    async with Origin() as origin:
        yield origin


@pytest.fixture
def collector(origin: Origin) -> Collector:
    collector = Collector()
    origin.routes["/v1/traces"] = collector.take
    return collector


async def test_the_work_of_two_processes_on_a_message_is_one_trace(origin: Origin, collector: Collector) -> None:
    api, worker = (Traces(origin.url("/v1/traces"), role=role) for role in ("api", "worker"))
    await api.start()
    await worker.start()
    worker(Work.SUBMIT, "acme", "accepted", 0.05, TRACKING)
    worker(Work.POSTBACK, "N101", "sent", 0.01, TRACKING)
    worker(Work.REPORT, "acme", "id", 0.002, TRACKING)
    api(Work.ACCEPT, "acme", "accepted", 0.003, TRACKING)
    api(Work.REQUEST, "sendMMS", "success", 0.2, TRACKING)
    await worker.stop()
    await api.stop()
    assert collector.roles == {"mmsgate api", "mmsgate worker"}
    whole = trace_of(TRACKING)
    assert {span.trace_id for span in collector.spans} == {whole.trace_id.to_bytes(16)}
    by_name = {span.name: span for span in collector.spans}
    assert set(by_name) == {"sendMMS", "accept", "submit", "postback", "report"}
    first = by_name.pop("sendMMS")
    assert (first.span_id, first.parent_span_id) == (whole.span_id.to_bytes(8), b"")
    assert {span.parent_span_id for span in by_name.values()} == {first.span_id}
    assert len({span.span_id for span in collector.spans}) == 5
    assert 199_000_000 < first.end_time_unix_nano - first.start_time_unix_nano < 201_000_000
    told = {each.key: each.value.string_value for each in by_name["submit"].attributes}
    assert told == {
        "mmsgate.tracking_id": TRACKING, "mmsgate.connection": "acme", "mmsgate.outcome": "accepted",
    }  # fmt: skip


def test_two_messages_have_two_traces() -> None:
    one, other = trace_of(TRACKING), trace_of(TRACKING[::-1])
    assert one.is_valid
    assert one.trace_id != other.trace_id
    assert one.span_id != other.span_id


async def test_what_is_about_no_message_makes_no_span(origin: Origin, collector: Collector) -> None:
    traces = Traces(origin.url("/v1/traces"), role="api")
    traces(Work.REQUEST, "sendMMS", "success", 0.1, TRACKING)  # before it has started
    await traces.start()
    traces(Work.REQUEST, "getMMSTemplates", "success", 0.1)
    traces(Work.STEP, "acme", "sent", None, TRACKING)
    await traces.stop()
    traces(Work.REQUEST, "sendMMS", "success", 0.1, TRACKING)
    assert collector.batches == 0


@pytest.mark.parametrize("status", ["500 Internal Server Error", "404 Not Found"])
async def test_a_collector_that_takes_nothing_harms_nobody_and_is_told_of_once(
    origin: Origin, collector: Collector, status: str, caplog: pytest.LogCaptureFixture
) -> None:
    collector.status = status
    traces = Traces(origin.url("/v1/traces"), role="api")
    await traces.start()
    for number in range(1200):  # more than a batch holds
        traces(Work.SUBMIT, "acme", "accepted", 0.05, f"{TRACKING}{number}")
    with caplog.at_level(logging.WARNING):
        await traces.stop()
    assert collector.batches > 1
    assert [record.getMessage() for record in caplog.records if record.name == "mmsgate.ops"] == [
        f"traces are lost: the collector answers HTTP {status[:3]}"
    ]


async def test_a_collector_that_can_t_be_reached_does_not_keep_the_process_from_stopping(
    caplog: pytest.LogCaptureFixture,
) -> None:
    traces = Traces("http://127.0.0.1:9/v1/traces", role="api")
    await traces.start()
    traces(Work.SUBMIT, "acme", "accepted", 0.05, TRACKING)
    with caplog.at_level(logging.WARNING):
        await traces.stop()
        await traces.stop()
    assert "traces are lost: the collector can't be reached" in caplog.text


async def test_ops_counts_and_traces_the_same_work(origin: Origin, collector: Collector) -> None:
    async with Ops(Settings(ops_port=-1, trace_url=origin.url("/v1/traces")), role="serve").running() as ops:
        ops.observe(Work.SUBMIT, "acme", "accepted", 0.05, TRACKING)
        labels = {"connection": "acme", "outcome": "accepted"}
        assert ops.registry.get_sample_value("mmsgate_submits_total", labels) == 1
    assert [span.name for span in collector.spans] == ["submit"]


def test_without_a_trace_url_nothing_is_made_and_opentelemetry_is_not_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(process, "find_spec", lambda name: None)
    ops = Ops(Settings(ops_port=-1), role="serve")
    assert ops.observe is ops.deeds
    with pytest.raises(ConfigFault, match=r"trace_url needs opentelemetry.sdk: pip install 'mmsgate\[traces\]'"):
        Ops(Settings(ops_port=-1, trace_url="http://127.0.0.1:4318/v1/traces"), role="serve")
