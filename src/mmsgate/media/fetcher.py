"""Obtaining the media of a request: from the cache, from our own uploads, from the origins (API contract 5.4).

All URLs of a request are fetched at once. One URL asked for a thousand times at once is fetched once and stored
once (R-06). A failure is a value; the first in document order answers (R-32).
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from mmsgate.clock import Clock, Millis
from mmsgate.domain.account import STRICT_LIMITS, SourceLimits
from mmsgate.domain.media import MODERN, ImageLimits, MediaKind, by_extension, by_mime
from mmsgate.domain.slide import Medium
from mmsgate.errors import NOT_FETCHED, TOO_BIG
from mmsgate.http.client import HttpClient
from mmsgate.http.outcome import Fetched, FetchFailed, FetchProblem, NotModified
from mmsgate.media.fetch_cache import CacheEntry, FetchCache, Front, fresh_for
from mmsgate.media.intake import Intake, Kept, Unfit, within
from mmsgate.media.storage import BlobStore

_log = logging.getLogger(__name__)

_FETCHES_AT_ONCE = 64
_FETCHES_PER_ACCOUNT = 16  # so that one customer's stalled origins leave room for the others
_TURN_WITHIN = 20.0  # seconds that a fetch waits for its turn


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaRequest:
    """A file that slide `slide` (1-based) wants under an element of kind `kind`."""

    slide: int
    kind: MediaKind
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaFault:
    """Why a request's media cannot be had: the API's code and the reason in words."""

    code: str
    slide: int
    kind: MediaKind
    reason: str


@dataclass(slots=True)
class Counters:
    """What the fetcher did since it was made."""

    fetches: int = 0  # requests to origins, revalidations included
    revalidations: int = 0  # of those, answered with "not modified"
    hits: int = 0  # obtained without a request to the origin of its own
    stored: int = 0  # blobs that were new


#: Resolves a URL that leads to a file the account uploaded itself; None if it is none.
OwnUploads = Callable[[str, str], Awaitable[Medium | None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Terms:
    """Under which terms a URL is fetched; only equal ones share a fetch."""

    limit: int
    pictures: ImageLimits
    strict: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Failure:
    """A fetch that gave nothing; `code` is empty where it depends on the element."""

    reason: str
    code: str = ""
    too_big: bool = False


class Fetcher:
    """Media by URL.

    `own_uploads` is asked first, with the account and the URL. `fetches_at_once` bounds the fetches under way.
    """

    def __init__(
        self,
        *,
        http: HttpClient,
        blobs: BlobStore,
        intake: Intake,
        cache: FetchCache,
        clock: Clock,
        own_uploads: OwnUploads | None = None,
        fetches_at_once: int = _FETCHES_AT_ONCE,
    ) -> None:
        self._http = http
        self._blobs = blobs
        self._intake = intake
        self._cache = cache
        self._clock = clock
        self._own_uploads = own_uploads
        self._front = Front(clock)
        self._slots = asyncio.Semaphore(fetches_at_once)
        self._shares: defaultdict[str, asyncio.Semaphore] = defaultdict(
            lambda: asyncio.Semaphore(_FETCHES_PER_ACCOUNT)
        )
        self._flights: dict[tuple[str, _Terms], asyncio.Task[CacheEntry | _Failure]] = {}
        self._tasks: set[asyncio.Task[CacheEntry | _Failure]] = set()
        self._counters = Counters()

    @property
    def counters(self) -> Counters:
        """What was done so far."""
        self._counters.stored = self._intake.stored
        return self._counters

    async def stop(self) -> None:
        """Ends the fetches under way. May be called again."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def obtain(
        self,
        requests: Sequence[MediaRequest],
        *,
        account: str,
        limits: SourceLimits | None = None,
        strict: bool = False,
    ) -> list[Medium] | MediaFault:
        """The media in the order of the requests, or the first fault in that order.

        `strict` takes the contract literally: nothing from the cache, Content-Length demanded, a generic
        Content-Type with an unknown extension refused (R-04, R-05, R-06).

        Raises CageError, SpoolError or OSError if the fault is ours.
        """
        allowed = limits or (STRICT_LIMITS if strict else SourceLimits())
        tasks = [asyncio.ensure_future(self._one(wish, account, allowed, strict)) for wish in requests]
        media = []
        try:
            for task in tasks:
                obtained = await task
                if isinstance(obtained, MediaFault):
                    return obtained
                media.append(obtained)
        finally:
            for task in tasks:  # a fetch shared with others goes on
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        return media

    async def _one(
        self, wish: MediaRequest, account: str, limits: SourceLimits, strict: bool
    ) -> Medium | MediaFault:
        own = await self._own_uploads(account, wish.url) if self._own_uploads else None
        if own is not None:
            return await self._judged(replace(own, source=wish.url), wish, limits, account)
        terms = _Terms(limit=limits.of(wish.kind), pictures=limits.pictures, strict=strict)
        found = await self._entry(wish.url, terms, account)
        if isinstance(found, _Failure):
            return _fault(wish, found)
        return await self._judged(_medium(found), wish, limits, account)

    async def _judged(
        self, medium: Medium, wish: MediaRequest, limits: SourceLimits, account: str
    ) -> Medium | MediaFault:
        """A file that is there, or what speaks against it."""
        objection = _objection(medium, wish, limits)
        if objection is None:
            unfit = await self._intake.recheck(medium, limits.pictures, owner=account)
            objection = _fault(wish, _Failure(code=unfit.code, reason=unfit.reason)) if unfit else None
        return objection or medium

    async def _entry(self, url: str, terms: _Terms, account: str) -> CacheEntry | _Failure:
        if terms.strict:
            return await asyncio.shield(self._fly(url, terms, account))
        entry = self._front.get(url)
        if entry is not None:
            self._counters.hits += 1
            return entry
        flight = self._flights.get((url, terms))
        if flight is None:
            flight = self._flights[url, terms] = self._fly(url, terms, account)
            flight.add_done_callback(lambda _: self._flights.pop((url, terms), None))
        else:
            self._counters.hits += 1
        return await asyncio.shield(flight)

    def _fly(self, url: str, terms: _Terms, account: str) -> "asyncio.Task[CacheEntry | _Failure]":
        """Starts a fetch that outlives whoever asked first."""
        task = asyncio.ensure_future(self._look_up(url, terms, account))
        self._tasks.add(task)
        task.add_done_callback(self._landed)
        return task

    def _landed(self, task: "asyncio.Task[CacheEntry | _Failure]") -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            _log.debug("a fetch ended with %r, which whoever waits for it gets", task.exception())

    async def _look_up(self, url: str, terms: _Terms, account: str) -> CacheEntry | _Failure:
        """The kept entry while it is fresh, else what the origin says."""
        known = None if terms.strict else await self._cache.get(url)
        if known is not None and not await self._blobs.renew(known.blob):
            known = None
        if known is not None and self._clock.now() < known.fresh_until:
            self._counters.hits += 1
            self._front.put(known)
            return known
        async with AsyncExitStack() as turn:
            try:
                async with asyncio.timeout(_TURN_WITHIN):
                    await turn.enter_async_context(self._shares[account])
                    await turn.enter_async_context(self._slots)
            except TimeoutError:
                return _Failure(reason=f"its turn did not come within {_TURN_WITHIN:g} s: too many fetches wait")
            return await self._fetch(url, terms, known, account)

    async def _fetch(
        self, url: str, terms: _Terms, known: CacheEntry | None, account: str
    ) -> CacheEntry | _Failure:
        self._counters.fetches += 1
        outcome = await self._http.fetch(
            url,
            limit=terms.limit,
            folder=self._blobs.incoming,
            headers=known.validators if known else None,
            demand_length=terms.strict,
        )
        if isinstance(outcome, FetchFailed):
            return _Failure(reason=outcome.reason, too_big=outcome.kind is FetchProblem.TOO_BIG)
        now = self._clock.now()
        if isinstance(outcome, NotModified):
            assert known is not None  # only conditional requests are answered so
            self._counters.revalidations += 1
            entry = known.renewed(outcome.headers, now)
        else:
            kept = await self._admit(outcome, terms, account)
            if isinstance(kept, Unfit):
                return _Failure(code=kept.code, reason=kept.reason)
            entry = _entry(url, kept, outcome.headers, now)
        if not terms.strict and fresh_for(outcome.headers) is not None:
            await self._cache.put(entry)
            self._front.put(entry)
        return entry

    async def _admit(self, fetched: Fetched, terms: _Terms, account: str) -> Kept | Unfit:
        """The bytes decide (R-05); that the origin called them something else is logged."""
        declared = fetched.headers.get("content-type", "")
        if terms.strict and _nameless(declared, fetched.url):
            await asyncio.to_thread(fetched.path.unlink)
            return Unfit(code="E629", reason="neither its Content-Type nor its extension names a type")
        kept = await self._intake.admit(
            fetched.path, size=fetched.size, sha256=fetched.sha256, limits=terms.pictures, owner=account
        )
        if isinstance(kept, Kept) and by_mime(declared) is not kept.type:
            _log.info("a file from %s is %s, it was called %r", _host(fetched.url), kept.type.mime, declared)
        return kept


