"""The MMSC: takes SubmitReq over HTTP, answers as the recipient's row says, and reports.

It judges what is on the wire as a strict carrier would: Basic credentials, a Content-Length, the order of the
elements of SubmitReq. What it takes goes to the recipients' phones.
"""

import base64
import binascii
import hmac
from dataclasses import dataclass, field, replace

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from mmsgate.clock import Clock, Ids
from mmsgate.domain.number import normalise
from mmsgate.mm7.address import Address, AddressKind
from mmsgate.mm7.answer import encode_fault, encode_submit_rsp
from mmsgate.mm7.envelope import XML_TYPE
from mmsgate.mm7.received import SubmitReqReceived
from mmsgate.mm7.report import DeliveryReportReq, MMStatus
from mmsgate.mm7.request import MAX_BODY, answering_schema, read_request
from mmsgate.mm7.request import Request as Mm7Request
from mmsgate.mm7.unreadable import Unreadable
from mmsgate.simulator.attempts import Attempts
from mmsgate.simulator.behaviour import Attempt, Behaviour, Ending, MmsBehaviour, Refusal, Report, behaviour_of
from mmsgate.simulator.box import Box
from mmsgate.simulator.cutting import cut
from mmsgate.simulator.reader import read_message, sequence_fault
from mmsgate.simulator.reports import ReportSender
from mmsgate.simulator.schedule import Scheduler

#: The answer to a request without Content-Length: a vendor's code, of the class "client error".
LENGTH_REQUIRED = 2500

_SHOWN_HEADERS = ("content-type", "content-length", "soapaction", "user-agent")


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """The VASP's HTTP Basic credentials."""

    user: str
    password: str = field(repr=False)

    def match(self, header: str) -> bool:
        """Whether an Authorization header carries them."""
        scheme, _, token = header.partition(" ")
        try:
            offered = base64.b64decode(token.strip(), validate=True)
        except (binascii.Error, ValueError):
            return False
        wanted = f"{self.user}:{self.password}".encode()
        return scheme.lower() == "basic" and hmac.compare_digest(offered, wanted)


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A SubmitReq that was accepted for one recipient."""

    submit: SubmitReqReceived
    number: str
    message_id: str


class Mmsc:
    """The ASGI application for `POST /mm7`."""

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
    ) -> None:
        self._credentials = credentials
        self._box = box
        self._reports = reports
        self._attempts = attempts
        self._scheduler = scheduler
        self._clock = clock
        self._ids = ids

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
        if not self._credentials.match(request.headers.get("authorization", "")):
            return Response(status_code=401, headers={"WWW-Authenticate": 'Basic realm="mm7"'})
        submit = read_request(request.headers.get("content-type", ""), body)
        if "content-length" not in request.headers:
            return _fault(submit, LENGTH_REQUIRED, "Content-Length is required")
        if not isinstance(submit, SubmitReqReceived):
            return _unfit(submit)
        wrong = sequence_fault(submit.elements) or ("" if submit.recipients else "element Recipients names nobody")
        if wrong:
            return _fault(submit, 4004, "Validation error", wrong)
        shown = tuple((name.title(), request.headers[name]) for name in _SHOWN_HEADERS if name in request.headers)
        return await self._play(submit, shown)

    async def _play(self, submit: SubmitReqReceived, headers: tuple[tuple[str, str], ...]) -> Response | None:
        """Do what the rows of the recipients say; the first one with digits of its own makes the answer."""
        rows = [(normalise(one.value), behaviour_of(one.value)) for one in submit.recipients]
        number, row = next((pair for pair in rows if pair[1].digits), rows[0])
        refusal = self._refusal(submit, number, row.mms)
        if refusal:
            told = f"HTTP {refusal.http}" if refusal.http != 200 else f"{refusal.code} {refusal.text}"
            self._note(number, f"SubmitReq {submit.transaction_id} → {told}")
            return _refused(submit, refusal)
        message_id = f"a{self._ids.number():x}"  # a letter, so that 0111 can change its case
        for recipient, played in rows:
            taken = Taken(submit=submit, number=recipient, message_id=message_id)
            await self._take(taken, played, headers)
        return _ending(submit, row.mms, message_id)

    def _refusal(self, submit: SubmitReqReceived, number: str, row: MmsBehaviour) -> Refusal | None:
        tried = Attempt(
            attempt=self._attempts.count(submit.transaction_id, number),
            elapsed=self._attempts.elapsed(number),
            size=submit.content.size,
            video=any(part.content_type.startswith("video/") for part in submit.content.parts),
        )
        return row.refusal if row.refusal and row.refusal.applies(tried) else None

    async def _take(self, taken: Taken, row: Behaviour, headers: tuple[tuple[str, str], ...]) -> None:
        ending = {Ending.ANSWERED: str(row.mms.code), Ending.CUT: "connection cut", Ending.EMPTY: "empty answer"}
        self._note(taken.number, f"SubmitReq {taken.submit.transaction_id} → {ending[row.mms.ending]}")
        if row.mms.shown:
            message = read_message(
                taken.submit,
                to=taken.number,
                message_id=taken.message_id,
                received_at=self._clock.now(),
                headers=headers,
            )
            self._box.add(message)
        if not taken.submit.delivery_report:
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
        filled = make_report(taken, report, transaction_id=f"r{self._ids.number():x}")
        await self._reports.send(replace(filled, date=self._clock.now()), number=taken.number)

    def _note(self, number: str, text: str) -> None:
        self._box.note(number, text, at=self._clock.now())


def make_report(taken: Taken, report: Report, *, transaction_id: str) -> DeliveryReportReq:
    """The DeliveryReportReq that the row wants, in the submit's own namespace and version."""
    schema = answering_schema(taken.submit)
    number = f"+{taken.number}/TYPE=PLMN" if report.plmn else taken.number
    handset: Address | None = Address(value=number, kind=AddressKind.NUMBER)
    vasp = taken.submit.sender
    if report.swapped:
        handset, vasp = vasp, handset
    message_id = f"0{taken.message_id.upper()}" if report.altered_id else taken.message_id
    return DeliveryReportReq(
        transaction_id=transaction_id,
        message_id="" if report.by_number else message_id,
        status=MMStatus.read(report.status),
        raw_status=report.status,
        recipient=handset,
        sender=vasp,
        ua_prof=report.ua_prof or "",
        namespace=schema.namespace,
        version=schema.version,
    )


