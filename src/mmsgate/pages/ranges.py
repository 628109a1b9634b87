"""The Range header of a request: which bytes of a file it asks for (RFC 9110 section 14)."""

import re
from dataclasses import dataclass

_SINGLE = re.compile(r"bytes=[ \t]*([0-9]{0,18})-([0-9]{0,18})[ \t]*", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Bytes from `start` to before `end`. Empty means: no byte of the file is asked for (416)."""

    start: int
    end: int

    @property
    def empty(self) -> bool:
        return self.start >= self.end


def span(header: str | None, size: int) -> Span | None:
    """The bytes that `header` asks for of a file of `size` bytes; None: the whole file.

    What can't be read, and a request for several ranges, is answered with the whole file, as 14.2 allows: players
    ask for one range at a time, and many ranges are mostly an attack.
    """
    match = _SINGLE.fullmatch(header or "")
    if match is None or match.group(1) == match.group(2) == "":
        return None
    first, last = match.groups()
    if not first:
        return Span(start=max(size - int(last), 0), end=size)
    if last and int(last) < int(first):
        return None
    return Span(start=int(first), end=min(int(last) + 1, size) if last else size)
