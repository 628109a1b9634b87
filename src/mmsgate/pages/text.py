"""Text for people: which pieces of a slide's text are links, and how sizes and days are written.

A text is cut into pieces and never turned into markup here: the template escapes every piece.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from mmsgate.clock import Millis

#: What may follow the scheme. Quotes, angle brackets and the characters that turn the direction of writing end a
#: link: the latter could make it read as another address than it leads to.
_LINK = re.compile(
    r"(?<![\w.@/-])(?:https?://[^\s<>\"'`\\{}|^\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069]+"
    r"|tel:\+?[0-9][0-9().-]{2,30})",
    re.IGNORECASE,
)
_HOST = re.compile(r"https?://(?:[^\s/?#@]*@)?(?:\[[0-9a-f:.]+\]|\w)", re.IGNORECASE)
_SENTENCE_END = ".,;:!?…'*_~"
_BRACKETS = {")": "(", "]": "["}


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A stretch of text; `href` is empty unless it is a link."""

    text: str
    href: str = ""


def pieces(text: str) -> tuple[Piece, ...]:
    """`text` cut where http, https and tel links begin and end. Joined again, the pieces are the text."""
    return tuple(_cut(text))


def _cut(text: str) -> Iterator[Piece]:
    done = 0
    for match in _LINK.finditer(text):
        link = _without_tail(match.group())
        if not _leads_somewhere(link):
            continue
        if match.start() > done:
            yield Piece(text=text[done : match.start()])
        yield Piece(text=link, href=link)
        done = match.start() + len(link)
    if done < len(text):
        yield Piece(text=text[done:])


def _leads_somewhere(link: str) -> bool:
    return link[:4].lower() == "tel:" or _HOST.match(link) is not None


def _without_tail(link: str) -> str:
    """`link` without the punctuation of the sentence around it; a bracket stays if it was opened inside."""
    end = len(link)
    opened = {bracket: link.count(bracket) for bracket in (*_BRACKETS, *_BRACKETS.values())}
    while end:
        last = link[end - 1]
        unopened = last in _BRACKETS and opened[last] > opened[_BRACKETS[last]]
        if last not in _SENTENCE_END and not unopened:
            break
        if last in opened:
            opened[last] -= 1
        end -= 1
    return link[:end]


def size_label(size: int) -> str:
    """``742 bytes``, ``214 KB``, ``1.2 MB``: decimal units, as phones show them."""
    if size < 1000:
        return "1 byte" if size == 1 else f"{size} bytes"
    if size < 999_500:
        return f"{round(size / 1000)} KB"
    return f"{size / 1_000_000:.1f} MB"


def day_label(moment: Millis) -> str:
    """``2 January 2027``, in UTC."""
    day = datetime.fromtimestamp(moment // 1000, UTC)
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"


#: Not strftime: its month names follow the locale of the process.
_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July",
    "August", "September", "October", "November", "December",
)  # fmt: skip
