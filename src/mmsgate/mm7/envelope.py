"""The SOAP 1.1 envelope around an MM7 operation.

Written in one shape: line ends are CRLF inside the XML too, as in the golden message, one line for each element
below the operation. Read by local names, so that any prefix and any MM7 namespace, or none, will do.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from mmsgate.mm7.unreadable import CannotRead
from mmsgate.mm7.xml import MAX_XML, Node, child, decode, escape, local, namespace, parse_text, text_at

REL_6 = "http://www.3gpp.org/ftp/Specs/archive/23_series/23.140/schema/REL-6-MM7-1-4"
XML_TYPE = "text/xml; charset=utf-8"

_SOAP = "http://schemas.xmlsoap.org/soap/envelope/"


class Prefix(StrEnum):
    """How an operation's elements get their namespace."""

    DEFAULT = "default"  # <SubmitRsp xmlns="…"><MM7Version>
    PREFIXED = "prefixed"  # <mm7:SubmitRsp xmlns:mm7="…"><mm7:MM7Version>
    BARE = "bare"  # <mm7:SubmitRsp xmlns:mm7="…"><MM7Version>: children in no namespace, as one MMSC sends them


@dataclass(frozen=True, slots=True, kw_only=True)
class Schema:
    """Which MM7 an envelope is written in."""

    namespace: str = REL_6
    version: str = "6.8.0"
    prefix: Prefix = Prefix.DEFAULT

    @property
    def child_prefix(self) -> str:
        """What stands before the names of the operation's children."""
        return "mm7:" if self.prefix is Prefix.PREFIXED else ""

    def element(self, name: str, text: str) -> str:
        """A child element with text, or nothing if there is no text."""
        tag = f"{self.child_prefix}{name}"
        return f"<{tag}>{escape(text)}</{tag}>" if text else ""

    def group(self, name: str, *inner: str) -> str:
        """A child element that holds other elements."""
        tag = f"{self.child_prefix}{name}"
        return f"<{tag}>{''.join(inner)}</{tag}>"

    def opening(self, operation: str) -> str:
        """The operation's start tag."""
        if self.prefix is Prefix.DEFAULT:
            return f'<{operation} xmlns="{escape(self.namespace)}">'
        return f'<mm7:{operation} xmlns:mm7="{escape(self.namespace)}">'

    def closing(self, operation: str) -> str:
        """The operation's end tag."""
        return f"</{operation}>" if self.prefix is Prefix.DEFAULT else f"</mm7:{operation}>"

    def operation(self, name: str, lines: Iterable[str]) -> str:
        """A whole operation: its version first, then `lines`, the empty ones left out."""
        kept = [self.element("MM7Version", self.version), *(line for line in lines if line)]
        return "\r\n".join((self.opening(name), *kept, self.closing(name)))


def head_xml(schema: Schema) -> tuple[str, str]:
    """The envelope before the transaction id, and from there to the operation."""
    before = (
        '<?xml version="1.0" encoding="UTF-8"?>\r\n'
        f'<env:Envelope xmlns:env="{_SOAP}"><env:Header>\r\n'
        f'<mm7:TransactionID xmlns:mm7="{escape(schema.namespace)}" env:mustUnderstand="1">'
    )
    return before, "</mm7:TransactionID>\r\n</env:Header><env:Body>\r\n"


TAIL_XML = "</env:Body></env:Envelope>"


def write_envelope(body: str, *, transaction_id: str, schema: Schema) -> bytes:
    """A whole envelope, UTF-8, ready to be posted as `XML_TYPE`."""
    before, after = head_xml(schema)
    return f"{before}{escape(transaction_id)}{after}{body}{TAIL_XML}".encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """An envelope that was read: `operation` is the local name of the first element in its body."""

    transaction_id: str
    operation: str
    body: Node

    @property
    def namespace(self) -> str:
        """The MM7 namespace, from the operation."""
        return namespace(self.body)

    @property
    def version(self) -> str:
        """The operation's MM7Version, empty if it has none."""
        return text_at(self.body, "MM7Version")


def read_envelope(data: bytes, charset: str = "") -> Envelope:
    """The envelope in `data`; an operation without an envelope around it will do, and a fault may lie anywhere.

    Raises `CannotRead` if it is no XML or has nothing in it.
    """
    if len(data) > MAX_XML:
        raise CannotRead(f"the XML has {len(data):,} bytes, {MAX_XML:,} are read")
    text = decode(data, charset)
    root = parse_text(text)
    body = child(root, "Body") if local(root) == "Envelope" else root
    operation = body if body is root else next(iter(body if body is not None else ()), None)
    fault = _fault(root) if "Fault" in text else None  # most have none: not every element has to be looked at
    found = operation if fault is None else fault
    if found is None:
        raise CannotRead("the SOAP envelope has no operation in its body")
    return Envelope(transaction_id=text_at(root, "Header", "TransactionID"), operation=local(found), body=found)


def _fault(root: Node) -> Node | None:
    return next((node for node in root.iter() if local(node) == "Fault"), None)
