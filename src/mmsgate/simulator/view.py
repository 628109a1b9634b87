"""How messages are written for programs and for people: the JSON of `/sim/messages`, and words for the pages.

`GET /sim/messages?to=&since=&wait=&as=` answers with a JSON list (ruling R-39). Each entry:

    id              grows over all phones; give the last one seen as `since`
    kind            "MMS" or "SMS"
    to, from        numbers, digits alone
    subject, text   text: an SMS's, or the texts of an MMS's slides in order, a blank line between them
    received_at     ISO 8601, UTC
    transaction_id, message_id      of the MM7 submit; empty for an SMS
    copies          submits with the same TransactionID; more than one is a copy too many
    size            decoded bytes
    links           the http and https URLs in `text`
    parts           SMS only: from how many submit_sm it was joined
    slides          MMS only: [{duration_ms, parts: […], missing: […]}]; duration_ms is 0 without SMIL; `missing`
                    lists what the SMIL refers to and no part bears
    attachments     MMS only: parts that no slide shows, the SMIL aside
    not_shown       MMS only: what the phone does not show, each with its reason: ["s1.txt: no Content-ID matches"]
    smil            MMS only: the SMIL as it came, null without one

`as` is the phone to look through: usual, plain or android; without it each recipient's own.

A part is {name, type, size, sha256, url}, and `text` if it is plain text.
"""

import re
from datetime import UTC, datetime

from markupsafe import Markup, escape

from mmsgate.clock import Millis, iso_z
from mmsgate.simulator.message import Kind, Message, Part

_LINK = re.compile(r"https?://[^\s<>\"']+", re.IGNORECASE)
_TAG = re.compile(r"<[^<>]+>")
_AFTER_A_LINK = ".,;:!?)]}"

Json = dict[str, object]


def message_json(message: Message) -> Json:
    """One entry of the list."""
    entry: Json = {
        "id": message.id,
        "kind": message.kind.value,
        "to": message.to,
        "from": message.sender,
        "subject": message.subject,
        "text": message.text,
        "received_at": iso_z(message.received_at),
        "transaction_id": message.transaction_id,
        "message_id": message.message_id,
        "copies": message.copies,
        "size": message.size,
        "links": links(message.text),
    }
    return entry | ({"parts": message.segments} if message.kind is Kind.SMS else _mms_json(message))


def _mms_json(message: Message) -> Json:
    return {
        "slides": [
            {
                "duration_ms": slide.duration,
                "parts": [_part_json(message, index) for index in slide.parts],
                "missing": list(slide.missing),
            }
            for slide in message.slides
        ],
        "attachments": [_part_json(message, index) for index in message.attachments],
        "not_shown": list(message.hidden),
        "smil": message.smil,
    }


def _part_json(message: Message, index: int) -> Json:
    part: Part = message.parts[index]
    entry: Json = {
        "name": part.name,
        "type": part.type,
        "size": part.size,
        "sha256": part.sha256,
        "url": part_url(message, index),
    }
    return entry if part.text is None else entry | {"text": part.text}


def part_url(message: Message, index: int) -> str:
    """Where a part is served. Parts count from 1."""
    return f"/sim/messages/{message.id}/parts/{index + 1}"


def links(text: str) -> list[str]:
    """The http and https URLs in a text, without the punctuation that follows them."""
    return [found.group().rstrip(_AFTER_A_LINK) for found in _LINK.finditer(text)]


def linked(text: str) -> Markup:
    """The text as HTML: everything escaped, http and https URLs as links, and nothing else."""
    pieces, end = [], 0
    for found in _LINK.finditer(text):
        url = found.group().rstrip(_AFTER_A_LINK)
        pieces.append(escape(text[end : found.start()]))
        pieces.append(Markup('<a href="{0}" target="_blank" rel="noopener noreferrer">{0}</a>').format(url))
        end = found.start() + len(url)
    pieces.append(escape(text[end:]))
    return Markup("").join(pieces)


def pretty_number(number: str) -> str:
    """A number as people write it: ``+1 239-947-1613``, ``+49301234567``; short codes and names as they are."""
    if not number.isdigit() or len(number) < 8:
        return number
    if len(number) == 11 and number.startswith("1"):
        return f"+1 {number[1:4]}-{number[4:7]}-{number[7:]}"
    return f"+{number}"


def pretty_size(size: int) -> str:
    """Bytes as people write them, 1 KB being 1,024 bytes."""
    if size < 1024:
        return f"{size} B"
    if size < 1024 * 1024:
        return f"{size / 1024:.1f} KB" if size < 10 * 1024 else f"{size / 1024:.0f} KB"
    return f"{size / (1024 * 1024):.1f} MB"


def time_of_day(moment: Millis) -> str:
    """``09:30`` in UTC; the page's script turns it into local time."""
    return datetime.fromtimestamp(moment / 1000, UTC).strftime("%H:%M")


def preview(message: Message) -> str:
    """One line about a message for the list of phones."""
    if message.kind is Kind.SMS:
        return message.text
    count = len(message.slides)
    words = message.subject or message.text.partition("\n")[0]
    slides = f"{count} slide{'' if count == 1 else 's'}"
    return f"{words} · {slides}" if words else f"MMS · {slides}"


def pretty_smil(smil: str) -> str:
    """A SMIL that came on one line, indented for reading; one with line breaks as it came."""
    if "\n" in smil.strip():
        return smil
    lines, depth = [], 0
    for tag in _TAG.findall(smil):
        closing, alone = tag.startswith("</"), tag.endswith("/>") or tag[1] in "?!"
        depth = max(0, depth - closing)
        lines.append("  " * depth + tag)
        depth += not closing and not alone
    return "\n".join(lines)
