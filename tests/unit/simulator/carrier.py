"""The simulated carrier without sockets: time stands still, reports land in a list, jobs run when told."""

import base64
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from starlette.types import Message as AsgiMessage

from mmsgate.clock import Ids, ManualClock, Millis
from mmsgate.http.outcome import Answered, PostOutcome, Timeouts
from mmsgate.mm7.answer import SubmitAnswer, read_submit_response
from mmsgate.mm7.report import DeliveryReportReq
from mmsgate.mm7.request import read_request
from mmsgate.simulator.attempts import Attempts
from mmsgate.simulator.box import Box
from mmsgate.simulator.cutting import CUT
from mmsgate.simulator.mmsc import Credentials, Mmsc
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
    """Answers with `outcomes` in turn, then with 200."""

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
        return self.outcomes.pop(0) if self.outcomes else Answered(status=200, headers={}, body=b"")


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

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.box = Box()
        self.scheduler = ManualScheduler(self.clock)
        self.poster = FakePoster(self.clock)
        self.reports = ReportSender(
            Endpoint(url="http://vasp.example/mm7", user="sim", password="secret"),
            self.poster,
            scheduler=self.scheduler,
            tell=lambda number, text: self.box.note(number, text, at=self.clock.now()),
        )
        self.mmsc = Mmsc(
            Credentials(user="u", password="p"),
            box=self.box,
            reports=self.reports,
            attempts=Attempts(self.clock),
            scheduler=self.scheduler,
            clock=self.clock,
            ids=Ids(self.clock),
        )

    async def submit(self, to: str, **message: object) -> Answer:
        """Post the golden message to a number."""
        return await self.post(golden(to, **message))  # type: ignore[arg-type] # the tests' own words

    async def post(self, post: Post, *, auth: str = "u:p", headers: Mapping[str, str] | None = None) -> Answer:
        """Post these bytes."""
        sent = {
            "authorization": f"Basic {base64.b64encode(auth.encode()).decode()}",
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
        await self.mmsc(scope, receive, send)
        return answer

    async def statuses(self) -> list[tuple[Millis, str]]:
        """Every report until nothing is left to do: when it came, after the first moment, and what it says."""
        start = self.clock.now()
        await self.scheduler.run()
        return [(one.at - start, one.report.raw_status) for one in self.poster.reported]
