"""``mmsgate migrate``: bring the database to this release's schema."""

import asyncio

import click

from mmsgate.cli.output import data_dir_option, out
from mmsgate.clock import SystemClock
from mmsgate.config import load
from mmsgate.domain.message import counted
from mmsgate.store import migrate as migrate_sqlite
from mmsgate.store.schema import migrate_postgres


@click.command()
@data_dir_option
def migrate(data_dir: str | None) -> None:
    """Make the tables, or bring them to this release's schema.

    PostgreSQL (the setting database_url) is migrated by this command alone: run it before the new release starts.
    Programs of the release before may go on meanwhile. SQLite's file is migrated by any start of a gateway, too.
    It can be run again, and by two at once.
    """
    settings = load(data_dir=data_dir)
    if settings.database_url:
        applied = asyncio.run(migrate_postgres(settings.database_url, now=SystemClock().now()))
    else:
        settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        applied = migrate_sqlite(settings.database)
    if applied:
        out.print(f"{counted(len(applied), 'migration')} applied; the schema is {applied[-1]} now", highlight=False)
    else:
        out.print("the schema is this release's already", highlight=False)
