"""``mmsgate preview``: what each carrier would get of a request, asked of the running gateway; nothing is sent."""

import asyncio
import json
import re
import string
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import IO, Any
from xml.etree import ElementTree

import click
from rich.markup import escape

from mmsgate.cli.gateway import Access, SendFault, answered, connections, document, read_json, read_xml, with_access
from mmsgate.cli.output import console, out, refuse_given, table
from mmsgate.domain.message import counted
from mmsgate.domain.preview import Outcome
from mmsgate.domain.rendition import Limit, Measure
from mmsgate.errors import Refusal
from mmsgate.http import Answered, Timeouts
from mmsgate.wire.document import read_document
from mmsgate.wire.names import canonical

PATIENCE = Timeouts(connect=5, total=900)  # videos are transcoded while we wait
PLACEHOLDER = "YOUR-API-KEY"
_OF_AN_ID = frozenset({"to", "sender", "service_id", "operator_id", "fallback_text"})  # options
_LIMIT = r"[\d,]+ (?:decoded|on the wire) on \S.*?(?=;|$)"  # as a carrier's reasons write it
_GETS = {Outcome.MMS: "MMS", Outcome.SMS: "SMS with the link", Outcome.FAILS: "[red]nothing[/red]"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Carriers that would get the same, whatever their limits are; what is said of each is said of all."""

    carriers: tuple[str, ...]
    outcome: Outcome
    size: int | None
    limits: frozenset[Limit]
    changes: tuple[str, ...]
    reason: str

    @property
    def limit(self) -> str:
        """The range of its limits, for each way to count."""
        return ", ".join(filter(None, map(self._range, Measure)))

    def _range(self, measure: Measure) -> str:
        limits = sorted((limit for limit in self.limits if limit.measure is measure), key=lambda limit: limit.bytes)
        if len(limits) < 2:
            return "".join(map(str, limits))
        return f"{limits[0].bytes:,} – {limits[-1]}"


@click.command()
@click.argument("file", type=click.File("rb"), required=False)
@click.option("--mms-id", default="", help="Preview this saved MMS (sendSavedMMS) instead of FILE.")
@click.option("--to", default="12065550100", show_default=True, help="With --mms-id: the recipient.")
@click.option(
    "--from", "sender", default="28444", show_default=True, help="With --mms-id: the number to send from."
)
@click.option("--service-id", default="32113", show_default=True, help="With --mms-id: the service id.")
@click.option("--operator-id", default="", help="With --mms-id: the recipient's carrier.")
@click.option("--fallback-text", default="", help="With --mms-id: the fallback SMS's text instead of its own.")
@click.option("--json", "as_json", is_flag=True, help="Print the gateway's answer.")
@with_access
def preview(*, file: IO[bytes] | None, mms_id: str, as_json: bool, access: Access, **options: str) -> None:
    """Show what each carrier would get of a request in FILE (- for standard input) or of a saved MMS.

    An api-key that is missing in FILE, or is YOUR-API-KEY, is filled in. Ends with status 1 if the request is
    refused, or if some recipients would get nothing.
    """
    if file is None and not mms_id:
        raise click.UsageError("give FILE, or --mms-id ID")
    if file is not None and mms_id:
        raise click.UsageError("give FILE or --mms-id ID, not both")
    if file is not None:
        refuse_given(_OF_AN_ID, "with FILE: the request has its own")
    request = _saved(mms_id, access.api_key, options) if file is None else with_key(file.read(), access)
    answer = asyncio.run(_ask(request, access.url))
    if as_json:
        click.echo(json.dumps(answer, indent=2, ensure_ascii=False))
    else:
        show(answer)
    failing = [each["carrier"] for each in answer["renditions"] if each["outcome"] == Outcome.FAILS]
    if failing:
        raise SendFault(f"recipients on {', '.join(failing)} would get nothing")


def _saved(mms_id: str, api_key: str, options: Mapping[str, str]) -> bytes:
    return document({
        "action": "sendSavedMMS", "api-key": api_key, "mms-id": mms_id, "to": options["to"],
        "from": options["sender"], "service-id": options["service_id"], "operator-id": options["operator_id"],
        "fallback-sms-text": options["fallback_text"],
    })  # fmt: skip


def with_key(request: bytes, access: Access) -> bytes:
    """The request with our key where it has none; what can't be read is left to the gateway's own words."""
    try:
        root = read_document(request)
    except Refusal:
        return request
    given = next((child for child in root if canonical(child.tag) == "apikey"), None)
    if given is not None and (given.text or "").strip() not in {"", PLACEHOLDER}:
        return request
    if given is None:
        given = ElementTree.SubElement(root, "API_KEY" if root.tag.isupper() else "api-key")
    given.text = access.api_key
    filled: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return filled


async def _ask(request: bytes, url: str) -> dict[str, Any]:
    """The gateway's preview. A refusal is a `SendFault`."""
    async with connections(1) as pool:
        with console.status("making every version …"):
            posted = await pool.post(
                f"{url}/ep/v1/?dry-run=1", headers={"Content-Type": "text/xml; charset=utf-8"},
                buffers=(request,), timeouts=PATIENCE,
            )  # fmt: skip
    if _is_json(answered(posted, url)):
        return read_json(posted, url)
    read_xml(posted, url)
    raise SendFault(f"{url} is no gateway that makes previews: it may have sent the message")


def _is_json(got: Answered) -> bool:
    return got.headers.get("content-type", "").startswith("application/json")


def groups(renditions: Iterable[Mapping[str, Any]]) -> list[Group]:
    """Renditions with equal results together, in the order of the first of each."""
    found: dict[tuple[object, ...], Group] = {}
    for each in renditions:
        limit, carrier = each["limit"], each["carrier"]
        group = Group(
            carriers=(carrier,), outcome=Outcome(each["outcome"]), size=each["size"],
            limits=frozenset({Limit(bytes=limit["bytes"], measure=Measure(limit["measure"]))}),
            changes=tuple(re.sub(rf" to fit {_LIMIT}", "", change) for change in each["changes"]),
            reason=_without_limit(each["reason"]).replace(carrier, "the carrier"),
        )  # fmt: skip
        key = (group.outcome, group.size, group.changes, group.reason)
        known = found.get(key, group)
        found[key] = replace(
            known, carriers=tuple(dict.fromkeys((*known.carriers, carrier))), limits=known.limits | group.limits
        )
    return list(found.values())


def _without_limit(reason: str) -> str:
    """A reason as it is for every carrier: the limits stand in the table."""
    return re.sub(r"be made to fit [\d,]+ bytes", "be made to fit", re.sub(_LIMIT, "limit", reason))


def show(answer: Mapping[str, Any]) -> None:
    """A preview for people."""
    files = len(answer["files"])
    out.print(
        f"{answer['action']}: {counted(answer['slides'], 'slide')}, {counted(files, 'file')}, "
        f"{answer['size']:,} bytes",
        highlight=False,
    )
    found = {_letter(number): group for number, group in enumerate(groups(answer["renditions"]))}
    if not found:
        out.print("no carrier connection takes messages from this account's numbers")
    shown = table("", "gets", "size", "limit", "carriers")
    for letter, group in found.items():
        size = "" if group.size is None else f"{group.size:,}"
        shown.add_row(letter, _GETS[group.outcome], size, group.limit, escape(", ".join(group.carriers)))
    out.print(shown)
    for letter, group in found.items():
        _list(f"{letter}:", [*group.changes, group.reason] if group.reason else group.changes)
    _list("warnings:", answer["warnings"])
    _list("problems:", [f"{each['code']} slide {each['slide']}: {each['reason']}" for each in answer["problems"]])


def _letter(number: int) -> str:
    """A, B … Z, A1, B1 …"""
    return f"{string.ascii_uppercase[number % 26]}{number // 26 or ''}"


def _list(head: str, lines: Sequence[str]) -> None:
    if lines:
        out.print()
        out.print(escape(head), highlight=False)
    for line in lines:
        out.print(f"  {escape(line)}", highlight=False)
