"""``POST /mm7/CARRIER``: where carriers send reports and inbound MMS. Committed before they are answered."""

import asyncio
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
from mmsgate.delivery.alarms import Alarms
from mmsgate.domain.number import mask_numbers
from mmsgate.mm7.answer import encode_fault
from mmsgate.mm7.deliver import DeliverReq, encode_deliver_rsp
from mmsgate.mm7.multipart import parse_content_type
from mmsgate.mm7.report import (
    DeliveryReportReq,
    ReadReplyReq,
    encode_delivery_report_rsp,
    encode_read_reply_rsp,
)
from mmsgate.mm7.request import MAX_BODY, answering_schema, read_request
from mmsgate.mm7.request import Request as MmsRequest
from mmsgate.mm7.unreadable import Unreadable
from mmsgate.reports.inbound import InboundDesk
from mmsgate.reports.read import from_read_reply
from mmsgate.reports.reports import Reports, from_mm7

log = logging.getLogger("mmsgate.reports")

#: The folder of the carriers' endpoints.
REPORTS = "/mm7"
#: The largest bare envelope, in bytes: a report is small, and an inbound MMS comes as a multipart.
MAX_REPORT = 1024 * 1024
#: How many of the largest inbound MMS are held in memory at once; a carrier with one more is asked to come again.
#: Those that are no larger than a report need no room.
LARGEST_AT_ONCE = 3
#: How long a body may take, in seconds: whoever trickles one would keep its room from the others.
BODY_WITHIN = 60.0
#: Bodies from that size on are read in a thread: base64 of some megabytes would stop everything else.
_LARGE = 256 * 1024
#: The MM7 status of what can't be read; another says what we don't take.
_CORRUPT = 2007
#: Where carriers put the operator's id (MM7 page 1, G-37).
OPERATOR_HEADERS = ("x-mblox-carrier-id", "x-mblox-operator-id", "x-skycore-carrier-id")


class CarrierApi:
    """The endpoint of the carriers.

    `profile` gives a carrier's profile by name; `largest` is the most bytes of an inbound MMS, and a body has to be
    here `within` seconds.
    """

    def __init__(
        self, reports: Reports, inbound: InboundDesk, profile: Callable[[str], CarrierProfile | None], *,
        alarms: Alarms, largest: int = MAX_BODY, within: float = BODY_WITHIN,
    ) -> None:  # fmt: skip
        self._reports, self._inbound, self._profile = reports, inbound, profile
        self._alarms, self._within = alarms, within
        self._largest, self._room = largest, LARGEST_AT_ONCE * largest

    def routes(self) -> list[Route]:
        return [Route(f"{REPORTS}/{{carrier}}", self.receive, methods=["POST"])]

    async def receive(self, request: Request) -> Response:
        profile = self._profile(request.path_params["carrier"])
        if profile is None:
            return Response("There is no such carrier.", status_code=404, media_type="text/plain")
        if not _authorised(request, profile):
            return Response(status_code=401, headers={"WWW-Authenticate": 'Basic realm="mmsgate reports"'})
        multipart = parse_content_type(request.headers.get("content-type", "")).is_multipart
        announced = request.headers.get("content-length", "")
        size = int(announced) if announced.isascii() and announced.isdigit() else self._largest
        if not multipart or size <= MAX_REPORT:
            return await self._read(request, profile, MAX_REPORT)
        return await self._read_large(request, profile, min(size, self._largest))

    async def _read_large(self, request: Request, profile: CarrierProfile, size: int) -> Response:
        """A multipart of that many bytes, if there is room for it in memory."""
        if self._room < size:
            log.warning("%s brings more inbound MMS at once than there is room for", profile.name)
            return Response(status_code=503, headers={"Retry-After": "5"})
        self._room -= size
        try:
            return await self._read(request, profile, self._largest)
        finally:
            self._room += size

    async def _read(self, request: Request, profile: CarrierProfile, limit: int) -> Response:
        try:
            async with asyncio.timeout(self._within):
                body = await read_body(request, limit)
        except BodyTooLarge as error:
            log.warning("%s: refused with 413: %s", profile.name, error)
            await self._alarms.unreadable(profile.name, str(error))  # a message may be lost with it
            return Response(str(error), status_code=413, media_type="text/plain")
        except TimeoutError:
            reason = f"the body was not here within {self._within:g} s"
            log.warning("%s: refused with 408: %s", profile.name, reason)
            return Response(reason, status_code=408, headers={"Connection": "close"}, media_type="text/plain")
        content_type = request.headers.get("content-type", "")
        if len(body) < _LARGE:
            received = read_request(content_type, body, limit=limit)
        else:
            received = await asyncio.to_thread(read_request, content_type, body, limit=limit)
        try:
            return await self._take(request, profile, received)
        except Exception:
            # Not committed, so not acknowledged: the carrier sends it again.
            log.exception("request %s: what %s sent could not be stored", request_id(request), profile.name)
            return _fault(received, 3000, "it could not be stored", status=500)

    async def _take(self, request: Request, profile: CarrierProfile, received: MmsRequest | Unreadable) -> Response:
        """Each operation in one line, and its answer."""
        transaction, schema = received.transaction_id, answering_schema(received)
        match received:
            case DeliveryReportReq():
                await self._reports.receive(from_mm7(profile.name, received, swapped=profile.reports.swapped))
                return _soap(encode_delivery_report_rsp(transaction_id=transaction, schema=schema))
            case DeliverReq():
                await self._inbound.take_mms(profile, received, operator=_operator(request))
                return _soap(encode_deliver_rsp(transaction_id=transaction, schema=schema))
            case ReadReplyReq():
                report = from_read_reply(profile.name, received, swapped=profile.reports.swapped)
                await self._reports.receive(report)
                return _soap(encode_read_reply_rsp(transaction_id=transaction, schema=schema))
            case Unreadable(status_code=code, reason=reason):
                log.warning("%s sent something unreadable: %s", profile.name, mask_numbers(reason))
                if code == _CORRUPT:  # a message may be lost with it
                    await self._alarms.unreadable(profile.name, reason)
                return _fault(received, code, reason)
            case _:
                kind = type(received).__name__
                log.warning("%s sent a %s, which this version does not take", profile.name, kind)
                return _fault(received, 4003, f"{kind} is not supported")


def _operator(request: Request) -> str:
    return next((request.headers[name] for name in OPERATOR_HEADERS if name in request.headers), "")


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
