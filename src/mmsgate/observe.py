"""What a room says of a piece of work that it has done, so that somebody may count it and trace it. No IO.

Rooms are given an `Observe` and call it; who listens is the business of whoever puts the rooms together.
"""

from enum import StrEnum
from typing import Protocol


class Work(StrEnum):
    """Kinds of work: what `where` and `outcome` are of each."""

    HTTP = "http"  # an answer of the public port: which part of it, the status
    REQUEST = "request"  # a call of the XML API: the action, the code
    ACCEPT = "accept"  # a message committed: its connection, its state
    STEP = "step"  # a message has moved: its connection, the state it is in now
    SUBMIT = "submit"  # a request to an MMSC, a part of an SMS to an SMSC: the connection, what came of it
    POSTBACK = "postback"  # a postback posted: its code, what came of it
    REPORT = "report"  # a delivery report or receipt: the connection, by what it found its message
    INBOUND = "inbound"  # a message from a phone: the connection, what it is


class Observe(Protocol):
    """Told of work that has just ended. Called on the way of every message: it must be quick and never raise."""

    def __call__(
        self, work: Work, where: str, outcome: str, seconds: float | None = None, tracking_id: str = ""
    ) -> None:
        """`where` and `outcome` are out of a few (never a number, an account or an id); `seconds` is how long it
        took, None if nobody knows; `tracking_id` is that of its message, empty if it has none.
        """
        ...


def unobserved(work: Work, where: str, outcome: str, seconds: float | None = None, tracking_id: str = "") -> None:
    """Nobody listens."""
