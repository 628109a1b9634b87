"""Reading XML that strangers sent, and writing values into XML.

Reading is strict first and lenient second: body cap, ``<`` counted, DOCTYPE refused and with it every entity
(design, "Decisions", XML row). Elements are found by local name, because real peers use any MM7 namespace or
none. The parser is expat, for the reason given in `mmsgate.wire.document`: libxml2 never forgets a name.
"""

import re
from collections.abc import Iterator
from contextlib import suppress
from typing import TypeAlias
from xml.etree import ElementTree

from mmsgate.mm7.unreadable import CannotRead

Node: TypeAlias = ElementTree.Element

#: A SOAP envelope without its attachments is 1-2 KB; bytes.
MAX_XML = 256 * 1024
MAX_ELEMENTS = 20_000
MAX_DEPTH = 100  # a SubmitReq is 8 deep

_BOM = "\ufeff"
_LEADING = f"{_BOM} \t\r\n"
_DECLARATION = re.compile(r"\A<\?xml\b[^>]{0,200}\?>")
_ENCODING = re.compile(rb"""<\?xml\b[^>]{0,160}?encoding\s*=\s*["']([\w.-]{1,40})""")
_ONE_BYTE = {"iso-8859-1": "cp1252", "latin1": "cp1252", "windows-1252": "cp1252", "iso-8859-15": "iso-8859-15"}

_DOUBLE_COLON = re.compile(r"(</?[\w.-]{1,64})::")
_FIRST_TAG = re.compile(r"<[A-Za-z_][\w.:-]*")
_PREFIX_OF_TAG = re.compile(r"</?([A-Za-z_][\w.-]*):")
_PREFIX_OF_ATTRIBUTE = re.compile(r"\s([A-Za-z_][\w.-]*):[\w.-]+\s*=")
_MAX_REPAIRED = 64 * 1024  # characters; nobody's envelope is longer
_MAX_REPAIRED_PREFIXES = 16

_FORBIDDEN = "\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff"  # XML 1.0, production 2
_SPECIAL = re.compile(f'[&<>"\t\r\n{_FORBIDDEN}]')
_REFERENCES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\t": " ", "\r": " ", "\n": " "}


def escape(text: str) -> str:
    """`text` for an element or a quoted attribute.

    Characters that XML 1.0 forbids are dropped; tabs and line ends become blanks, so that no value can start
    a line (and with it a MIME delimiter).
    """
    if not _SPECIAL.search(text):
        return text
    return _SPECIAL.sub(lambda found: _REFERENCES.get(found[0], ""), text.replace("\r\n", "\n"))


def decode(data: bytes, charset: str = "") -> str:
    """The characters of an XML document; never fails.

    UTF-16 is known by its bytes, not by what is declared: peers declare it over UTF-8. One-byte encodings count as
    declared in the document or, failing that, in `charset`. All else is UTF-8, and Windows-1252 if it is not.
    """
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16", "replace")
    if data[:2] in (b"<\0", b"\0<"):
        return data.decode("utf-16-le" if data[:1] == b"<" else "utf-16-be", "replace")
    found = _ENCODING.search(data, 0, 256)
    declared = found[1].decode() if found else charset
    codec = _ONE_BYTE.get(declared.lower())
    if codec:
        return data.decode(codec, "replace")
    try:
        return data.decode().removeprefix(_BOM)
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


def parse_text(text: str) -> Node:
    """The root element.

    Raises `CannotRead` for a DOCTYPE, too many tags, too deep a nesting, and what is no XML even when mended.
    """
    text = _DECLARATION.sub("", text.lstrip(_LEADING), count=1).lstrip(_LEADING)
    if text.count("<") > MAX_ELEMENTS:
        raise CannotRead(f"the XML has more than {MAX_ELEMENTS:,} tags")
    if "<!DOCTYPE" in text:
        raise CannotRead("the XML has a DOCTYPE")
    try:
        return _strict(text)
    except ElementTree.ParseError as strict:
        with suppress(ElementTree.ParseError):
            if len(text) <= _MAX_REPAIRED:
                return _strict(_repaired(text))
        raise CannotRead(f"not well-formed XML: {strict}") from None


def _strict(text: str) -> Node:
    parser = ElementTree.XMLParser()  # noqa: S314  # entities, its danger, are refused by now
    parser.feed(text.encode("utf-8", "replace"))
    root: Node = parser.close()
    if text.count("<") > MAX_DEPTH:  # with fewer tags nothing can be nested so deep
        _refuse_deep(root)
    return root


def _refuse_deep(root: Node) -> None:
    level = [root]
    for _ in range(MAX_DEPTH):
        level = [below for node in level for below in node]
        if not level:
            return
    raise CannotRead(f"the XML is nested more than {MAX_DEPTH} deep")


def _repaired(text: str) -> str:
    """Published samples hold ``<soap-env::Header>`` and undeclared prefixes (MM7 page 1): mend just these.

    Nothing is guessed about missing ends: half a document must not pass for a whole one.
    """
    text = _DOUBLE_COLON.sub(r"\1:", text)
    used = {*_PREFIX_OF_TAG.findall(text), *_PREFIX_OF_ATTRIBUTE.findall(text)} - {"xml", "xmlns"}
    missing = sorted(prefix for prefix in used if f"xmlns:{prefix}=" not in text)[:_MAX_REPAIRED_PREFIXES]
    declared = "".join(f' xmlns:{prefix}="urn:undeclared"' for prefix in missing)
    return _FIRST_TAG.sub(lambda tag: tag[0] + declared, text, count=1)


def local(node: Node) -> str:
    """The element's name without its namespace."""
    return node.tag.rpartition("}")[2]


def namespace(node: Node) -> str:
    """The element's namespace, empty if it has none."""
    return node.tag.rpartition("}")[0].removeprefix("{")


def children(parent: Node | None, name: str) -> Iterator[Node]:
    """The direct children of that local name."""
    return (node for node in (() if parent is None else parent) if local(node) == name)


def child(parent: Node | None, *path: str) -> Node | None:
    """The first element at the path of local names, None if it is not there."""
    for name in path:
        qualified = f"}}{name}"
        for node in () if parent is None else parent:
            if node.tag == name or node.tag.endswith(qualified):
                parent = node
                break
        else:
            return None
    return parent


def named(parent: Node | None) -> dict[str, Node]:
    """The direct children by local name, of equal ones the first: for who wants several of them."""
    return {} if parent is None else {local(node): node for node in reversed(parent)}


def own_text(node: Node | None) -> str:
    """The text directly in the element, trimmed."""
    return (node.text or "").strip() if node is not None else ""


def text_at(parent: Node | None, *path: str) -> str:
    """The trimmed text of the element at `path`, empty if it is not there."""
    return own_text(child(parent, *path))


def all_text(node: Node | None) -> str:
    """Every text in and below the element, its white space folded."""
    return " ".join(" ".join(str(piece) for piece in node.itertext()).split()) if node is not None else ""


def attribute(node: Node | None, name: str) -> str:
    """The attribute of that local name, empty if there is none."""
    if node is None:
        return ""
    named = (str(value) for key, value in node.attrib.items() if str(key).rpartition("}")[2] == name)
    return next(named, "").strip()


def truth(text: str, *, default: bool = False) -> bool:
    """An xs:boolean: ``true``/``1``, ``false``/``0``; anything else is the default."""
    return {"true": True, "1": True, "false": False, "0": False}.get(text.lower(), default)
