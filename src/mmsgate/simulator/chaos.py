"""Chaos: what goes wrong between a VASP and an MMSC, at random and yet repeatable.

Each switch has a probability. What a request or a report meets is drawn when it comes, with the same number of
draws for each: so the same seed decides the same for the same requests in the same order, whatever the other
switches are set to.
"""

import json
import random
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from mmsgate.clock import Millis


class Switch(StrEnum):
    """What can go wrong, requests first, in the order of what they cut short."""

    LATENCY = "latency"  # the answer takes its time
    CUT_HEADERS = "cut-headers"  # hung up before anything of the request is looked at
    HTTP_5XX = "http-5xx"  # 500, 502, 503 or 504; the message is not taken
    CUT_BODY = "cut-body"  # hung up half way through the body; the message is not taken
    CUT_ANSWER = "cut-answer"  # the message is judged, and taken; hung up without a byte of answer
    MALFORMED = "malformed"  # the answer's SOAP breaks off
    HALF_ANSWER = "half-answer"  # hung up half way through the answer
    REPORT_DELAY = "report-delay"
    REPORT_DUPLICATE = "report-duplicate"
    REPORT_REORDER = "report-reorder"  # held back until the next one has been sent
    REPORT_ALTER = "report-alter"  # the MessageID in another case, or with a leading zero
    REPORT_ORPHAN = "report-orphan"  # one more, of an id that nobody knows


#: How a request ends that meets one of them; of several the first. LATENCY goes with each.
ENDINGS = (
    *(Switch.CUT_HEADERS, Switch.HTTP_5XX, Switch.CUT_BODY),
    *(Switch.CUT_ANSWER, Switch.MALFORMED, Switch.HALF_ANSWER),
)
_OF_REPORTS = tuple(switch for switch in Switch if switch.startswith("report-"))
_STATUSES = (500, 502, 503, 504)
_MAX_WAIT: Millis = 3_600_000
_RANGE = re.compile(r"(\d{1,7})-(\d{1,7})", re.ASCII)

#: Beginning of the numbers that orphans are about: nobody sends there.
NOBODY = "1900555"

Range = tuple[Millis, Millis]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChaosSettings:
    """What goes wrong and how often. Switches that are not in `probabilities` are off.

    `latency` and `delay` (of reports) are ranges in milliseconds of the simulated carrier's time.
    """

    seed: int = 0
    probabilities: Mapping[Switch, float] = field(default_factory=lambda: MappingProxyType({}))
    latency: Range = (100, 2000)
    delay: Range = (1000, 30_000)

    @property
    def is_on(self) -> bool:
        """Whether anything can go wrong."""
        return any(self.probabilities.values())

    def json(self) -> dict[str, object]:
        """As `read_settings` takes it."""
        switches = {switch.value: self.probabilities.get(switch, 0.0) for switch in Switch}
        return {"seed": self.seed, **switches, "latency-ms": list(self.latency), "delay-ms": list(self.delay)}


def read_settings(given: Mapping[str, object]) -> ChaosSettings:
    """The settings in a table of names and values.

    `all` sets every switch that has no line of its own. Raises ValueError for a name that is none and for a value
    out of its range, in words for the caller.
    """
    known = {"seed", "all", "latency-ms", "delay-ms", *Switch}
    if odd := sorted(given.keys() - known):
        raise ValueError(
            f"{odd[0]!r} is no switch of chaos: there are seed, all, {', '.join(Switch)}, latency-ms, delay-ms"
        )
    seed = given.get("seed", 0)
    if isinstance(seed, bool) or not isinstance(seed, int):
        raise ValueError(f"seed must be a whole number, not {seed!r}")  # noqa: TRY004  # one error for the caller
    every = dict.fromkeys(Switch, given["all"]) if "all" in given else {}
    wanted = every | {switch: given[switch] for switch in Switch if switch in given}
    usual = ChaosSettings()
    return ChaosSettings(
        seed=seed,
        probabilities={switch: _probability(switch, value) for switch, value in wanted.items()},
        latency=_range("latency-ms", given.get("latency-ms", usual.latency)),
        delay=_range("delay-ms", given.get("delay-ms", usual.delay)),
    )


