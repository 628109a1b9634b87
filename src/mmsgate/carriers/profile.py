"""A carrier's connection as data: where it is, how it wants its MM7, what it takes, how patient we are.

Profiles live in the store, so that hosts cannot drift; `record.py` says how they are read and kept. Every setting
has a default but the name and the endpoints. Each section looks at its own values: what is wrong with one is a
ValueError that begins with its name. A setting that a repr leaves out is a secret.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated
from urllib.parse import urlsplit

from mmsgate.clock import DAY, MINUTE, SECOND, Millis
from mmsgate.domain.media import TYPES, by_mime
from mmsgate.domain.number import SenderType
from mmsgate.domain.rendition import Measure
from mmsgate.mm7.dialect import Dialect

#: The path of a file on the gateway's host. In a profile's file it is relative to that file.
FilePath = Annotated[str, "a path"]

#: Names in order. In a profile's file one name may stand without brackets.
Names = Annotated[tuple[str, ...], "one or several"]

_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")  # RFC 9110 5.6.2
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_DIGITS = re.compile(r"[0-9]{1,15}", re.ASCII)
_MIME = re.compile(r"[a-z0-9.+*-]+/[a-z0-9.+*-]+")


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


class Meaning(StrEnum):
    """What a carrier's status code can be said to mean (`outcome.py`)."""

    ACCEPTED = "accepted"
    RECIPIENT = "recipient"  # final: the number is wrong, or denied
    CONTENT = "content"  # a fallback SMS may do
    SIZE = "size"  # as content, and a smaller version is tried first
    OPTED_OUT = "opted-out"  # as recipient, and it goes on the block list
    OUR_FAULT = "our-fault"  # final, with an alarm
    PAUSE = "pause"  # the carrier refuses us: the connection waits
    TEMPORARY = "temporary"
    THROTTLED = "throttled"  # as temporary, and the connection slows down


