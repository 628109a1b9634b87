"""The one client through which every outbound HTTP request goes (style rule 10)."""

import asyncio
import ssl
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import aiohttp
from yarl import URL

from mmsgate.http.address import AddressPolicy, unlisted
from mmsgate.http.connection import Lookup, Resolver, open_session, refused_address, system_lookup
from mmsgate.http.outcome import Fetched, FetchFailed, FetchOutcome, FetchProblem, NotModified, Timeouts
from mmsgate.http.pool import Pool
from mmsgate.http.session import Session, client_timeout, describe, plain_headers
from mmsgate.http.spool import Spool

FETCH_TIMEOUTS = Timeouts(connect=10, idle=10, total=60)
MAX_REDIRECTS = 3
MAX_URL = 4096  # characters

_FETCH_CONNECTIONS = 128  # to all origins together
_FETCH_KEEPALIVE = 15.0  # seconds
_LOOKUP_THREADS = 16
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Order:
    """What is wanted from a fetch, the URL aside."""

    limit: int
    folder: Path
    headers: Mapping[str, str]
    demand_length: bool
    timeouts: Timeouts


@dataclass(frozen=True, slots=True, kw_only=True)
class _Resolvers:
    """Customers' names are looked up in threads of their own: theirs may stall, the carriers' must not wait."""

    customers: Resolver
    operator: Resolver


class HttpClient:
    """Outbound HTTP: `fetch` for URLs that customers gave, pools of posts for configured endpoints.

    `policy` judges the former alone. `start` and `stop` may be called any number of times, in any order.
    """

    def __init__(
        self,
        *,
        policy: AddressPolicy | None = None,
        user_agent: str = "mmsgate",
        lookup: Lookup = system_lookup,
    ) -> None:
        self._policy = policy or AddressPolicy()
        self._user_agent = user_agent
        self._lookup = lookup
        self._resolvers: _Resolvers | None = None
        self._pools: set[Pool] = set()
        self._guarded = Session(partial(self._open_session, guarded=True))
        self._listed = Session(partial(self._open_session, guarded=False))  # for what the allow list names

    async def start(self) -> None:
        """Makes requests possible."""
        if self._resolvers is None:
            self._resolvers = _Resolvers(customers=self._new_resolver(), operator=self._new_resolver())

    async def stop(self) -> None:
        """Closes all connections; requests under way end with an outcome that says so."""
        resolvers, self._resolvers = self._resolvers, None
        for pool in self._pools:
            await pool.close()
        for session in (self._guarded, self._listed):
            await session.close()
        if resolvers is not None:
            for resolver in (resolvers.customers, resolvers.operator):
                resolver.threads.shutdown(wait=False, cancel_futures=True)

    def pool(self, *, limit: int, keepalive: float = 30, tls: ssl.SSLContext | None = None) -> Pool:
        """A pool of at most `limit` connections for one group of configured endpoints.

        `keepalive` is how many seconds an idle connection is kept; `tls` replaces the system's trust store.
        """
        pool = Pool(self._operator_names, limit=limit, keepalive=keepalive, user_agent=self._user_agent, tls=tls)
        self._pools.add(pool)
        return pool

    async def fetch(
        self,
        url: str,
        *,
        limit: int,
        folder: Path,
        headers: Mapping[str, str] | None = None,
        demand_length: bool = False,
        timeouts: Timeouts = FETCH_TIMEOUTS,
    ) -> FetchOutcome:
        """GETs a customer's URL into a temporary file in `folder`.

        `limit` is the most bytes the body may have: a larger announced one is refused unread, a larger real
        one as soon as it shows. At most three redirects are followed, each judged like the URL itself.
        `demand_length` refuses answers without Content-Length (API contract 5.4, R-04).

        Raises SpoolError if the folder cannot be written to.
        """
        order = _Order(
            limit=limit, folder=folder, headers=headers or {}, demand_length=demand_length, timeouts=timeouts
        )
        try:
            async with asyncio.timeout(timeouts.total):
                return await self._follow(url, order)
        except TimeoutError:
            return FetchFailed(kind=FetchProblem.TIMEOUT, reason=f"not complete after {timeouts.total:g} s")

    def _operator_names(self) -> Resolver | None:
        return self._resolvers.operator if self._resolvers else None

    def _new_resolver(self) -> Resolver:
        threads = ThreadPoolExecutor(_LOOKUP_THREADS, thread_name_prefix="name-lookup")
        return Resolver(lookup=self._lookup, threads=threads)

    def _open_session(self, *, guarded: bool) -> aiohttp.ClientSession | None:
        if self._resolvers is None:
            return None
        return open_session(
            self._resolvers.customers, guarded=guarded, limit=_FETCH_CONNECTIONS, keepalive=_FETCH_KEEPALIVE,
            user_agent=self._user_agent,
        )  # fmt: skip

    async def _follow(self, url: str, order: _Order) -> FetchOutcome:
        """Walks from redirect to redirect."""
        target = _parsed(url)
        seen: set[URL] = set()
        while isinstance(target, URL):
            if target in seen:
                return _failed(FetchProblem.REDIRECTS, "it redirects in a circle")
            if len(seen) > MAX_REDIRECTS:
                return _failed(FetchProblem.REDIRECTS, f"more than {MAX_REDIRECTS} redirects")
            step = await self._get(target, order)
            if not isinstance(step, str):
                return _redirected(step, target) if seen else step
            seen.add(target)
            target = _parsed(step, base=target)
        return target

    async def _get(self, url: URL, order: _Order) -> FetchOutcome | str:
        """One request: its outcome, or where it redirects to."""
        host, port = url.raw_host or "", url.port or 0
        if reason := self._policy.refusal(host, port):
            return _failed(FetchProblem.REFUSED, reason)
        session = (self._listed if self._policy.allows(host, port) else self._guarded)()
        if session is None:
            return _failed(FetchProblem.UNREACHABLE, "the HTTP client is not running")
        limits = client_timeout(order.timeouts)
        try:
            async with session.get(url, headers=order.headers, allow_redirects=False, timeout=limits) as response:
                return await _receive(response, order)
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return _fault(error, url, order)


