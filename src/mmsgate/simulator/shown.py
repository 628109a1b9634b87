"""What a phone shows of an MMS: slides, attachments, and what it keeps from its owner."""

from collections.abc import Callable
from dataclasses import dataclass

from mmsgate.mm7.parts import Content, ContentPart
from mmsgate.mm7.smil import Par, read_smil
from mmsgate.simulator.message import Part, Slide


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """`parts` are the message's as this phone reads them, `hidden` is what it does not show, with the reason."""

    parts: tuple[Part, ...]
    slides: tuple[Slide, ...]
    attachments: tuple[int, ...]
    hidden: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The texts of the slides in order, a blank line between them."""
        texts = [self.parts[index].text for slide in self.slides for index in slide.parts]
        return "\n\n".join(text for text in texts if text)


#: How one kind of phone shows a content, whose parts it is given as the simulator keeps them, in the same order.
Showing = Callable[[Content, tuple[Part, ...]], Shown]


def by_smil(content: Content, parts: tuple[Part, ...]) -> Shown:
    """As most phones: what the SMIL says, whatever way it refers to its parts; without one, all in order."""
    pars = read_smil(content.smil) if content.smil is not None else None
    return _with_attachments(parts, _slides(pars, content) if pars else _without_smil(parts))


def in_order(_: Content, parts: tuple[Part, ...]) -> Shown:
    """As a phone that ignores SMIL: everything that can be shown on one page, in the order it came."""
    return _with_attachments(parts, _without_smil(parts))


def _with_attachments(parts: tuple[Part, ...], slides: tuple[Slide, ...]) -> Shown:
    """What no slide shows is attached, the SMIL aside."""
    shown = {index for slide in slides for index in slide.parts}
    rest = tuple(i for i, part in enumerate(parts) if i not in shown and not part.is_smil)
    return Shown(parts=parts, slides=slides, attachments=rest)


def _slides(pars: tuple[Par, ...], content: Content) -> tuple[Slide, ...]:
    """A slide per `par`; a `par` that refers to nothing is an empty slide, which a phone shows too."""
    return tuple(_slide(par, content) for par in pars)


def _slide(par: Par, content: Content) -> Slide:
    found, missing = [], []
    for reference in par.references:
        part = content.find(reference.src)
        if part is None:
            missing.append(reference.src)
        else:
            found.append(_index(content, part))
    return Slide(duration=par.duration, parts=tuple(found), missing=tuple(missing))


def _index(content: Content, wanted: ContentPart) -> int:
    """By identity: two equal parts are still two."""
    return next(i for i, part in enumerate(content.parts) if part is wanted)


def _without_smil(parts: tuple[Part, ...]) -> tuple[Slide, ...]:
    shown = tuple(i for i, part in enumerate(parts) if part.playable and not part.is_smil)
    return (Slide(parts=shown),) if shown else ()
