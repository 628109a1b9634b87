"""What was fetched from which URL, and how long it may be used without asking again (R-06, R-34).

Sources: RFC 9111 (4.2 freshness, 5.2.2 the directives of answers), RFC 9110 (13.1 conditional requests).
"""

import re
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from mmsgate.clock import DAY, SECOND, Clock, Millis

DEFAULT_AGE: Millis = 60 * SECOND  # where the origin names none
_LONGEST_AGE: Millis = 365 * DAY


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheEntry:
    """A URL's content as it was last fetched.

    `blob` is the SHA-256 of the bytes in hex, `mime` what they proved to be, `size` their number; `width` and
    `height` are pixels, 0 where unknown; `etag` and `last_modified` are as the origin sent them, empty if it
    sent none. Until `fresh_until` it is used without asking the origin.
    """

    url: str
    blob: str
    mime: str
    size: int
    width: int
    height: int
    etag: str
    last_modified: str
    fresh_until: Millis
    fetched_at: Millis

    @property
    def validators(self) -> dict[str, str]:
        """The header fields that ask the origin whether this is still its content; empty if it can't be asked."""
        fields = {"If-None-Match": self.etag, "If-Modified-Since": self.last_modified}
        return {name: value for name, value in fields.items() if value}

    def renewed(self, headers: Mapping[str, str], now: Millis) -> "CacheEntry":
        """The entry after the origin answered 304 with these headers (names in lower case)."""
        return replace(
            self,
            etag=headers.get("etag", self.etag),
            last_modified=headers.get("last-modified", self.last_modified),
            fresh_until=now + (fresh_for(headers) or 0),
            fetched_at=now,
        )


class FetchCache(Protocol):
    """Where entries are kept between runs: one for each URL, the newest."""

    async def get(self, url: str) -> CacheEntry | None:
        """The entry for the URL, fresh or not."""
        ...

    async def put(self, entry: CacheEntry) -> None:
        """Keeps the entry in place of the URL's earlier one."""
        ...


def fresh_for(headers: Mapping[str, str]) -> Millis | None:
    """How long an answer with these headers may be used unasked; None if it may not be kept (no-store)."""
    control = headers.get("cache-control", "").lower()
    directives = dict(_directive(part) for part in control.split(","))
    if "no-store" in directives:
        return None
    if "no-cache" in directives:
        return 0
    seconds = _seconds(directives.get("s-maxage") or directives.get("max-age"))
    if seconds is None:
        return DEFAULT_AGE
    age = _seconds(headers.get("age")) or 0
    return min(max(seconds - age, 0) * SECOND, _LONGEST_AGE)


def _directive(part: str) -> tuple[str, str]:
    name, _, value = part.strip().partition("=")
    return name.strip(), value.strip().strip('"')


def _seconds(text: str | None) -> int | None:
    """RFC 9111 1.2.2: digits; an overlong number is a very long time."""
    if text is None or not re.fullmatch(r"[0-9]+", text):
        return None
    return int(text[:12])


class Front:
    """The newest entries in memory, before the store: `capacity` of them, each for at most `keep`.

    `keep` bounds how long a removed blob can be believed to be there.
    """

    def __init__(self, clock: Clock, *, capacity: int = 4096, keep: Millis = 60 * SECOND) -> None:
        self._clock = clock
        self._capacity = capacity
        self._keep = keep
        self._entries: OrderedDict[str, tuple[CacheEntry, Millis]] = OrderedDict()

    def get(self, url: str) -> CacheEntry | None:
        """The entry, if it may be used now without asking anybody."""
        found = self._entries.get(url)
        if found is None:
            return None
        entry, until = found
        if self._clock.now() >= until:
            del self._entries[url]
            return None
        self._entries.move_to_end(url)
        return entry

    def put(self, entry: CacheEntry) -> None:
        """Remembers an entry whose blob is known to be there."""
        until = min(entry.fresh_until, self._clock.now() + self._keep)
        self._entries[entry.url] = (entry, until)
        self._entries.move_to_end(entry.url)
        if len(self._entries) > self._capacity:
            self._entries.popitem(last=False)
