"""Posts to endpoints that the operator configured, over keep-alive connections of their own.

A pool belongs to one group of destinations (one carrier, say): a pool that is full of waiting requests never
holds up another's.
"""

import asyncio
import os
import socket
import ssl
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from ipaddress import ip_address

from aiohappyeyeballs import start_connection

from mmsgate.http.channel import NO_ANSWER, Buffer, Channel
from mmsgate.http.connection import Resolver
from mmsgate.http.outcome import Answered, Lost, NotSent, PostOutcome, Timeouts
from mmsgate.http.target import Target, target_of, write_head

POST_TIMEOUTS = Timeouts(connect=10, idle=None, total=60)

_STALE_TRIES = 3  # connections tried before a peer that hangs up on each of them is given up
_NEXT_ADDRESS_AFTER = 0.25  # seconds (RFC 8305 5)
_NOT_RUNNING = NotSent(reason="the HTTP client is not running")
_HUNG_UP = NotSent(reason="the peer closed the connection before the body began")

Peer = tuple[str, int, bool]


class Pool:
    """A connection pool; made by `HttpClient.pool`.

    `limit` is the number of connections, `keepalive` the seconds an idle one is kept. `resolver` is None while the
    client is not running.
    """

    def __init__(
        self, resolver: Callable[[], Resolver | None], *, limit: int, keepalive: float, user_agent: str,
        tls: ssl.SSLContext | None = None,
    ) -> None:  # fmt: skip
        self._resolver, self._keepalive = resolver, keepalive
        self._user_agent, self._tls = user_agent, tls
        self._limit = limit
        self._slots = asyncio.Semaphore(limit)
        self._kept: defaultdict[Peer, list[Channel]] = defaultdict(list)
        self._busy: set[Channel] = set()
        self._sweeper: asyncio.TimerHandle | None = None
        self._closed = 0  # times

    async def post(
        self,
        url: str,
        *,
        headers: Mapping[str, str],
        buffers: Sequence[Buffer],
        timeouts: Timeouts = POST_TIMEOUTS,
    ) -> PostOutcome:
        """Posts the buffers, one after the other, as one body with its Content-Length.

        Nothing is ever sent twice, no redirect is followed, and the buffers are neither joined nor copied
        (small neighbours aside), so that many posts can share them. `Lost` from the moment the body began.
        """
        return await self._request("POST", url, headers, buffers, timeouts)

    async def get(
        self, url: str, *, headers: Mapping[str, str], timeouts: Timeouts = POST_TIMEOUTS
    ) -> Answered | NotSent:
        """GETs a small answer; whatever keeps it from coming is `NotSent`, for asking again does no harm."""
        outcome = await self._request("GET", url, headers, None, timeouts)
        if outcome == Lost(reason=NO_ANSWER):  # the peer may have closed a kept connection just then
            outcome = await self._request("GET", url, headers, None, timeouts)
        return NotSent(reason=outcome.reason) if isinstance(outcome, Lost) else outcome

    async def close(self) -> None:
        """Closes the connections; requests under way end as `NotSent` or `Lost`."""
        self._closed += 1
        if self._sweeper is not None:
            self._sweeper.cancel()
            self._sweeper = None
        channels = [*self._busy, *(channel for kept in self._kept.values() for channel in kept)]
        self._kept.clear()
        for channel in channels:
            channel.abort("the HTTP client was stopped")
        await asyncio.sleep(0)  # the transports' last calls

    # -- one request

    async def _request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        buffers: Sequence[Buffer] | None,
        timeouts: Timeouts,
    ) -> PostOutcome:
        try:
            target = target_of(url)
            length = None if buffers is None else sum(map(len, buffers))
            head = write_head(method, target, headers, agent=self._user_agent, length=length)
        except ValueError as error:
            return NotSent(reason=str(error))
        deadline = asyncio.get_running_loop().time() + timeouts.total
        late = f"no complete answer within {timeouts.total:g} s"
        try:
            await self._take_slot(deadline)
        except TimeoutError:
            return NotSent(reason=late)
        try:
            channel = self._take_kept(target) or await self._connect(target, timeouts, deadline, late)
            if isinstance(channel, NotSent):
                return channel
            return await self._exchange(
                channel, target, head, buffers or (), idle=timeouts.idle, deadline=deadline, late=late
            )
        finally:
            self._slots.release()

    async def _take_slot(self, deadline: float) -> None:
        if not self._slots.locked():
            await self._slots.acquire()
            return
        async with asyncio.timeout_at(deadline):
            await self._slots.acquire()

    async def _exchange(
        self, channel: Channel, target: Target, head: bytes, buffers: Sequence[Buffer], *, idle: float | None,
        deadline: float, late: str,
    ) -> PostOutcome:  # fmt: skip
        self._busy.add(channel)
        try:
            return await channel.exchange(head, buffers, idle=idle, deadline=deadline, late=late)
        finally:
            self._busy.discard(channel)
            if channel.reusable:
                self._put_back(channel, target)

    # -- connections that are kept

    def _take_kept(self, target: Target) -> Channel | None:
        """The connection used last, if its peer has not closed it: found before the body, so nothing has left."""
        kept = self._kept.get(target.peer)
        oldest = asyncio.get_running_loop().time() - self._keepalive
        while kept:
            channel = kept.pop()
            if channel.kept_at >= oldest and channel.usable:
                return channel
            channel.abort()
        return None

    def _put_back(self, channel: Channel, target: Target) -> None:
        loop = asyncio.get_running_loop()
        channel.kept_at = loop.time()
        self._kept[target.peer].append(channel)
        if self._sweeper is None:
            self._sweeper = loop.call_later(self._keepalive, self._sweep)

    def _sweep(self) -> None:
        """Close what was not used for too long."""
        loop = asyncio.get_running_loop()
        oldest = loop.time() - self._keepalive
        for peer, kept in list(self._kept.items()):
            for channel in [each for each in kept if each.kept_at <= oldest]:
                kept.remove(channel)
                channel.abort()
            if not kept:
                del self._kept[peer]
        self._sweeper = loop.call_later(self._keepalive, self._sweep) if self._kept else None

    def _make_room(self) -> None:
        """A new connection to one peer may cost another peer its oldest idle one."""
        idle = [(channel.kept_at, peer, channel) for peer, kept in self._kept.items() for channel in kept]
        if idle and len(idle) + len(self._busy) >= self._limit:
            _, peer, channel = min(idle, key=lambda each: each[0])
            self._kept[peer].remove(channel)
            channel.abort()

    # -- connections that are made

    async def _connect(self, target: Target, timeouts: Timeouts, deadline: float, late: str) -> Channel | NotSent:
        self._make_room()
        closed = self._closed
        for _ in range(_STALE_TRIES):
            try:
                async with asyncio.timeout_at(deadline):
                    channel = await self._open(target, timeouts.connect)
            except TimeoutError:
                return NotSent(reason=late)
            if isinstance(channel, NotSent):
                return channel
            if closed != self._closed:
                channel.abort()
                return _NOT_RUNNING
            if channel.usable:
                return channel
            channel.abort()
        return _HUNG_UP

    async def _open(self, target: Target, patience: float) -> Channel | NotSent:
        resolver = self._resolver()
        if resolver is None:
            return _NOT_RUNNING
        try:
            async with asyncio.timeout(patience):
                addresses = await _addresses(target.host, resolver)
        except TimeoutError:
            return NotSent(reason=f"no connection within {patience:g} s")
        except (OSError, ValueError):
            return NotSent(reason="the host name could not be resolved")
        try:
            async with asyncio.timeout(patience):
                return await self._connected(target, addresses)
        except OSError as error:
            return NotSent(reason=_describe(error, patience))

    async def _connected(self, target: Target, addresses: Sequence[str]) -> Channel:
        infos = [_info(address, target.port) for address in addresses]
        connected = await start_connection(infos, happy_eyeballs_delay=_NEXT_ADDRESS_AFTER)
        tls = (self._tls or _system_trust()) if target.tls else None
        _, channel = await asyncio.get_running_loop().create_connection(
            Channel, sock=connected, ssl=tls, server_hostname=target.host if tls else None
        )
        return channel


async def _addresses(host: str, resolver: Resolver) -> Sequence[str]:
    try:
        ip_address(host)
    except ValueError:
        return await resolver.addresses(host)
    return [host]


def _info(address: str, port: int) -> tuple[int, int, int, str, tuple[str, int] | tuple[str, int, int, int]]:
    """An address as getaddrinfo gives it."""
    six = ":" in address
    where = (address, port, 0, 0) if six else (address, port)
    return (
        socket.AF_INET6 if six else socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", where,
    )  # fmt: skip


@cache
def _system_trust() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    return context


def _describe(error: OSError, patience: float) -> str:
    """Why there is no connection, as a sentence for people."""
    if isinstance(error, TimeoutError):
        return f"no connection within {patience:g} s"
    if isinstance(error, ssl.SSLCertVerificationError):
        return "the TLS certificate is not valid for the host"
    if isinstance(error, ssl.SSLError):
        return "TLS could not be agreed"
    return f"no connection: {os.strerror(error.errno) if error.errno else error}"
