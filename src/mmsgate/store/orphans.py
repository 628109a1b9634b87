"""Reports that matched no message when they came, and what they might mean."""

from dataclasses import dataclass

from mmsgate.clock import Millis
from mmsgate.domain.change import CarrierId, normalise_id
from mmsgate.domain.message import Message
from mmsgate.store.engine import Row, Transaction
from mmsgate.store.queries import queries

SQL = queries("reports")


@dataclass(frozen=True, slots=True, kw_only=True)
class Orphan:
    """A report that matched no message when it came (R-21); `report` is its JSON.

    `matched` is the message that it has found since, None while there is none.
    """

    id: int
    connection: str
    report: str
    received_at: Millis = 0
    matched: int | None = None


def to_orphan(row: Row) -> Orphan:
    """A row of ``id, connection, report, received_at, matched``."""
    return Orphan(id=row[0], connection=row[1], report=row[2], received_at=row[3], matched=row[4])


async def remember_doubt(tx: Transaction, message: Message, at: Millis) -> list[Orphan]:
    """Its outcome is unknown: a report may name it by an id that got lost (R-19). Those that have come already."""
    await tx.run(SQL["insert_doubt"], (message.connection, message.recipient, message.id, at))
    about = (message.connection, message.recipient, message.accepted_at)
    return [to_orphan(row) for row in await tx.rows(SQL["orphans_about"], about)]


async def early_reports(tx: Transaction, message: Message, given: CarrierId) -> list[Orphan]:
    """The reports that came before their message's id was known, and that may be about this message."""
    names = sorted({given.normalised, *map(normalise_id, given.aliases)})
    since = message.accepted_at
    return [
        to_orphan(row)
        for name in names
        for row in await tx.rows(SQL["orphans_for"], (given.connection, name, since))
    ]
