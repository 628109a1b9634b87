"""``mmsgate message``: what became of a message, and sending its postbacks again."""

import click

from mmsgate.api.messages import message_json
from mmsgate.cli import timeline
from mmsgate.cli.output import data_dir_option, out, running_at, with_store
from mmsgate.clock import SystemClock
from mmsgate.config import load
from mmsgate.domain.message import Message
from mmsgate.domain.postback import SentAs
from mmsgate.pages.page import page_link
from mmsgate.store import Store


@click.group()
def message() -> None:
    """Messages: their timeline, and their postbacks."""


@message.command()
@click.argument("tracking_id")
@click.option("--json", "as_json", is_flag=True, help="Print what GET /messages/TRACKING-ID answers.")
@data_dir_option
def show(tracking_id: str, as_json: bool, data_dir: str | None) -> None:
    """The timeline of a message with the reason of every step. TRACKING_ID may be `latest`."""
    base = running_at(load(data_dir=data_dir))

    async def work(store: Store) -> None:
        found = await _find(store, tracking_id)
        link = page_link(found, (await store.accounts.directory()).accounts.get(found.account_id), base)
        told = await message_json(found, store, link)
        if as_json:
            out.print_json(data=told)
            return
        out.print(timeline.head(told), highlight=False)
        for line in timeline.lines(told):
            out.print(line, highlight=False)
        await _print_discovery(store, found)
        for part in await store.messages.sms_parts(found.id):
            out.print(f"  SMS part {part.number}: {part.state} {part.error}", highlight=False)
        for postback in await store.postbacks.of_message(found.id):
            told_of = {
                "sequence": postback.sequence, "code": postback.code, "state": postback.state,
                "error": postback.last_error,
            }  # fmt: skip
            out.print(timeline.postback_line(told_of), highlight=False)
        if link and found.sent_as is SentAs.SMS:
            out.print(f"  fallback page: {link}", highlight=False, soft_wrap=True)

    with_store(data_dir, work)


async def _print_discovery(store: Store, found: Message) -> None:
    """What became of the device discovery that went ahead, if one did."""
    ahead = await store.messages.discovery_of(found.id)
    if ahead is not None:
        out.print("  device discovery:")
        for line in timeline.lines(await message_json(ahead, store, "")):
            out.print(f"  {line}", highlight=False)


@message.command()
@click.argument("tracking_id")
@data_dir_option
def replay(tracking_id: str, data_dir: str | None) -> None:
    """Send a message's postbacks once more, in order."""

    async def work(store: Store) -> None:
        count = await store.postbacks.replay((await _find(store, tracking_id)).id, now=SystemClock().now())
        out.print(f"{count} postback(s) will be sent again")

    with_store(data_dir, work)


async def _find(store: Store, tracking_id: str) -> Message:
    latest = tracking_id == "latest"
    found = await store.messages.latest() if latest else await store.messages.by_tracking(tracking_id)
    if found is None:
        raise click.ClickException(f"there is no message {tracking_id!r}")
    return found
