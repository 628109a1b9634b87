"""What is known of fetched and uploaded files. The bytes themselves are in the blob storage."""

from mmsgate.clock import HOUR, Millis
from mmsgate.domain.media import MediaKind
from mmsgate.domain.slide import Medium
from mmsgate.media.fetch_cache import CacheEntry
from mmsgate.store.engine import Engine, Transaction
from mmsgate.store.queries import queries

SQL = queries("media")


class MediaRows:
    """Statements about the fetch cache (it is media's `FetchCache`) and about uploads."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def get(self, url: str) -> CacheEntry | None:
        """What was fetched from the URL, fresh or not."""
        found = await self._engine.read(SQL["cached"], (url,))
        if not found:
            return None
        row = found[0]
        return CacheEntry(
            url=row[0], blob=row[1], mime=row[2], size=row[3], width=row[4], height=row[5], etag=row[6],
            last_modified=row[7], fresh_until=row[8], fetched_at=row[9],
        )  # fmt: skip

    async def put(self, entry: CacheEntry) -> None:
        """Keep the entry in place of the URL's earlier one."""
        row = (
            entry.url, entry.blob, entry.mime, entry.size, entry.width, entry.height, entry.etag,
            entry.last_modified, entry.fresh_until, entry.fetched_at,
        )  # fmt: skip
        await self._engine.run(SQL["put_cached"], row)

    async def trim(self, most: int, *, now: Millis) -> list[str]:
        """Forget the oldest fetches until the cache's files fit `most` bytes; the blobs that nothing needs now.

        What was fetched within the hour stays: a request that is being accepted may be about to use it (R-34).
        """

        async def work(tx: Transaction) -> list[str]:
            [(cached,)] = await tx.rows(SQL["cached_bytes"])
            excess = cached - most
            unneeded: list[str] = []
            for url, blob, size in await tx.rows(SQL["oldest_cached"], (now - HOUR,)):
                if excess <= 0:
                    break
                await tx.run(SQL["delete_cached"], (url,))
                excess -= size
                if not (await tx.rows(SQL["needed"], (blob,)))[0][0]:
                    unneeded.append(blob)
            return unneeded

        return await self._engine.write(work)

    async def unneeded(self, blobs: list[str]) -> list[str]:
        """Those of the blobs that no content, fetch, upload or inbound message refers to."""
        return [blob for blob in blobs if not (await self._engine.read(SQL["needed"], (blob,)))[0][0]]

    async def put_upload(self, token: str, account_id: int, medium: Medium, *, at: Millis) -> None:
        """Remember a file that an account uploaded."""
        row = (
            token, account_id, medium.kind.value, medium.blob, medium.mime, medium.size, medium.width,
            medium.height, at,
        )  # fmt: skip
        await self._engine.run(SQL["put_upload"], row)

    async def upload(self, token: str, account_id: int) -> Medium | None:
        """A file that this account uploaded; another's is none."""
        found = await self._engine.read(SQL["upload"], (token, account_id))
        if not found:
            return None
        kind, blob, mime, size, width, height = found[0]
        return Medium(kind=MediaKind(kind), blob=blob, mime=mime, size=size, width=width, height=height)
