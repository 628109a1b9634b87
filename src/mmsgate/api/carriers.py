"""``POST /mm7/CARRIER``: where carriers send their reports. Committed before they are answered."""

import base64
import binascii
import hmac
import logging
from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from mmsgate.api.call import BodyTooLarge, read_body, request_id
from mmsgate.carriers.profile import CarrierProfile
from mmsgate.domain.number import mask_numbers
from mmsgate.mm7.answer import encode_fault
from mmsgate.mm7.report import DeliveryReportReq, ReadReplyReq, encode_delivery_report_rsp
from mmsgate.mm7.request import Request as MmsRequest
from mmsgate.mm7.request import answering_schema, read_request
from mmsgate.mm7.unreadable import Unreadable
from mmsgate.reports.reports import Reports, from_mm7

log = logging.getLogger("mmsgate.reports")

#: The folder of the carriers' endpoints.
REPORTS = "/mm7"
#: A report is small; an inbound MMS is not served yet.
MAX_REPORT = 1024 * 1024


class CarrierApi:
    """The endpoint of the carriers. `profile` gives a carrier's profile by name."""

    def __init__(self, reports: Reports, profile: Callable[[str], CarrierProfile | None]) -> None:
        self._reports, self._profile = reports, profile

    def routes(self) -> list[Route]:
        return [Route(f"{REPORTS}/{{carrier}}", self.report, methods=["POST"])]

    async def report(self, request: Request) -> Response:
        profile = self._profile(request.path_params["carrier"])
        if profile is None:
            return Response("There is no such carrier.", status_code=404, media_type="text/plain")
        if not _authorised(request, profile):
            return Response(status_code=401, headers={"WWW-Authenticate": 'Basic realm="mmsgate reports"'})
        try:
            body = await read_body(request, MAX_REPORT)
        except BodyTooLarge as error:
            return Response(str(error), status_code=413, media_type="text/plain")
        return await self._take(request, profile, body)

    async def _take(self, request: Request, profile: CarrierProfile, body: bytes) -> Response:
        received = read_request(request.headers.get("content-type", ""), body, limit=MAX_REPORT)
        match received:
            case DeliveryReportReq():
                try:
                    report = from_mm7(profile.name, received, swapped=profile.reports.swapped)
                    await self._reports.receive(report)
                except Exception:
                    # Not committed, so not acknowledged: the carrier sends it again.
                    log.exception("request %s: a report could not be stored", request_id(request))
                    return _fault(received, 3000, "the report could not be stored", status=500)
                schema = answering_schema(received)
                return _soap(encode_delivery_report_rsp(transaction_id=received.transaction_id, schema=schema))
            case Unreadable(status_code=code, reason=reason):
                log.warning("%s sent something unreadable: %s", profile.name, mask_numbers(reason))
                return _fault(received, code, reason)
            case ReadReplyReq() | _:
                kind = type(received).__name__
                log.warning("%s sent a %s, which this version does not take", profile.name, kind)
                return _fault(received, 4003, f"{kind} is not supported")


def _fault(received: MmsRequest | Unreadable, code: int, details: str, *, status: int = 200) -> Response:
    return _soap(
        encode_fault(
            transaction_id=received.transaction_id, code=code, details=details, schema=answering_schema(received)
        ),
        status=status,
    )


def _soap(body: bytes, *, status: int = 200) -> Response:
    return Response(body, status_code=status, headers={"Content-Type": "text/xml; charset=utf-8"})


def _authorised(request: Request, profile: CarrierProfile) -> bool:
    """HTTP Basic, where the profile has credentials."""
    if not profile.reports.user:
        return True
    scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
    try:
        given = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        return False
    expected = f"{profile.reports.user}:{profile.reports.password}".encode()
    return scheme.lower() == "basic" and hmac.compare_digest(given, expected)
