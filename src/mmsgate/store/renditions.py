"""Renditions in the store: what was made of a content for certain terms, and encoded for a dialect."""

import json
from dataclasses import dataclass

from mmsgate.clock import Millis
from mmsgate.domain.rendition import Misfit, Version
from mmsgate.store import rows
from mmsgate.store.engine import Engine, Transaction
from mmsgate.store.messages import keep_blob
from mmsgate.store.queries import queries

SQL = queries("renditions")


@dataclass(frozen=True, slots=True, kw_only=True)
class EncodedRow:
    """An encoded content part: the blob with its bytes, and what the envelope says of it."""

    blob: str
    boundary: str
    href: str
    decoded_size: int
    allow_adaptations: bool


class RenditionRows:
    """Statements about renditions. They go with their content."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def get(self, content_id: int, key: str) -> Version | Misfit | None:
        """What was made of the content for the terms of that key; None if nothing was yet."""
        found = await self._engine.read(SQL["get"], (content_id, key))
        if not found:
            return None
        slides, notes = found[0]
        if slides is None:
            return Misfit(reason=str(json.loads(notes)[0]))
        return Version(slides=rows.to_slides(slides), notes=tuple(json.loads(notes)))

    async def put(self, content_id: int, key: str, made: Version | Misfit, *, at: Millis) -> None:
        """Keep it, and its claim on its files."""
        slides = rows.slides_json(made.slides) if isinstance(made, Version) else None
        notes = list(made.notes) if isinstance(made, Version) else [made.reason]
        row = (content_id, key, slides, json.dumps(notes, ensure_ascii=False), at)

        async def work(tx: Transaction) -> None:
            if await tx.run(SQL["put"], row) and isinstance(made, Version):
                for medium in {medium for slide in made.slides for medium in slide.media}:
                    await keep_blob(tx, medium.blob, content_id)

        await self._engine.write(work)

    async def is_template(self, content_id: int) -> bool:
        """Whether the content is a template's: only then its encoded form is worth keeping."""
        return bool(await self._engine.read(SQL["is_template"], (content_id,)))

    async def encoded(self, content_id: int, key: str, dialect: str) -> EncodedRow | None:
        """The encoded form of a template for those terms in that dialect, if it is kept."""
        found = await self._engine.read(SQL["encoded"], (content_id, key, dialect))
        if not found:
            return None
        blob, boundary, href, decoded_size, adaptations = found[0]
        return EncodedRow(
            blob=blob, boundary=boundary, href=href, decoded_size=decoded_size, allow_adaptations=bool(adaptations)
        )

    async def put_encoded(self, content_id: int, key: str, dialect: str, encoded: EncodedRow) -> None:
        """Keep a template's encoded form, and its claim on its blob."""
        row = (
            content_id, key, dialect, encoded.blob, encoded.boundary, encoded.href, encoded.decoded_size,
            encoded.allow_adaptations,
        )  # fmt: skip

        async def work(tx: Transaction) -> None:
            if await tx.run(SQL["put_encoded"], row):
                await keep_blob(tx, encoded.blob, content_id)

        await self._engine.write(work)
