"""Name lookup, and the connections that customers' URLs are fetched over. The only module that sets up aiohttp.

With `guarded`, an address is judged three times, each time the address itself and never its name, so that a name
that changes its mind between lookups wins nothing: what a lookup gave is filtered; the very address handed to
connect() is judged when its socket is made (literal addresses, which skip the lookup, end here as well); and the
peer's address is judged again once connected, before a byte of a request leaves.
"""

import asyncio
import socket
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.client_proto import ResponseHandler
from aiohttp.client_reqrep import ClientRequest

from mmsgate.http.address import denied

#: Blocking name lookup: the addresses of a host, or OSError. It is run in a thread.
Lookup = Callable[[str], Sequence[str]]

_AddrInfo = tuple[int, int, int, str, tuple[Any, ...]]  # as getaddrinfo gives it


class AddressRefusedError(OSError):
    """The address policy refuses the address; the message says what kind it is."""


def system_lookup(host: str) -> list[str]:
    """The system's answer for `host`, each address once. Raises OSError."""
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def refused(address: str) -> str | None:
    """What kind of address a numeric one is, if the policy refuses it; None if it may be connected to."""
    try:
        return denied(ip_address(address))
    except ValueError:
        return "no address that could be judged"


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolver:
    """Name lookup in threads of its own: a stalled name server holds up nobody else's disk access."""

    lookup: Lookup
    threads: ThreadPoolExecutor

    async def addresses(self, host: str) -> Sequence[str]:
        return await asyncio.get_running_loop().run_in_executor(self.threads, self.lookup, host)


class _Names(AbstractResolver):
    """aiohttp's view of a `Resolver`, filtered if `guarded`."""

    def __init__(self, resolver: Resolver, *, guarded: bool) -> None:
        self._resolver = resolver
        self._guarded = guarded

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        addresses = await self._resolver.addresses(host)
        if self._guarded:
            addresses = _permitted(host, addresses)
        return [_result(host, address, port) for address in addresses]

    async def close(self) -> None:
        """Nothing of its own to close."""


def _permitted(host: str, addresses: Sequence[str]) -> list[str]:
    kinds = {address: refused(address) for address in addresses}
    permitted = [address for address, kind in kinds.items() if kind is None]
    if not permitted and kinds:
        raise AddressRefusedError(f"{host} leads to {addresses[0]}, {kinds[addresses[0]]}")
    return permitted


def _result(host: str, address: str, port: int) -> ResolveResult:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    flags = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV
    return ResolveResult(hostname=host, host=address, port=port, family=family, proto=0, flags=flags)


def _guarded_socket(info: _AddrInfo) -> socket.socket:
    family, socket_type, proto, _, address = info
    if kind := refused(str(address[0])):
        raise AddressRefusedError(f"{address[0]} is {kind}")
    return socket.socket(family=family, type=socket_type, proto=proto)


class _GuardedConnector(aiohttp.TCPConnector):
    """A connector that judges the peer once more when the connection stands."""

    async def _create_connection(
        self,
        req: ClientRequest,
        traces: list[Any],
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109 (the name is aiohttp's)
    ) -> ResponseHandler:
        protocol = await super()._create_connection(req, traces, timeout)
        peer = protocol.transport.get_extra_info("peername") if protocol.transport else None
        address = str(peer[0]) if peer else ""
        if kind := refused(address):
            protocol.abort()
            reason = AddressRefusedError(f"the connected address {address} is {kind}")
            raise aiohttp.ClientConnectorError(req.connection_key, reason)
        return protocol


def open_session(
    resolver: Resolver,
    *,
    guarded: bool,
    limit: int,
    keepalive: float,
    user_agent: str,
) -> aiohttp.ClientSession:
    """A session with a connection pool of its own: no cookies, no proxies, nothing decompressed.

    `limit` is the number of connections (0: no limit), `keepalive` the seconds an idle one is kept.
    """
    connector = (_GuardedConnector if guarded else aiohttp.TCPConnector)(
        resolver=_Names(resolver, guarded=guarded),
        socket_factory=_guarded_socket if guarded else None,
        limit=limit,
        keepalive_timeout=keepalive,
    )
    return aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={"User-Agent": user_agent, "Accept-Encoding": "identity"},
        auto_decompress=False,
        trust_env=False,
        read_bufsize=1 << 18,
    )


def refused_address(error: BaseException) -> AddressRefusedError | None:
    """The policy's refusal inside a connection error, if that is what it was."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, AddressRefusedError):
            return cause
        cause = getattr(cause, "os_error", None) or cause.__cause__
    return None
