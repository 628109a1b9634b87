"""aiohttp's sessions for what customers' URLs are fetched with, opened at first use; its words made ours."""

import os
from collections.abc import Callable
from functools import lru_cache

import aiohttp

from mmsgate.http.outcome import Timeouts


class Session:
    """One session, made by `HttpClient` for a group of destinations."""

    def __init__(self, open_session: Callable[[], aiohttp.ClientSession | None]) -> None:
        self._open_session = open_session
        self._session: aiohttp.ClientSession | None = None

    def __call__(self) -> aiohttp.ClientSession | None:
        """The session, opened at first use; None when the client is not running."""
        if self._session is None or self._session.closed:
            self._session = self._open_session()
        return self._session

    async def close(self) -> None:
        """Closes the connections; requests under way fail."""
        if self._session is not None:
            await self._session.close()


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
