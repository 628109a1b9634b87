"""``mmsgate simulator mo``: a simulated phone sends a message to the gateway."""

import asyncio
import json
import mimetypes
import secrets
from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from mmsgate.cli.gateway import SendFault, connections
from mmsgate.http import Answered, Timeouts
from mmsgate.mm7.multipart import Headers, Part, build

_PATIENCE = Timeouts(connect=5, total=120)


@click.command()
@click.option("--from", "sender", required=True, metavar="NUMBER", help="The phone that sends.")
@click.option("--to", default="28444", show_default=True, metavar="NUMBER", help="The number that it sends to.")
@click.option("--text", default="", help="The text.")
@click.option("--subject", default="", help="The subject of an MMS.")
@click.option(
    "--file",
    "paths",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A file to send. May be repeated.",
)
@click.option("--cc", "copies", multiple=True, metavar="NUMBER", help="Another of the group. May be repeated.")
@click.option("--twice", is_flag=True, help="The carrier brings it twice.")
@click.option("--sms", is_flag=True, help="As an SMS, which has a text alone.")
@click.option(
    "--url", default="http://127.0.0.1:8080", show_default=True, help="Where the phones are: /sim/ is below it."
)
def mo(
    *,
    sender: str,
    to: str,
    text: str,
    subject: str,
    paths: Sequence[Path],
    copies: Sequence[str],
    twice: bool,
    sms: bool,
    url: str,
) -> None:
    """Let a simulated phone send a message, and say whether the gateway has taken it. If not, the exit status is 1.

    The simulator must run: as part of mmsgate serve, or as mmsgate simulator (--url http://127.0.0.1:8090).
    """
    if not sender.lstrip("+").isdigit():
        raise click.BadParameter(f"{sender!r} is no number", param_hint="--from")
    fields = [
        ("to", to),
        ("text", text),
        ("subject", subject),
        ("kind", "sms" if sms else "mms"),
        ("twice", "1" if twice else ""),
        *(("cc", copy) for copy in copies),
    ]
    parts = [*(_field(name, value) for name, value in fields if value), *_files(paths)]
    asyncio.run(_post(f"{url.rstrip('/')}/sim/phones/{sender.lstrip('+')}/messages", parts))
    click.echo("taken by the gateway")


def _field(name: str, value: str) -> Part:
    return Part(headers=_disposition(f'name="{name}"'), body=value.encode())


def _files(paths: Sequence[Path]) -> Iterator[Part]:
    for path in paths:
        name = path.name.replace("\\", "_").replace('"', "_").replace("\n", "_").replace("\r", "_")
        mime = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        named = _disposition(f'name="file"; filename="{name}"')
        yield Part(headers=(*named, ("Content-Type", mime)), body=path.read_bytes())


def _disposition(parameters: str) -> Headers:
    return (("Content-Disposition", f"form-data; {parameters}"),)


async def _post(url: str, parts: Sequence[Part]) -> None:
    """Post the form. What is not taken is a `SendFault` with the simulator's words."""
    boundary = secrets.token_hex(16)
    buffers = build(parts, boundary)
    headers = {"Content-Type": f"multipart/form-data; boundary={boundary}", "Accept": "application/json"}
    async with connections(1) as pool:
        posted = await pool.post(url, headers=headers, buffers=buffers, timeouts=_PATIENCE)
    if not isinstance(posted, Answered):
        raise SendFault(f"the simulator at {url} can't be reached: {posted.reason}")
    try:
        answer = json.loads(posted.body)
        taken, why = answer["taken"], answer["why"]
    except (ValueError, KeyError, TypeError):
        raise SendFault(f"there is no simulator at {url}: HTTP {posted.status}") from None
    if not taken:
        raise SendFault(f"not taken: {why}")
