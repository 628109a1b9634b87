"""How commands talk to a person, and how they reach the store."""

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable, Collection
from typing import TextIO, TypeVar

import click
from click.core import ParameterSource
from rich.console import Console
from rich.table import Table

from mmsgate.carriers.record import Profile, ProfileError, profile_from_json
from mmsgate.config import Settings, load
from mmsgate.domain.account import Account
from mmsgate.errors import Fault
from mmsgate.store import Store, prepare

_UNWRAPPED = 100_000  # columns


def _width(stream: TextIO) -> int | None:
    """The columns of what is no terminal: programs read lines, so none is wrapped unless COLUMNS says so."""
    return None if stream.isatty() or "COLUMNS" in os.environ else _UNWRAPPED


console = Console(stderr=True, width=_width(sys.stderr))
out = Console(width=_width(sys.stdout))

T = TypeVar("T")

data_dir_option = click.option(
    "--data-dir", type=click.Path(file_okay=False), help="The gateway's data folder (default: data)."
)


class NoDatabase(Fault):
    """There is no gateway's database in that folder."""


def with_store(data_dir: str | None, work: Callable[[Store], Awaitable[T]]) -> T:
    """Run `work` on the store of that data folder. A gateway may be running on it."""
    return asyncio.run(_with_store(load(data_dir=data_dir), work))


async def _with_store(settings: Settings, work: Callable[[Store], Awaitable[T]]) -> T:
    if not settings.database_url and not settings.database.exists():
        raise NoDatabase(
            f"there is no database in {settings.data_dir}: start a gateway there once, or name another --data-dir"
        )
    await prepare(settings.where)
    store = Store(settings.where, name="mmsgate command")
    await store.start()
    try:
        return await work(store)
    finally:
        await store.stop()


def running_at(settings: Settings) -> str:
    """The address of the gateway that runs, or ran last, on that data folder; without one, as it is configured."""
    try:
        return settings.url_file.read_text(encoding="ascii").strip() or settings.url
    except OSError:
        return settings.url


async def find_account(store: Store, name: str) -> Account:
    """The account of that name; a `click` error that lists the names if there is none."""
    accounts = {account.name: account for account in (await store.accounts.directory()).accounts.values()}
    if name not in accounts:
        known = ", ".join(sorted(accounts)) or "none yet"
        raise click.ClickException(f"there is no account {name!r}; accounts: {known}")
    return accounts[name]


async def find_profile(store: Store, name: str) -> Profile:
    """The profile of that name; a `click` error that lists the names if there is none."""
    kept = (await store.accounts.directory()).profiles
    if name not in kept:
        raise click.ClickException(
            f"there is no carrier {name!r}; carriers: {', '.join(sorted(kept)) or 'none yet'}"
        )
    try:
        return profile_from_json(kept[name])
    except ProfileError as error:
        raise click.ClickException(f"the profile of {name} can't be used: {error}") from error


def refuse_given(names: Collection[str], where: str) -> None:
    """A usage error that lists those of the current command's options `names` that were given but can't count."""
    context = click.get_current_context()
    given = [
        option.opts[0]
        for option in context.command.params
        if option.name in names and context.get_parameter_source(option.name) is ParameterSource.COMMANDLINE
    ]
    if given:
        raise click.UsageError(f"{', '.join(given)} can't be used {where}")


def table(*columns: str) -> Table:
    """A plain table."""
    made = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        made.add_column(column, overflow="fold")
    return made
