"""``mmsgate send``: post a sendMMS or a sendSavedMMS, watch its timeline grow; or send a template to a list."""

import asyncio
import mimetypes
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import click

from mmsgate.cli import timeline
from mmsgate.cli.broadcast import AT_ONCE, Mailing, Row, Summary, broadcast, read_rows, show
from mmsgate.cli.gateway import PATIENCE, Access, Gateway, SendFault, document, read_json, read_xml, with_access
from mmsgate.cli.output import console, out, refuse_given
from mmsgate.domain.media import MediaKind, by_extension

FALLBACK_TEXT = "You have a message:"
FALLBACK_TEXT_OF_PICTURES = "You have a picture message:"

#: Options that make up a new message: a saved one has its own.
_OF_A_NEW_ONE = frozenset({"text", "subject", "duration"} | {kind.value for kind in MediaKind})


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What is to be sent. `media` are (kind, path or URL)."""

    to: str
    sender: str
    service_id: str
    subject: str
    text: str
    fallback_text: str | None
    operator_id: str
    duration: int | None
    media: tuple[tuple[MediaKind, str], ...] = ()


@click.command()
@click.option("--to", default="", help="The recipient: an international number.")
@click.option(
    "--to-file", type=click.Path(dir_okay=False, path_type=Path), metavar="CSV",
    help="Recipients: numbers in the first column; with a header, the others are values of merge tags. "
    "Needs --mms-id. Run again, it goes on where it was.",
)  # fmt: skip
@click.option("--mms-id", default="", help="Send this saved MMS (saveMMS), not --text and files.")
@click.option("--from", "sender", default="28444", show_default=True, help="The account's number to send from.")
@click.option("--text", default="", help="The slide's text.")
@click.option("--image", "image", multiple=True, metavar="FILE|URL", help="A picture (each gets a slide).")
@click.option("--audio", "audio", multiple=True, metavar="FILE|URL", help="A sound.")
@click.option("--video", "video", multiple=True, metavar="FILE|URL", help="A video.")
@click.option("--vcard", "vcard", multiple=True, metavar="FILE|URL", help="A contact.")
@click.option("--ical", "ical", multiple=True, metavar="FILE|URL", help="A calendar event.")
@click.option("--pdf", "pdf", multiple=True, metavar="FILE|URL", help="A document.")
@click.option("--passbook", "passbook", multiple=True, metavar="FILE|URL", help="An Apple pass.")
@click.option("--subject", default="", help="The subject.")
@click.option("--duration", type=click.IntRange(1, 60), help="Seconds a slide is shown (default 10).")
@click.option("--service-id", default="32113", show_default=True, help="The service id.")
@click.option("--operator-id", default="", help="The recipient's carrier, if you know it.")
@click.option(
    "--fallback-text",
    help=f"The SMS that goes out with a link when the phone can't have the MMS (default: {FALLBACK_TEXT!r}, "
    f"with pictures alone {FALLBACK_TEXT_OF_PICTURES!r}, or the saved MMS's own).",
)  # fmt: skip
@click.option("--wait", default=60.0, show_default=True, help="Seconds to watch the timeline; 0 to return at once.")
@with_access
def send(*, wait: float, access: Access, **options: Any) -> None:
    """Send an MMS: files are uploaded first, then the timeline is shown as it grows.

    A picture and a sound share the first slide, with the text; every further file has a slide of its own.
    Ends with status 1 if the message is refused, fails or is not delivered.
    """
    mms_id, to_file = options.pop("mms_id"), options.pop("to_file")
    draft = _draft(options)
    if bool(draft.to) == bool(to_file):
        raise click.UsageError("give --to NUMBER, or --to-file CSV with --mms-id")
    if to_file and not mms_id:
        raise click.UsageError("--to-file needs --mms-id ID")
    if mms_id:
        refuse_given(_OF_A_NEW_ONE, "with --mms-id: the saved MMS has its own")
    if to_file is not None:
        refuse_given({"wait", "operator_id"}, "with --to-file")
        asyncio.run(_send_list(read_rows(to_file), draft, mms_id, access))
    else:
        asyncio.run(_send(draft, mms_id, access, wait))


async def _send_list(rows: list[Row], draft: Draft, mms_id: str, access: Access) -> None:
    async with access.open(at_once=AT_ONCE) as gateway:
        summary = Summary()
        try:
            await broadcast(_mailing(draft, mms_id, gateway), rows, summary)
        except asyncio.CancelledError:  # Ctrl-C
            show(summary)
            console.print("stopped; run it again, and it goes on where it was")
            raise
    show(summary)
    if summary.refused:
        raise SendFault(f"{summary.refused:,} of {len(rows):,} were not accepted")


def _mailing(draft: Draft, mms_id: str, gateway: Gateway) -> Mailing:
    return Mailing(
        mms_id=mms_id, sender=draft.sender, service_id=draft.service_id, operator_id=draft.operator_id,
        fallback_text=draft.fallback_text or "", api_key=gateway.api_key, url=gateway.url, pool=gateway.pool,
    )  # fmt: skip


def _draft(options: dict[str, Any]) -> Draft:
    media = tuple(
        (kind, each) for kind in MediaKind if kind is not MediaKind.TEXT for each in options.pop(kind.value)
    )
    return Draft(media=media, **options)


async def _send(draft: Draft, mms_id: str, access: Access, wait: float) -> None:
    async with access.open() as gateway:
        if mms_id:
            request = _mailing(draft, mms_id, gateway).document(Row(line=1, to=draft.to, data={}))
        else:
            media = [(kind, await _locate(each, gateway)) for kind, each in draft.media]
            request = build(draft, gateway.api_key, media)
        tracking_id = await _post(request, gateway)
        if wait > 0:
            await _watch(tracking_id, gateway, wait)


async def _locate(source: str, gateway: Gateway) -> str:
    """A URL as it is; a file is uploaded, and its URL is the upload's."""
    if source.startswith(("http://", "https://")):
        return source
    path = Path(source)
    try:
        data = await asyncio.to_thread(path.read_bytes)
    except OSError as error:
        raise SendFault(f"{source} can't be read: {error.strerror}") from error
    entry = by_extension(path.name)
    mime = entry.mime if entry else mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    headers = {"X-Api-Key": gateway.api_key, "Content-Type": mime, "X-File-Name": _ascii(path.name)}
    with console.status(f"uploading {path.name} ({len(data):,} bytes)"):
        posted = await gateway.pool.post(
            f"{gateway.url}/media", headers=headers, buffers=(data,), timeouts=PATIENCE
        )
    answer = read_json(posted, gateway.url)
    if "url" not in answer:
        raise SendFault(f"{path.name} was refused: {answer.get('detail') or answer.get('error-info')}")
    console.print(f"uploaded {path.name}: {answer['type']}, {answer['size']:,} bytes", highlight=False)
    return str(answer["url"])


