"""``mmsgate number``: the numbers accounts send from."""

import click

from mmsgate.cli.output import data_dir_option, find_account, out, table, with_store
from mmsgate.domain.account import Sender
from mmsgate.domain.number import SenderType
from mmsgate.store import Store


@click.group()
def number() -> None:
    """Short codes, long codes and toll-free numbers, and the services usable with them."""


@number.command("add")
@click.argument("account_name", metavar="ACCOUNT")
@click.argument("digits", metavar="NUMBER")
@click.option(
    "--type", "kind", type=click.Choice([kind.value for kind in SenderType]), default=SenderType.SHORT_CODE.value,
    show_default=True, help="What kind of number it is; limits and addressing depend on it.",
)  # fmt: skip
@click.option("--service", "services", multiple=True, help="A service id usable with it (repeatable).")
@data_dir_option
def add(account_name: str, digits: str, kind: str, services: tuple[str, ...], data_dir: str | None) -> None:
    """Give ACCOUNT a NUMBER, or change its type and services."""
    if not (digits.isascii() and digits.isdigit()):
        raise click.BadParameter("a number has digits only", param_hint="NUMBER")

    async def work(store: Store) -> None:
        sender = Sender(number=digits, type=SenderType(kind), services=services)
        await store.accounts.put_sender((await find_account(store, account_name)).id, sender)
        out.print(f"{account_name} may send from {digits} ({kind}; services: {', '.join(services) or 'none'})")

    with_store(data_dir, work)


@number.command("remove")
@click.argument("account_name", metavar="ACCOUNT")
@click.argument("digits", metavar="NUMBER")
@data_dir_option
def remove(account_name: str, digits: str, data_dir: str | None) -> None:
    """Take a NUMBER from ACCOUNT. Messages already accepted are still sent."""

    async def work(store: Store) -> None:
        if not await store.accounts.remove_sender((await find_account(store, account_name)).id, digits):
            raise click.ClickException(f"{account_name} has no number {digits}")
        out.print(f"{account_name} may no longer send from {digits}")

    with_store(data_dir, work)


@number.command("list")
@click.argument("account_name", metavar="ACCOUNT")
@data_dir_option
def list_numbers(account_name: str, data_dir: str | None) -> None:
    """The numbers of ACCOUNT."""

    async def work(store: Store) -> None:
        rows = table("number", "type", "services")
        for sender in (await find_account(store, account_name)).senders.values():
            rows.add_row(sender.number, sender.type.value, ", ".join(sender.services))
        out.print(rows)

    with_store(data_dir, work)
