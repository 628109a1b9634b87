"""Blobs in S3, for gateways of many processes on many hosts.

Objects under the prefix, all named by the SHA-256 of a blob:

    blobs/NAME    the bytes
    renewed/NAME  empty: somebody renewed the blob when this was written
    going/NAME    empty: somebody is about to remove the blob
    probe/…       empty: a look, at the start, at what may be done

A blob is put unless it is there, which the server decides (If-None-Match). Its age counts from the later of
blobs/NAME and renewed/NAME, by the server's clock alone: that of no host matters.

Nothing in S3 says "delete it unless it was renewed", so the two sides look at each other. Who removes writes
going/NAME, then looks at the age, removes, and takes going/NAME away. Who puts or renews writes, then looks for
going/NAME, then whether the bytes are there. S3 answers every look with what was written before it. So if there was
no going/NAME, a removal was over before, and is noticed by the second look, or it begins after, and sees what was
written. If there was one, who renews says that the blob is not kept, and who puts waits and puts again. Who created
the bytes need not look twice: they were gone by then, and removals are requested once, without retries.

What is left: a host that stands still for minutes between its look and its removal (a suspended virtual machine),
so that its going/NAME is taken for a dead one's, may remove a blob that was put again meanwhile.
"""

import asyncio
import logging
import os
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from mmsgate.clock import HOUR, MINUTE, Clock, Millis
from mmsgate.flights import Flights
from mmsgate.media.bucket import PART, Bucket, ObjectMissingError
from mmsgate.media.copies import Copies
from mmsgate.media.incoming import checked, digest, is_name
from mmsgate.media.memory import DEFAULT_SIZE, Memory
from mmsgate.media.storage import SAFE, BlobFault, BlobMissingError, OldBlobs
from mmsgate.recent import Recent

log = logging.getLogger("mmsgate.blobs")

#: A put or renewal of this process that is not older than this is remembered, and not made again.
REMEMBERED: Millis = SAFE // 2
#: What is younger is never removed: `SAFE` from the end of what was remembered, and as much for uploads, whose
#: time S3 counts from their beginning.
OLD: Millis = SAFE + 2 * REMEMBERED
#: A going/NAME of this age was left by a process that died: no removal begins later than `_REMOVE_WITHIN`, and its
#: one request ends within a minute.
DEAD: Millis = 3 * MINUTE
_REMOVE_WITHIN = 30.0  # seconds from going/NAME to the beginning of the removal
_TRIES, _PAUSE = 10, 0.2  # seconds: a put that meets a removal waits so often, so long
_MOST_REMEMBERED = 100_000
_PAGE = 1000  # S3 gives no more at once


class BlobDamagedFault(BlobFault):
    """The bytes that came out of the storage are not those that were put in."""