def build(draft: Draft, key: str, media: Sequence[tuple[MediaKind, str]]) -> bytes:
    """The sendMMS document."""
    slides: list[list[tuple[MediaKind, str]]] = []
    for kind, url in media:
        if slides and _may_join(slides[0], kind):
            slides[0].append((kind, url))
        else:
            slides.append([(kind, url)])
    slides = slides or [[]]
    body = "".join(_slide(files, draft.text if number == 0 else "", draft) for number, files in enumerate(slides))
    given = {
        "action": "sendMMS", "api-key": key, "to": draft.to, "from": draft.sender, "service-id": draft.service_id,
        "operator-id": draft.operator_id, "name": "mmsgate send", "message-subject": draft.subject,
        "fallback-sms-text": draft.fallback_text or _fallback_text(media),
    }  # fmt: skip
    return document(given, body)


def _fallback_text(media: Sequence[tuple[MediaKind, str]]) -> str:
    return FALLBACK_TEXT_OF_PICTURES if {kind for kind, _ in media} == {MediaKind.IMAGE} else FALLBACK_TEXT


def _may_join(files: list[tuple[MediaKind, str]], kind: MediaKind) -> bool:
    """A picture and a sound share a slide; nothing else does (API contract 5.1)."""
    return {each for each, _ in files} | {kind} == {MediaKind.IMAGE, MediaKind.AUDIO} and len(files) == 1


def _slide(files: Sequence[tuple[MediaKind, str]], text: str, draft: Draft) -> str:
    parts = "".join(f"<{kind.value}><url>{escape(url)}</url></{kind.value}>" for kind, url in files)
    words = f"<message-text>{escape(text)}</message-text>" if text else ""
    duration = f"<duration>{draft.duration}</duration>" if draft.duration else ""
    return f"<slide>{duration}{parts}{words}</slide>"


async def _post(request: bytes, gateway: Gateway) -> str:
    posted = await gateway.pool.post(
        f"{gateway.url}/ep/v1/", headers={"Content-Type": "text/xml; charset=utf-8"}, buffers=(request,),
        timeouts=PATIENCE,
    )  # fmt: skip
    values = read_xml(posted, gateway.url)
    console.print(f"accepted: tracking-id {values['tracking-id']}, mms-id {values['mms-id']}", highlight=False)
    return values["tracking-id"]


async def _watch(tracking_id: str, gateway: Gateway, wait: float) -> None:
    """Print each event as it happens, until the message has ended or the patience has."""
    shown = 0
    message: dict[str, Any] = {}
    try:
        async with asyncio.timeout(wait):
            while not message.get("final"):
                got = await gateway.pool.get(
                    f"{gateway.url}/messages/{tracking_id}",
                    headers={"X-Api-Key": gateway.api_key},
                    timeouts=PATIENCE,
                )
                message = read_json(got, gateway.url)
                for line in timeline.lines(message, events_from=shown):
                    out.print(line, highlight=False)
                shown = len(message["timeline"])
                await asyncio.sleep(0.3)
    except TimeoutError:
        console.print(
            f"still {message.get('state', 'on its way')} after {wait:g} s: mmsgate message show {tracking_id}"
        )
        return
    out.print(timeline.head(message), highlight=False)
    if message["state"] in {"failed", "undelivered"}:
        raise SendFault(f"the message ended as {message['state']}")


def _ascii(name: str) -> str:
    return os.path.basename(name).encode("ascii", "replace").decode()
