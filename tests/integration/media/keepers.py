"""What one suite runs over: every kind of store, with a way to let time pass where it counts the age of blobs."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from mmsgate.clock import ManualClock, Millis
from mmsgate.media.bucket import Bucket, BucketSettings
from mmsgate.media.copies import Copies
from mmsgate.media.s3 import S3BlobStore
from mmsgate.media.storage import BlobStore, FileBlobStore
from tests.s3.server import S3Server

#: Long enough for every store to call a blob old.
LONG: Millis = 3 * 60 * 60 * 1000


@dataclass(frozen=True, kw_only=True)
class Keeper:
    """A store that has been started, and what belongs to it. `another` is one of another process, not started."""

    store: BlobStore
    another: Callable[[], BlobStore]
    clock: ManualClock
    advance: Callable[[Millis], None]


def file_keeper(folder: Path) -> Keeper:
    clock = ManualClock()

    def make() -> FileBlobStore:
        return FileBlobStore(folder / "blobs", clock=clock, cache_size=1_000_000)

    return Keeper(store=make(), another=make, clock=clock, advance=clock.advance)


def s3_keeper(folder: Path, server: S3Server) -> Keeper:
    clock = ManualClock(time.time_ns() // 1_000_000 + server.ahead)
    bucket = server.bucket()

    def advance(by: Millis) -> None:
        server.advance(by)
        clock.advance(by)

    def make() -> S3BlobStore:
        return s3_store(folder, server.url, bucket, clock)

    return Keeper(store=make(), another=make, clock=clock, advance=advance)


def s3_store(folder: Path, url: str, bucket: str, clock: ManualClock, *, key: str = "id", secret: str = "s3cret",
             limit: int = 100_000_000) -> S3BlobStore:  # fmt: skip
    """A store of a process and a host of its own: no copies are there yet."""
    place = folder / f"copies-{sum(1 for _ in folder.iterdir())}"
    place.mkdir()
    settings = BucketSettings(
        bucket=bucket, prefix="some/prefix", endpoint=url, region="us-east-1", access_key=key, secret_key=secret
    )
    return S3BlobStore(Bucket(settings), Copies(place, limit=limit, clock=clock), clock=clock, cache_size=1_000_000)
