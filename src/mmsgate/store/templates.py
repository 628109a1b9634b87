"""Templates in the store: saved once, listed, deleted; freed when nothing shows their content any more."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from mmsgate.clock import DAY, Millis
from mmsgate.domain.message import Content
from mmsgate.domain.rendition import Preparation
from mmsgate.domain.template import Template, TemplateState
from mmsgate.store import rows
from mmsgate.store.engine import Engine, Row, Transaction
from mmsgate.store.keys import finish_key
from mmsgate.store.messages import POSTBACK_INSERT, PostbackRow, insert_content
from mmsgate.store.preparations import insert_preparation
from mmsgate.store.queries import queries

_COLUMNS = (
    "template.id, template.account_id, state, size, fallback_text, disable_fallback, disable_fallback_link, "
    "template.created_at, template.reason"
)
SQL = queries("templates", template=_COLUMNS)

#: How long a message may still be on its way after its acceptance: three days to be sent, three for its report.
ON_ITS_WAY: Millis = 7 * DAY


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """The answer that is kept under the request's Idempotency-Key; an empty key keeps nothing."""

    idempotency_key: str
    response: bytes
    response_expires: Millis


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A template with what it shows."""

    template: Template
    content: Content


class Templates:
    """Statements about templates. All but `free_unneeded` see one account's only.

    `on_freed` is told of contents that are gone.
    """

    def __init__(self, engine: Engine, *, on_freed: Callable[[list[int]], None]) -> None:
        self._engine, self._on_freed = engine, on_freed

    async def save(
        self, template: Template, content: Content, *, notices: Sequence[PostbackRow], kept: Kept,
        preparation: Preparation | None = None,
    ) -> None:  # fmt: skip
        """Template, content, and either the postbacks or the preparation that has to come before them, durably."""

        async def work(tx: Transaction) -> None:
            await insert_content(tx, content)
            await tx.run(SQL["insert"], _row(template))
            await _tell(tx, template.id, template.account_id, notices, at=template.created_at)
            if preparation is not None:
                await insert_preparation(tx, preparation, due_at=template.created_at)
            if kept.idempotency_key:
                await finish_key(
                    tx, template.account_id, kept.idempotency_key, kept.response, kept.response_expires
                )

        await self._engine.write(work)

    async def prepared(
        self, template_id: int, account_id: int, state: TemplateState, *,
        notices: Sequence[PostbackRow], at: Millis, reason: str = "",
    ) -> bool:  # fmt: skip
        """The end of a template's preparation, with its postbacks; False if it was deleted meanwhile.

        `reason` is why it can't be sent.
        """

        async def work(tx: Transaction) -> bool:
            if not await tx.run(SQL["prepared"], (state.value, reason, template_id)):
                return False
            await _tell(tx, template_id, account_id, notices, at=at)
            return True

        return await self._engine.write(work)

    async def get(self, template_id: int, account_id: int) -> Template | None:
        """A template that this account has and has not deleted."""
        found = await self._engine.read(SQL["get"], (template_id, account_id))
        return _to_template(found[0]) if found else None

    async def page(self, account_id: int, *, since: Millis, skip: int, limit: int) -> list[Listed]:
        """The account's templates created at or after `since`, newest first."""
        found = await self._engine.read(SQL["page"], (account_id, since, limit, skip))
        return [Listed(template=_to_template(row[:9]), content=rows.to_content(row[9:])) for row in found]

    async def count(self, account_id: int, *, since: Millis) -> int:
        """How many there are, on all pages."""
        return int((await self._engine.read(SQL["count"], (account_id, since)))[0][0])

    async def ids(self, account_id: int) -> list[int]:
        """Every one's id, newest first."""
        return [row[0] for row in await self._engine.read(SQL["ids"], (account_id,))]

    async def delete(self, template_id: int, account_id: int, *, at: Millis) -> bool:
        """Take it from the account; whether there was one."""
        deleted = await self._engine.run(SQL["delete"], (at, template_id, account_id))
        await self.free_unneeded(now=at)
        return bool(deleted)

    async def free_unneeded(self, *, now: Millis) -> int:
        """Drop the content of deleted templates that no message and no page needs; how many."""

        async def work(tx: Transaction) -> list[int]:
            found = await tx.rows(SQL["unneeded"], (now - ON_ITS_WAY, now))
            for statement in ("free_blobs", "free_renditions", "free_encoded", "free_content", "free_template"):
                await tx.run_many(SQL[statement], found)
            return [row[0] for row in found]

        freed = await self._engine.write(work)
        self._on_freed(freed)
        return len(freed)


async def _tell(
    tx: Transaction, template_id: int, account_id: int, notices: Sequence[PostbackRow], *, at: Millis
) -> None:
    for sequence, row in enumerate(notices, 1):
        await tx.run(
            POSTBACK_INSERT,
            (template_id, sequence, account_id, row.receiver, row.url, row.code, row.content_type, row.body, at,
             row.ordered),
        )  # fmt: skip


def _row(template: Template) -> Row:
    return (
        template.id, template.account_id, template.state.value, template.size, template.fallback_text,
        template.disable_fallback, template.disable_fallback_link, template.created_at,
    )  # fmt: skip


def _to_template(row: Row) -> Template:
    return Template(
        id=row[0], account_id=row[1], state=TemplateState(row[2]), size=row[3], fallback_text=row[4],
        disable_fallback=_truth(row[5]), disable_fallback_link=_truth(row[6]), created_at=row[7], reason=row[8],
    )  # fmt: skip


def _truth(value: int | None) -> bool | None:
    return None if value is None else bool(value)