@dataclass(frozen=True, slots=True, kw_only=True)
class Auth:
    """How we show the carrier who we are.

    `username` and `password` are for `AuthKind.BASIC` (empty: none are sent), `header` and `value` for
    `AuthKind.HEADER`. `certificate` and `key` are PEM files for a TLS client certificate, `authorities` one with
    the carrier's own authorities in place of the system's.
    """

    kind: AuthKind = AuthKind.BASIC
    username: str = ""
    password: str = field(default="", repr=False)
    header: str = ""
    value: str = field(default="", repr=False)
    certificate: FilePath = ""
    key: FilePath = ""
    authorities: FilePath = ""

    def __post_init__(self) -> None:
        if self.kind is AuthKind.BASIC and self.password and not self.username:
            raise ValueError("username is missing: there is a password")
        if ":" in self.username:
            raise ValueError("username holds a colon, which HTTP Basic can't send (RFC 7617 2)")
        if self.kind is AuthKind.HEADER and not self.value:
            raise ValueError("value is missing: kind is header")
        if self.kind is AuthKind.HEADER and not _HEADER_NAME.fullmatch(self.header):
            raise ValueError(f"header is no name of an HTTP header: {self.header!r}")
        if _CONTROL.search(self.value):
            raise ValueError("value holds a line end or another control character")
        if self.key and not self.certificate:
            raise ValueError("certificate is missing: there is a key")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """Whom the connection reaches, and from which senders.

    `operators` are the operators' ids, ``*`` for all. `prefixes` are beginnings of numbers: ``*`` with prefixes
    means all operators of these numbers alone, and a number whose operator nobody knows is reached by its prefix.
    Of several connections the one with the lowest `priority` is first. `sender_types` are the kinds of sender that
    may use it (E619); `sms` are the SMSCs that carry the fallback SMS, the first choice first.
    """

    operators: frozenset[str] = frozenset({"*"})
    prefixes: frozenset[str] = frozenset()
    sender_types: frozenset[SenderType] = frozenset(SenderType)
    priority: int = 0
    sms: Names = ("sms",)

    def __post_init__(self) -> None:
        if odd := sorted(each for each in self.prefixes if not _DIGITS.fullmatch(each)):
            raise ValueError(f"prefixes: {odd[0]!r} is no beginning of a number: 1 to 15 digits, no plus")
        if not self.sender_types:
            raise ValueError("sender_types is empty: nobody could use the connection")
        if twice := sorted({each for each in self.sms if self.sms.count(each) > 1}):
            raise ValueError(f"sms names {twice[0]} twice")


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

    def __post_init__(self) -> None:
        if self.bytes < 0:
            raise ValueError(f"bytes is {self.bytes}, it must be 0 or more")
        for kind, most in self.by_sender.items():
            if most < 1:
                raise ValueError(f"by_sender.{kind} is {most}, it must be 1 or more")
        known = {each: by_mime(each) for each in self.types}
        if odd := sorted(each for each, entry in known.items() if entry is None):
            raise ValueError(f"types: an MMS can't carry {', '.join(odd)}")
        object.__setattr__(self, "types", frozenset(entry.mime for entry in known.values() if entry))


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

    def __post_init__(self) -> None:
        for name, least in (
            ("connections", 1),
            ("timeout", 1),
            ("keepalive", 0),
            ("burst", 1),
            ("sender_daily", 0),
        ):
            if getattr(self, name) < least:
                raise ValueError(f"{name} is {getattr(self, name)}, it must be {least} or more")
        for name in ("rate", "sender_rate"):
            if not math.isfinite(getattr(self, name)) or getattr(self, name) < 0:
                raise ValueError(f"{name} is {getattr(self, name):g}, it must be 0 or more")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """How the carrier's answers are read.

    `codes` maps status codes to a `Meaning`, before the standard's table. `types` are the Content-Types that count
    as an answer; empty: all. `unknown_wait` is how long a report may take to settle an unknown outcome,
    `on_unknown` what comes after that (R-19).
    """

    empty_accepts: bool = False
    codes: Mapping[int, str] = field(default_factory=dict)
    types: frozenset[str] = frozenset()
    on_unknown: OnUnknown = OnUnknown.FAIL
    unknown_wait: Millis = 15 * MINUTE

    def __post_init__(self) -> None:
        if odd := sorted(code for code in self.codes if not 1000 <= code <= 9999):
            raise ValueError(f"codes: a status code has four digits, not {odd[0]}")
        for code, meaning in self.codes.items():
            if meaning not in set(Meaning):
                raise ValueError(f"codes.{code} is {meaning!r}, not one of {', '.join(Meaning)}")
        if odd_types := sorted(each for each in self.types if not _MIME.fullmatch(each)):
            raise ValueError(f"types: {odd_types[0]!r} is no Content-Type like text/xml")
        if self.unknown_wait < 0:
            raise ValueError(f"unknown_wait is {self.unknown_wait}, it must be 0 or more")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reporting:
    """Which reports the carrier gives, and how they are read.

    `user` and `password` are what it has to send with them (HTTP Basic; empty: nothing is demanded). `wait` is how
    long to wait for a final one. `swapped` says that it writes sender and recipient the wrong way round. Where
    Retrieved is not final, it may mean Deferred: the message is under way then, and nobody hears that it arrived.
    """

    user: str = ""
    password: str = field(default="", repr=False)
    gives: Gives = Gives.FINAL
    wait: Millis = 3 * DAY
    swapped: bool = False
    retrieved_is_final: bool = True
    indeterminate_is_final: bool = False
    rejected_falls_back: bool = False

    def __post_init__(self) -> None:
        if self.password and not self.user:
            raise ValueError("user is missing: there is a password")
        if ":" in self.user:
            raise ValueError("user holds a colon, which HTTP Basic can't send (RFC 7617 2)")
        if self.wait < 1:
            raise ValueError(f"wait is {self.wait}, it must be 1 or more")

    @property
    def patience(self) -> Millis:
        """How long a message that the carrier took is waited for."""
        return 0 if self.gives is Gives.NONE else self.wait


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
        for endpoint in self.endpoints:
            if problem := _url_problem(endpoint):
                raise ValueError(f"endpoints: {problem}")


def _url_problem(url: str) -> str:
    """What keeps a URL from being posted to; empty if nothing does."""
    try:
        parts = urlsplit(url)
        fine = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:  # brackets that don't match, or a port that is none
        fine = False
    if not fine or _CONTROL.search(url) or " " in url:
        return f"{url!r} is no http or https URL"
    if parts.username is not None or parts.password is not None:
        return f"the URL of {parts.hostname} holds a user name: it belongs to auth"
    return ""
