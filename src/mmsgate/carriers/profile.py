"""A carrier's connection as data: where it is, how it wants its MM7, what it takes, how patient we are.

Profiles live in the store as JSON, so that hosts cannot drift; every field has a default but name and url.
"""

import json
from collections.abc import Mapping
from dataclasses import MISSING, asdict, dataclass, field, fields
from enum import StrEnum

from mmsgate.clock import DAY, MINUTE, Millis
from mmsgate.domain.media import TYPES
from mmsgate.domain.number import SenderType
from mmsgate.domain.rendition import Measure
from mmsgate.mm7.dialect import Dialect


class OnUnknown(StrEnum):
    """What to do with a message whose outcome stayed unknown (R-19)."""

    FAIL = "fail"
    RESEND = "resend"
    FALLBACK = "fallback"


@dataclass(frozen=True, slots=True, kw_only=True)
class CarrierProfile:
    """One connection to a carrier's MMSC.

    `connections` is how many requests may be under way, `timeout` seconds for an answer. `limit` is the bytes of
    the whole content, as `measure` counts them, and `limits` those for certain types of sender; 0: what
    `limits.toml` says of the operator. `types` are the MIME types its phones take; `h263` says that they want video
    as H.263 and AMR in 3GP. `operators` are the operators' ids it serves, ``*`` for all; `sender_types` the kinds
    of sender that may use it (E619). `unknown_wait` is how long a report may take to settle an unknown outcome,
    `report_wait` how long to wait for a final report at all. `report_user` and `report_password` are what the
    carrier has to send with its reports.
    """

    name: str
    url: str
    username: str = ""
    password: str = field(default="", repr=False)
    report_user: str = ""
    report_password: str = field(default="", repr=False)
    dialect: Dialect = field(default_factory=Dialect)
    connections: int = 16
    timeout: float = 60.0
    keepalive: float = 15.0
    limit: int = 0
    limits: Mapping[SenderType, int] = field(default_factory=dict)
    measure: Measure = Measure.DECODED
    h263: bool = False
    types: frozenset[str] = frozenset(entry.mime for entry in TYPES if entry.handset)
    operators: frozenset[str] = frozenset({"*"})
    sender_types: frozenset[SenderType] = frozenset(SenderType)
    on_unknown: OnUnknown = OnUnknown.FAIL
    unknown_wait: Millis = 15 * MINUTE
    report_wait: Millis = 3 * DAY
    indeterminate_is_final: bool = False
    rejected_falls_back: bool = False
    empty_answer_accepts: bool = False
    codes: Mapping[int, str] = field(default_factory=dict)  # status code → outcome, before the default table
    sms: str = "sms"  # the connection that carries the fallback SMS

    def serves(self, operator: str) -> bool:
        """Whether the connection reaches that operator's subscribers."""
        return "*" in self.operators or operator in self.operators


@dataclass(frozen=True, slots=True, kw_only=True)
class SmscProfile:
    """One bind to an SMSC (SMPP 3.4) for fallback SMS.

    `window` is how many submit_sm may be unanswered. `report_wait` is how long to wait for the receipts.
    """

    name: str
    host: str
    port: int
    system_id: str = ""
    password: str = field(default="", repr=False)
    window: int = 64
    unknown_wait: Millis = 15 * MINUTE
    report_wait: Millis = 3 * DAY


def carrier_json(profile: CarrierProfile | SmscProfile) -> str:
    """A profile as it is kept."""
    return json.dumps({"kind": _KINDS[type(profile)], **asdict(profile)}, default=sorted)


def carrier_from_json(text: str) -> CarrierProfile | SmscProfile:
    """A profile as it was kept. Raises ValueError with the name of what does not belong, or is missing."""
    kept = json.loads(text)
    kind = kept.pop("kind", "mm7")
    shape = SmscProfile if kind == "smpp" else CarrierProfile
    _check_names(kept, shape, "a carrier profile")
    if shape is SmscProfile:
        return SmscProfile(**kept)
    return _mm7_from(kept)


def _check_names(kept: Mapping[str, object], shape: type, what: str) -> None:
    known = fields(shape)
    unknown = kept.keys() - {f.name for f in known}
    if unknown:
        raise ValueError(f"{what} has no setting {', '.join(sorted(unknown))}")
    needed = [f.name for f in known if f.default is MISSING and f.default_factory is MISSING]
    missing = [name for name in needed if name not in kept]
    if missing:
        raise ValueError(f"{what} needs {', '.join(missing)}")


def _mm7_from(kept: dict[str, object]) -> CarrierProfile:
    shapes: dict[str, object] = {}
    for name, convert in _CONVERSIONS.items():
        if name in kept:
            shapes[name] = convert(kept.pop(name))
    return CarrierProfile(**kept, **shapes)  # type: ignore[arg-type]  # JSON values, names checked above


def _dialect(kept: object) -> Dialect:
    assert isinstance(kept, dict)
    _check_names(kept, Dialect, "a carrier profile's dialect")
    shapes = dict(kept)
    for name in ("omissions",):
        shapes[name] = frozenset(shapes.get(name, ()))
    shapes["constants"] = tuple((str(key), str(value)) for key, value in shapes.get("constants", ()))
    kinds = {f.name: type(f.default) for f in fields(Dialect) if isinstance(f.default, StrEnum)}
    for name, enum in kinds.items():
        if name in shapes:
            shapes[name] = enum(shapes[name])
    return Dialect(**shapes)


def _names(kept: object) -> frozenset[str]:
    assert isinstance(kept, list)
    return frozenset(map(str, kept))


def _limits(kept: object) -> dict[SenderType, int]:
    assert isinstance(kept, dict)
    return {SenderType(name): int(most) for name, most in kept.items()}


def _codes(kept: object) -> dict[int, str]:
    assert isinstance(kept, dict)
    return {int(code): str(outcome) for code, outcome in kept.items()}


_KINDS: Mapping[type, str] = {CarrierProfile: "mm7", SmscProfile: "smpp"}
_CONVERSIONS = {
    "dialect": _dialect,
    "types": _names,
    "operators": _names,
    "limits": _limits,
    "measure": lambda kept: Measure(str(kept)),
    "sender_types": lambda kept: frozenset(map(SenderType, _names(kept))),
    "on_unknown": lambda kept: OnUnknown(str(kept)),
    "codes": _codes,
}
