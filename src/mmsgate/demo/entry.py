"""One postback that arrived, and what can be read from it.

Read as a tolerant receiver would: either XML dialect or JSON, any order, unknown names passed over. A body that
can't be read is kept and shown as it is.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from xml.etree.ElementTree import Element

from mmsgate.clock import Millis
from mmsgate.demo.signature import Signature
from mmsgate.errors import Refusal
from mmsgate.wire.document import read_document
from mmsgate.wire.names import canonical

#: Characters that are kept of one value of a body, one header.
LONGEST_VALUE = 256
#: How many files of one inbound message are shown.
MOST_FILES = 100
_PICTURES = (".jpg", ".png", ".gif", ".webp")

#: The codes in plain words (postback contract 2). "way" tells MMS from SMS where the code alone does not.
_MEANINGS: Mapping[str, str] = MappingProxyType({
    "N003": "template ready to be sent",
    "E002": "template can't be sent: a sound is unusable",
    "E003": "template can't be sent: a video is unusable",
    "N013": "sound and video are ready, sending begins",
    "E012": "not sent: a sound is unusable",
    "E013": "not sent: a video is unusable",
    "N101": "sent",
    "N102": "delivered",
    "N103": "sent, but expired before it was delivered",
    "N202": "link SMS delivered",
    "E101": "not sent",
    "E102": "sent, but not delivered",
    "E202": "link SMS not delivered",
    "N501": "device discovery sent ahead",
    "N502": "device discovery delivered",
    "E501": "device discovery not sent",
    "E502": "device discovery sent, but not delivered",
    "E999": "not sent: a fault in the gateway",
    "N401": "a phone sent an MMS",
    "N211": "a phone sent an SMS",
})  # fmt: skip
_BY_LINK: Mapping[str, str] = MappingProxyType({
    "N101": "sent as an SMS with a link",
    "N102": "link SMS delivered",
})  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A postback as it arrived.

    `id` grows with each arrival; `headers` are those that matter here, names in lower case; `values` are the
    body's elements or members by canonical name, empty if it can't be read; `files` are the addresses of an
    inbound message's.
    """

    id: int
    received_at: Millis
    body: bytes
    headers: Mapping[str, str]
    signature: Signature
    values: Mapping[str, str] = field(default_factory=dict)
    files: tuple[str, ...] = ()

    @property
    def code(self) -> str:
        return self.values.get("code", "")

    @property
    def tracking_id(self) -> str:
        return self.values.get("trackingid", "") or self.values.get("transactionid", "")

    @property
    def recipient(self) -> str:
        return self.values.get("to", "")

    @property
    def sender(self) -> str:
        """Who wrote; empty but for inbound messages."""
        return self.values.get("from", "") if self.values.get("origin", "").endswith("_MO") else ""

    @property
    def words(self) -> str:
        """What an inbound message says beside its files."""
        return ": ".join(part for part in (self.values.get("subject", ""), self.values.get("text", "")) if part)

    @property
    def pictures(self) -> tuple[str, ...]:
        """Those of the files that browsers show."""
        return tuple(file for file in self.files if file.endswith(_PICTURES))

    @property
    def details(self) -> str:
        """Why, in the sender's words, where it says so."""
        status = self.values.get("status", "").partition("/")[2] if self.code.startswith("E") else ""
        return ": ".join(part for part in (status, self.values.get("statusdetails", "")) if part)

    @property
    def meaning(self) -> str:
        """The code in plain words; empty for a code that is not ours."""
        by_link = self.values.get("sentas", "").upper() == "SMS"
        plain = _MEANINGS.get(self.code, "")
        return _BY_LINK.get(self.code, plain) if by_link else plain

    @property
    def sequence(self) -> int | None:
        """The place among its message's postbacks (R-09), if the sender gave one."""
        text = self.headers.get("x-sequence", "")
        return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else None

    @property
    def text(self) -> str:
        """The body as text; what is not UTF-8 shows as U+FFFD."""
        return self.body.decode("utf-8", errors="replace")


def read_values(body: bytes) -> dict[str, str]:
    """What stands below the root by canonical name, the first of each; empty if `body` can't be read."""
    values: dict[str, str] = {}
    for name, text in _texts(body):
        if known := canonical(name):
            values.setdefault(known, text.strip()[:LONGEST_VALUE])
    return values


def read_files(body: bytes) -> tuple[str, ...]:
    """The web addresses in an inbound message's ``content``; others could be anything, and are left out."""
    addresses = (text.strip()[:LONGEST_VALUE] for text in _file_texts(body))
    return tuple(each for each in addresses if each.startswith(("http://", "https://")))[:MOST_FILES]


def _texts(body: bytes) -> Iterator[tuple[str, str]]:
    yield from ((element.tag, element.text or "") for element in _elements(body))
    yield from ((name, value) for name, value in _members(body).items() if isinstance(value, str))


def _file_texts(body: bytes) -> Iterator[str]:
    contents = (element for element in _elements(body) if canonical(element.tag) == "content")
    yield from (file.text or "" for content in contents for file in content if canonical(file.tag) == "file")
    listed = _members(body).get("content")
    for each in listed if isinstance(listed, list) else ():
        if isinstance(each, dict) and isinstance(file := each.get("file"), str):
            yield file


def _elements(body: bytes) -> Iterable[Element]:
    try:
        return read_document(body)
    except Refusal:
        return ()  # shown as it is: this receiver judges nobody's documents


def _members(body: bytes) -> Mapping[str, object]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return {}  # as above
    return found if isinstance(found, dict) else {}
