"""Time, randomness and identifiers. They are injected, never called for directly.

Times inside the gateway are whole milliseconds since 1970-01-01 UTC (`Millis`).
"""

import base64
import random
import re
import secrets
import string
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import Annotated, Protocol

#: A plain number; the note tells readers of settings that people write it with a unit (`read_span`).
Millis = Annotated[int, "milliseconds"]

SECOND: Millis = 1000
MINUTE: Millis = 60 * SECOND
HOUR: Millis = 60 * MINUTE
DAY: Millis = 24 * HOUR

_LETTERS = string.ascii_letters + string.digits
_EPOCH_2025: Millis = 1_735_689_600_000

#: Random bytes that are drawn at once.
ENTROPY_STOCK = 4096


class Clock(Protocol):
    """The time of day."""

    def now(self) -> Millis:
        """Milliseconds since 1970-01-01 UTC."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> Millis:
        return time.time_ns() // 1_000_000


@dataclass(slots=True)
class ManualClock:
    """A clock for tests: it stands still until told."""

    time: Millis = 1_767_346_247_000  # 2026-01-02T09:30:47Z

    def now(self) -> Millis:
        return self.time

    def advance(self, by: Millis) -> None:
        self.time += by


@dataclass(slots=True)
class Entropy:
    """Random bytes that nobody can guess, out of a stock that the system's generator fills. For one thread.

    Each call of the system gives the interpreter lock away, for which the thread that commits may be waiting: under
    load that makes 5 µs of the 0.3 that a call takes otherwise, and a message needs four.
    """

    source: Callable[[int], bytes] = secrets.token_bytes
    _stock: bytes = field(default=b"", init=False, repr=False)
    _taken: int = field(default=0, init=False)

    def __call__(self, count: int) -> bytes:
        """`count` bytes that were never given before."""
        if self._taken + count > len(self._stock):
            self._stock, self._taken = self.source(max(count, ENTROPY_STOCK)), 0
        start, self._taken = self._taken, self._taken + count
        return self._stock[start : self._taken]


@dataclass(slots=True)
class Ids:
    """New identifiers.

    `number()` gives 63-bit integers that grow: 41 bits of milliseconds since 2025, 10 bits of node, 12 bits
    of sequence. `tracking()` and `token()` cannot be guessed (R-25, R-37).
    """

    clock: Clock
    node: int = 0
    entropy: Callable[[int], bytes] = field(default_factory=Entropy)
    _last: Millis = field(default=0, init=False)
    _sequence: int = field(default=0, init=False)

    def number(self) -> int:
        """A positive integer larger than every one before it from this node."""
        now = max(self.clock.now() - _EPOCH_2025, self._last)
        if now == self._last:
            self._sequence += 1
            if self._sequence >> 12:  # 4,096 in one millisecond: borrow the next
                now, self._sequence = now + 1, 0
        else:
            self._sequence = 0
        self._last = now
        return now << 22 | (self.node & 0x3FF) << 12 | self._sequence

    def tracking(self) -> str:
        """A tracking id: 128 random bits in 22 characters of URL-safe base64 (R-25).

        It is drawn again if it begins with a dash: commands would take it for an option.
        """
        while (drawn := base64.urlsafe_b64encode(self.entropy(16)).rstrip(b"=").decode()).startswith("-"):
            pass
        return drawn

    def token(self) -> str:
        """A page token: 22 letters and digits, at least 128 bits (R-37)."""
        value = int.from_bytes(self.entropy(18)) % len(_LETTERS) ** 22
        letters = []
        for _ in range(22):
            value, rest = divmod(value, len(_LETTERS))
            letters.append(_LETTERS[rest])
        return "".join(letters)


def id_at(moment: Millis) -> int:
    """The smallest number that `Ids.number` gives at that time; negative before 2025."""
    return (moment - _EPOCH_2025) << 22


def moment_of(number: int) -> Millis:
    """The time at which `Ids.number` gave that number."""
    return (number >> 22) + _EPOCH_2025


def jittered(delay: Millis, spread: float = 0.2, roll: Callable[[], float] = random.random) -> Millis:
    """`delay` give or take `spread` (a share of it), so that retries do not march in step."""
    return round(delay * (1 + spread * (2 * roll() - 1)))


def iso(moment: Millis) -> str:
    """``2026-01-02T09:30:47+00:00``: the API's timestamps, to the second (contract 2.3)."""
    return _iso(moment // 1000)


def iso_z(moment: Millis) -> str:
    """``2026-01-02T09:30:47Z``: the timestamps of MM7."""
    return f"{_iso(moment // 1000).removesuffix('+00:00')}Z"


def iso_micros(moment: Millis) -> str:
    """``2026-01-02T09:30:47.000000+00:00``: the timestamps of JSON postbacks (postback contract 5)."""
    return f"{_iso(moment // 1000).removesuffix('+00:00')}.{moment % 1000:03}000+00:00"


@lru_cache(maxsize=64)
def _iso(seconds: int) -> str:
    """Remembered, because all that happens within a second is written with the same one."""
    return datetime.fromtimestamp(seconds, UTC).isoformat()


def spoken(length: Millis) -> str:
    """A length of time for people, in the unit that suits it: ``0.9 s``, ``15 minutes``, ``36 hours``."""
    for unit, name in ((DAY, "days"), (HOUR, "hours"), (MINUTE, "minutes")):
        if length >= 2 * unit:
            return f"{length / unit:.3g} {name}"
    return f"{length / SECOND:.3g} s"


_SPAN = re.compile(r"(\d{1,12}(?:\.\d{1,6})?)\s*([a-z]+)", re.ASCII)
_UNITS: tuple[tuple[Millis, tuple[str, ...]], ...] = (
    (DAY, ("days", "day", "d")),
    (HOUR, ("hours", "hour", "h")),
    (MINUTE, ("min", "minutes", "minute", "m")),
    (SECOND, ("s", "seconds", "second", "sec")),
    (1, ("ms", "milliseconds", "millisecond")),
)
_UNIT_OF = {name: unit for unit, names in _UNITS for name in names}


def read_span(text: str) -> Millis | None:
    """A length of time as people write it: ``500 ms``, ``1.5 s``, ``15 min``, ``3 days``; None if it is none."""
    found = _SPAN.fullmatch(text.strip().lower())
    unit = _UNIT_OF.get(found[2]) if found else None
    return round(float(found[1]) * unit) if found and unit else None


def write_span(length: Millis) -> str:
    """The text that `read_span` reads as exactly that: in the largest unit that leaves no fraction."""
    if not length:
        return "0 s"
    unit, names = next((unit, names) for unit, names in _UNITS if length % unit == 0)
    name = names[1] if length == unit and unit >= HOUR else names[0]  # 1 day
    return f"{length // unit} {name}"


def parse_iso(text: str) -> Millis | None:
    """An ISO 8601 instant as milliseconds; without a zone it is UTC; None if it is none."""
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return round(moment.timestamp() * 1000)
