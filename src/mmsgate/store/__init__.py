"""The store: everything that must survive. Named SQL, group commit; one file of SQLite, or a PostgreSQL server.

store = Store(path)                 # or Store("postgresql://…")
await store.start()
await store.messages.accept(…)      # committed when it returns
await store.messages.by_tracking(…)      # short reads, of keys and indexes
"""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mmsgate.clock import SystemClock
from mmsgate.domain.change import Change
from mmsgate.store.accounts import Accounts, Directory
from mmsgate.store.backlogs import Backlogs
from mmsgate.store.calls import Calls
from mmsgate.store.engine import Engine, Figures, StoreFault
from mmsgate.store.handsets import Handset, HandsetRows
from mmsgate.store.health import StoreHealth
from mmsgate.store.inbound import Arrival, InboundRow, InboundRows, Taken
from mmsgate.store.keys import Idempotency, IdempotencyKeys
from mmsgate.store.leases import Leases
from mmsgate.store.matching import Candidate, Match, MatchedBy, Sought
from mmsgate.store.media import MediaRows
from mmsgate.store.messages import (
    Acceptance,
    Decide,
    Messages,
    PageRow,
    PostbackRow,
    Recorded,
    Render,
    Snapshot,
    TemplateGone,
)
from mmsgate.store.migrate import migrate
from mmsgate.store.nodes import Nodes
from mmsgate.store.numbers import KnownNumber, Numbers, NumberSource
from mmsgate.store.operators import OperatorRows
from mmsgate.store.orphans import Orphan
from mmsgate.store.postbacks import Postbacks
from mmsgate.store.preparations import Preparations
from mmsgate.store.queue import QueueRows
from mmsgate.store.renditions import EncodedRow, RenditionRows
from mmsgate.store.reports import ReportRows
from mmsgate.store.retention import Retention
from mmsgate.store.shares import Shares, Wish
from mmsgate.store.sqlite import SqliteEngine
from mmsgate.store.templates import Kept, Templates

if TYPE_CHECKING:
    from mmsgate.store.partitions import MonthlyRetention  # brings asyncpg

__all__ = [
    "Acceptance",
    "Arrival",
    "Candidate",
    "Decide",
    "Directory",
    "EncodedRow",
    "Figures",
    "Handset",
    "Idempotency",
    "InboundRow",
    "InboundRows",
    "Kept",
    "KnownNumber",
    "Match",
    "MatchedBy",
    "NumberSource",
    "Orphan",
    "PageRow",
    "PostbackRow",
    "Recorded",
    "Render",
    "RenditionRows",
    "Snapshot",
    "Sought",
    "Store",
    "StoreFault",
    "Taken",
    "TemplateGone",
    "Wish",
    "migrate",
    "prepare",
]


async def prepare(where: Path | str) -> None:
    """Bring SQLite's file to this release's schema. PostgreSQL's is brought there by ``mmsgate migrate``."""
    if isinstance(where, Path):
        await asyncio.to_thread(migrate, where)


def _engine(where: Path | str, name: str) -> Engine:
    if isinstance(where, Path):
        return SqliteEngine(where)
    from mmsgate.store.postgres import PostgresEngine

    return PostgresEngine(where, name=name)


def _retention(engine: Engine, where: Path | str, name: str) -> "Retention | MonthlyRetention":
    if isinstance(where, Path):
        return Retention(engine)
    from mmsgate.store.partitions import MonthlyRetention

    return MonthlyRetention(engine, where, name=name, aside=lambda: _engine(where, name))


def _render_nothing(_: Change) -> Sequence[PostbackRow]:
    return ()


class Store:
    """The rooms of the store over one engine. `start` and `stop` may be called twice.

    `where` is SQLite's file, or PostgreSQL's address. That has many users, each with a `name` under which it holds
    what it has claimed; `is_shared` says so.
    """

    def __init__(self, where: Path | str, *, name: str = "mmsgate") -> None:
        self.name = name
        self._engine = _engine(where, name)
        self.is_shared = self._engine.is_shared
        self.messages = Messages(self._engine, render=_render_nothing)
        self.reports = ReportRows(self._engine, self.messages)
        self.handsets = HandsetRows(self._engine)
        self.queue = Leases(self._engine, owner=name) if self.is_shared else QueueRows(self._engine)
        self.nodes = Nodes(self._engine, SystemClock()) if self.is_shared else None
        self.shares = Shares(self._engine) if self.is_shared else None
        self.calls = Calls(self._engine) if self.is_shared else None
        self.keys = IdempotencyKeys(self._engine)
        self.postbacks = Postbacks(self._engine)
        self.templates = Templates(self._engine, on_freed=self.messages.forget_contents)
        self.preparations = Preparations(self._engine)
        self.renditions = RenditionRows(self._engine)
        self.accounts = Accounts(self._engine)
        self.media = MediaRows(self._engine)
        self.inbound = InboundRows(self._engine)
        self.numbers = Numbers(self._engine)
        self.operators = OperatorRows(self._engine)
        self.health = StoreHealth(self._engine)
        self.backlogs = Backlogs(self._engine)
        self.retention = _retention(self._engine, where, name)

    def render_with(self, render: Render) -> None:
        """Say how postbacks are written; without it a step makes none."""
        self.messages.render = render

    async def start(self) -> None:
        await self._engine.start()

    async def stop(self) -> None:
        await self._engine.stop()

    @property
    def commits(self) -> int:
        """Transactions committed since the start."""
        return self._engine.commits

    @property
    def figures(self) -> Figures:
        """What was in them, and what it took."""
        return self._engine.figures
