"""``mmsgate account``: accounts, their keys, block lists and settings."""

import json
import re
from collections.abc import Awaitable, Callable
from dataclasses import replace

import click

from mmsgate.cli.output import data_dir_option, find_account, out, table, with_store
from mmsgate.cli.settings import changed
from mmsgate.clock import SystemClock, iso
from mmsgate.domain.account import Account, Block, BlockOrigin, hash_key
from mmsgate.domain.number import mask, undecorated
from mmsgate.postbacks.signature import new_secret
from mmsgate.provision import new_api_key
from mmsgate.store import Store
from mmsgate.store.accounts import account_json

_now = SystemClock().now


@click.group()
def account() -> None:
    """Accounts: who may send. A running gateway sees a change within a second."""


@account.command("list")
@data_dir_option
def list_accounts(data_dir: str | None) -> None:
    """All accounts."""

    async def work(store: Store) -> None:
        rows = table("name", "active", "senders", "postbacks to")
        for each in sorted((await store.accounts.directory()).accounts.values(), key=lambda a: a.name):
            rows.add_row(each.name, _yes(each.active), ", ".join(each.senders), each.postback.url or "-")
        out.print(rows)

    with_store(data_dir, work)


@account.command()
@click.argument("name")
@data_dir_option
def create(name: str, data_dir: str | None) -> None:
    """Make an account NAME with its first API key, which is shown this once."""

    async def work(store: Store) -> None:
        try:
            account_id = await store.accounts.create(name, Account(id=0, name=name), at=_now())
        except ValueError as error:
            raise click.ClickException(str(error)) from error
        await _add_key(store, account_id, "first")

    with_store(data_dir, work)


@account.command()
@click.argument("name")
@data_dir_option
def show(name: str, data_dir: str | None) -> None:
    """Everything about account NAME; secrets are left out."""

    async def work(store: Store) -> None:
        found = await find_account(store, name)
        settings = json.loads(account_json(found))
        settings["postback"]["secrets"] = f"{len(found.postback.secrets)} live"
        out.print_json(data=settings)
        numbers = table("number", "type", "services")
        for sender in found.senders.values():
            numbers.add_row(sender.number, sender.type.value, ", ".join(sender.services))
        out.print(numbers)
        await _print_keys(store, found.id)
        blocks = await store.accounts.blocks(found.id)
        opted_out = sum(block.origin is not BlockOrigin.OPERATOR for block in blocks)
        out.print(f"block list: {len(blocks):,} entries, {opted_out:,} of them opt-outs")

    with_store(data_dir, work)


async def _print_keys(store: Store, account_id: int) -> None:
    keys = table("key", "ends in", "made", "revoked")
    for key in await store.accounts.keys(account_id):
        keys.add_row(key.label, f"…{key.hint}", iso(key.created_at), iso(key.revoked_at) if key.revoked_at else "-")
    out.print(keys)


@account.command("set")
@click.argument("name")
@click.argument("settings", nargs=-1, required=True, metavar="SETTING=VALUE...")
@data_dir_option
def set_settings(name: str, settings: tuple[str, ...], data_dir: str | None) -> None:
    """Change settings of account NAME.

    SETTING is as `mmsgate account show` writes it, with dots: postback.url=https://example.com/postbacks,
    switches.compat=strict, rates.quota=10000, ip_allow='["10.0.0.0/8"]', active=false. VALUE is JSON, or plain
    text.
    """

    async def work(store: Store) -> None:
        await store.accounts.update(changed(await find_account(store, name), settings))
        out.print(f"{name}: {', '.join(settings)}", markup=False)

    with_store(data_dir, work)


@account.group()
def key() -> None:
    """API keys: several per account, each revocable."""


@key.command("add")
@click.argument("name")
@click.option("--label", default="", help="What the key is for.")
@data_dir_option
def add_key(name: str, label: str, data_dir: str | None) -> None:
    """Make another API key for account NAME, which is shown this once."""

    async def work(store: Store) -> None:
        await _add_key(store, (await find_account(store, name)).id, label)

    with_store(data_dir, work)


