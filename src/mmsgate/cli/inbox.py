"""``mmsgate inbox``: what phones sent, and what became of it."""

from collections.abc import AsyncIterator, Iterator

import click
from rich.markup import escape

from mmsgate.cli import timeline
from mmsgate.cli.output import data_dir_option, out, running_at, table, with_store
from mmsgate.clock import SystemClock, iso
from mmsgate.config import load
from mmsgate.domain.inbound import Inbound
from mmsgate.domain.number import mask, normalise
from mmsgate.postbacks.inbound import file_url
from mmsgate.store import InboundRow, Store

#: What a state of a postback means for a person.
_TOLD = {"pending": "waits for its receiver", "done": "told", "parked": "parked: its receiver took it never"}


@click.group(invoke_without_command=True)
@click.pass_context
def inbox(context: click.Context) -> None:
    """MMS and SMS that phones sent: a list of them, and each with its files."""
    if context.invoked_subcommand is None:
        context.invoke(list_inbox)


@inbox.command("list")
@click.option("--limit", default=50, type=click.IntRange(1, 1000), help="How many, the newest first.")
@data_dir_option
def list_inbox(limit: int, data_dir: str | None) -> None:
    """The newest messages of all accounts, with masked numbers."""

    async def work(store: Store) -> None:
        names = {account.id: account.name for account in (await store.accounts.directory()).accounts.values()}
        rows = table("received", "id", "kind", "from", "to", "account", "files", "what became of it")
        for row in await store.inbound.newest(limit):
            inbound = row.inbound
            became = "; ".join([each async for each in _became(row, store)])
            account = names.get(inbound.account_id or 0, "-")
            rows.add_row(
                iso(inbound.received_at), inbound.tracking_id, inbound.kind, mask(inbound.sender),
                mask(inbound.recipient) or "-", account, str(len(inbound.files)), became,
            )  # fmt: skip
        out.print(rows)

    with_store(data_dir, work)


@inbox.command()
@click.argument("tracking_id")
@data_dir_option
def show(tracking_id: str, data_dir: str | None) -> None:
    """One message with its files and everything that was made of it. TRACKING_ID may be `latest`."""
    base = running_at(load(data_dir=data_dir))

    async def work(store: Store) -> None:
        row = await _find(store, tracking_id)
        async for line in _lines(row, store, base):
            out.print(line, highlight=False, soft_wrap=True)

    with_store(data_dir, work)


@inbox.command()
@click.argument("tracking_id")
@data_dir_option
def replay(tracking_id: str, data_dir: str | None) -> None:
    """Send a message's postback once more."""

    async def work(store: Store) -> None:
        found = (await _find(store, tracking_id)).inbound
        count = await store.postbacks.replay(found.id, now=SystemClock().now())
        out.print(f"{count} postback(s) will be sent again")

    with_store(data_dir, work)


@inbox.command()
@click.argument("tracking_id")
@click.argument("number")
@data_dir_option
def assign(tracking_id: str, number: str, data_dir: str | None) -> None:
    """Say which of our numbers a message without a recipient was for; its account is told within a minute."""

    async def work(store: Store) -> None:
        found, recipient = (await _find(store, tracking_id)).inbound, normalise(number)
        if recipient not in (await store.accounts.directory()).owners:
            raise click.ClickException(f"no account has the number {number!r}; mmsgate number add gives it to one")
        if not await store.inbound.assign(found.id, recipient):
            raise click.ClickException(f"{found.tracking_id} has an account already")
        out.print(f"{found.tracking_id} is for {recipient}; its account is told within a minute", highlight=False)

    with_store(data_dir, work)


async def _find(store: Store, tracking_id: str) -> InboundRow:
    newest = await store.inbound.newest(1) if tracking_id == "latest" else []
    found = next(iter(newest), None) or await store.inbound.by_tracking(tracking_id)
    if found is None:
        raise click.ClickException(f"there is no inbound message {tracking_id!r}")
    return found


async def _became(row: InboundRow, store: Store) -> AsyncIterator[str]:
    """What was made of a message, in a few words."""
    inbound = row.inbound
    if inbound.account_id is None:
        yield "kept: no account has the number" if inbound.recipient else "kept: it names no recipient"
    if inbound.intent is not None:
        yield inbound.intent + (", answered" if row.reply else "")
    postbacks = await store.postbacks.of_message(inbound.id)
    for postback in postbacks:
        yield f"{postback.code} {_TOLD.get(postback.state, postback.state)}"
    if inbound.account_id is not None and not postbacks:
        yield "nobody is told"
    if row.note:
        yield row.note


async def _lines(row: InboundRow, store: Store, base: str) -> AsyncIterator[str]:
    inbound = row.inbound
    account = (await store.accounts.directory()).accounts.get(inbound.account_id or 0)
    yield (
        f"[bold]{inbound.tracking_id}[/bold]  {inbound.kind}  {escape(inbound.sender)} → "
        f"{escape(inbound.recipient) or '-'}  {account.name if account else 'no account'}"
    )
    for name, value in _facts(row):
        yield f"  {name}: {escape(value)}"
    for file in inbound.files:
        saved = ", only to be saved" if file.attach else ""
        note = f"  [yellow]{escape(file.note)}[/yellow]" if file.note else ""
        yield f"  file {file.name}  {file.mime}  {file.size:,} bytes{saved}{note}"
        yield f"    {file_url(inbound, file.name, account, base)}"
    for postback in await store.postbacks.of_message(inbound.id):
        told = {
            "sequence": postback.sequence, "code": postback.code, "state": postback.state,
            "error": postback.last_error,
        }  # fmt: skip
        yield timeline.postback_line(told)


def _facts(row: InboundRow) -> Iterator[tuple[str, str]]:
    inbound: Inbound = row.inbound
    yield "received", f"{iso(inbound.received_at)} from {inbound.connection}, sent {iso(inbound.sent_at)}"
    yield "kept until", iso(inbound.expires_at)
    named = {
        "carrier's id": inbound.reference, "operator": inbound.operator, "group": ", ".join(inbound.copy_to),
        "subject": inbound.subject, "text": inbound.text, "keyword": inbound.keyword,
        "asks for": inbound.intent or "", "answered by message": row.reply, "note": row.note,
    }  # fmt: skip
    yield from ((name, value) for name, value in named.items() if value)
