"""An SMSC's connection as data, for fallback SMS."""

from dataclasses import dataclass, field

from mmsgate.clock import DAY, MINUTE, Millis


@dataclass(frozen=True, slots=True, kw_only=True)
class SmscProfile:
    """One bind to an SMSC (SMPP 3.4).

    `window` is how many submit_sm may be unanswered. `unknown_wait` is how long a receipt may take to settle a lost
    answer, `report_wait` how long to wait for the receipts.
    """

    name: str
    host: str
    port: int
    system_id: str = ""
    password: str = field(default="", repr=False)
    window: int = 64
    unknown_wait: Millis = 15 * MINUTE
    report_wait: Millis = 3 * DAY
