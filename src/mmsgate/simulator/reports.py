"""Delivery reports on their way to the VASP: posted, and posted again while its endpoint fails."""

import base64
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from mmsgate.clock import SECOND, Millis
from mmsgate.domain.number import normalise
from mmsgate.http.outcome import Answered, PostOutcome, Timeouts
from mmsgate.mm7.address import Address
from mmsgate.mm7.answer import read_submit_response
from mmsgate.mm7.report import DeliveryReportReq
from mmsgate.simulator.chaos import Chaos, ReportFate, Switch
from mmsgate.simulator.report_style import ReportStyle
from mmsgate.simulator.schedule import Scheduler

_log = logging.getLogger(__name__)

_TIMEOUTS = Timeouts(connect=5, total=15)
#: How long a report that is to be overtaken waits for the next one.
_HELD_FOR: Millis = 10 * SECOND


class Poster(Protocol):
    """The one thing of an HTTP client that is needed here."""

    async def post(
        self, url: str, *, headers: Mapping[str, str], buffers: Sequence[bytes], timeouts: Timeouts
    ) -> PostOutcome:
        """Post `buffers` as one body."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where the VASP takes reports, and as whom we call it. An empty `url`: nowhere."""

    url: str = ""
    user: str = ""
    password: str = field(default="", repr=False)

    @property
    def headers(self) -> dict[str, str]:
        """What goes with every report."""
        if not self.user:
            return {}
        token = base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
        return {"Authorization": f"Basic {token}"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Letter:
    """A report for the phone `number`, with the headers of its own."""

    report: DeliveryReportReq
    number: str
    headers: Mapping[str, str]

    @property
    def words(self) -> str:
        return f"DeliveryReportReq {self.report.raw_status or self.report.status.value}"


class ReportSender:
    """Sends reports to one endpoint in one style.

    `tell` is told how each attempt went: the number, and words for the phone's log. `chaos` decides which of
    them are late, doubled, overtaken, altered, or joined by a stranger's.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        poster: Poster,
        *,
        scheduler: Scheduler,
        tell: Callable[[str, str], None],
        style: ReportStyle | None = None,
        chaos: Chaos | None = None,
    ) -> None:
        self._endpoint = endpoint
        self._poster = poster
        self._scheduler = scheduler
        self._tell = tell
        self._style = style or ReportStyle()
        self._chaos = chaos or Chaos()
        self._held: list[_Letter] = []

    async def send(self, report: DeliveryReportReq, *, number: str, carrier: str = "") -> None:
        """Post it, and plan the next attempt if the endpoint does not take it. `carrier` is the operator's id."""
        fate = self._chaos.of_report()
        named = self._style.carrier_header if carrier else ""
        letter = _Letter(report=report, number=number, headers={named: carrier} if named else {})
        if fate.orphan:
            await self._post(self._orphan(letter, fate))
        if fate.altered and report.message_id:
            self._chaos.did(Switch.REPORT_ALTER)
            letter = replace(letter, report=replace(report, message_id=fate.alter(report.message_id)))
        if fate.held:
            self._hold(letter)
        elif fate.delay:
            self._chaos.did(Switch.REPORT_DELAY)
            self._later(fate.delay, letter)
        else:
            await self._post(letter)
        if fate.twice:
            self._chaos.did(Switch.REPORT_DUPLICATE)
            await self._post(letter)
        if not fate.held:
            await self._release()

    def _orphan(self, letter: _Letter, fate: ReportFate) -> _Letter:
        """Of a message that nobody sent, to a number that nobody sends to: no message can be taken for it."""
        self._chaos.did(Switch.REPORT_ORPHAN)
        report, nobody = letter.report, Address(value=fate.orphan)
        swapped = report.sender is not None and normalise(report.sender.value) == letter.number
        report = replace(report, sender=nobody) if swapped else replace(report, recipient=nobody)
        made_up = f"orphan{fate.orphan}"
        report = replace(report, message_id=made_up, transaction_id=made_up)
        return replace(letter, report=report, number=fate.orphan)

    def _hold(self, letter: _Letter) -> None:
        """Until another report has been sent; not for ever, for there may be none."""
        self._chaos.did(Switch.REPORT_REORDER)
        self._held.append(letter)
        self._scheduler.later(_HELD_FOR, self._release)

    async def _release(self) -> None:
        held, self._held = self._held, []
        for letter in held:
            await self._post(letter)

    def _later(self, delay: Millis, letter: _Letter, failures: int = 0) -> None:
        async def due() -> None:
            await self._post(letter, failures=failures)

        self._scheduler.later(delay, due)

    async def _post(self, letter: _Letter, *, failures: int = 0) -> None:
        if not self._endpoint.url:
            self._tell(letter.number, f"{letter.words}: not sent, no report address is configured")
            return
        written = self._style.writing.report(letter.report)
        outcome = await self._poster.post(
            self._endpoint.url,
            headers={
                "Content-Type": written.content_type,
                **dict(self._style.headers),
                **letter.headers,
                **self._endpoint.headers,
            },
            buffers=[written.body],
            timeouts=_TIMEOUTS,
        )
        problem = self._problem(outcome, letter.report)
        if problem:
            _log.info("a delivery report failed: %s", problem)
            self._again(letter, problem, failures)
        else:
            assert isinstance(outcome, Answered)
            self._tell(letter.number, f"{letter.words} → HTTP {outcome.status}")

    def _problem(self, outcome: PostOutcome, report: DeliveryReportReq) -> str:
        """Why the report counts as not taken; empty if it was taken."""
        if not isinstance(outcome, Answered):
            return outcome.reason
        if not 200 <= outcome.status < 300:
            return f"HTTP {outcome.status}"
        if not self._style.checked:
            return ""
        answer = read_submit_response(outcome.status, outcome.headers, outcome.body)
        if answer.status_code != 1000:
            return f"an answer with status {answer.status_code or 'none'}"
        return "" if answer.transaction_id == report.transaction_id else "an answer with another TransactionID"

    def _again(self, letter: _Letter, problem: str, failures: int) -> None:
        retries = self._style.retries
        if failures >= len(retries):
            self._tell(letter.number, f"{letter.words} → {problem}; given up")
            return
        delay = retries[failures]
        self._tell(letter.number, f"{letter.words} → {problem}; again in {delay / SECOND:g} s")
        self._later(delay, letter, failures + 1)
