"""Which message a report means: by its id, by its id more or less, by its people (R-38)."""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from mmsgate.clock import Millis
from mmsgate.domain.change import normalise_id
from mmsgate.domain.state import State
from mmsgate.store.queries import queries

SQL = queries("messages")


class MatchedBy(StrEnum):
    """How a report found its message."""

    ID = "message id"
    NORMALISED = "message id, normalised"
    RECIPIENT = "recipient"


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """The message a report is about; `part` is the SMS part, 0 for an MMS."""

    message_id: int
    part: int
    matched_by: MatchedBy


def find_message(
    db: sqlite3.Connection, connection: str, carrier_ids: Sequence[str], people: tuple[str, str] | None,
    came: Millis,
) -> Match | None:  # fmt: skip
    """The message that a report means; None if no message does, or more than one might.

    `carrier_ids` are the spellings of the id, the likeliest first; `people` is (recipient, sender or empty); `came`
    is when the report came.
    """
    recipient, sender = people or ("", "")
    for guess, carrier_id in enumerate(carrier_ids):
        match = _match_id(db, connection, carrier_id, recipient if guess else "")
        if match is not None:
            return match
    return _match_people(db, (recipient, sender, connection, came), named=any(carrier_ids)) if recipient else None


def _match_people(db: sqlite3.Connection, people: tuple[str, str, str, Millis], *, named: bool) -> Match | None:
    """By (recipient, sender, connection) alone, among messages older than the report (R-38).

    A report that names an id is not believed to mean a message that has another. One that is just being submitted
    counts as a candidate, for the report may be its own, come before its id is known; it waits as an orphan then.
    """
    candidates = db.execute(SQL["find_by_recipient"], people).fetchall()
    if len(candidates) == 1:
        message_id, state, known_as = candidates[0]
        if state != State.SUBMITTING and not (named and known_as):
            return Match(message_id=message_id, part=0, matched_by=MatchedBy.RECIPIENT)
    doubtful = [] if candidates else db.execute(SQL["find_doubtful_part"], people).fetchall()
    if len(doubtful) == 1:
        return Match(message_id=doubtful[0][0], part=doubtful[0][1], matched_by=MatchedBy.RECIPIENT)
    return None


def _match_id(db: sqlite3.Connection, connection: str, carrier_id: str, recipient: str) -> Match | None:
    """By id; if `recipient` is given, only a message to it."""
    if not carrier_id:
        return None
    found = db.execute(SQL["find_carrier_id"], (recipient, connection, normalise_id(carrier_id))).fetchall()
    for message_id, part, verbatim in found:
        if verbatim == carrier_id:
            return Match(message_id=message_id, part=part, matched_by=MatchedBy.ID)
    if len({row[0] for row in found}) == 1:
        return Match(message_id=found[0][0], part=found[0][1], matched_by=MatchedBy.NORMALISED)
    return None
