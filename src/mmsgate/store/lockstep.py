"""Many writes side by side in one transaction, so that a batch costs few round trips.

Each write runs until it has to wait for a statement. Those that wait for the same statement are answered together,
and go on to their next one. The write that has come least far is served first: stragglers catch up, and the groups
grow.
"""

from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Generator, Sequence
from dataclasses import dataclass, field
from typing import Any

from mmsgate.store.engine import Row, Work
from mmsgate.store.queries import Statement

#: Keys of `Transaction.alone` for which other transactions wait, too.
LOCK = Statement("", name="lock", postgres="SELECT pg_advisory_xact_lock($1)")


@dataclass(frozen=True, slots=True)
class Ask:
    """What a write waits for: a statement with sets of parameters. Its rows are wanted, or how many it wrote."""

    statement: Statement
    parameters: Sequence[Sequence[object]]
    wants_rows: bool

    def __await__(self) -> Generator["Ask", Any, Any]:
        return (yield self)


@dataclass(frozen=True, slots=True)
class Alone:
    """What a write waits for: that no other holds the key."""

    key: int

    def __await__(self) -> Generator["Alone", Any, Any]:
        return (yield self)


class WorkFailed(Exception):  # noqa: N818  somebody's own exception, and whose
    """The write at that place of the batch raised an exception of its own."""

    def __init__(self, index: int, error: Exception) -> None:
        super().__init__(index, error)
        self.index, self.error = index, error


class Entangled(Exception):  # noqa: N818  an outcome
    """The writes of a batch wait for one another: each has to go by itself."""


class _Transaction:
    """What a write sees."""

    async def rows(self, statement: Statement, parameters: Sequence[object] = ()) -> Sequence[Row]:
        found: list[Sequence[Row]] = await Ask(statement, (parameters,), wants_rows=True)
        return found[0]

    async def run(self, statement: Statement, parameters: Sequence[object] = ()) -> int:
        return await self.run_many(statement, (parameters,))

    async def run_many(self, statement: Statement, parameters: Sequence[Sequence[object]]) -> int:
        if not parameters:
            return 0
        counts: list[int] = await Ask(statement, parameters, wants_rows=False)
        return sum(counts)

    async def alone(self, key: int, *, everywhere: bool = False) -> None:
        await Alone(key)
        if everywhere:
            await Ask(LOCK, ((key,),), wants_rows=True)


@dataclass(slots=True, eq=False)
class _Walk:
    """One write on its way: what it waits for, and how many statements it has had."""

    index: int
    work: Coroutine[Any, Any, Any]
    ask: Ask | None = None
    steps: int = 0
    keys: list[int] = field(default_factory=list)
    result: object = None


#: Answers a statement for many sets of parameters: rows or a number for each of them.
Execute = Callable[[Statement, Sequence[Sequence[object]], bool], Awaitable[Sequence[Any]]]


class Lockstep:
    """Runs a batch of writes once."""

    def __init__(self, execute: Execute) -> None:
        self._execute = execute
        self._ready: deque[tuple[_Walk, object]] = deque()
        self._asking: dict[_Walk, None] = {}
        self._held: dict[int, _Walk] = {}
        self._blocked: dict[int, deque[_Walk]] = {}

    async def run(self, batch: Sequence[Work[Any]]) -> list[object]:
        """Their results. Raises `WorkFailed` for the first that fails by itself, and `Entangled`."""
        walks = [_Walk(index, work(_Transaction())) for index, work in enumerate(batch)]
        try:
            self._ready.extend((walk, None) for walk in walks)
            self._advance()
            while self._asking:
                await self._answer(min(self._asking, key=lambda walk: walk.steps))
                self._advance()
            if self._blocked:
                raise Entangled
        finally:
            for walk in walks:
                walk.work.close()
        return [walk.result for walk in walks]

    async def _answer(self, first: _Walk) -> None:
        """Answer all that wait for the same as that one."""
        assert first.ask is not None
        statement, wants_rows = first.ask.statement, first.ask.wants_rows
        group = [(walk, ask) for walk in self._asking if (ask := walk.ask) and _same(ask, statement, wants_rows)]
        if statement is LOCK:  # in the same order everywhere: two who lock in another would wait for one another
            group.sort(key=lambda asked: str(asked[1].parameters[0][0]))
        parameters = [each for _, ask in group for each in ask.parameters]
        answers = await self._execute(statement, parameters, wants_rows)
        start = 0
        for walk, ask in group:
            del self._asking[walk]
            self._ready.append((walk, answers[start : start + len(ask.parameters)]))
            start += len(ask.parameters)

    def _advance(self) -> None:
        """Let all that have an answer go on, until they wait again or have ended."""
        while self._ready:
            walk, answer = self._ready.popleft()
            try:
                wanted = walk.work.send(answer)
            except StopIteration as end:
                walk.result = end.value
                self._release(walk)
            except Exception as error:
                raise WorkFailed(walk.index, error) from error
            else:
                self._wait(walk, wanted)

    def _wait(self, walk: _Walk, wanted: object) -> None:
        match wanted:
            case Ask():
                walk.ask, walk.steps = wanted, walk.steps + 1
                self._asking[walk] = None
            case Alone(key=key):
                if self._held.setdefault(key, walk) is walk:
                    walk.keys.append(key)
                    self._ready.append((walk, None))
                else:
                    self._blocked.setdefault(key, deque()).append(walk)
            case _:
                raise WorkFailed(walk.index, RuntimeError("a transaction may wait for nothing but its statements"))

    def _release(self, walk: _Walk) -> None:
        """It has ended: whoever waits for one of its keys goes on."""
        for key in walk.keys:
            if self._held.get(key) is not walk:
                continue  # it had named the key twice
            waiting = self._blocked.get(key)
            if not waiting:
                del self._held[key]
                continue
            heir = self._held[key] = waiting.popleft()
            heir.keys.append(key)
            self._ready.append((heir, None))
            if not waiting:
                del self._blocked[key]


def _same(ask: Ask, statement: Statement, wants_rows: bool) -> bool:
    return ask.statement is statement and ask.wants_rows is wants_rows
