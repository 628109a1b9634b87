"""Delivery reports on their way to the VASP: posted, and posted again while its endpoint fails."""

import base64
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from mmsgate.clock import HOUR, MINUTE, SECOND, Millis
from mmsgate.http.outcome import Answered, PostOutcome, Timeouts
from mmsgate.mm7.envelope import XML_TYPE
from mmsgate.mm7.report import DeliveryReportReq, encode_delivery_report
from mmsgate.simulator.schedule import Scheduler

_log = logging.getLogger(__name__)

#: How long after a failure the report is tried again; then the MMSC gives up.
RETRIES: tuple[Millis, ...] = (SECOND, 2 * SECOND, 5 * SECOND, 15 * SECOND, MINUTE, 5 * MINUTE, HOUR)
_TIMEOUTS = Timeouts(connect=5, total=15)


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
        headers = {"Content-Type": XML_TYPE, "SOAPAction": '""'}
        if self.user:
            token = base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
            headers["Authorization"] = f"Basic {token}"
        return headers


class ReportSender:
    """Sends reports to one endpoint. `tell` is told how each attempt went: the words, for the phone's log."""

    def __init__(
        self, endpoint: Endpoint, poster: Poster, *, scheduler: Scheduler, tell: Callable[[str, str], None]
    ) -> None:
        self._endpoint = endpoint
        self._poster = poster
        self._scheduler = scheduler
        self._tell = tell

    async def send(self, report: DeliveryReportReq, *, number: str, failures: int = 0) -> None:
        """Post it once, and plan the next attempt if the endpoint does not answer 2xx."""
        words = f"DeliveryReportReq {report.raw_status or report.status.value}"
        if not self._endpoint.url:
            self._tell(number, f"{words}: not sent, no report address is configured")
            return
        outcome = await self._poster.post(
            self._endpoint.url,
            headers=self._endpoint.headers,
            buffers=[encode_delivery_report(report)],
            timeouts=_TIMEOUTS,
        )
        if isinstance(outcome, Answered) and 200 <= outcome.status < 300:
            self._tell(number, f"{words} → HTTP {outcome.status}")
            return
        reason = f"HTTP {outcome.status}" if isinstance(outcome, Answered) else outcome.reason
        _log.info("a delivery report failed: %s", reason)
        self._again(report, f"{words} → {reason}", number=number, failures=failures)

    def _again(self, report: DeliveryReportReq, words: str, *, number: str, failures: int) -> None:
        if failures >= len(RETRIES):
            self._tell(number, f"{words}; given up")
            return
        delay = RETRIES[failures]
        self._tell(number, f"{words}; again in {delay / SECOND:g} s")

        async def again() -> None:
            await self.send(report, number=number, failures=failures + 1)

        self._scheduler.later(delay, again)
