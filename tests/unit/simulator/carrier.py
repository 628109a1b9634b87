"""The simulated carrier without sockets: time stands still, reports land in a list, jobs run when told."""

import base64
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from starlette.types import ASGIApp
from starlette.types import Message as AsgiMessage

from mmsgate.clock import Ids, ManualClock, Millis
from mmsgate.http.outcome import Answered, PostOutcome, Timeouts
from mmsgate.mm7.answer import SubmitAnswer, read_submit_response
from mmsgate.mm7.report import DeliveryReportReq, encode_delivery_report_rsp
from mmsgate.mm7.request import read_request
from mmsgate.simulator.arrived import Credentials
from mmsgate.simulator.attempts import Attempts
from mmsgate.simulator.box import Box
from mmsgate.simulator.chaos import Chaos
from mmsgate.simulator.cutting import CUT
from mmsgate.simulator.mmsc import Mmsc
from mmsgate.simulator.personality import personality
from mmsgate.simulator.reports import Endpoint, ReportSender
from mmsgate.simulator.schedule import Job
from tests.unit.simulator.submits import Post, golden


class ManualScheduler:
    """Jobs by the time they are due; `run` moves the clock from one to the next."""

    def __init__(self, clock: ManualClock) -> None:
        self._clock = clock
        self._count = itertools.count()
        self.jobs: list[tuple[Millis, int, Job]] = []

    def later(self, delay: Millis, job: Job) -> None:
        self.jobs.append((self._clock.now() + delay, next(self._count), job))

    async def run(self) -> None:
        """Until nothing is left to do."""
        while self.jobs:
            due, _, job = first = min(self.jobs, key=lambda one: one[:2])
            self.jobs.remove(first)
            self._clock.time = max(self._clock.time, due)
            await job()


@dataclass(slots=True)
class Reported:
    """A report as the VASP's endpoint got it: when, with which headers, and what it says."""

    at: Millis
    headers: Mapping[str, str]
    body: bytes
    report: DeliveryReportReq


@dataclass(slots=True)
class FakePoster:
    """Answers with `outcomes` in turn, then as a VASP does that takes the report."""

    clock: ManualClock
    outcomes: list[PostOutcome] = field(default_factory=list)
    reported: list[Reported] = field(default_factory=list)

    async def post(
        self, url: str, *, headers: Mapping[str, str], buffers: Sequence[bytes], timeouts: Timeouts
    ) -> PostOutcome:
        body = b"".join(buffers)
        report = read_request(headers["Content-Type"], body)
        assert isinstance(report, DeliveryReportReq)
        self.reported.append(Reported(self.clock.now(), headers, body, report))
        if self.outcomes:
            return self.outcomes.pop(0)
        taken = encode_delivery_report_rsp(transaction_id=report.transaction_id)
        return Answered(status=200, headers={}, body=taken)


@dataclass(slots=True)
class Answer:
    """What came back over ASGI; `cut` says that nothing did."""

    cut: bool
    http: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def mm7(self) -> SubmitAnswer:
        return read_submit_response(self.http, self.headers, self.body)


class Carrier:
    """An MMSC to call directly."""

    def __init__(self, plays: str = "3gpp", *, user: str = "u", chaos: Chaos | None = None) -> None:
        self.clock = ManualClock()
        self.box = Box()
        self.auth = f"{user}:p"
        plan = personality(plays)
        self.scheduler = ManualScheduler(self.clock)
        self.poster = FakePoster(self.clock)
        self.reports = ReportSender(
            Endpoint(url="http://vasp.example/mm7", user="sim", password="secret"),
            self.poster,
            scheduler=self.scheduler,
            tell=lambda number, text: self.box.note(number, text, at=self.clock.now()),
            style=plan.reports,
            chaos=chaos,
        )
        self.mmsc = Mmsc(
            Credentials(user=user, password="p"),
            box=self.box,
            reports=self.reports,
            attempts=Attempts(self.clock),
            scheduler=self.scheduler,
            clock=self.clock,
            ids=Ids(self.clock),
            plays=plan,
        )
        self.app: ASGIApp = self.mmsc

    async def submit(self, to: str, **message: object) -> Answer:
        """Post the golden message to a number."""
        return await self.post(golden(to, **message))  # type: ignore[arg-type] # the tests' own words

    async def post(
        self, post: Post, *, auth: str | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Post these bytes, with the right credentials unless others are given."""
        known = self.auth if auth is None else auth
        sent = {
            "authorization": f"Basic {base64.b64encode(known.encode()).decode()}",
            "content-type": post.content_type,
            "content-length": str(len(post.body)),
        } | dict(headers or {})
        return await self._call(post.body, {name: value for name, value in sent.items() if value})

    async def _call(self, body: bytes, headers: Mapping[str, str]) -> Answer:
        answer = Answer(cut=False)
        inbox: list[AsgiMessage] = [{"type": "http.request", "body": body, "more_body": False}]

        async def receive() -> AsgiMessage:
            return inbox.pop(0) if inbox else {"type": "http.disconnect"}

        async def send(message: AsgiMessage) -> None:
            if message["type"] == "http.response.start":
                answer.http = message["status"]
                answer.headers = {name.decode(): value.decode() for name, value in message["headers"]}
            else:
                answer.body += message["body"]

        def close() -> None:
            answer.cut = True

        scope = {
            "type": "http",
            "method": "POST",
            "path": "/mm7",
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
            "extensions": {CUT: {"close": close}},
        }
        await self.app(scope, receive, send)
        return answer

    async def statuses(self) -> list[tuple[Millis, str]]:
        """Every report until nothing is left to do: when it came, after the first moment, and what it says."""
        start = self.clock.now()
        await self.scheduler.run()
        return [(one.at - start, one.report.raw_status) for one in self.poster.reported]
