"""Posts to endpoints that the operator configured, over keep-alive connections of their own.

A pool belongs to one group of destinations (one carrier, say): a pool that is full of waiting requests never
holds up another's.
"""

import asyncio
import os
import select
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache

import aiohttp
from aiohttp.abc import AbstractStreamWriter
from aiohttp.payload import Payload

from mmsgate.http.outcome import Answered, Lost, NotSent, PostOutcome, Timeouts

POST_TIMEOUTS = Timeouts(connect=10, idle=None, total=60)
ANSWER_LIMIT = 256 * 1024  # bytes of an answer's body that are read

_STALE_TRIES = 3  # connections tried before a peer that hangs up on each of them is given up
_SMALL = 16 * 1024  # neighbours below this are joined: one system call is dearer than copying them
_HANG_UP = getattr(select, "POLLRDHUP", 0) | select.POLLHUP | select.POLLERR

Buffer = bytes | memoryview


class Pool:
    """A connection pool; made by `HttpClient.pool`."""

    def __init__(self, open_session: Callable[[], aiohttp.ClientSession | None]) -> None:
        self._open_session = open_session
        self._session: aiohttp.ClientSession | None = None

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
        outcome: PostOutcome = NotSent(reason="the HTTP client is not running")
        for _ in range(_STALE_TRIES):
            session = self.session()
            if session is None:
                return outcome
            body = _Body(buffers)
            outcome = await _post(session, url, headers, body, timeouts)
            if not body.stale:
                return outcome
        return outcome

    async def get(
        self, url: str, *, headers: Mapping[str, str], timeouts: Timeouts = POST_TIMEOUTS
    ) -> Answered | NotSent:
        """GETs a small answer; whatever keeps it from coming is `NotSent`, for asking again does no harm."""
        session = self.session()
        if session is None:
            return NotSent(reason="the HTTP client is not running")
        limits = client_timeout(timeouts)
        try:
            async with (
                asyncio.timeout(timeouts.total),
                session.get(url, headers=headers, allow_redirects=False, timeout=limits) as response,
            ):
                return await _answer(response)
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return NotSent(reason=describe(error, timeouts))

    def session(self) -> aiohttp.ClientSession | None:
        """The pool's session, opened at first use; None when the client is not running."""
        if self._session is None or self._session.closed:
            self._session = self._open_session()
        return self._session

    async def close(self) -> None:
        """Closes the connections; requests under way end as `NotSent` or `Lost`."""
        if self._session is not None:
            await self._session.close()


class _Body(Payload):
    """The body of a post, which remembers whether any of it has begun to leave.

    `stale`: the connection had been closed by the peer before the first byte, so nothing left.
    """

    def __init__(self, buffers: Sequence[Buffer]) -> None:
        super().__init__(buffers, content_type="application/octet-stream")
        self._buffers = buffers
        self._size = sum(map(len, buffers))
        self.begun = False
        self.stale = False

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        return b"".join(self._buffers).decode(encoding, errors)

    async def write(self, writer: AbstractStreamWriter) -> None:
        await self.write_with_length(writer, None)

    async def write_with_length(self, writer: AbstractStreamWriter, content_length: int | None) -> None:
        transport = writer.transport
        if transport is None or transport.is_closing() or _hung_up(transport):
            self.stale = True
            raise aiohttp.ClientConnectionResetError("the peer closed the connection before the body began")
        self.begun = True  # aiohttp keeps the request's head back and sends it with the first piece
        for piece in _pieces(self._buffers):
            await writer.write(piece)


def _hung_up(transport: asyncio.WriteTransport) -> bool:
    """Whether the peer's FIN or reset is here already, though the event loop has not seen it yet."""
    sock = transport.get_extra_info("socket")
    if sock is None or sock.fileno() < 0:
        return True
    poll = select.poll()
    poll.register(sock.fileno(), _HANG_UP)
    return bool(poll.poll(0))


