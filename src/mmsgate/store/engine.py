"""What the rooms of the store ask of a database, whichever it is: reads, and writes that are committed together.

A write is a coroutine that is given a transaction and awaits nothing but its statements. So an engine can run many
of them side by side in one transaction, and send those statements together that wait at the same time.
"""

from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Protocol, TypeVar

from mmsgate.errors import Fault
from mmsgate.store.queries import Statement

T = TypeVar("T")
Row = tuple[Any, ...]


def key_of(*parts: object) -> int:
    """A key for `Transaction.alone`: the same 63 bits for the same parts, in every process."""
    return int.from_bytes(blake2b(repr(parts).encode(), digest_size=8).digest()) >> 1


class StoreFault(Fault):
    """The store could not do its work: disk full, file damaged, locked for too long, no connection."""


class Transaction(Protocol):
    """Statements of one transaction. Each sees what those before it wrote."""

    async def rows(self, statement: Statement, parameters: Sequence[object] = ()) -> Sequence[Row]:
        """The rows that a statement gives."""
        ...

    async def run(self, statement: Statement, parameters: Sequence[object] = ()) -> int:
        """How many rows a statement has written."""
        ...

    async def run_many(self, statement: Statement, parameters: Sequence[Sequence[object]]) -> int:
        """The same for each of the parameters; how many rows in all."""
        ...

    async def alone(self, key: int, *, everywhere: bool = False) -> None:
        """Go on when no other write of this transaction that has named the key is under way.

        `everywhere` says that there is no row which other transactions would wait for: they wait for the key then.
        """
        ...


Work = Callable[[Transaction], Coroutine[Any, Any, T]]
#: Reads rows, inside a transaction or outside.
Read = Callable[[Statement, Sequence[object]], Awaitable[Sequence[Row]]]


@dataclass(slots=True)
class Figures:
    """How many writes there were, and the seconds that their transactions took together.

    `statements` counts those that were run, reads included, once for each set of parameters; `round_trips` how
    often a server was asked and waited for (SQLite has none).
    """

    writes: int = 0
    seconds: float = 0.0
    statements: int = 0
    round_trips: int = 0


class Engine(Protocol):
    """A database. All but `start` and `stop` raise `StoreFault`.

    `commits` counts the transactions, `figures` what was in them. `is_shared` says whether other processes may work
    on the same queues.
    """

    commits: int
    is_shared: bool

    @property
    def figures(self) -> "Figures":
        """What was done since the start."""
        ...

    async def start(self) -> None:
        """Open it. May be called twice."""
        ...

    async def stop(self) -> None:
        """Shut it once everything that waits is committed. May be called twice."""
        ...

    async def read(self, statement: Statement, parameters: Sequence[object] = ()) -> Sequence[Row]:
        """Rows of one short query, by key or index."""
        ...

    async def write(self, work: Work[T]) -> T:
        """The result of `work` once its transaction is on stable storage.

        `work` must be repeatable: when another one of its transaction fails, this is rolled back and the rest is
        run anew. An exception out of `work` comes back to its caller alone.
        """
        ...

    async def run(self, statement: Statement, parameters: Sequence[object] = ()) -> int:
        """A write of one statement; how many rows it wrote."""
        ...
