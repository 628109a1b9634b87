"""``mmsgate limits``: which carrier takes a message to a number, and what it may be: the running gateway's word."""

import asyncio
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import click
from rich.markup import escape

from mmsgate.cli.gateway import PATIENCE, Access, SendFault, read_json, with_access
from mmsgate.cli.output import out
from mmsgate.domain.rendition import Limit, Measure


@click.command()
@click.option("--to", required=True, help="The recipient: an international number.")
@click.option("--from", "sender", default="28444", show_default=True, help="The account's number to send from.")
@click.option("--operator-id", default="", help="The recipient's carrier, if you know it.")
@click.option("--json", "as_json", is_flag=True, help="Print what GET /limits answers.")
@with_access
def limits(*, to: str, sender: str, operator_id: str, as_json: bool, access: Access) -> None:
    """Say which carrier takes a message to a number, how its operator was found, and which sizes and types go.

    Ends with status 1 if the message would be refused.
    """
    wanted = {"to": to, "from": sender} | ({"operator-id": operator_id} if operator_id else {})
    answer = asyncio.run(_ask(access, urlencode(wanted)))
    if as_json:
        click.echo(json.dumps(answer, indent=2, ensure_ascii=False))
    else:
        _show(answer)


async def _ask(access: Access, query: str) -> dict[str, Any]:
    async with access.open(at_once=1) as gateway:
        got = await gateway.pool.get(
            f"{gateway.url}/limits?{query}", headers={"X-Api-Key": gateway.api_key}, timeouts=PATIENCE
        )
    answer = read_json(got, access.url)
    if "error-code" in answer:
        detail = f" ({answer['detail']})" if answer["detail"] else ""
        raise SendFault(f"it would be refused with {answer['error-code']}: {answer['error-info']}{detail}")
    return answer


def _show(answer: Mapping[str, Any]) -> None:
    out.print(
        f"{answer['from']} ({answer['sender-type']}) → {answer['to']}: {escape(answer['operator']['why'])}",
        highlight=False,
    )
    for each in answer["connections"]:
        state = "[green]takes it[/green]" if each["chosen"] else "next" if each["up"] else "[yellow]down[/yellow]"
        limit = Limit(bytes=each["limit"]["bytes"], measure=Measure(each["limit"]["measure"]))
        out.print(f"[bold]{escape(each['name'])}[/bold]  {state}: {escape(each['why'])}", highlight=False)
        out.print(
            f"  at most {limit} on {escape(each['carrier'])}, from {escape(each['limit']['source'])}",
            highlight=False,
        )
        out.print(f"  {', '.join(each['types'])}", highlight=False)