def _nameless(declared: str, url: str) -> bool:
    generic = declared.partition(";")[0].strip().lower() in ("", "application/octet-stream")
    return generic and by_extension(urlsplit(url).path) is None


def _entry(url: str, kept: Kept, headers: Mapping[str, str], now: Millis) -> CacheEntry:
    return CacheEntry(
        url=url,
        blob=kept.blob,
        mime=kept.type.mime,
        size=kept.size,
        width=kept.width,
        height=kept.height,
        etag=headers.get("etag", ""),
        last_modified=headers.get("last-modified", ""),
        fresh_until=now + (fresh_for(headers) or 0),
        fetched_at=now,
    )


def _medium(entry: CacheEntry) -> Medium:
    """The entry as a slide's medium; its kind is what its bytes are."""
    found = by_mime(entry.mime)
    assert found is not None  # only types of ours are kept
    return Medium(
        kind=found.kind,
        blob=entry.blob,
        mime=entry.mime,
        size=entry.size,
        source=entry.url,
        width=entry.width,
        height=entry.height,
    )


def _fault(wish: MediaRequest, failure: _Failure) -> MediaFault:
    codes = TOO_BIG if failure.too_big else NOT_FETCHED
    verb = "cannot be used" if failure.code else "is too big" if failure.too_big else "could not be fetched"
    return MediaFault(
        code=failure.code or codes[wish.kind],
        slide=wish.slide,
        kind=wish.kind,
        reason=f"slide {wish.slide}: {wish.kind.label} from {_host(wish.url)} {verb}: {failure.reason}",
    )


def _objection(medium: Medium, wish: MediaRequest, limits: SourceLimits) -> MediaFault | None:
    """What speaks against a file that is there: its size, its type, its pixels, in this order."""
    limit = limits.of(wish.kind)
    if medium.mime == "image/gif":
        limit = min(limit, limits.gif)
    if medium.size > limit:
        reason = f"it has {medium.size:,} bytes, {limit:,} are allowed"
        return _fault(wish, _Failure(reason=reason, too_big=True))
    if medium.kind is not wish.kind or (medium.mime in MODERN and not limits.modern):
        reason = f"it is {medium.mime}, which is no {wish.kind.label} that is taken here"
        return _fault(wish, _Failure(code="E229", reason=reason))
    if not within(medium.width, medium.height, medium.mime, limits.pictures):
        allowed = limits.pictures.pixels_of(medium.mime)
        reason = f"it has {medium.width} × {medium.height} pixels, {allowed:,} in all are allowed"
        return _fault(wish, _Failure(code="E341", reason=reason))
    return None


def _host(url: str) -> str:
    """The host of a URL for people; a URL itself may hold a secret."""
    with suppress(ValueError):
        return urlsplit(url).hostname or "nowhere"
    return "nowhere"
