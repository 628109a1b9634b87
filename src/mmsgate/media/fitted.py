"""What comes of making a picture smaller: a value of the caged worker."""

from dataclasses import dataclass

MOST_ENCODES = 4  # of the whole picture, in the search for the version that fits

Size = tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """A picture within its budget; `how` says what was done, for people; `encodes` counts the tries."""

    data: bytes
    mime: str
    width: int
    height: int
    how: str
    encodes: int


def inside(size: Size, box: Size) -> Size:
    """`size` scaled down into the box, which lies down for a landscape picture. Never scaled up."""
    width, height = size
    across, down = box if height >= width else box[::-1]
    scale = min(1.0, across / width, down / height)
    return max(1, round(width * scale)), max(1, round(height * scale))


def area(size: Size) -> int:
    """Pixels."""
    return size[0] * size[1]