def _refused(submit: SubmitReqReceived, refusal: Refusal) -> Response:
    if refusal.http != 200:
        challenge = {"WWW-Authenticate": 'Basic realm="mm7"'} if refusal.http == 401 else None
        return Response(status_code=refusal.http, headers=challenge)
    if refusal.fault:
        return _fault(submit, refusal.code, refusal.text)
    return _submit_rsp(submit, refusal.code, refusal.text)


def _ending(submit: SubmitReqReceived, row: MmsBehaviour, message_id: str) -> Response | None:
    """The answer to what was taken; None hangs up."""
    match row.ending:
        case Ending.CUT:
            return None
        case Ending.EMPTY:
            return Response(status_code=200)
        case Ending.ANSWERED:
            return _submit_rsp(submit, row.code, "", message_id if row.message_id else "")


def _submit_rsp(submit: SubmitReqReceived, code: int, text: str, message_id: str = "") -> Response:
    schema = answering_schema(submit)
    body = encode_submit_rsp(
        transaction_id=submit.transaction_id, code=code, text=text, message_id=message_id, schema=schema
    )
    return _xml(body)


def _unfit(request: Mm7Request | Unreadable) -> Response:
    if isinstance(request, Unreadable):
        return _fault(request, request.status_code, "", request.reason)
    return _fault(request, 4003, "", "only SubmitReq is taken here")


def _fault(request: Mm7Request | Unreadable, code: int, text: str = "", details: str = "") -> Response:
    body = encode_fault(
        transaction_id=request.transaction_id,
        code=code,
        text=text,
        details=details,
        schema=answering_schema(request),
    )
    return _xml(body)


def _xml(body: bytes) -> Response:
    """Faults too come with HTTP 200, as the MMSC does that the MM7 peers page measured."""
    return Response(body, headers={"Content-Type": XML_TYPE, "SOAPAction": '""'})


async def _body(request: Request) -> bytes | None:
    """The request's body, None if it is longer than an MMSC reads."""
    pieces, size = [], 0
    async for piece in request.stream():
        pieces.append(piece)
        size += len(piece)
        if size > MAX_BODY:
            return None
    return b"".join(pieces)
