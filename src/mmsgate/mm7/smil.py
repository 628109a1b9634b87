"""SMIL: the order and place of what a phone shows.

Written from slides in the one shape of the golden message; read leniently from anybody's bytes.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from mmsgate.domain.media import MediaKind
from mmsgate.domain.slide import DEFAULT_DURATION
from mmsgate.mm7.unreadable import CannotRead
from mmsgate.mm7.xml import Node, attribute, decode, escape, local, parse_text

MAX_SMIL = 64 * 1024  # bytes
MAX_PARS = 200
MAX_REFERENCES = 400
MAX_DURATION = 3_600_000  # ms

_HEAD = (
    '<smil><head><layout><root-layout width="320" height="480"/>'
    '<region id="Image" left="0" top="0" width="320" height="320" fit="meet"/>'
    '<region id="Text" left="0" top="320" width="320" height="160" fit="scroll"/>'
    "</layout></head><body>"
)
_TAIL = "</body></smil>"

_TAGS = {MediaKind.IMAGE: "img", MediaKind.TEXT: "text", MediaKind.AUDIO: "audio", MediaKind.VIDEO: "video"}
_REGIONS = {MediaKind.IMAGE: "Image", MediaKind.VIDEO: "Image", MediaKind.TEXT: "Text"}

_REFERENCE_TAGS = frozenset({"img", "text", "audio", "video", "ref", "animation", "textstream"})
_EXTERNAL_DOCTYPE = re.compile(r"<!DOCTYPE\s[^\[<>]{0,500}>")
_CLOCK = re.compile(r"(?:(?:(\d{1,4}):)?(\d{1,4}):)?(\d{1,9}(?:\.\d{1,6})?)(h|min|s|ms)?", re.ASCII)
_UNITS = {"h": 3_600_000, "min": 60_000, "s": 1000, "ms": 1, "": 1000}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """One medium of a slide: the SMIL `tag` that names it, its `src` as written, its `region` (may be empty)."""

    tag: str
    src: str
    region: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Par:
    """One slide: what is shown together, in order, for `duration` milliseconds."""

    duration: int
    references: tuple[Reference, ...]


def reference(kind: MediaKind, src: str) -> Reference:
    """The reference for a medium that is shown; objects (vCard, PDF …) have none and raise KeyError."""
    return Reference(tag=_TAGS[kind], src=src, region=_REGIONS.get(kind, ""))


def write_smil(pars: Iterable[Par]) -> bytes:
    """The SMIL document; without a par its body is empty, which is still valid."""
    return f"{_HEAD}{''.join(map(_par, pars))}{_TAIL}".encode()


def _par(par: Par) -> str:
    return f'<par dur="{par.duration}ms">{"".join(map(_reference, par.references))}</par>'


def _reference(item: Reference) -> str:
    region = f' region="{escape(item.region)}"' if item.region else ""
    return f'<{item.tag} src="{escape(item.src)}"{region}/>'


def read_smil(data: bytes) -> tuple[Par, ...] | None:
    """The slides that a SMIL document shows; None if it is none or exceeds a limit (size, tags, counts).

    A medium outside any par is a slide of its own. A DOCTYPE that only points to a DTD is cut out unread; one that
    brings its own declarations makes the document unreadable.
    """
    if len(data) > MAX_SMIL:
        return None
    text = _EXTERNAL_DOCTYPE.sub("", decode(data), count=1)
    try:
        root = parse_text(text)
    except CannotRead:
        return None
    pars = tuple(_pars(root)) if local(root) == "smil" else None
    if pars is None or len(pars) > MAX_PARS or sum(len(par.references) for par in pars) > MAX_REFERENCES:
        return None
    return pars


def _pars(root: Node) -> Iterator[Par]:
    """Slides in document order; what lies in a par is never a slide of its own."""
    inside: set[Node] = set()
    for node in root.iter():
        name = local(node)
        if node in inside:
            continue
        if name == "par":
            below = list(node.iter())
            inside.update(below)
            yield Par(duration=_duration(node), references=tuple(_references(below)))
        elif name in _REFERENCE_TAGS and attribute(node, "src"):
            yield Par(duration=_duration(node), references=tuple(_references([node])))


def _references(nodes: Iterable[Node]) -> Iterator[Reference]:
    for node in nodes:
        src = attribute(node, "src")
        if src and local(node) in _REFERENCE_TAGS:
            yield Reference(tag=local(node), src=src, region=attribute(node, "region"))


def _duration(node: Node) -> int:
    """Milliseconds of the element's `dur` (SMIL clock value); the default where it is missing or none."""
    found = _CLOCK.fullmatch(attribute(node, "dur"))
    if not found:
        return DEFAULT_DURATION * 1000
    hours, minutes, value, unit = (group or "" for group in found.groups())
    clock = int(hours or 0) * 3_600_000 + int(minutes or 0) * 60_000
    return min(MAX_DURATION, clock + round(float(value) * _UNITS[unit]))
