"""What can come of an outbound request. Every outcome is a value; none of these is raised."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """Patience, in seconds.

    `connect`: name lookup, TCP and TLS each. `idle`: between two pieces of an answer, and from the end of the
    request to the first piece; None for no limit of its own. `total`: everything, redirects and the wait for
    a free connection included.
    """

    connect: float = 10
    idle: float | None = None
    total: float = 60


class FetchProblem(StrEnum):
    """Why a file could not be fetched."""

    REFUSED = "refused-by-policy"
    UNREACHABLE = "unreachable"
    STATUS = "status"
    REDIRECTS = "redirects"
    ENCODED = "encoded"
    NO_LENGTH = "no-length"
    TOO_BIG = "too-big"
    TRUNCATED = "truncated"
    TIMEOUT = "timeout"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """A whole file, in a temporary file that now belongs to the caller.

    `sha256` is in hex, `size` in bytes, `url` the address after redirects; header names are in lower case.
    """

    url: str
    status: int
    headers: Mapping[str, str]
    path: Path
    size: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NotModified:
    """HTTP 304: what the caller has is still good."""

    url: str
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchFailed:
    """Nothing usable came; `reason` is a sentence without the URL. `size` is what was announced or read."""

    kind: FetchProblem
    reason: str
    size: int | None = None


FetchOutcome = Fetched | NotModified | FetchFailed


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """A complete answer, whatever its status. `cut` says that the body was longer than we read."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    cut: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class NotSent:
    """Provably nothing of the body left this host: sending again cannot make a second copy."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Lost:
    """The body began to leave and no complete answer came: the peer may or may not have taken it."""

    reason: str


PostOutcome = Answered | NotSent | Lost
