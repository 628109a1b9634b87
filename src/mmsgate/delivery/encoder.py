"""Slides as MM7 bytes, encoded once: remembered here, and for templates kept in the store as a blob."""

import logging
import secrets
import string
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

from mmsgate.domain.slide import Slide
from mmsgate.flights import Flights
from mmsgate.media.storage import BlobMissingError
from mmsgate.mm7.content import Body, EncodedContent, encode_content
from mmsgate.mm7.dialect import ContentStyle, Encoding
from mmsgate.recent import Recent
from mmsgate.store import EncodedRow

log = logging.getLogger("mmsgate.delivery")

_ALPHABET = string.ascii_letters + string.digits


class Blobs(Protocol):
    """Where bytes are."""

    async def read(self, blob: str) -> bytes:
        """The bytes of a blob, shared with every other reader. Raises BlobMissingError."""
        ...

    async def put_bytes(self, data: bytes) -> str:
        """Keeps bytes and gives the blob's name."""
        ...


class Kept(Protocol):
    """Where the encoded forms of templates are kept (the store's renditions)."""

    async def is_template(self, content_id: int) -> bool:
        """Whether the content is a template's."""
        ...

    async def encoded(self, content_id: int, key: str, dialect: str) -> EncodedRow | None:
        """The encoded form, if it is kept."""
        ...

    async def put_encoded(self, content_id: int, key: str, dialect: str, encoded: EncodedRow) -> None:
        """Keep an encoded form, in place of one that was kept before."""
        ...


class Boundaries:
    """Boundary tokens: the same few for a whole process, so that envelopes' templates are shared.

    The encoder asks again when a part happens to hold the first one.
    """

    def __init__(self, draw: Callable[[], str] | None = None) -> None:
        self._draw = draw or (lambda: "".join(secrets.choice(_ALPHABET) for _ in range(24)))
        self.usual = self._draw()

    def __call__(self) -> Callable[[], str]:
        """A source for one content."""
        tokens = self._tokens()
        return lambda: next(tokens)

    def _tokens(self) -> Iterator[str]:
        yield self.usual
        while True:
            yield self._draw()


@dataclass(frozen=True, slots=True)
class EncodeJob:
    """What is to be encoded. `fitted` says that we have adapted the media: then the carrier may not."""

    slides: tuple[Slide, ...]
    dialect: ContentStyle
    fitted: bool = False


class Encoder:
    """Encodes contents. `memory` bounds the bytes that are kept for later; `encodes` counts what was done.

    One asked for by many at once is encoded once. Those with a recipient's own texts share the bodies of their
    media.
    """

    def __init__(self, blobs: Blobs, kept: Kept, *, memory: int = 64_000_000) -> None:
        self._blobs, self._kept = blobs, kept
        self._boundaries = Boundaries()
        self._recent: Recent[EncodeJob, EncodedContent] = Recent(
            256, weigh=lambda encoded: encoded.wire_size, budget=memory // 2
        )
        self._bodies: Recent[tuple[str, Encoding, str], Body] = Recent(
            256, weigh=lambda body: len(body.data), budget=memory // 2
        )
        self._flights: Flights[EncodeJob, EncodedContent] = Flights()
        self.encodes = 0

    async def encode(self, job: EncodeJob, content_id: int | None, key: str = "") -> EncodedContent:
        """The bytes. `content_id` None says that these slides are one recipient's own: nothing is remembered.

        `key` is that of the version's terms, empty for a content as it is.
        """
        if content_id is None:
            return await self._fresh(job)
        known = self._recent.get(job)
        if known is not None:
            return known
        return await self._flights.join(job, lambda: self._shared(job, content_id, key))

    async def _shared(self, job: EncodeJob, content_id: int, key: str) -> EncodedContent:
        if not await self._kept.is_template(content_id):
            return self._recent.put(job, await self._fresh(job))
        row = await self._kept.encoded(content_id, key, job.dialect.key)
        loaded = await self._loaded(row) if row else None
        return self._recent.put(job, loaded or await self._stored(job, content_id, key))

    async def _fresh(self, job: EncodeJob) -> EncodedContent:
        self.encodes += 1
        media = [medium for slide in job.slides for medium in slide.media]
        bodies = {medium.blob: await self._body(medium.blob, job.dialect) for medium in media}
        return encode_content(
            job.slides, bodies, dialect=job.dialect, content_id="1", token=self._boundaries(), fitted=job.fitted
        )

    async def _body(self, blob: str, dialect: ContentStyle) -> Body:
        """A medium as it travels, looked through for the usual boundary."""
        token = dialect.boundary_token(self._boundaries.usual)
        key = (blob, dialect.encoding, token)
        known = self._bodies.get(key)
        if known is not None:
            return known
        data = await self._blobs.read(blob)
        made_meanwhile = self._bodies.get(key)
        return made_meanwhile or self._bodies.put(key, Body.of(data, dialect.encoding, token))

    async def _stored(self, job: EncodeJob, content_id: int, key: str) -> EncodedContent:
        encoded = await self._fresh(job)
        row = EncodedRow(
            blob=await self._blobs.put_bytes(b"".join(encoded.buffers)), boundary=encoded.boundary,
            href=encoded.href, decoded_size=encoded.decoded_size, allow_adaptations=encoded.allow_adaptations,
        )  # fmt: skip
        await self._kept.put_encoded(content_id, key, job.dialect.key, row)
        return encoded

    async def _loaded(self, row: EncodedRow) -> EncodedContent | None:
        """The encoded form that is kept; None if its file is gone, as it can be made again."""
        try:
            data = await self._blobs.read(row.blob)
        except BlobMissingError:
            log.warning("the blob %s with an encoded content is gone; the content is encoded anew", row.blob)
            return None
        return EncodedContent(
            boundary=row.boundary, href=row.href, buffers=(data,), wire_size=len(data),
            decoded_size=row.decoded_size, allow_adaptations=row.allow_adaptations,
        )  # fmt: skip