async def _add_key(store: Store, account_id: int, label: str) -> None:
    made = new_api_key()
    await store.accounts.add_key(account_id, hash_key(made), label=label or made[-4:], hint=made[-4:], at=_now())
    out.print(f"API key (shown this once): {made}", highlight=False)


@key.command("revoke")
@click.argument("name")
@click.argument("which")
@data_dir_option
def revoke_key(name: str, which: str, data_dir: str | None) -> None:
    """Shut out a key of account NAME. WHICH is its label or its last four characters."""

    async def work(store: Store) -> None:
        if not await store.accounts.revoke_key((await find_account(store, name)).id, which, at=_now()):
            raise click.ClickException(f"account {name} has no live key labelled or ending in {which!r}")
        out.print(f"revoked the key {which} of {name}")

    with_store(data_dir, work)


@account.command("secret")
@click.argument("name")
@data_dir_option
def rotate_secret(name: str, data_dir: str | None) -> None:
    """Make a new signing secret for postbacks. The one before stays live until the next is made."""

    async def work(store: Store) -> None:
        found = await find_account(store, name)
        secret = new_secret()
        postback = replace(found.postback, secrets=(secret, *found.postback.secrets[:1]))
        await store.accounts.update(replace(found, postback=postback))
        out.print(f"postback secret: {secret}", highlight=False)

    with_store(data_dir, work)


@account.group()
def block() -> None:
    """The block list: numbers that get nothing (E114). A * stands for any digits."""


_DIGITS = re.compile(r"[0-9]+", re.ASCII)
_DIGITS_AND_STARS = re.compile(r"[0-9*]+", re.ASCII)


def _digits(text: str, allowed: re.Pattern[str], hint: str) -> str:
    """A number as it is compared with recipients and senders: digits alone (R-17)."""
    number = undecorated(text)
    if not allowed.fullmatch(number):
        stars = ", and * for any of them" if allowed is _DIGITS_AND_STARS else ""
        raise click.BadParameter(f"{text!r} is no number: digits{stars}", param_hint=hint)
    return number


def _block_command(name: str, doc: str, change: Callable[[Store, Block], Awaitable[int]], *, none: str) -> None:
    """`change` says how many entries it made or took; `none` is where the number is if there was nothing to do."""

    @block.command(name, help=doc)
    @click.argument("account_name", metavar="ACCOUNT")
    @click.argument("number")
    @click.option("--sender", default="", help="Only for messages from this number (default: from all).")
    @click.option("--reason", default="", help="Why, for the timeline.")
    @data_dir_option
    def command(account_name: str, number: str, sender: str, reason: str, data_dir: str | None) -> None:
        entry = Block(
            account_id=0, number=_digits(number, _DIGITS_AND_STARS, "NUMBER"), reason=reason,
            sender=_digits(sender, _DIGITS, "--sender") if sender else "",
        )  # fmt: skip

        async def work(store: Store) -> None:
            found = await find_account(store, account_name)
            if not await change(store, replace(entry, account_id=found.id)):
                whom = f" for messages from {entry.sender}" if entry.sender else ""
                said = f"{mask(entry.number)} is {none} block list of {account_name}{whom}"
                if name == "remove":  # to add twice does no harm; to take off nothing may be a slip of the pen
                    raise click.ClickException(said)
                out.print(said)
                return
            out.print(f"{name}: {mask(entry.number)}")

        with_store(data_dir, work)


_block_command(
    "add", "Put NUMBER on ACCOUNT's block list.", lambda store, b: store.accounts.block(b, at=_now()),
    none="already on the",
)  # fmt: skip
_block_command(
    "remove", "Take NUMBER off ACCOUNT's block list.",
    lambda store, b: store.accounts.unblock(b.account_id, b.number, b.sender), none="not on the",
)  # fmt: skip


@block.command("list")
@click.argument("name")
@data_dir_option
def list_blocks(name: str, data_dir: str | None) -> None:
    """The block list of account NAME."""

    async def work(store: Store) -> None:
        rows = table("number", "for sender", "by", "since", "reason")
        for each in await store.accounts.blocks((await find_account(store, name)).id):
            rows.add_row(each.number, each.sender or "all", each.origin, iso(each.since), each.reason)
        out.print(rows)

    with_store(data_dir, work)


def _yes(value: bool) -> str:
    return "yes" if value else "no"
