"""Whose work is being done: the ids that every line of the log carries which is written meanwhile. No IO.

A trail holds for its task, and for the tasks that it makes, until it ends. Tasks that live on longer (the pump of a
lane, started by whoever came first) carry nothing from then on: their next work is another's.
"""

from contextvars import ContextVar, Token
from types import TracebackType
from typing import Self


class Trail:
    """Use as ``with Trail(request_id=…):``. An id is empty as long as it is not known."""

    __slots__ = ("_token", "request_id", "tracking_id")

    def __init__(self, *, request_id: str = "", tracking_id: str = "") -> None:
        self.request_id, self.tracking_id = request_id, tracking_id
        self._token: Token[Trail | None] | None = None

    def __enter__(self) -> Self:
        self._token = _present.set(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._token is not None
        _present.reset(self._token)
        self.request_id = self.tracking_id = ""


_present: ContextVar[Trail | None] = ContextVar("mmsgate trail", default=None)


def present() -> Trail | None:
    """The trail of this task, if it is on one."""
    return _present.get()


def about(tracking_id: str) -> None:
    """The work at hand turns out to be about that message."""
    trail = _present.get()
    if trail is not None:
        trail.tracking_id = tracking_id