def _parsed(text: str, *, base: URL | None = None) -> URL | FetchFailed:
    """The one reading of a URL: what is judged here is the object that is requested."""
    if len(text) > MAX_URL:
        return _failed(FetchProblem.REFUSED, f"the URL has more than {MAX_URL:,} characters")
    try:
        url = URL(text.strip())
        url = (base.join(url) if base else url).with_fragment(None)
    except ValueError:
        return _failed(FetchProblem.REFUSED, "the URL is not valid")
    if url.scheme not in ("http", "https"):
        return _failed(FetchProblem.REFUSED, "only http and https URLs are fetched")
    if not url.raw_host or not url.port:
        return _failed(FetchProblem.REFUSED, "the URL names no host")
    if url.raw_user is not None or url.raw_password is not None:
        return _failed(FetchProblem.REFUSED, "the URL holds a user name or password")
    return url


async def _receive(response: aiohttp.ClientResponse, order: _Order) -> FetchOutcome | str:
    headers = plain_headers(response)
    if response.status in _REDIRECTS and "location" in headers:
        return headers["location"]
    if response.status == 304 and order.headers:
        return NotModified(url=str(response.url), headers=headers)
    return _objection(response, headers, order) or await _download(response, headers, order)


def _objection(response: aiohttp.ClientResponse, headers: Mapping[str, str], order: _Order) -> FetchFailed | None:
    """What speaks against the answer before its body is read."""
    announced = response.content_length
    if response.status != 200:
        return _failed(FetchProblem.STATUS, f"it answered HTTP {response.status}")
    if headers.get("content-encoding", "identity").strip().lower() not in ("identity", ""):
        return _failed(FetchProblem.ENCODED, "it answered with an encoded body, which was not asked for")
    if order.demand_length and (announced is None or "transfer-encoding" in headers):
        return _failed(FetchProblem.NO_LENGTH, "it answered without Content-Length")
    if announced is not None and announced > order.limit:
        return _too_big(announced, order, "announces")
    return None


async def _download(response: aiohttp.ClientResponse, headers: Mapping[str, str], order: _Order) -> FetchOutcome:
    spool = Spool(order.folder)
    try:
        while piece := await response.content.readany():
            await spool.take(piece)
            if spool.size > order.limit:
                return _too_big(spool.size, order, "sent")
        if response.content_length not in (None, spool.size):
            return _truncated(spool.size, response.content_length)
        path, digest = await spool.finish()
    except (aiohttp.ClientPayloadError, aiohttp.ClientConnectionError) as error:
        if isinstance(error, TimeoutError):
            raise
        return _truncated(spool.size, response.content_length)
    finally:
        spool.discard()
    return Fetched(
        url=str(response.url),
        status=response.status,
        headers=headers,
        path=path,
        size=spool.size,
        sha256=digest,
    )


def _failed(kind: FetchProblem, reason: str) -> FetchFailed:
    return FetchFailed(kind=kind, reason=reason)


def _too_big(size: int, order: _Order, verb: str) -> FetchFailed:
    reason = f"it {verb} {size:,} bytes, {order.limit:,} are allowed"
    return FetchFailed(kind=FetchProblem.TOO_BIG, reason=reason, size=size)


def _truncated(size: int, announced: int | None) -> FetchFailed:
    of = "" if announced is None else f" of {announced:,}"
    reason = f"it broke off after {size:,}{of} bytes"
    return FetchFailed(kind=FetchProblem.TRUNCATED, reason=reason, size=size)


def _redirected(outcome: FetchOutcome, target: URL) -> FetchOutcome:
    """A failure behind a redirect says where it happened."""
    if not isinstance(outcome, FetchFailed):
        return outcome
    reason = f"redirected to {target.host}: {outcome.reason}"
    return FetchFailed(kind=outcome.kind, reason=reason, size=outcome.size)


def _fault(error: Exception, url: URL, order: _Order) -> FetchFailed:
    if refused := refused_address(error):
        reason = unlisted(str(refused), url.raw_host or "", url.port or 0)
        return _failed(FetchProblem.REFUSED, reason)
    if isinstance(error, aiohttp.InvalidURL):
        return _failed(FetchProblem.REFUSED, "the URL is not valid")
    kind = FetchProblem.TIMEOUT if isinstance(error, TimeoutError) else FetchProblem.UNREACHABLE
    return _failed(kind, describe(error, order.timeouts))
