"""How long what was fetched may be used without asking (R-34)."""

import pytest

from mmsgate.clock import DAY, SECOND, ManualClock
from mmsgate.media.fetch_cache import CacheEntry, Front, fresh_for


def entry(url: str = "http://a/", *, fresh_until: int = 0, etag: str = "", last_modified: str = "") -> CacheEntry:
    return CacheEntry(
        url=url,
        blob="ab" * 32,
        mime="image/jpeg",
        size=1,
        width=1,
        height=1,
        etag=etag,
        last_modified=last_modified,
        fresh_until=fresh_until,
        fetched_at=0,
    )


@pytest.mark.parametrize(
    ("control", "seconds"),
    [
        ("", 60),
        ("public", 60),
        ("max-age=10", 10),
        ("Public, Max-Age=3600", 3600),
        ('max-age="10"', 10),
        ("max-age=10, s-maxage=20", 20),
        ("max-age=0", 0),
        ("no-cache", 0),
        ("max-age=100, no-cache", 0),
        ("max-age=-1", 60),
        ("max-age=soon", 60),
        ("max-age=99999999999999999999999", 365 * 86400),
    ],
)
def test_cache_control(control: str, seconds: int) -> None:
    assert fresh_for({"cache-control": control}) == seconds * SECOND


def test_no_store_is_not_kept() -> None:
    assert fresh_for({"cache-control": "no-store, max-age=10"}) is None


def test_the_age_on_the_way_counts() -> None:
    assert fresh_for({"cache-control": "max-age=10", "age": "4"}) == 6 * SECOND
    assert fresh_for({"cache-control": "max-age=10", "age": "400"}) == 0


def test_validators_are_what_the_origin_gave() -> None:
    assert entry().validators == {}
    assert entry(etag='"1"').validators == {"If-None-Match": '"1"'}
    assert entry(last_modified="Mon").validators == {"If-Modified-Since": "Mon"}


def test_a_304_renews() -> None:
    renewed = entry(etag='"1"', last_modified="Mon").renewed({"etag": '"2"', "cache-control": "max-age=5"}, 1000)
    assert renewed == CacheEntry(
        url="http://a/",
        blob="ab" * 32,
        mime="image/jpeg",
        size=1,
        width=1,
        height=1,
        etag='"2"',
        last_modified="Mon",
        fresh_until=6000,
        fetched_at=1000,
    )


def test_the_front_forgets_when_an_entry_is_stale() -> None:
    clock = ManualClock(0)
    front = Front(clock)
    front.put(entry(fresh_until=5 * SECOND))
    clock.advance(5 * SECOND - 1)
    assert front.get("http://a/") is not None
    clock.advance(1)
    assert front.get("http://a/") is None


def test_the_front_believes_in_a_blob_for_a_minute_at_most() -> None:
    clock = ManualClock(0)
    front = Front(clock)
    front.put(entry(fresh_until=DAY))
    clock.advance(60 * SECOND)
    assert front.get("http://a/") is None


def test_the_front_keeps_what_was_used_last() -> None:
    front = Front(ManualClock(0), capacity=2)
    front.put(entry("http://a/", fresh_until=DAY))
    front.put(entry("http://b/", fresh_until=DAY))
    front.get("http://a/")
    front.put(entry("http://c/", fresh_until=DAY))
    assert [front.get(f"http://{name}/") is not None for name in "abc"] == [True, False, True]