def parse_settings(text: str, *, seed: int = 0) -> ChaosSettings:
    """The settings in words: ``latency=0.05,cut-body=0.05,latency-ms=100-500``.

    Raises ValueError as `read_settings` does.
    """
    given: dict[str, object] = {}
    for pair in filter(None, (pair.strip() for pair in text.split(","))):
        name, equals, value = (piece.strip() for piece in pair.partition("="))
        if not equals:
            raise ValueError(f"{pair!r} is not like latency=0.05")
        if name in given:
            raise ValueError(f"{name} is given twice")
        given[name] = _value(value)
    return read_settings({"seed": seed} | given)


def _value(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _probability(name: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise ValueError(f"{name} must be a probability from 0 to 1, not {value!r}")
    return float(value)


def _range(name: str, value: object) -> Range:
    if isinstance(value, str) and (found := _RANGE.fullmatch(value)):
        value = [int(found[1]), int(found[2])]
    match value:
        case [int(low), int(high)] if not isinstance(low, bool) and 0 <= low <= high <= _MAX_WAIT:
            return low, high
    raise ValueError(
        f"{name} must be two numbers of milliseconds, such as 100-500, at most {_MAX_WAIT:,}; not {value!r}"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestFate:
    """What a request meets: `latency` before its answer, and one of `ENDINGS` or None. `status` is for HTTP_5XX."""

    latency: Millis = 0
    ending: Switch | None = None
    status: int = 503

    @property
    def is_kind(self) -> bool:
        """Whether nothing goes wrong."""
        return self.ending is None and not self.latency


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportFate:
    """What a report meets. `swaps_case` says how `altered` alters; `orphan` is a stranger's number, or empty."""

    delay: Millis = 0
    twice: bool = False
    held: bool = False
    altered: bool = False
    swaps_case: bool = False
    orphan: str = ""

    def alter(self, message_id: str) -> str:
        """The MessageID as this report bears it."""
        if not self.altered or not message_id:
            return message_id
        swapped = message_id.swapcase()
        return swapped if self.swaps_case and swapped != message_id else f"0{message_id}"


class Chaos:
    """The dice of one simulator. `done` counts what has gone wrong by chaos since the settings were made."""

    def __init__(self, settings: ChaosSettings | None = None) -> None:
        self.begin(settings or ChaosSettings())

    def begin(self, settings: ChaosSettings) -> None:
        """Begin anew with these settings: the dice and the counters too."""
        self.settings = settings
        self.done: Counter[Switch] = Counter()
        self.requests = self.reports = 0
        self._of_requests = random.Random(f"{settings.seed} requests")  # noqa: S311  # dice, no secret
        self._of_reports = random.Random(f"{settings.seed} reports")  # noqa: S311  # dice, no secret

    def did(self, switch: Switch) -> None:
        """Count something that went wrong."""
        self.done[switch] += 1

    def of_request(self) -> RequestFate:
        """What the next request meets."""
        if not self.settings.is_on:
            return RequestFate()
        self.requests += 1
        met = self._met((Switch.LATENCY, *ENDINGS), self._of_requests)
        latency = self._between(self.settings.latency, self._of_requests)
        status = _STATUSES[int(self._of_requests.random() * len(_STATUSES))]
        return RequestFate(
            latency=latency if Switch.LATENCY in met else 0,
            ending=next((switch for switch in ENDINGS if switch in met), None),
            status=status,
        )

    def of_report(self) -> ReportFate:
        """What the next report meets."""
        if not self.settings.is_on:
            return ReportFate()
        self.reports += 1
        met = self._met(_OF_REPORTS, self._of_reports)
        delay = self._between(self.settings.delay, self._of_reports)
        swaps_case = self._of_reports.random() < 0.5
        stranger = f"{NOBODY}{int(self._of_reports.random() * 10_000):04}"
        return ReportFate(
            delay=delay if Switch.REPORT_DELAY in met else 0,
            twice=Switch.REPORT_DUPLICATE in met,
            held=Switch.REPORT_REORDER in met,
            altered=Switch.REPORT_ALTER in met,
            swaps_case=swaps_case,
            orphan=stranger if Switch.REPORT_ORPHAN in met else "",
        )

    def _met(self, switches: tuple[Switch, ...], dice: random.Random) -> set[Switch]:
        rolls = {switch: dice.random() for switch in switches}
        return {switch for switch, roll in rolls.items() if roll < self.settings.probabilities.get(switch, 0.0)}

    @staticmethod
    def _between(limits: Range, dice: random.Random) -> Millis:
        low, high = limits
        return low + int(dice.random() * (high - low + 1))
