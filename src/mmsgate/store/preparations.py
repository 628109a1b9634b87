"""Preparations in the store: which sounds and videos are to be made into something, for whom, until when."""

from collections.abc import Iterable

from mmsgate.clock import Millis
from mmsgate.domain.message import Message
from mmsgate.domain.rendition import PREPARE_WITHIN, Preparation, Terms
from mmsgate.domain.request import WireDialect
from mmsgate.store import rows
from mmsgate.store.engine import Engine, Row, Transaction, key_of
from mmsgate.store.queries import queries

SQL = queries("preparations", message=rows.MESSAGE)


class Preparations:
    """Statements about preparations. They are asked for with a message's step or a template's saving."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def claim(self, *, now: Millis, lease: Millis, owner: str, limit: int, each: int) -> list[Preparation]:
        """At most `limit` that are due, the accounts in turn, leased until `lease`; no account has over `each`."""

        async def work(tx: Transaction) -> list[Preparation]:
            row = (lease, owner, now, PREPARE_WITHIN, each, limit)
            return [_preparation(found) for found in await tx.rows(SQL["claim"], row)]

        if await self.next_due(default=lease) > now:
            return []
        return await self._engine.write(work)

    async def next_due(self, *, default: Millis) -> Millis:
        """When the next one is due."""
        found = (await self._engine.read(SQL["next_due"]))[0][0]
        return default if found is None else int(found)

    async def count(self) -> int:
        """How many wait or are under way."""
        return int((await self._engine.read(SQL["count"]))[0][0])

    async def retry(self, preparation: Preparation, *, due_at: Millis, owner: str) -> None:
        """It failed by no fault of its files: once more, at `due_at`, unless somebody else has it by now."""
        row = (due_at, preparation.attempts + 1, preparation.content_id, preparation.key, owner)
        await self._engine.run(SQL["retry"], row)

    async def renew(self, preparation: Preparation, *, lease: Millis, owner: str) -> None:
        """It is still being worked on."""
        row = (lease, preparation.content_id, preparation.key, owner)
        await self._engine.run(SQL["renew"], row)

    async def release(self, preparations: Iterable[Preparation], *, at: Millis, owner: str) -> None:
        """Give claimed ones back unbegun."""
        claimed = [(at, each.content_id, each.key, owner) for each in preparations]
        if claimed:
            await self._engine.write(lambda tx: tx.run_many(SQL["release"], claimed))

    async def release_all(self, *, at: Millis, owner: str) -> int:
        """Give back what `owner` holds; how many."""
        return await self._engine.run(SQL["release_all"], (at, owner))

    async def recover(self, *, now: Millis) -> int:
        """End every lease, and let those begun begin anew: for the start of an embedded gateway."""
        return await self._engine.run(SQL["recover"], (now,))

    async def waiting(self, preparation: Preparation) -> list[Message]:
        """Messages, a page of them, that wait for it."""
        found = await self._engine.read(SQL["waiting"], (preparation.content_id, preparation.key))
        return [rows.to_message(row) for row in found]

    async def finish(self, preparation: Preparation) -> bool:
        """Take it off; False if messages wait for it, who have to be told first."""

        async def work(tx: Transaction) -> bool:
            await _alone(tx, preparation)
            return bool(await tx.run(SQL["finish"], (preparation.content_id, preparation.key)))

        return await self._engine.write(work)


async def insert_preparation(tx: Transaction, preparation: Preparation, *, due_at: Millis) -> None:
    """Ask for it, in the transaction of whatever needs it; once is enough."""
    terms = preparation.terms.to_json() if preparation.terms else None
    await _alone(tx, preparation)
    await tx.run(
        SQL["insert"],
        (preparation.content_id, preparation.key, terms, preparation.account_id, preparation.dialect.value, due_at,
         preparation.for_page),
    )  # fmt: skip


async def _alone(tx: Transaction, preparation: Preparation) -> None:
    """A message that comes to wait for it, and its end, see each other, whichever processes they are in."""
    await tx.alone(key_of("preparation", preparation.content_id, preparation.key), everywhere=True)


def _preparation(row: Row) -> Preparation:
    """A row of ``content_id, account_id, dialect, terms, deadline, attempts``."""
    return Preparation(
        content_id=row[0], account_id=row[1], dialect=WireDialect(row[2]),
        terms=Terms.from_json(row[3]) if row[3] else None, deadline=row[4], attempts=row[5],
    )  # fmt: skip
