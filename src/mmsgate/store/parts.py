"""Parts of inbound SMS, kept until the rest has come.

A sender's reference comes again after 255 others, or by chance. So what has another text under a number that is
there already is another SMS; the earlier one is taken in as far as it came.
"""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from mmsgate.clock import Millis
from mmsgate.store.engine import Engine
from mmsgate.store.queries import queries

SQL = queries("inbound")
#: What stands where a part is missing.
GAP = "[…]"

#: A whole text, and in words what is wrong with it.
Text = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class SmsPartKey:
    """Which part of which SMS: `number` of `total`, held together by its people and the sender's `reference`."""

    connection: str
    sender: str
    recipient: str
    reference: int
    total: int
    number: int = 0

    @property
    def whole(self) -> tuple[str, str, str, int, int]:
        """What the parts of one SMS have in common."""
        return self.connection, self.sender, self.recipient, self.reference, self.total


def add_part(db: sqlite3.Connection, key: SmsPartKey, text: str, *, at: Millis) -> list[Text]:
    """Keep a part; the texts that are whole with it, or will never be."""
    kept = _parts(db, key)
    texts: dict[int, str] = {number: told for number, told, _ in kept}
    if texts.get(key.number) == text:
        return []  # the SMSC did not hear our answer
    found: list[Text] = []
    if key.number in texts or any(joined for *_, joined in kept):
        found = flush_parts(db, key)
        db.execute(SQL["delete_parts"], key.whole)
        texts = {}
    db.execute(SQL["insert_part"], (*key.whole, key.number, text, at))
    if len(texts) + 1 == key.total:
        found += flush_parts(db, key)
    return found


def flush_parts(db: sqlite3.Connection, key: SmsPartKey) -> list[Text]:
    """What there is of an SMS, unless it has been taken in before."""
    kept = _parts(db, key)
    texts = {number: text for number, text, joined in kept if not joined}
    if not texts:
        return []
    db.execute(SQL["join_parts"], key.whole)
    missing = key.total - len(texts)
    note = f"{missing} of its {key.total} parts never came" if missing else ""
    return [("".join(texts.get(number, GAP) for number in range(1, key.total + 1)), note)]


def stale_sets(engine: Engine, *, before: Millis) -> list[SmsPartKey]:
    """SMS with missing parts, of which none has come since then."""
    return [
        SmsPartKey(connection=row[0], sender=row[1], recipient=row[2], reference=row[3], total=row[4])
        for row in engine.read(SQL["stale_sets"], (before,))
    ]


def forget_parts(db: sqlite3.Connection, *, before: Millis) -> None:
    """Drop the parts of SMS that have been taken in and came before that time."""
    db.execute(SQL["forget_parts"], (before,))


def _parts(db: sqlite3.Connection, key: SmsPartKey) -> Sequence[tuple[int, str, bool]]:
    return [(number, text, bool(joined)) for number, text, joined in db.execute(SQL["parts"], key.whole)]
