"""A carrier's connection as data: where it is, how it wants its MM7, what it takes, how patient we are.

Profiles live in the store, so that hosts cannot drift; `record.py` says how they are read and kept. Every setting
has a default but the name and the endpoints.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from mmsgate.clock import DAY, MINUTE, SECOND, Millis
from mmsgate.domain.media import TYPES
from mmsgate.domain.number import SenderType
from mmsgate.domain.rendition import Measure
from mmsgate.mm7.dialect import Dialect


class AuthKind(StrEnum):
    """How we show the carrier who we are; a client certificate comes on top of any of them."""

    BASIC = "basic"  # HTTP Basic, with the first request
    HEADER = "header"  # a header of the carrier's own
    NONE = "none"  # the VASPID in the envelope says it all


class OnUnknown(StrEnum):
    """What to do with a message whose outcome stayed unknown (R-19)."""

    FAIL = "fail"
    RESEND = "resend"
    FALLBACK = "fallback"


class Gives(StrEnum):
    """Which reports a carrier gives."""

    FINAL = "final"  # sooner or later one that says whether the message arrived
    NONE = "none"  # none at all: a message that was accepted is not waited for


@dataclass(frozen=True, slots=True, kw_only=True)
class Auth:
    """How we show the carrier who we are.

    `header` and `value` are for `AuthKind.HEADER`. `certificate` and `key` are paths of PEM files for a TLS client
    certificate, `authorities` of one with the carrier's own authorities in place of the system's.
    """

    kind: AuthKind = AuthKind.BASIC
    username: str = ""
    password: str = field(default="", repr=False)
    header: str = ""
    value: str = field(default="", repr=False)
    certificate: str = ""
    key: str = ""
    authorities: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """Whom the connection reaches, and from which senders.

    `operators` are the operators' ids, ``*`` for all; `prefixes` the beginnings of numbers whose operator nobody
    knows. Of several connections the one with the lowest `priority` is first. `sender_types` are the kinds of
    sender that may use it (E619); `sms` is the connection that carries the fallback SMS.
    """

    operators: frozenset[str] = frozenset({"*"})
    prefixes: frozenset[str] = frozenset()
    sender_types: frozenset[SenderType] = frozenset(SenderType)
    priority: int = 0
    sms: str = "sms"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a message may be.

    `bytes` is the size of the whole content, as `measure` counts it, and `by_sender` that for certain types of
    sender; 0: what `limits.toml` says of the operator. `types` are the MIME types its phones take; `h263` says that
    they want video as H.263 and AMR in 3GP.
    """

    bytes: int = 0
    by_sender: Mapping[SenderType, int] = field(default_factory=dict)
    measure: Measure = Measure.DECODED
    types: frozenset[str] = frozenset(entry.mime for entry in TYPES if entry.handset)
    h263: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How fast, and how patient.

    `connections` is how many requests may be under way, `timeout` how long an answer may take, `keepalive` how long
    an idle connection is kept. `rate` is requests a second and `burst` how many of them may come at once;
    `sender_rate` and `sender_daily` are messages a second and a UTC day from one sender. 0 means no limit.
    """

    connections: int = 16
    timeout: Millis = 60 * SECOND
    keepalive: Millis = 15 * SECOND
    rate: float = 0.0
    burst: int = 1
    sender_rate: float = 0.0
    sender_daily: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """How the carrier's answers are read.

    `codes` maps status codes to outcomes, before the standard's table. `types` are the Content-Types that count as
    an answer; empty: all. `unknown_wait` is how long a report may take to settle an unknown outcome, `on_unknown`
    what comes after that (R-19).
    """

    empty_accepts: bool = False
    codes: Mapping[int, str] = field(default_factory=dict)
    types: frozenset[str] = frozenset()
    on_unknown: OnUnknown = OnUnknown.FAIL
    unknown_wait: Millis = 15 * MINUTE


@dataclass(frozen=True, slots=True, kw_only=True)
class Reporting:
    """Which reports the carrier gives, and how they are read.

    `user` and `password` are what it has to send with them (HTTP Basic; empty: nothing is demanded). `wait` is how
    long to wait for a final one. `swapped` says that it writes sender and recipient the wrong way round.
    """

    user: str = ""
    password: str = field(default="", repr=False)
    gives: Gives = Gives.FINAL
    wait: Millis = 3 * DAY
    swapped: bool = False
    indeterminate_is_final: bool = False
    rejected_falls_back: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CarrierProfile:
    """One connection to a carrier's MMSC. Of several `endpoints` the next is tried where one can't be reached."""

    name: str
    endpoints: tuple[str, ...]
    auth: Auth = Auth()
    mm7: Dialect = field(default_factory=Dialect)
    reach: Reach = Reach()
    limits: Limits = Limits()
    pace: Pace = Pace()
    answers: Answers = Answers()
    reports: Reporting = Reporting()

    def __post_init__(self) -> None:
        if not self.endpoints:
            raise ValueError("endpoints needs one URL at least")

    def serves(self, operator: str) -> bool:
        """Whether the connection reaches that operator's subscribers."""
        return "*" in self.reach.operators or operator in self.reach.operators
