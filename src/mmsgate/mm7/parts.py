"""What a received MM7 message is made of: the SOAP part, and the parts of its content, decoded.

Names, Content-IDs and locations are data: nothing here or above opens a file by them.
"""

import binascii
import quopri
import string
from dataclasses import dataclass, field
from urllib.parse import unquote

from mmsgate.domain.media import SMIL_MIME
from mmsgate.mm7.envelope import Envelope, read_envelope
from mmsgate.mm7.multipart import MAX_PARTS, ContentType, Headers, Part, leaves, parse, parse_content_type
from mmsgate.mm7.unreadable import CannotRead

_XML_TYPES = frozenset({"text/xml", "application/xml", "application/soap+xml"})
_BEFORE_XML = b"\xef\xbb\xbf\xff\xfe \t\r\n\0"  # byte order marks, white space, UTF-16's other half
_BASE64 = f"{string.ascii_letters}{string.digits}+/= \t\r\n".encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class ContentPart:
    """One part of a message's content.

    `content_type` is in lower case without parameters, `charset` its charset parameter. `name`, `content_id`
    (without brackets) and `location` are as they came, empty where missing. `body` is decoded; `wire_size` is the
    number of its bytes before that.
    """

    content_type: str
    charset: str = ""
    name: str = ""
    content_id: str = ""
    location: str = ""
    encoding: str = ""
    headers: Headers = field(default=(), repr=False)
    body: bytes = field(default=b"", repr=False)
    wire_size: int = 0

    @property
    def is_smil(self) -> bool:
        return self.content_type in (SMIL_MIME, f"{SMIL_MIME}+xml")


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """The content of a message, its parts in the order of the wire."""

    parts: tuple[ContentPart, ...] = ()

    @property
    def smil(self) -> bytes | None:
        """The first SMIL part's bytes, None if there is no such part."""
        return next((part.body for part in self.parts if part.is_smil), None)

    @property
    def size(self) -> int:
        """Bytes of all parts, decoded."""
        return sum(len(part.body) for part in self.parts)

    def find(self, reference: str) -> ContentPart | None:
        """The part that a SMIL `src` names, by Content-ID, location or name; None if there is none."""
        wanted = reference.strip().removeprefix("cid:")
        for part in self.parts:
            if wanted and wanted in (part.content_id, part.location, part.name):
                return part
        return None


def open_message(content_type: str, body: bytes) -> tuple[Envelope, tuple[Part, ...]]:
    """The SOAP envelope of an HTTP body, and the parts beside it.

    A bare envelope will do, also one that calls itself a multipart (MM7 peers page). Raises `CannotRead`.
    """
    declared = parse_content_type(content_type)
    if not declared.is_multipart or body[:64].lstrip(_BEFORE_XML)[:1] == b"<":
        return read_envelope(body, declared.parameters.get("charset", "")), ()
    parts = parse(declared, body)
    soap = _soap_part(declared, parts)
    if soap is None:
        raise CannotRead("the multipart has no part")
    xml = _transfer_decoded(soap.body, soap.header("Content-Transfer-Encoding"))
    envelope = read_envelope(xml, soap.content_type.parameters.get("charset", ""))
    return envelope, tuple(part for part in parts if part is not soap)


def _soap_part(declared: ContentType, parts: tuple[Part, ...]) -> Part | None:
    """The part that `start` names, with or without brackets; else the first XML part; else the first."""
    start = bare_id(declared.parameters.get("start", ""))
    named = (part for part in parts if start and bare_id(part.header("Content-ID")) == start)
    xml = (part for part in parts if part.content_type.mime in _XML_TYPES)
    return next(named, None) or next(xml, None) or next(iter(parts), None)


def content_parts(beside: tuple[Part, ...], href: str) -> tuple[ContentPart, ...]:
    """The content: what lies in the multipart that `href` names.

    If it names another kind of part the content is flat: every part beside the SOAP part; so too without an `href`.
    Raises `CannotRead` with status 4004 if `href` names no part, with 2007 if the content is broken.
    """
    sources = beside
    if href:
        target = named_part(beside, href)
        if target is None:
            raise CannotRead("the Content element refers to a part that is not there", status_code=4004)
        if target.content_type.is_multipart:
            sources = (target,)
    found = [leaf for source in sources for leaf in leaves(source)]
    if len(found) > MAX_PARTS:
        raise CannotRead(f"the content has more than {MAX_PARTS} parts")
    return tuple(map(content_part, found))


def bare_id(text: str) -> str:
    """A Content-ID without blanks and brackets."""
    return text.strip().removeprefix("<").removesuffix(">").strip()


def named_part(parts: tuple[Part, ...], href: str) -> Part | None:
    """The part that a ``cid:`` URL (RFC 2392) or a plain name means, None if it means none."""
    is_cid = href[:4].lower() == "cid:"
    wanted = {bare_id(href[4:]), bare_id(unquote(href[4:]))} if is_cid else {bare_id(href)}
    return next(
        (
            part
            for part in parts
            if bare_id(part.header("Content-ID")) in wanted or part.header("Content-Location") in wanted
        ),
        None,
    )


def content_part(part: Part, *, decode: bool = True) -> ContentPart:
    """A part as content; without `decode` its body stays in its transfer encoding, as one MMSC passes it on.

    Raises `CannotRead` for broken base64.
    """
    declared = part.content_type
    encoding = part.header("Content-Transfer-Encoding")
    disposition = parse_content_type(part.header("Content-Disposition")).parameters
    return ContentPart(
        content_type=declared.mime,
        charset=declared.parameters.get("charset", ""),
        name=declared.parameters.get("name", "") or disposition.get("filename", ""),
        content_id=bare_id(part.header("Content-ID")),
        location=part.header("Content-Location"),
        encoding=encoding.lower(),
        headers=part.headers,
        body=_transfer_decoded(part.body, encoding) if decode else part.body,
        wire_size=len(part.body),
    )


def _transfer_decoded(body: bytes, encoding: str) -> bytes:
    encoding = encoding.lower()
    if encoding == "quoted-printable":
        return quopri.decodestring(body)
    if encoding != "base64":
        return body  # 7bit, 8bit, binary; and what we do not know is left as it is
    if body.translate(None, _BASE64):
        raise CannotRead("a part declared as base64 holds other characters")
    try:
        return binascii.a2b_base64(body)
    except binascii.Error:
        raise CannotRead("a part declared as base64 ends too early") from None
