"""Postbacks in the store: rows that are sent in order per message, retried, parked, replayed."""

from collections.abc import Sequence
from dataclasses import dataclass

from mmsgate.clock import Millis
from mmsgate.store.engine import Engine, Transaction
from mmsgate.store.queries import queries

SQL = queries("postbacks")


@dataclass(frozen=True, slots=True, kw_only=True)
class DuePostback:
    """A postback that is to be sent now; `attempts` is how often it has been tried."""

    id: int
    message_id: int
    sequence: int
    account_id: int
    receiver: str
    url: str
    code: str
    content_type: str
    body: bytes
    event_at: Millis
    attempts: int
    tracking_id: str = ""  # its message's; empty if it is about none


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """The receiver took it."""

    id: int
    attempts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Again:
    """The receiver did not take it; it is tried again at `due_at`."""

    id: int
    attempts: int
    error: str
    due_at: Millis


@dataclass(frozen=True, slots=True, kw_only=True)
class Parked:
    """The schedule is exhausted: kept, visible, replayable (R-35)."""

    id: int
    attempts: int
    error: str


PostbackOutcome = Sent | Again | Parked


@dataclass(frozen=True, slots=True, kw_only=True)
class PostbackState:
    """How far one postback of a message has come, for people."""

    sequence: int
    code: str
    state: str
    attempts: int
    last_error: str
    due_at: Millis | None
    ended_at: Millis | None
    url: str


class Postbacks:
    """Statements about postbacks."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def receivers(self, *, now: Millis) -> list[str]:
        """The receivers for whom something is due."""
        return [row[0] for row in await self._engine.read(SQL["receivers"], (now,))]

    async def next_due(self, receiver: str, *, default: Millis) -> Millis:
        """When the receiver's next postback is due."""
        found = (await self._engine.read(SQL["next_due"], (receiver,)))[0][0]
        return default if found is None else int(found)

    async def claim(
        self, receiver: str, *, now: Millis, lease: Millis, owner: str, limit: int
    ) -> list[DuePostback]:
        """What is due for one receiver; what waits for an earlier postback of its message is not (R-09)."""

        async def work(tx: Transaction) -> list[DuePostback]:
            claimed = await tx.rows(SQL["claim"], (lease, owner, receiver, now, limit))
            return [
                DuePostback(
                    id=row[0], message_id=row[1], sequence=row[2], account_id=row[3], receiver=row[4], url=row[5],
                    code=row[6], content_type=row[7], body=row[8], event_at=row[9], attempts=row[10],
                    tracking_id=row[11] or "",
                )
                for row in claimed
            ]  # fmt: skip

        return sorted(await self._engine.write(work), key=lambda due: (due.message_id, due.sequence))

    async def record(self, outcomes: Sequence[PostbackOutcome], *, at: Millis) -> None:
        """Write how tries ended. The end of one makes the next of its message due."""

        async def work(tx: Transaction) -> None:
            for outcome in outcomes:
                match outcome:
                    case Sent(id=row, attempts=attempts):
                        await tx.run(SQL["done"], (attempts, at, row))
                        await tx.run(SQL["free_next"], (at, row))
                    case Again(id=row, attempts=attempts, error=error, due_at=due_at):
                        await tx.run(SQL["retry"], (due_at, attempts, error, row))
                    case Parked(id=row, attempts=attempts, error=error):
                        await tx.run(SQL["park"], (attempts, error, at, row))
                        await tx.run(SQL["free_next"], (at, row))

        await self._engine.write(work)

    async def free_forgotten(self, *, now: Millis, since: Millis = 0) -> int:
        """Make those due that wait for an earlier one that has ended, among those made `since` then; how many.

        Of two processes one may write a message's next postback while the other ends the one before: neither sees
        what the other does. In one process that can't happen.
        """
        if not self._engine.is_shared:
            return 0
        return await self._engine.run(SQL["free_forgotten"], (now, since))

    async def recover(self, *, now: Millis) -> int:
        """End every lease: for the start of an embedded gateway."""
        return await self._engine.run(SQL["recover"], (now,))

    async def replay(self, message_id: int, *, now: Millis) -> int:
        """Send a message's postbacks once more, in order; how many."""
        return await self._engine.run(SQL["replay"], (now, message_id))

    async def of_message(self, message_id: int) -> list[PostbackState]:
        """The postbacks of one message, in order."""
        return [
            PostbackState(
                sequence=row[0], code=row[1], state=row[2], attempts=row[3], last_error=row[4], due_at=row[5],
                ended_at=row[6], url=row[7],
            )
            for row in await self._engine.read(SQL["of_message"], (message_id,))
        ]  # fmt: skip

    async def counts(self) -> dict[str, int]:
        """How many postbacks are in which state."""
        return {row[0]: row[1] for row in await self._engine.read(SQL["counts"])}
