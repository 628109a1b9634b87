"""What an MMSC makes of the parts beside the SOAP part: all of them, the one that is named, or what it never opens.

The first of these is the codec's own `content_parts`. What the others lose or leave packed is what the phone gets.
"""

from mmsgate.mm7.multipart import Part, leaves
from mmsgate.mm7.parts import ContentPart, content_part, named_part
from mmsgate.mm7.unreadable import CannotRead


def only_named(beside: tuple[Part, ...], href: str) -> tuple[ContentPart, ...]:
    """The part that `href` names, unpacked if it is a multipart; all others are dropped without a word (Mbuni)."""
    named = named_part(beside, href) if href else None
    if named is None:
        raise CannotRead("the Content element refers to a part that is not there", status_code=4004)
    return tuple(map(content_part, leaves(named)))


def as_they_are(beside: tuple[Part, ...], _href: str) -> tuple[ContentPart, ...]:
    """Every part beside the SOAP part, whatever `href` says: neither unpacked nor decoded (VectorCore)."""
    return tuple(content_part(part, decode=False) for part in beside)
