"""The MMSC: takes SubmitReq over HTTP, answers as the recipient's row says, and reports.

It judges what is on the wire by the rules of its personality, and answers and reports in its words. What it takes
goes to the recipients' phones.
"""

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from mmsgate.clock import Clock, Ids
from mmsgate.domain.number import normalise
from mmsgate.mm7.received import SubmitReqReceived
from mmsgate.mm7.request import MAX_BODY
from mmsgate.simulator.arrived import Arrived, Credentials
from mmsgate.simulator.attempts import Attempts
from mmsgate.simulator.behaviour import Attempt, Behaviour, Ending, MmsBehaviour, Refusal, Report, behaviour_of
from mmsgate.simulator.box import Box
from mmsgate.simulator.cutting import cut
from mmsgate.simulator.personality import STANDARD, Personality
from mmsgate.simulator.reader import read_message
from mmsgate.simulator.report_style import Taken
from mmsgate.simulator.reports import ReportSender
from mmsgate.simulator.rules import Refused, refusal
from mmsgate.simulator.schedule import Scheduler
from mmsgate.simulator.sinch import carrier_of

_SHOWN_HEADERS = ("content-type", "content-length", "soapaction", "user-agent")


class Mmsc:
    """The ASGI application that takes MM7. `plays` is whom it plays; `reports` must be in the same style."""

    def __init__(
        self,
        credentials: Credentials,
        *,
        box: Box,
        reports: ReportSender,
        attempts: Attempts,
        scheduler: Scheduler,
        clock: Clock,
        ids: Ids,
        plays: Personality = STANDARD,
    ) -> None:
        self._credentials = credentials
        self._box = box
        self._reports = reports
        self._attempts = attempts
        self._scheduler = scheduler
        self._clock = clock
        self._ids = ids
        self._plays = plays

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request, or hang up."""
        try:
            response = await self._answer(Request(scope, receive))
        except ClientDisconnect:
            return  # nobody is there to be answered, and half a request is none
        if response is None:
            await cut(scope, receive)
        else:
            await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response | None:
        body = await _body(request)
        if body is None:
            return Response(status_code=413, headers={"Connection": "close"})
        arrived = Arrived.read(request.headers, body, credentials=self._credentials, unpack=self._plays.unpack)
        refused = refusal(self._plays.rules, arrived)
        if refused:
            return self._plays.answers.refused(arrived.request, refused)
        return await self._play(arrived)

    async def _play(self, arrived: Arrived) -> Response | None:
        """Do what the rows of the recipients say; the first one with digits of its own makes the answer."""
        submit = arrived.submit
        rows = [(normalise(one.value), behaviour_of(one.value)) for one in self._plays.recipients(submit)]
        if not rows:
            return self._plays.answers.refused(submit, Refused(code=2002, details="nobody is addressed"))
        number, row = next((pair for pair in rows if pair[1].digits), rows[0])
        refused = self._refusal(submit, number, row.mms)
        if refused:
            told = f"HTTP {refused.http}" if refused.http != 200 else f"{refused.code} {refused.text}"
            self._note(number, f"SubmitReq {submit.transaction_id} → {told}")
            return self._refused(submit, refused)
        message_id = self._plays.message_id(self._ids.number())
        for recipient, played in rows:
            taken = Taken(submit=submit, number=recipient, message_id=message_id, carrier=carrier_of(arrived))
            await self._take(taken, played, arrived)
        return self._ending(submit, row.mms, message_id)

    def _refusal(self, submit: SubmitReqReceived, number: str, row: MmsBehaviour) -> Refusal | None:
        tried = Attempt(
            attempt=self._attempts.count(submit.transaction_id, number),
            elapsed=self._attempts.elapsed(number),
            size=submit.content.size,
            video=any(part.content_type.startswith("video/") for part in submit.content.parts),
        )
        return row.refusal if row.refusal and row.refusal.applies(tried) else None

    async def _take(self, taken: Taken, row: Behaviour, arrived: Arrived) -> None:
        ending = {Ending.ANSWERED: str(row.mms.code), Ending.CUT: "connection cut", Ending.EMPTY: "empty answer"}
        self._note(taken.number, f"SubmitReq {taken.submit.transaction_id} → {ending[row.mms.ending]}")
        if row.mms.shown:
            headers = arrived.headers
            message = read_message(
                taken.submit,
                to=taken.number,
                message_id=taken.message_id,
                received_at=self._clock.now(),
                headers=tuple((name.title(), headers[name]) for name in _SHOWN_HEADERS if name in headers),
            )
            self._box.add(message)
        if not self._plays.reports.wanted(taken.submit):
            return
        for report in row.mms.reports:
            if row.mms.report_first:
                await self._report(taken, report)
            else:
                self._report_later(taken, report)

    def _report_later(self, taken: Taken, report: Report) -> None:
        async def due() -> None:
            await self._report(taken, report)

        self._scheduler.later(report.after, due)

    async def _report(self, taken: Taken, report: Report) -> None:
        filled = self._plays.reports.make(
            taken, report, transaction_id=f"r{self._ids.number():x}", date=self._clock.now()
        )
        await self._reports.send(filled, number=taken.number, carrier=taken.carrier)

    def _refused(self, submit: SubmitReqReceived, refused: Refusal) -> Response:
        """As the recipient's row says, in this MMSC's words."""
        answers = self._plays.answers
        if refused.http != 200:
            return answers.refused(submit, Refused(http=refused.http))
        if refused.fault or answers.faults:
            return answers.refused(submit, Refused(code=refused.code, text=refused.text))
        return answers.status(submit, refused.code, refused.text)

    def _ending(self, submit: SubmitReqReceived, row: MmsBehaviour, message_id: str) -> Response | None:
        """The answer to what was taken; None hangs up."""
        match row.ending:
            case Ending.CUT:
                return None
            case Ending.EMPTY:
                return Response(status_code=200)
            case Ending.ANSWERED:
                given = message_id if row.message_id else ""
                return self._plays.answers.accepted(submit, code=row.code, message_id=given)

    def _note(self, number: str, text: str) -> None:
        self._box.note(number, text, at=self._clock.now())


async def _body(request: Request) -> bytes | None:
    """The request's body, None if it is longer than an MMSC reads."""
    pieces, size = [], 0
    async for piece in request.stream():
        pieces.append(piece)
        size += len(piece)
        if size > MAX_BODY:
            return None
    return b"".join(pieces)
