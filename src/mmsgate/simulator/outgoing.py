"""What the owner of a phone wants to send, and the MMS that the phone makes of it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from mmsgate.domain.media import SMIL_MIME, by_extension, by_mime
from mmsgate.mm7.parts import Content, ContentPart
from mmsgate.mm7.smil import Par, reference, write_smil

_UNSAFE = re.compile(r"[^A-Za-z0-9._-]")
_MIME = re.compile(r"[a-z0-9.+-]{1,60}/[a-z0-9.+-]{1,80}")
_LONGEST_NAME = 60
_SLIDE = 5000  # ms


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """A file to send. `content_type` as the browser says, which may be empty or nonsense."""

    name: str
    content_type: str = ""
    body: bytes = field(repr=False)

    @property
    def mime(self) -> str:
        """The type it is sent with: as declared, else as its name says."""
        declared = self.content_type.partition(";")[0].strip().lower()
        if _MIME.fullmatch(declared) and declared != "application/octet-stream":
            return declared
        named = by_extension(self.name)
        return named.mime if named else "application/octet-stream"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """A message from a phone. Numbers are digits alone; `copies` are the others of a group.

    `sms`: as an SMS, which has a text alone, in UCS-2 if `ucs2`. `twice`: the carrier brings it twice.
    """

    sender: str
    to: str
    text: str = field(default="", repr=False)
    subject: str = field(default="", repr=False)
    files: tuple[File, ...] = ()
    copies: tuple[str, ...] = ()
    sms: bool = False
    ucs2: bool = False
    twice: bool = False

    @property
    def content(self) -> Content:
        """The MMS's parts as phones make them: a SMIL that shows everything on one slide, the files, the text."""
        parts = tuple(self._parts())
        if not parts:
            return Content()
        kinds = ((by_mime(part.content_type), part.location) for part in parts)
        shown = tuple(reference(entry.kind, name) for entry, name in kinds if entry and not entry.kind.is_object)
        smil = ContentPart(
            content_type=SMIL_MIME, charset="utf-8", content_id="smil", location="smil",
            body=write_smil([Par(duration=_SLIDE, references=shown)]),
        )  # fmt: skip
        return Content(parts=(smil, *parts))

    def _parts(self) -> Iterator[ContentPart]:
        for place, file in enumerate(self.files, 1):
            name = f"{place}_{_UNSAFE.sub('_', file.name)[-_LONGEST_NAME:]}"
            yield ContentPart(content_type=file.mime, content_id=name, location=name, body=file.body)
        if self.text:
            yield ContentPart(
                content_type="text/plain", charset="utf-8", content_id="text.txt", location="text.txt",
                body=self.text.encode("utf-8", "replace"),
            )  # fmt: skip
