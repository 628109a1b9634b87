"""Reports in the store: the message that one means and its step in one transaction, or an orphan that is kept."""

from collections.abc import Callable, Iterable, Sequence
from typing import TypeAlias

from mmsgate.clock import Millis
from mmsgate.domain.change import Change
from mmsgate.store.engine import Engine, Transaction
from mmsgate.store.handsets import remember_handset
from mmsgate.store.matching import (
    Candidate,
    Match,
    Sought,
    candidates,
    find_message,
    why_unmatched,
)
from mmsgate.store.messages import Messages, Recorded, Snapshot
from mmsgate.store.orphans import Orphan, to_orphan
from mmsgate.store.queries import queries

SQL = queries("reports")

DecideReport: TypeAlias = Callable[[Snapshot, Match], Change]


class ReportRows:
    """Statements about reports. `messages` writes their steps."""

    def __init__(self, engine: Engine, messages: Messages) -> None:
        self._engine, self._messages = engine, messages

    async def record(
        self, sought: Sought, decide: DecideReport, *, report: Callable[[], str], handset: str = "",
        orphan: Orphan | None = None,
    ) -> Recorded | None:  # fmt: skip
        """Find the message a report is about and record the step; without a match keep the report as an orphan.

        `report` writes it as it is kept. `handset` is the phone that it names, remembered for its number. `orphan`
        is the row of a report that was kept before; one that has found its message since makes no step.
        """

        async def work(tx: Transaction) -> Recorded | None:
            match = await find_message(tx.rows, sought)
            if match is None:
                if orphan is None:
                    row = (sought.connection, sought.normalised, sought.recipient, report(), sought.came)
                    await tx.run(SQL["insert_orphan"], row)
                return None
            if orphan is not None and not await tx.run(SQL["match_orphan"], (match.message.id, orphan.id)):
                return None
            recorded = await self._messages.step_of(tx, match.message, lambda snapshot: decide(snapshot, match))
            if handset:
                phone = recorded.change.message.recipient
                await remember_handset(tx, phone, handset, connection=sought.connection, at=sought.came)
            return recorded

        return await self._engine.write(work)

    # -- orphans

    async def would_match(self, sought: Sought) -> bool:
        """Whether a report would find its message now: a look that costs no transaction."""
        return await find_message(self._engine.read, sought) is not None

    async def open_orphans(self, *, since: Millis, after: int = 0, limit: int = 500) -> list[Orphan]:
        """Reports without a message that came `since` then, behind the row `after`, oldest first (R-21)."""
        return [to_orphan(row) for row in await self._engine.read(SQL["orphans_open"], (since, after, limit))]

    async def newest_orphans(self, limit: int) -> list[Orphan]:
        """Reports without a message, the newest first, however old."""
        return [to_orphan(row) for row in await self._engine.read(SQL["orphans_newest"], (limit,))]

    async def orphan(self, orphan_id: int) -> Orphan | None:
        """One that is kept, also if it has found its message meanwhile."""
        found = await self._engine.read(SQL["orphan"], (orphan_id,))
        return to_orphan(found[0]) if found else None

    async def count_orphans(self) -> int:
        """How many reports have found no message."""
        return int((await self._engine.read(SQL["count_orphans"]))[0][0])

    async def forget_matched_orphans(self, *, before: Millis) -> int:
        """Drop reports that have found their message and came before that time, and older doubts; how many."""

        async def work(tx: Transaction) -> int:
            await tx.run(SQL["forget_doubts"], (before,))
            return await tx.run(SQL["delete_matched_orphans"], (before,))

        return await self._engine.write(work)

    async def why_unmatched(self, sought: Sought, connections: Iterable[str]) -> list[str]:
        """Why a report finds no message as things stand, in words for people."""
        return await why_unmatched(self._engine.read, sought, connections)

    async def candidates(self, sought: Sought) -> Sequence[Candidate]:
        """The messages that come nearest to what a report means."""
        return await candidates(self._engine.read, sought)
