"""How a personality answers: what an acceptance and a refusal look like over HTTP."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from starlette.responses import Response

from mmsgate.mm7.received import SubmitReqReceived
from mmsgate.mm7.request import Request, answering_schema
from mmsgate.mm7.unreadable import Unreadable
from mmsgate.simulator.rules import Refused
from mmsgate.simulator.writing import Packed, Writing

CODE_HEADER = "X-MM7-Status-Code"

_CHALLENGE = {"WWW-Authenticate": 'Basic realm="mm7"'}
_SOAP_ACTION = (("SOAPAction", '""'),)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """How answers are written.

    `empty`: an acceptance is an empty HTTP 200. `text`: the StatusText of one. `faults`: every refusal is a SOAP
    fault; else only that of a request which breaks the rules. `http`: a status code, or its first digit, → the HTTP
    status of its fault; others come with 200. `code_header`: the code is also in `CODE_HEADER`. `headers` go with
    every answer that has a body.
    """

    writing: Writing = field(default_factory=Writing)
    empty: bool = False
    text: str = ""
    faults: bool = False
    http: Mapping[int, int] = field(default_factory=lambda: MappingProxyType({}))
    code_header: bool = False
    headers: tuple[tuple[str, str], ...] = _SOAP_ACTION

    def accepted(self, submit: SubmitReqReceived, *, code: int, message_id: str) -> Response:
        """The answer to what was taken."""
        if self.empty:
            return Response(status_code=200)
        return self.status(submit, code, self.text if code == 1000 else "", message_id)

    def status(self, submit: SubmitReqReceived, code: int, text: str, message_id: str = "") -> Response:
        """A SubmitRsp."""
        written = self.writing.submit_rsp(
            answering_schema(submit), submit.transaction_id, code=code, text=text, message_id=message_id
        )
        return self._response(written)

    def refused(self, request: Request | Unreadable, refused: Refused) -> Response:
        """A SOAP fault, or HTTP alone."""
        if not refused.code:
            return Response(status_code=refused.http, headers=_CHALLENGE if refused.http == 401 else None)
        http = refused.http or self.http.get(refused.code) or self.http.get(refused.code // 1000, 200)
        written = self.writing.fault(
            answering_schema(request), request.transaction_id,
            code=refused.code, text=refused.text, details=refused.details, faultcode=_faultcode(refused.code, http),
        )  # fmt: skip
        return self._response(written, http=http, code=refused.code)

    def _response(self, written: Packed, *, http: int = 200, code: int = 0) -> Response:
        headers = dict(self.headers)
        if code and self.code_header:
            headers[CODE_HEADER] = str(code)
        return Response(written.body, status_code=http, headers=headers | {"Content-Type": written.content_type})


def _faultcode(code: int, http: int) -> str:
    """As VectorCore words it."""
    if http == 401:
        return "Client.Auth"
    return "Client" if code // 1000 == 2 else "Server"
