"""A look at where a URL leads, without a request: name, connection, certificate."""

import asyncio
import os
import socket
import ssl
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from mmsgate.clock import DAY, Millis
from mmsgate.http.connection import Lookup, system_lookup
from mmsgate.http.target import Target, target_of

PATIENCE = 10.0  # seconds for each step


class Stage(StrEnum):
    """The steps on the way to a server."""

    DNS = "DNS"
    TCP = "TCP"
    TLS = "TLS"


@dataclass(frozen=True, slots=True, kw_only=True)
class Knocked:
    """What one step came to, in words."""

    stage: Stage
    fine: bool
    text: str


async def knock(
    url: str, *, now: Millis, tls: ssl.SSLContext | None = None, patience: float = PATIENCE,
    lookup: Lookup = system_lookup,
) -> AsyncIterator[Knocked]:  # fmt: skip
    """The steps towards a URL's server, one after the other, until one fails. `tls` is as in `HttpClient.pool`."""
    target = target_of(url)
    try:
        async with asyncio.timeout(patience):
            addresses = await asyncio.to_thread(lookup, target.host)
    except OSError as error:
        yield Knocked(stage=Stage.DNS, fine=False, text=f"{target.host} has no address: {_words(error)}")
        return
    yield Knocked(stage=Stage.DNS, fine=True, text=f"{target.host} is {', '.join(addresses)}")
    found = await _connected(target, addresses, patience)
    yield found
    if found.fine and target.tls:
        yield await _secured(target, tls or ssl.create_default_context(), now, patience)


async def _connected(target: Target, addresses: Sequence[str], patience: float) -> Knocked:
    """To the first address that takes a connection."""
    reasons = []
    for address in addresses:
        try:
            async with asyncio.timeout(patience):
                _, writer = await asyncio.open_connection(address, target.port)
        except OSError as error:
            reasons.append(f"{address}: {_words(error)}")
            continue
        writer.transport.abort()
        return Knocked(stage=Stage.TCP, fine=True, text=f"{address} takes connections at port {target.port}")
    return Knocked(stage=Stage.TCP, fine=False, text=f"nobody listens at port {target.port}: {'; '.join(reasons)}")


async def _secured(target: Target, context: ssl.SSLContext, now: Millis, patience: float) -> Knocked:
    try:
        async with asyncio.timeout(patience):
            _, writer = await asyncio.open_connection(
                target.host, target.port, ssl=context, server_hostname=target.host
            )
    except ssl.SSLCertVerificationError as error:
        return Knocked(stage=Stage.TLS, fine=False, text=f"its certificate is not trusted: {error.verify_message}")
    except OSError as error:
        return Knocked(stage=Stage.TLS, fine=False, text=f"TLS can't be agreed: {_words(error)}")
    secured = writer.get_extra_info("ssl_object")
    text = f"{secured.version()}, {_certificate(secured.getpeercert(), now)}"
    writer.transport.abort()
    return Knocked(stage=Stage.TLS, fine=True, text=text)


def _certificate(certificate: dict[str, object], now: Millis) -> str:
    """A certificate in the shape of `ssl`: for whom, by whom, how long."""
    until = str(certificate["notAfter"])
    days = (round(ssl.cert_time_to_seconds(until) * 1000) - now) // DAY
    return (
        f"certificate for {_name(certificate['subject'])} by {_name(certificate['issuer'])}, "
        f"valid until {until} ({days} days)"
    )


def _name(parts: object) -> str:
    """The common name of a distinguished name, else its organisation; as much as there is."""
    assert isinstance(parts, tuple)
    named = {key: value for part in parts for key, value in part}
    return str(named.get("commonName") or named.get("organizationName") or "nobody")


def _words(error: OSError) -> str:
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, socket.gaierror | ssl.SSLError):
        return str(error.strerror or error)
    return os.strerror(error.errno) if error.errno else str(error)
