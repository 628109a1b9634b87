"""Migrations: numbered SQL files for each engine, applied in order under the write lock, all in one transaction.

A file may begin with ``-- serves: N``: programs that know the schema N, and none older, can go on while it is
applied and after. Without it that is the file's own number.
"""

import contextlib
import re
import sqlite3
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from mmsgate.store.engine import StoreFault
from mmsgate.store.sqlite import connect

_SERVES = re.compile(r"-- serves: (\d+)\n")


@dataclass(frozen=True, slots=True, kw_only=True)
class Migration:
    """One step of the schema; `serves` is the oldest schema whose programs can work with it."""

    number: int
    sql: str

    @property
    def serves(self) -> int:
        found = _SERVES.match(self.sql)
        return int(found[1]) if found else self.number


def migrations(engine: str) -> list[Migration]:
    """Every migration of ``sqlite`` or ``postgres``, in order."""
    folder = resources.files(__package__).joinpath("migrations", engine)
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".sql"))
    return [
        Migration(number=int(name[:4]), sql=folder.joinpath(name).read_text(encoding="utf-8")) for name in names
    ]


def migrate(path: Path) -> list[int]:
    """Bring SQLite's database to this release's schema; the numbers of the migrations that were applied.

    Safe to call twice, and from two processes at once. Raises `StoreFault` for a schema from the future.
    """
    try:
        with contextlib.closing(connect(path)) as connection:
            connection.execute("PRAGMA busy_timeout = 30000")
            connection.execute("PRAGMA journal_mode = WAL")
            return _apply(connection)
    except sqlite3.Error as error:
        raise StoreFault(f"the database {path.name} could not be opened or migrated: {error}") from error


def _apply(connection: sqlite3.Connection) -> list[int]:
    known = migrations("sqlite")
    applied: list[int] = []
    connection.execute("BEGIN IMMEDIATE")
    try:
        version = int(connection.execute("PRAGMA user_version").fetchone()[0])
        _refuse_future(version, known[-1].number)
        for each in known:
            if each.number > version:
                for statement in _statements(each.sql):
                    connection.execute(statement)
                connection.execute(f"PRAGMA user_version = {each.number}")
                applied.append(each.number)
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")
    return applied


def _refuse_future(version: int, newest: int) -> None:
    if version > newest:
        raise StoreFault(
            f"the database has schema {version}, this release knows {newest} at most: "
            "start a newer mmsgate, or restore the backup made before the upgrade"
        )


def _statements(sql: str) -> list[str]:
    """The statements of a script. (`executescript` would commit what is under way.)"""
    statements: list[str] = []
    current = ""
    for line in sql.splitlines(keepends=True):
        current += line
        if sqlite3.complete_statement(current):
            statements.append(current)
            current = ""
    return statements
