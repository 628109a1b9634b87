"""Which message a report means: by its id, by its id more or less, by its people (R-38)."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from mmsgate.clock import Millis
from mmsgate.domain.change import normalise_id
from mmsgate.domain.message import Message
from mmsgate.domain.state import State
from mmsgate.store import rows
from mmsgate.store.engine import Read, Row
from mmsgate.store.queries import queries

_OF_MESSAGE = ", ".join(f"message.{name}" for name in rows.MESSAGE.split(", "))
SQL = queries("reports", message=_OF_MESSAGE)


class MatchedBy(StrEnum):
    """How a report found its message."""

    ID = "message id"
    NORMALISED = "message id, normalised"
    RECIPIENT = "recipient"


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """The message a report is about, as it stands; `part` is the SMS part, 0 for an MMS."""

    message: Message
    part: int
    matched_by: MatchedBy


@dataclass(frozen=True, slots=True, kw_only=True)
class Sought:
    """What a report says of the message it means.

    `ids` are the spellings of the carrier's id, the likeliest first; all but the first are believed only for the
    same recipient. `recipient` and `sender` are empty where the report names none. `came` is when it came.
    """

    connection: str
    ids: tuple[str, ...]
    recipient: str = ""
    sender: str = ""
    came: Millis

    @property
    def normalised(self) -> str:
        """The first id as it is compared; empty if the report names none."""
        return normalise_id(self.ids[0]) if self.ids and self.ids[0] else ""


async def find_message(read: Read, sought: Sought) -> Match | None:
    """The message that a report means; None if no message does, or more than one might."""
    for guess, carrier_id in enumerate(sought.ids):
        match = await _match_id(read, sought, carrier_id, guessed=guess > 0)
        if match is not None:
            return match
    return await _match_people(read, sought) if sought.recipient else None


async def _match_id(read: Read, sought: Sought, carrier_id: str, *, guessed: bool) -> Match | None:
    """By id; a guessed spelling only of a message to the report's recipient, if it names one."""
    if not carrier_id:
        return None
    key = (sought.connection, normalise_id(carrier_id))
    if guessed and sought.recipient:
        found = await read(SQL["find_carrier_id_of"], (*key, sought.recipient))
    else:
        found = await read(SQL["find_carrier_id"], key)
    among = [(part, verbatim, rows.to_message(row)) for part, verbatim, *row in found]
    among = [each for each in among if not _against_id(sought, each[2])]
    for part, verbatim, message in among:
        if verbatim == carrier_id:
            return Match(message=message, part=part, matched_by=MatchedBy.ID)
    if len({message.id for _, _, message in among}) == 1:
        part, _, message = among[0]
        return Match(message=message, part=part, matched_by=MatchedBy.NORMALISED)
    return None


def _against_id(sought: Sought, message: Message) -> str:
    """Why the report can't mean a message that has its id; empty if it can. Carriers use their ids again.

    Whom the report names says nothing against its id: carriers write numbers in ways of their own.
    """
    return "was accepted after the report had come" if sought.came < message.accepted_at else ""


async def _match_people(read: Read, sought: Sought) -> Match | None:
    """By recipient, sender and connection alone, among messages older than the report (R-38).

    A report that names an id is not believed to mean a message that has another. One that is just being submitted
    counts as a candidate, for the report may be its own, come before its id is known; it waits as an orphan then.
    Where nobody waits, it may mean the one message that was in doubt: the answer with its id was lost (R-19).
    """
    people = (sought.recipient, sought.sender, sought.connection, sought.came)
    candidates = await read(SQL["find_by_recipient"], people)
    if any(sought.ids):
        candidates = [row for row in candidates if not rows.to_message(row).carrier_message_id]
    if not candidates:
        return await _match_doubts(read, people)
    message = rows.to_message(candidates[0])
    if len(candidates) > 1 or message.state is State.SUBMITTING:
        return None
    return Match(message=message, part=0, matched_by=MatchedBy.RECIPIENT)


async def _match_doubts(read: Read, people: tuple[object, ...]) -> Match | None:
    """What was, or is, in doubt: one MMS, else one part of an SMS."""
    doubted = [(0, *row) for row in await read(SQL["find_doubted"], people)]
    found = doubted or await read(SQL["find_doubtful_part"], people)
    if len(found) != 1:
        return None
    part, *row = found[0]
    return Match(message=rows.to_message(row), part=part, matched_by=MatchedBy.RECIPIENT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A message that a report might mean, and why it was not taken for it."""

    tracking_id: str
    state: str
    accepted_at: Millis
    carrier_id: str
    against: str


async def why_unmatched(read: Read, sought: Sought, connections: Iterable[str]) -> list[str]:
    """Why no message was found, a reason for each way of looking; `connections` are all that there are."""
    return [await _why_not_id(read, sought, connections), await _why_not_people(read, sought)]


async def candidates(read: Read, sought: Sought) -> list[Candidate]:
    """The newest messages to the report's recipient that wait for a report."""
    found = await read(SQL["waiting_for"], (sought.recipient,)) if sought.recipient else ()
    return [
        Candidate(
            tracking_id=row[0], state=row[3], accepted_at=row[4], carrier_id=row[5], against=_against(row, sought)
        )
        for row in found
    ]


async def _why_not_id(read: Read, sought: Sought, connections: Iterable[str]) -> str:
    if not sought.normalised:
        return "it names no message id"
    shown = sought.ids[0]
    found = [
        rows.to_message(row[2:])
        for row in await read(SQL["find_carrier_id"], (sought.connection, sought.normalised))
    ]
    against = [_against_id(sought, message) for message in found]
    if found and all(against):
        return f"the message of {sought.connection} with the id {shown!r} {against[-1]}"
    if found:
        return f"several messages of {sought.connection} have the id {shown!r}, letter case and leading zeros apart"
    others = json.dumps([name for name in connections if name != sought.connection])
    elsewhere = await read(SQL["known_elsewhere"], (sought.normalised, others))
    if elsewhere:
        names = ", ".join(sorted({row[0] for row in elsewhere}))
        return f"the id {shown!r} is that of a message of {names}, and the report came over {sought.connection}"
    return f"no message of {sought.connection} has the id {shown!r}"


async def _why_not_people(read: Read, sought: Sought) -> str:
    if not sought.recipient:
        return "it names no recipient"
    among = [each for each in await candidates(read, sought) if not each.against]
    if len(among) > 1:
        return f"{len(among)} messages to that recipient wait for a report, any of them might be meant (R-38)"
    return "no message to that recipient that could be meant waits for a report"


def _against(row: Row, sought: Sought) -> str:
    """What speaks against a row of `waiting_for`; empty: nothing does."""
    _, sender, connection, state, accepted_at, carrier_id = row
    if connection != sought.connection:
        return f"it went to {connection}"
    if sought.sender and sender != sought.sender:
        return "it has another sender"
    if accepted_at > sought.came:
        return "it was accepted after the report had come"
    if any(sought.ids) and carrier_id:
        return "it has another id"
    return "it is just being submitted" if state == State.SUBMITTING else ""
