"""The safe reader: what anybody may send us, as a small tree of elements, or a refusal E108.

What is hostile is refused on the text, before a parser has seen it and before it can cost memory. The defence,
in order: an encoding that we know, decoded strictly; no NUL; no more tags and attributes than the caps; no
DOCTYPE, therefore no entities, no external files and no network. The cap on bytes is the caller's (HTTP 413).

The parser always gets the text that was checked, never the sender's bytes, so the two can't read a document
differently. It is expat and not lxml: libxml2 keeps every element and attribute name of every document it reads
for as long as the thread lives, and 50 requests of 1 MiB with made-up names grew the process by 70 MB for good,
without a valid key. Expat gives all of it back; it costs 4 µs more a document (18 against 14, read to the end).
"""

import codecs
import re
from xml.etree import ElementTree

from mmsgate.errors import Refusal

#: Opening and closing tags, comments and CDATA together. Eight full slides have about a hundred, merge data
#: and custom texts some more; a tree of 20,000 elements stays within a few MB.
MAX_TAGS = 20_000

#: Attributes in the whole document. The API uses none; the cap keeps one element from carrying 60,000.
MAX_ATTRIBUTES = 20_000

_BLANK = " \t\r\n"
_BOM = "\ufeff"

#: The encodings a document may declare (names without - and _), and Python's name for each.
_CODECS = {
    "utf8": "utf-8",
    "usascii": "ascii",
    "ascii": "ascii",
    "iso88591": "latin-1",
    "latin1": "latin-1",
    "windows1252": "cp1252",
    "cp1252": "cp1252",
    "utf16": "utf-16",
    "utf16le": "utf-16",
    "utf16be": "utf-16",
}
_UTF_16 = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}

#: A declaration that fills more than this declares nothing we want to know.
_DECLARATION_LENGTH = 512
_DECLARED = re.compile(r"""\s*<\?xml\s[^>]*?\bencoding\s*=\s*["']([^"']*)["']""")

# What may stand before the root or a DOCTYPE, besides blanks.
_ASIDES = (("<!--", "-->"), ("<?", "?>"))
_MOST_ASIDES = 100
_BLANKS = re.compile(f"[{_BLANK}]*")


def looks_like_xml(body: bytes) -> bool:
    """Whether the first non-blank character, after an optional BOM, is ``<`` (API contract 1.1).

    Holds for UTF-16 too. The label (Content-Type) plays no part: clients send XML under the label of forms.
    """
    codec = _utf_16(body) or "latin-1"
    head = body[:1024].removeprefix(codecs.BOM_UTF8).decode(codec, errors="replace")
    return head.lstrip(_BLANK + _BOM).startswith("<")


def read_document(body: bytes | str) -> ElementTree.Element:
    """The root of an XML document.

    `body` is the raw bytes, or the text of a form field (whose declared encoding no longer means anything).
    Raises `Refusal`: E100 if there is nothing in it, E108 if it is not one well-formed and harmless document.
    """
    text = body if isinstance(body, str) else _decode(body)
    text = text.lstrip(_BLANK + _BOM)
    if not text:
        raise Refusal("E100", detail="the request has no body")
    _refuse_hostile(text)
    return _build(text)


def _decode(body: bytes) -> str:
    codec = _utf_16(body)
    head = body[:_DECLARATION_LENGTH].removeprefix(codecs.BOM_UTF8).decode(codec or "latin-1", errors="replace")
    declared = _declared_codec(head.removeprefix(_BOM))
    if declared == "utf-16" and codec is None:
        raise Refusal("E108", detail="the document declares UTF-16 and is not in it")
    if body.startswith(codecs.BOM_UTF8):
        declared = "utf-8"
    try:
        return body.decode(codec or declared)
    except UnicodeDecodeError as error:
        raise Refusal("E108", detail=f"byte {error.start:,} is not {error.encoding}") from None


def _utf_16(body: bytes) -> str | None:
    """The UTF-16 codec that the first two bytes prove: a BOM, or an ASCII character with its NUL."""
    start = body[:2]
    if start in _UTF_16:
        return _UTF_16[start]
    if len(start) == 2 and 0 in start:
        return "utf-16-le" if start[1] == 0 else "utf-16-be"
    return None


def _declared_codec(head: str) -> str:
    """The codec that the XML declaration names; UTF-8 where it names none."""
    match = _DECLARED.match(head)
    if not match:
        return "utf-8"
    codec = _CODECS.get(match[1].lower().replace("-", "").replace("_", ""))
    if codec is None:
        raise Refusal("E108", detail=f"the encoding {match[1][:40]!r} is not supported, use UTF-8")
    return codec


def _refuse_hostile(text: str) -> None:
    if "\0" in text:
        raise Refusal("E108", detail="the document contains NUL characters")
    tags = text.count("<")
    if tags > MAX_TAGS:
        raise Refusal("E108", detail=f"the document has {tags:,} tags, {MAX_TAGS:,} are allowed")
    attributes = _most_attributes(text)
    if attributes > MAX_ATTRIBUTES:
        raise Refusal("E108", detail=f"the document has {attributes:,} attributes, {MAX_ATTRIBUTES:,} are allowed")
    if text.startswith("<!", _root_start(text)):
        raise Refusal("E108", detail="a DOCTYPE is not allowed")


def _most_attributes(text: str) -> int:
    """How many attributes there can be at most: each takes a ``=`` and two quotes.

    Either count alone would be wrong about honest texts: a ruler of ``=``, a page of apostrophes.
    """
    return min(text.count("="), (text.count('"') + text.count("'")) // 2)


def _root_start(text: str) -> int:
    """Where the first thing begins that is neither blank nor comment nor instruction.

    By `str.find`: a pattern takes half a second for a comment of 1 MiB.
    """
    at = 0
    for _ in range(_MOST_ASIDES):
        blanks = _BLANKS.match(text, at)
        at = blanks.end() if blanks else at
        close = next((close for open_, close in _ASIDES if text.startswith(open_, at)), None)
        if close is None:
            return at
        end = text.find(close, at)
        if end < 0:
            return len(text)  # never closed; the parser says so better
        at = end + len(close)
    raise Refusal("E108", detail=f"more than {_MOST_ASIDES} comments and instructions stand before the root")


def _build(text: str) -> ElementTree.Element:
    parser = ElementTree.XMLParser()  # noqa: S314  # entities, its danger, are refused by now
    try:
        parser.feed(text)
        root: ElementTree.Element = parser.close()
    except (ElementTree.ParseError, UnicodeEncodeError) as error:
        raise Refusal("E108", detail=str(error)) from None
    return root
