"""Traces: one for each message, from its request to its report, sent to a collector by OTLP over HTTP.

Importing this module imports OpenTelemetry, so nobody does while `trace_url` is empty.

The ids of a trace and of its first span are made from the message's tracking id: whatever process submits it, posts
its postbacks or takes its report in adds to the same trace, and nothing has to be kept or handed over.
"""

import asyncio
import hashlib
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import CancelledError

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.id_generator import IdGenerator, RandomIdGenerator
from opentelemetry.trace import NonRecordingSpan, SpanContext, SpanKind, TraceFlags, set_span_in_context

from mmsgate.http import Answered, HttpClient, Pool, PostOutcome, Timeouts
from mmsgate.observe import Work

log = logging.getLogger("mmsgate.ops")

#: Seconds for the collector to take a batch.
PATIENCE = Timeouts(connect=5, idle=None, total=10)
#: Spans that wait to be sent at most; more are dropped, the gateway never waits for a collector.
QUEUE = 8192

#: The work that is traced, and how a span calls `where` and `outcome`.
_SPANS: dict[Work, tuple[SpanKind, str, str]] = {
    Work.REQUEST: (SpanKind.SERVER, "mmsgate.action", "mmsgate.code"),
    Work.ACCEPT: (SpanKind.INTERNAL, "mmsgate.connection", "mmsgate.state"),
    Work.SUBMIT: (SpanKind.CLIENT, "mmsgate.connection", "mmsgate.outcome"),
    Work.POSTBACK: (SpanKind.CLIENT, "mmsgate.code", "mmsgate.outcome"),
    Work.REPORT: (SpanKind.SERVER, "mmsgate.connection", "mmsgate.matched_by"),
}
#: The work that a message's life begins with: the first span of its trace.
_FIRST = Work.REQUEST

Post = Callable[[bytes], Awaitable[PostOutcome]]


def trace_of(tracking_id: str) -> SpanContext:
    """The first span of a message's trace, whether it has been made or not."""
    digest = hashlib.sha256(f"mmsgate trace of {tracking_id}".encode()).digest()
    return SpanContext(
        trace_id=int.from_bytes(digest[:16]), span_id=int.from_bytes(digest[16:24]), is_remote=True,
        trace_flags=TraceFlags(TraceFlags.SAMPLED),
    )  # fmt: skip


class _Ids(IdGenerator):
    """Random ids, but for the span that is to be `first`."""

    def __init__(self) -> None:
        self._random = RandomIdGenerator()
        self.first: SpanContext | None = None

    def generate_trace_id(self) -> int:
        return self.first.trace_id if self.first else self._random.generate_trace_id()

    def generate_span_id(self) -> int:
        return self.first.span_id if self.first else self._random.generate_span_id()


class OtlpExporter(SpanExporter):
    """Sends batches over the gateway's own HTTP client, as every request leaves. Called in a thread of the library.

    A batch that the collector does not take is lost, and the log says so once, until it takes one again.
    """

    def __init__(self, post: Post, loop: asyncio.AbstractEventLoop) -> None:
        self._post, self._loop = post, loop
        self._problem = ""

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        problem = self._send(encode_spans(spans).SerializeToString())
        if problem and not self._problem:
            log.warning("traces are lost: the collector %s", problem)
        if self._problem and not problem:
            log.warning("the collector takes traces again")
        self._problem = problem
        return SpanExportResult.FAILURE if problem else SpanExportResult.SUCCESS

    def _send(self, body: bytes) -> str:
        """What is wrong; empty if it was taken."""
        posting = asyncio.run_coroutine_threadsafe(_posted(self._post, body), self._loop)
        try:
            outcome = posting.result(PATIENCE.total)
        except (TimeoutError, CancelledError):
            posting.cancel()
            return "does not answer"
        if not isinstance(outcome, Answered):
            return f"can't be reached: {outcome.reason}"
        return "" if outcome.status == 200 else f"answers HTTP {outcome.status}"


async def _posted(post: Post, body: bytes) -> PostOutcome:
    return await post(body)


class Traces:
    """An `Observe` that makes spans of work on messages. `start` and `stop` may be called twice.

    Before `start` and after `stop` nothing is made.
    """

    def __init__(self, url: str, *, role: str) -> None:
        self._url, self._role = url, role
        self._ids = _Ids()
        self._http = HttpClient()
        self._pool: Pool | None = None
        self._provider: TracerProvider | None = None

    async def start(self) -> None:
        if self._provider is not None:
            return
        await self._http.start()
        self._pool = self._http.pool(limit=1)
        exporter = OtlpExporter(self._deliver, asyncio.get_running_loop())
        resource = Resource.create({"service.name": "mmsgate", "mmsgate.role": self._role})
        self._provider = TracerProvider(id_generator=self._ids, resource=resource, shutdown_on_exit=False)
        self._provider.add_span_processor(BatchSpanProcessor(exporter, max_queue_size=QUEUE))
        self._tracer = self._provider.get_tracer("mmsgate")

    async def stop(self) -> None:
        """Send what is left. It is the library that waits, in a thread: the loop has to send meanwhile."""
        provider, self._provider = self._provider, None
        if provider is not None:
            await asyncio.to_thread(provider.shutdown)
            await self._http.stop()

    def __call__(
        self, work: Work, where: str, outcome: str, seconds: float | None = None, tracking_id: str = ""
    ) -> None:
        if self._provider is None or not tracking_id or work not in _SPANS:
            return
        kind, first_name, second_name = _SPANS[work]
        ended = time.time_ns()
        context = trace_of(tracking_id)
        self._ids.first = context if work is _FIRST else None
        parent = Context() if work is _FIRST else set_span_in_context(NonRecordingSpan(context), Context())
        span = self._tracer.start_span(
            where if work is _FIRST else work.value, parent, kind, start_time=ended - round((seconds or 0) * 1e9),
            attributes={"mmsgate.tracking_id": tracking_id, first_name: where, second_name: outcome},
        )  # fmt: skip
        self._ids.first = None
        span.end(ended)

    async def _deliver(self, body: bytes) -> PostOutcome:
        assert self._pool is not None
        headers = {"Content-Type": "application/x-protobuf"}
        return await self._pool.post(self._url, headers=headers, buffers=(body,), timeouts=PATIENCE)
