"""What every HTTP call has: a request id, a caller's address, a body of bounded size."""

import ipaddress
import logging
import re
import time
from collections.abc import Mapping, Sequence
from functools import lru_cache

from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mmsgate.clock import Entropy
from mmsgate.domain.number import mask_numbers
from mmsgate.observe import Observe, Work, unobserved
from mmsgate.trail import Trail

log = logging.getLogger("mmsgate.api")

REQUEST_ID = "x-request-id"
#: The area of what is none of the API's paths.
OTHER_AREA = "other"
#: The largest document (contract: 413 above it).
MAX_DOCUMENT = 1024 * 1024

IpNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network


class BodyTooLarge(Exception):  # noqa: N818  it is no fault of ours
    """The body has more bytes than this route reads."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"the body has more than {limit:,} bytes")


async def read_body(request: Request, limit: int) -> bytes:
    """The whole body. Raises `BodyTooLarge` as soon as it is known to have more than `limit` bytes."""
    announced = request.headers.get("content-length", "")
    if announced.isascii() and announced.isdigit() and int(announced) > limit:
        raise BodyTooLarge(limit)
    pieces: list[bytes] = []
    size = 0
    more = True
    while more:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        piece, more = message.get("body", b""), message.get("more_body", False)
        size += len(piece)
        if size > limit:
            raise BodyTooLarge(limit)
        pieces.append(piece)
    return b"".join(pieces)


class Callers:
    """Finds the address that a request came from: the peer's, or what a trusted proxy says of it.

    `trusted` are networks of proxies whose X-Forwarded-For is believed (E112). The right-most address that is no
    trusted proxy is the caller's: whatever is further left, the caller may have written itself.
    """

    def __init__(self, trusted: Sequence[str]) -> None:
        self._trusted: list[IpNetwork] = [ipaddress.ip_network(network, strict=False) for network in trusted]

    def address(self, request: Request) -> str:
        peer = plain_address(request.client.host) if request.client else ""
        if not self._is_trusted(peer):
            return peer
        forwarded = ",".join(request.headers.getlist("x-forwarded-for"))
        for hop in reversed([plain_address(each.strip()) for each in forwarded.split(",") if each.strip()]):
            if not self._is_trusted(hop):
                return hop
        return peer

    def _is_trusted(self, address: str) -> bool:
        if not self._trusted:
            return False
        try:
            parsed = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(parsed in network for network in self._trusted)


_WITH_PORT = re.compile(r"\[([^]]+)\](?::[0-9]+)?|([0-9.]+):[0-9]+", re.ASCII)


@lru_cache(maxsize=1024)
def plain_address(text: str) -> str:
    """An IP address without port and brackets, an IPv4 address without its IPv6 form; anything else as it is.

    Some proxies write the port of whoever called them; a socket bound to ``::`` calls 10.0.0.1 ::ffff:10.0.0.1.
    """
    found = _WITH_PORT.fullmatch(text)
    try:
        address = ipaddress.ip_address(found[1] or found[2] if found else text)
    except ValueError:
        return text
    return str(getattr(address, "ipv4_mapped", None) or address)


class RequestIds:
    """Gives every answer an X-Request-Id and every request a line in the log with the same id (R-16).

    `areas` names the parts of the API by the first folder of their paths, for `observe`.
    """

    def __init__(
        self, app: ASGIApp, *, areas: Mapping[str, str] | None = None, observe: Observe = unobserved
    ) -> None:
        self._app, self._entropy = app, Entropy()
        self._areas, self._observe = areas or {}, observe

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        identifier = self._entropy(8).hex()
        scope.setdefault("state", {})["request_id"] = identifier
        with Trail(request_id=identifier):
            await self._answer(identifier, scope, receive, send)
        return None

    async def _answer(self, identifier: str, scope: Scope, receive: Receive, send: Send) -> None:
        started = time.perf_counter()
        status = 0

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], (REQUEST_ID.encode(), identifier.encode())]
            await send(message)

        try:
            await self._app(scope, receive, send_with_id)
        except ClientDisconnect:
            log.info("%s %s %s: the caller hung up", identifier, scope["method"], masked_path(scope["path"]))
        finally:
            took = time.perf_counter() - started
            area = self._areas.get(scope["path"][1:].partition("/")[0], OTHER_AREA)
            self._observe(Work.HTTP, area, str(status), took)
            if log.isEnabledFor(logging.INFO):
                path, note = masked_path(scope["path"]), mask_numbers(scope["state"].get("note", ""))
                log.info("%s %s %s %d %.1f ms %s", identifier, scope["method"], path, status, took * 1000, note)


_TOKEN_OR_NUMBER = re.compile(r"(?<![A-Za-z0-9])(?:[A-Za-z0-9]{22,}|[0-9]{7,})(?![A-Za-z0-9])")


def masked_path(path: str) -> str:
    """A path for the log: page tokens and phone numbers can't be read from it (design promise 8)."""
    return mask_numbers(_TOKEN_OR_NUMBER.sub(lambda found: f"{found[0][:2]}…{found[0][-2:]}", path))


def request_id(request: Request) -> str:
    """The id of this request, as it stands in the log and in the answer."""
    return str(request.state.request_id)
