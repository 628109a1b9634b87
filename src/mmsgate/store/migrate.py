"""Migrations: numbered SQL files, applied in order under the write lock, each in one transaction."""

import contextlib
import sqlite3
from importlib import resources
from pathlib import Path

from mmsgate.store.engine import StoreFault
from mmsgate.store.sqlite import connect


def migrations() -> list[tuple[int, str]]:
    """Number and SQL of every migration, in order."""
    folder = resources.files(__package__).joinpath("migrations")
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".sql"))
    return [(int(name[:4]), folder.joinpath(name).read_text(encoding="utf-8")) for name in names]


def migrate(path: Path) -> list[int]:
    """Bring the database to this release's schema; the numbers of the migrations that were applied.

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
    known = migrations()
    applied: list[int] = []
    connection.execute("BEGIN IMMEDIATE")
    try:
        version = int(connection.execute("PRAGMA user_version").fetchone()[0])
        _refuse_future(version, known[-1][0])
        for number, sql in known:
            if number > version:
                for statement in _statements(sql):
                    connection.execute(statement)
                connection.execute(f"PRAGMA user_version = {number}")
                applied.append(number)
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