def _pieces(buffers: Sequence[Buffer]) -> Iterator[Buffer]:
    """The buffers with small neighbours joined; a large first one is led by an empty piece.

    The empty piece makes aiohttp send the head by itself instead of copying a large buffer to it.
    """
    small: list[Buffer] = []
    if buffers and len(buffers[0]) >= _SMALL:
        yield b""
    for buffer in buffers:
        if len(buffer) < _SMALL:
            small.append(buffer)
            continue
        if small:
            yield b"".join(small)
            small = []
        yield buffer
    if small:
        yield small[0] if len(small) == 1 else b"".join(small)


async def _post(
    session: aiohttp.ClientSession, url: str, headers: Mapping[str, str], body: _Body, timeouts: Timeouts
) -> PostOutcome:
    try:
        async with asyncio.timeout(timeouts.total):
            return await _exchange(session, url, headers, body, timeouts)
    except (aiohttp.ClientError, OSError, ValueError) as error:  # time-outs are OSErrors
        reason = describe(error, timeouts)
        return Lost(reason=reason) if body.begun else NotSent(reason=reason)


async def _exchange(
    session: aiohttp.ClientSession, url: str, headers: Mapping[str, str], body: _Body, timeouts: Timeouts
) -> Answered:
    limits = client_timeout(timeouts)
    async with session.post(url, data=body, headers=headers, allow_redirects=False, timeout=limits) as response:
        return await _answer(response)


async def _answer(response: aiohttp.ClientResponse) -> Answered:
    pieces, size = [], 0
    while size <= ANSWER_LIMIT and (piece := await response.content.readany()):
        pieces.append(piece)
        size += len(piece)
    return Answered(
        status=response.status,
        headers=plain_headers(response),
        body=b"".join(pieces)[:ANSWER_LIMIT],
        cut=size > ANSWER_LIMIT,
    )


@lru_cache(maxsize=64)
def client_timeout(timeouts: Timeouts) -> aiohttp.ClientTimeout:
    """aiohttp's form of our time-outs; `total` is kept by the caller, who sees more than one request."""
    return aiohttp.ClientTimeout(total=None, sock_connect=timeouts.connect, sock_read=timeouts.idle)


def plain_headers(response: aiohttp.ClientResponse) -> dict[str, str]:
    """Header names in lower case; of a repeated one the first counts."""
    return {name.lower(): response.headers[name] for name in response.headers}


# The first class that fits names the failure. aiohttp derives its time-outs from its connection errors.
_FAILURES: tuple[tuple[type[BaseException], str], ...] = (
    (aiohttp.ConnectionTimeoutError, "no connection within {connect:g} s"),
    (aiohttp.SocketTimeoutError, "nothing came for {idle:g} s"),
    (TimeoutError, "no complete answer within {total:g} s"),
    (aiohttp.ClientConnectorCertificateError, "the TLS certificate is not valid for the host"),
    (aiohttp.ClientConnectorSSLError, "TLS could not be agreed"),
    (aiohttp.ClientConnectorDNSError, "the host name could not be resolved"),
    (aiohttp.ClientPayloadError, "the answer broke off before its end"),
    (aiohttp.ClientResponseError, "the answer is not HTTP"),
    (aiohttp.ServerDisconnectedError, "the peer closed the connection without an answer"),
    (aiohttp.InvalidURL, "the URL is not valid"),
    (aiohttp.ClientOSError, "the connection broke"),
)


def describe(error: BaseException, timeouts: Timeouts) -> str:
    """A connection's failure as a sentence for people."""
    if type(error) is aiohttp.ClientConnectorError:
        cause = error.os_error
        return f"no connection: {os.strerror(cause.errno) if cause.errno else cause}"
    for kind, words in _FAILURES:
        if isinstance(error, kind):
            return words.format(connect=timeouts.connect, idle=timeouts.idle or 0, total=timeouts.total)
    return str(error) or type(error).__name__
