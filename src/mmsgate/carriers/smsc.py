"""An SMSC's connection as data, for fallback SMS: where it is, how it wants numbers and texts, our patience."""

import math
import ssl
from dataclasses import dataclass, field

from mmsgate.carriers.profile import FilePath, Gives, OnUnknown
from mmsgate.carriers.tls import trust_of
from mmsgate.clock import DAY, MINUTE, SECOND, Millis
from mmsgate.domain.number import SenderType
from mmsgate.sms.settings import SmscSettings
from mmsgate.sms.writing import Writing

#: The longest texts of SMPP 3.4 (4.1.5, 4.4.1), without their final NUL.
LONGEST = {"system_id": 15, "password": 8, "system_type": 12, "service_type": 5}


@dataclass(frozen=True, slots=True, kw_only=True)
class SmscTls:
    """SMPP over TLS, if `enabled`. The SMSC's certificate must be for its host.

    `authorities` is a PEM file with the SMSC's own authorities in place of the system's; `certificate` and `key`
    are PEM files of ours, where the SMSC asks for one.
    """

    enabled: bool = False
    authorities: FilePath = ""
    certificate: FilePath = ""
    key: FilePath = ""

    def __post_init__(self) -> None:
        if self.key and not self.certificate:
            raise ValueError("certificate is missing: there is a key")

    def context(self) -> ssl.SSLContext:
        """Our side of a connection. Raises ValueError that begins with the setting whose file can't be used."""
        return trust_of(self) or ssl.create_default_context()


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberType:
    """Type of number (SMPP 3.4 5.2.5) and numbering plan (5.2.6): international, ISDN."""

    ton: int = 1
    npi: int = 1

    def __post_init__(self) -> None:
        for name in ("ton", "npi"):
            if not 0 <= getattr(self, name) <= 255:
                raise ValueError(f"{name} is {getattr(self, name)}, it must be 0 to 255")


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkNumber(NumberType):
    """A short code belongs to the network."""

    ton: int = 3
    npi: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class AlphanumericName(NumberType):
    """A name in place of a number."""

    ton: int = 5
    npi: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbers:
    """How the SMSC wants each kind of sender announced, and the `recipient`."""

    short_code: NetworkNumber = NetworkNumber()
    long_code: NumberType = NumberType()
    toll_free: NumberType = NumberType()
    alphanumeric: AlphanumericName = AlphanumericName()
    recipient: NumberType = NumberType()

    def sender(self, kind: SenderType) -> NumberType:
        """The type of a sender that is a number."""
        match kind:
            case SenderType.SHORT_CODE:
                return self.short_code
            case SenderType.TOLL_FREE:
                return self.toll_free
            case _:
                return self.long_code


@dataclass(frozen=True, slots=True, kw_only=True)
class SmscPace:
    """How fast, and how patient.

    `window` is how many submit_sm may be unanswered; `rate` is parts of SMS a second and `burst` how many of them
    may come at once; `sender_rate` and `sender_daily` are SMS a second and a UTC day from one sender. 0 means no
    limit. `timeout` is how long an answer may take, `enquire` how long the link may be
    silent before enquire_link, `connect` how long connecting, binding and the answer to enquire_link may take.
    `retry` is the longest time between two tries to bind, and the one after a refused bind.
    """

    window: int = 64
    rate: float = 0.0
    burst: int = 1
    sender_rate: float = 0.0
    sender_daily: int = 0
    timeout: Millis = 30 * SECOND
    enquire: Millis = 30 * SECOND
    connect: Millis = 10 * SECOND
    retry: Millis = 1 * MINUTE

    def __post_init__(self) -> None:
        for name in ("window", "burst", "timeout", "enquire", "connect", "retry"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}, it must be 1 or more")
        if self.sender_daily < 0:
            raise ValueError(f"sender_daily is {self.sender_daily}, it must be 0 or more")
        for name in ("rate", "sender_rate"):
            if not math.isfinite(getattr(self, name)) or getattr(self, name) < 0:
                raise ValueError(f"{name} is {getattr(self, name):g}, it must be 0 or more")


@dataclass(frozen=True, slots=True, kw_only=True)
class SmscAnswers:
    """What becomes of an SMS whose answer was lost (R-19): a receipt may settle it for `unknown_wait`, then
    `on_unknown` does. There is no fallback of a fallback."""

    on_unknown: OnUnknown = OnUnknown.FAIL
    unknown_wait: Millis = 15 * MINUTE

    def __post_init__(self) -> None:
        if self.on_unknown is OnUnknown.FALLBACK:
            raise ValueError("on_unknown is fail or resend for an SMSC, there is no fallback of a fallback")
        if self.unknown_wait < 0:
            raise ValueError(f"unknown_wait is {self.unknown_wait}, it must be 0 or more")


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipts:
    """Which receipts the SMSC gives, and how long to `wait` for the final ones. Of one that gives none, none is
    asked for."""

    gives: Gives = Gives.FINAL
    wait: Millis = 3 * DAY

    def __post_init__(self) -> None:
        if self.wait < 1:
            raise ValueError(f"wait is {self.wait}, it must be 1 or more")


@dataclass(frozen=True, slots=True, kw_only=True)
class SmscProfile:
    """One bind as transceiver to an SMSC (SMPP 3.4). Raises ValueError for what SMPP can't carry.

    `system_id`, `password` and `system_type` are those of the bind, `service_type` that of every submit_sm.
    """

    name: str
    host: str
    port: int
    system_id: str = ""
    password: str = field(default="", repr=False)
    system_type: str = ""
    service_type: str = ""
    tls: SmscTls = SmscTls()
    numbers: Numbers = Numbers()
    text: Writing = field(default_factory=Writing)
    pace: SmscPace = SmscPace()
    answers: SmscAnswers = SmscAnswers()
    receipts: Receipts = Receipts()

    def __post_init__(self) -> None:
        for name, most in LONGEST.items():
            text: str = getattr(self, name)
            if not text.isascii() or len(text) > most:
                raise ValueError(f"{name} must be ASCII, {most} characters at most (SMPP 3.4)")
        if not 1 <= self.port <= 65535:
            raise ValueError(f"port is {self.port}, it must be 1 to 65535")

    def settings(self) -> SmscSettings:
        """What the connection needs to know of it."""
        pace = self.pace
        return SmscSettings(
            name=self.name, host=self.host, port=self.port, tls=self.tls.context if self.tls.enabled else None,
            system_id=self.system_id, password=self.password, system_type=self.system_type,
            window=pace.window, rate=pace.rate, burst=pace.burst, request_timeout=pace.timeout / SECOND,
            enquire_link_interval=pace.enquire / SECOND, socket_timeout=pace.connect / SECOND,
            reconnect_longest=pace.retry, alphabet=self.text.default,
        )  # fmt: skip