class S3BlobStore:
    """Blobs in a bucket, with copies on the local disk for whoever reads or wants a path.

    `cache_size` bounds the bytes kept in memory for `read`. Success of a put means that S3 has answered it; what is
    read has been hashed on its way from S3.
    """

    def __init__(
        self, bucket: Bucket, copies: Copies, *, clock: Clock, cache_size: int = DEFAULT_SIZE,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:  # fmt: skip
        self._bucket, self._copies, self._clock, self._pause = bucket, copies, clock, pause
        self._memory = Memory(cache_size)
        self._coming: Flights[str, Path] = Flights()
        self._renewed: Recent[str, Millis] = Recent(_MOST_REMEMBERED)

    def __str__(self) -> str:
        return f"S3: {self._bucket}"

    @property
    def incoming(self) -> Path:
        return self._copies.temporary.folder

    async def start(self) -> None:
        await asyncio.to_thread(self._copies.prepare)
        await self._bucket.check()

    async def stop(self) -> None:
        self._bucket.close()

    # -- in

    async def put_file(self, path: Path, blob: str) -> bool:
        new = await self._put(path, checked(blob))
        await asyncio.to_thread(self._copies.keep, path, blob)
        return new

    async def put_bytes(self, data: bytes) -> str:
        path, blob = await asyncio.to_thread(self._copies.temporary.write, data)
        try:
            await self.put_file(path, blob)
        finally:
            await asyncio.to_thread(path.unlink, missing_ok=True)
        return blob

    async def take(self, path: Path) -> str:
        blob = await asyncio.to_thread(digest, path)
        await self.put_file(path, blob)
        return blob

    async def renew(self, blob: str) -> bool:
        if self._is_fresh(checked(blob)):
            return True
        await self._bucket.put(_renewed(blob), b"")
        if await self._bucket.head(_going(blob)) is not None:
            return False
        if await self._bucket.head(_bytes(blob)) is None:
            await self._bucket.delete(_renewed(blob))
            return False
        self._renewed.put(blob, self._clock.now())
        return True

    def _is_fresh(self, blob: str) -> bool:
        renewed = self._renewed.get(blob)
        return renewed is not None and 0 <= self._clock.now() - renewed < REMEMBERED  # a clock may be set back

    async def _put(self, path: Path, blob: str) -> bool:
        """Put the bytes, or renew those that are there, until nobody is about to remove them.

        A large file goes in parts, for which there is no If-None-Match: look first. Two who put the same large one
        at once both do, with the same bytes. What has another size than it should is put anew.
        """
        if self._is_fresh(blob):
            return False
        size = (await asyncio.to_thread(path.stat)).st_size
        new = False
        for _ in range(_TRIES):
            created = size <= PART and await self._create(path, blob)
            if not created:
                await self._bucket.put(_renewed(blob), b"")
            if await self._is_going(blob):
                await self._pause(_PAUSE)
                continue
            found = None if created else await self._bucket.head(_bytes(blob))
            if created or (found is not None and found.size == size):
                self._renewed.put(blob, self._clock.now())
                return new or created
            if found is not None:
                log.error(
                    "%s: the blob %s had %d bytes instead of %d; it is put anew", self, blob, found.size, size
                )
            new = found is None
            await self._bucket.put(_bytes(blob), path)
        raise BlobFault(f"{self}: the blob {blob} is being removed all the time")

    async def _create(self, path: Path, blob: str) -> bool:
        return await self._bucket.create(_bytes(blob), await asyncio.to_thread(path.read_bytes))

    async def _is_going(self, blob: str) -> bool:
        """Whether a living process is about to remove the blob. What a dead one left is taken away."""
        going = await self._bucket.head(_going(blob))
        if going is None:
            return False
        await self._bucket.put(_renewed(blob), b"")
        now = await self._bucket.head(_renewed(blob))
        if now is not None and now.modified - going.modified > DEAD:
            await self._bucket.delete(_going(blob))
        return True

    # -- out

    async def read(self, blob: str) -> bytes:
        return await self._memory.read(checked(blob), self._load)

    async def path(self, blob: str) -> Path:
        copy = await asyncio.to_thread(self._copies.get, checked(blob))
        return copy or await self._coming.join(blob, lambda: self._copied(blob))

    async def _load(self, blob: str) -> bytes:
        for _ in range(2):
            data = await asyncio.to_thread(self._copies.read, blob)
            if data is not None:
                return data
            await self.path(blob)
        raise BlobFault(f"the copy of the blob {blob} was gone at once: the disk's part for copies is too small")

    async def _copied(self, blob: str) -> Path:
        """The blob from S3 as a local file, if it is what its name says."""
        handle, path = await asyncio.to_thread(self._copies.temporary.open)
        try:
            with os.fdopen(handle, "wb") as file:
                name = await self._bucket.download(_bytes(blob), file)
            if name != blob:
                raise BlobDamagedFault(f"{self}: the blob {blob} is damaged, its bytes are those of {name}")
            return await asyncio.to_thread(self._copies.keep, path, blob)
        except ObjectMissingError as error:
            self._renewed.drop(blob)
            raise BlobMissingError(blob) from error
        finally:
            await asyncio.to_thread(path.unlink, missing_ok=True)

    # -- away

    async def old(self, after: str = "") -> OldBlobs:
        """By the age of the bytes alone; `delete_old` looks at renewals."""
        start = _bytes(after) if after else ""
        page = await self._bucket.page("blobs/", after=start, most=_PAGE)
        before = self._clock.now() - OLD
        names = tuple(_name(each.key) for each in page if each.modified < before and is_name(_name(each.key)))
        return OldBlobs(names=names, after=_name(page[-1].key) if page else "")

    async def delete_old(self, blob: str) -> bool:
        until = time.monotonic() + _REMOVE_WITHIN
        if not await self._announce(checked(blob)):
            return False
        deleted = await self._is_old(blob)
        if deleted:
            await self._bucket.delete_once(_bytes(blob), until=until)
            await self._bucket.delete(_renewed(blob))
        # after a fault it stays: the removal may be on its way yet
        await self._bucket.delete(_going(blob))
        if deleted:
            self._renewed.drop(blob)
            self._memory.drop(blob)
            await asyncio.to_thread(self._copies.drop, blob)
        return deleted

    async def _announce(self, blob: str) -> bool:
        """Whether going/NAME is ours now. One that was left long ago is taken over by a later round."""
        if await self._bucket.create(_going(blob), b""):
            return True
        left = await self._bucket.head(_going(blob))
        if left is not None and left.modified < self._clock.now() - HOUR:
            await self._bucket.delete(_going(blob))
        return False

    async def _is_old(self, blob: str) -> bool:
        keys = (_bytes(blob), _renewed(blob), _going(blob))
        found, renewed, now = await asyncio.gather(*map(self._bucket.head, keys))
        if found is None or now is None:
            return False
        return now.modified - max(found.modified, renewed.modified if renewed else 0) > OLD


def _bytes(blob: str) -> str:
    return f"blobs/{blob}"


def _name(key: str) -> str:
    return key.removeprefix("blobs/")


def _renewed(blob: str) -> str:
    return f"renewed/{blob}"


def _going(blob: str) -> str:
    return f"going/{blob}"
