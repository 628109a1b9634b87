"""``mmsgate store copy``: move an embedded installation to PostgreSQL and S3."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import click
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from mmsgate.cli.output import console, out, table
from mmsgate.clock import SystemClock
from mmsgate.config import ConfigFault, Settings, load
from mmsgate.domain.message import counted
from mmsgate.lock import Locked, lock
from mmsgate.media.blobs import open_blobs
from mmsgate.media.storage import FileBlobStore
from mmsgate.media.transfer import Transferred, transfer
from mmsgate.store.copy import Source, Table, copy_store, open_source

#: Copies of blobs that the S3 store may keep while all go through it once.
_PASSING = 64 * 1024 * 1024


@click.group()
def store() -> None:
    """Move an embedded installation to PostgreSQL and S3."""


@store.command()
@click.option(
    "--from", "source", required=True, type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="The data folder of the embedded gateway, which has been stopped.",
)  # fmt: skip
def copy(source: Path) -> None:
    """Copy a data folder to the database of database_url, and its media to blobs_url if that is set.

    The settings are those of the folder's mmsgate.toml and of the environment. The database has been made by
    `mmsgate migrate`, and is empty. The folder is not changed; should the copy be interrupted, run it again.
    """
    settings = load(data_dir=str(source))
    if not settings.database_url:
        raise ConfigFault("where to? Set database_url (MMSGATE_DATABASE_URL) to a PostgreSQL database's address")
    try:
        with open_source(settings.database) as opened, lock(settings):
            asyncio.run(_copy(settings, opened))
    except Locked as locked:
        raise Locked(f"{locked}: stop it, and copy then") from None


async def _copy(settings: Settings, source: Source) -> None:
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    with Progress(*columns, console=console) as progress:
        moved = await _copy_blobs(settings, source.blobs(), progress) if settings.blobs_url else None
        bars: dict[str, TaskID] = {}

        def on_rows(name: str, done: int, rows: int) -> None:
            if rows:
                bar = bars.get(name) or bars.setdefault(name, progress.add_task(name, total=rows))
                progress.update(bar, completed=done)

        copied = await copy_store(source, settings.database_url, now=SystemClock().now(), on_rows=on_rows)
    _report(settings, copied, moved)


async def _copy_blobs(settings: Settings, blobs: Sequence[str], progress: Progress) -> Transferred:
    """The media before the rows that refer to them."""
    clock = SystemClock()
    bar = progress.add_task("media", total=len(blobs))
    with TemporaryDirectory(prefix="mmsgate-copy-") as passing:
        target = open_blobs(replace(settings, data_dir=Path(passing), s3_cache_bytes=_PASSING), clock)
        await target.start()
        try:
            source = FileBlobStore(settings.blobs, clock=clock)
            return await transfer(blobs, source, target, on_done=lambda done: progress.update(bar, completed=done))
        finally:
            await target.stop()


def _report(settings: Settings, copied: Sequence[Table], moved: Transferred | None) -> None:
    shown = table("table", "rows")
    for each in copied:
        if each.rows:
            shown.add_row(each.name, f"{each.rows:,}")
    out.print(shown)
    if moved is None:
        out.print(f"The media stay in {settings.blobs}: every process needs that folder.")
    else:
        out.print(f"{counted(moved.there, 'media file')} in {settings.blobs_url}, {moved.new:,} of them new.")
        for blob in moved.lost:
            out.print(f"missing or damaged in the data folder, and so not copied: {blob}")
    out.print("All rows have been counted there. The data folder is as it was: keep it until all is well.")
