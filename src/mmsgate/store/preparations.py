"""Preparations in the store: which sounds and videos are to be made into something, for whom, until when."""

import sqlite3
from collections.abc import Iterable

from mmsgate.clock import Millis
from mmsgate.domain.message import Message
from mmsgate.domain.rendition import Preparation
from mmsgate.domain.request import WireDialect
from mmsgate.store import rows
from mmsgate.store.engine import Engine
from mmsgate.store.queries import queries

SQL = {name: sql.replace("{message}", rows.MESSAGE) for name, sql in queries("preparations").items()}


class Preparations:
    """Statements about preparations. They are asked for with a message's step or a template's saving."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def claim(self, *, now: Millis, lease: Millis, owner: str, limit: int) -> list[Preparation]:
        """At most `limit` that are due, the accounts in turn, leased until `lease`."""

        def work(db: sqlite3.Connection) -> list[Preparation]:
            claimed = db.execute(SQL["claim"], (lease, owner, now, limit)).fetchall()
            return [
                Preparation(
                    content_id=row[0], account_id=row[1], dialect=WireDialect(row[2]), terms=row[3],
                    deadline=row[4], attempts=row[5],
                )
                for row in claimed
            ]  # fmt: skip

        if self.next_due(default=lease) > now:
            return []
        return await self._engine.write(work)

    def next_due(self, *, default: Millis) -> Millis:
        """When the next one is due."""
        found = self._engine.read(SQL["next_due"])[0][0]
        return default if found is None else int(found)

    def count(self) -> int:
        """How many wait or are under way."""
        return int(self._engine.read(SQL["count"])[0][0])

    async def retry(self, preparation: Preparation, *, due_at: Millis) -> None:
        """It failed by no fault of its files: once more, at `due_at`."""
        row = (due_at, preparation.attempts + 1, preparation.content_id, preparation.terms)
        await self._engine.write(lambda db: db.execute(SQL["retry"], row).rowcount)

    async def release(self, preparations: Iterable[Preparation], *, at: Millis, owner: str) -> None:
        """Give claimed ones back unbegun."""
        claimed = [(at, each.content_id, each.terms, owner) for each in preparations]
        if claimed:
            await self._engine.write(lambda db: db.executemany(SQL["release"], claimed).rowcount)

    async def recover(self, *, now: Millis) -> int:
        """End every lease: for the start of an embedded gateway."""
        return await self._engine.write(lambda db: db.execute(SQL["recover"], (now,)).rowcount)

    def waiting(self, content_id: int) -> list[Message]:
        """Messages, a page of them, that wait for a version of the content."""
        return [rows.to_message(row) for row in self._engine.read(SQL["waiting"], (content_id,))]

    async def finish(self, preparation: Preparation) -> bool:
        """Take it off; False if messages wait for the content, who have to be told first."""
        row = (preparation.content_id, preparation.terms, preparation.for_page)
        return bool(await self._engine.write(lambda db: db.execute(SQL["finish"], row).rowcount))


def insert_preparation(db: sqlite3.Connection, preparation: Preparation, *, due_at: Millis) -> None:
    """Ask for it, in the transaction of whatever needs it; once is enough."""
    db.execute(
        SQL["insert"],
        (preparation.content_id, preparation.terms, preparation.account_id, preparation.dialect.value, due_at,
         preparation.deadline),
    )  # fmt: skip
