"""How commands talk to a person, and how they reach the store."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import click
from rich.console import Console
from rich.table import Table

from mmsgate.config import Settings, load
from mmsgate.domain.account import Account
from mmsgate.errors import Fault
from mmsgate.store import Store, migrate

console = Console(stderr=True)
out = Console()

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
    if not settings.database.exists():
        raise NoDatabase(
            f"there is no database in {settings.data_dir}: start a gateway there once, or name another --data-dir"
        )
    migrate(settings.database)
    store = Store(settings.database)
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


def find_account(store: Store, name: str) -> Account:
    """The account of that name; a `click` error that lists the names if there is none."""
    accounts = {account.name: account for account in store.accounts.directory().accounts.values()}
    if name not in accounts:
        known = ", ".join(sorted(accounts)) or "none yet"
        raise click.ClickException(f"there is no account {name!r}; accounts: {known}")
    return accounts[name]


def table(*columns: str) -> Table:
    """A plain table."""
    made = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        made.add_column(column, overflow="fold")
    return made
