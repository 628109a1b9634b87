"""How to reach an SMSC, and how patient to be with it."""

import ssl
from collections.abc import Callable
from dataclasses import dataclass, field

from mmsgate.clock import MINUTE, SECOND, Millis
from mmsgate.domain.gsm import Alphabet

_LIMITS = {"system_id": 15, "password": 8, "system_type": 12}  # SMPP 3.4 4.1.5, without the final NUL


@dataclass(frozen=True, slots=True, kw_only=True)
class SmscSettings:
    """One bind as transceiver. Raises ValueError for what SMPP can't carry.

    `name` is ours, for logs. `window` is how many submit_sm may be unanswered at once, `rate` how many may leave in
    a second (0: no limit) and `burst` how many of them at once. In seconds:
    `request_timeout` how long a submit_sm waits for its turn, and then for its answer; `enquire_link_interval` how
    long the link may be silent before it is asked for a sign of life; `socket_timeout` for connecting, binding
    and that sign; `stop_grace` how long a stop waits for what is under way. `reconnect_first` and
    `reconnect_longest` bound the time between two tries to connect, in milliseconds; a refused bind waits the
    longest. `inbound_limit` is how many deliver_sm may be in the hands of the callbacks at once: above it the SMSC
    is told ESME_RTHROTTLED and repeats. `alphabet` is what data_coding 0 means to this SMSC. `tls` makes our side
    of a TLS connection: it is called in a thread, for each, and may raise OSError or ValueError; None: no TLS.
    """

    host: str
    port: int
    system_id: str
    password: str = field(default="", repr=False)
    system_type: str = ""
    tls: Callable[[], ssl.SSLContext] | None = None
    name: str = "smsc"
    window: int = 64
    rate: float = 0.0
    burst: int = 1
    request_timeout: float = 30.0
    enquire_link_interval: float = 30.0
    socket_timeout: float = 10.0
    stop_grace: float = 5.0
    reconnect_first: Millis = SECOND
    reconnect_longest: Millis = MINUTE
    inbound_limit: int = 256
    alphabet: Alphabet = Alphabet.GSM7

    def __post_init__(self) -> None:
        for name, limit in _LIMITS.items():
            value: str = getattr(self, name)
            if not value.isascii() or len(value) > limit:
                raise ValueError(f"SMSC {self.name}: {name} must be ASCII, {limit} characters at most (SMPP 3.4)")
        if self.window < 1 or self.burst < 1:
            raise ValueError(f"SMSC {self.name}: window and burst must be at least 1")
        if self.rate < 0:
            raise ValueError(f"SMSC {self.name}: rate must be 0 or more")
