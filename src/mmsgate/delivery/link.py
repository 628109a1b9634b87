"""What is known of one SMSC: whether there is a bind, what has left for it, and who has sent how much.

It is kept by the connection's name and outlives the lanes: where a profile changes, the lane that ends and the one
that begins share it, so that the SMSC gets no more than its profile says.
"""

import math
from collections.abc import Callable
from dataclasses import replace

from mmsgate.bucket import Buckets
from mmsgate.carriers.smsc import SmscProfile
from mmsgate.clock import Clock, Millis
from mmsgate.delivery.alarms import Alarms
from mmsgate.delivery.caps import DailyCaps
from mmsgate.delivery.gate import Gate
from mmsgate.delivery.shares import ROUNDING, units_of
from mmsgate.domain.share import BUSY, DOWN, IDLE
from mmsgate.places import Places
from mmsgate.sms.outflow import Outflow
from mmsgate.store import Wish
from mmsgate.store.queue import QueueRows

#: One message stands ready behind this many places of the window.
READY_SHARE = 4


class Link:
    """The `gate` of an SMSC's queue, closed while there is no bind, the `outflow` of its connections, and the
    limits of its `senders`.

    `ready` are the messages that may be committed as under way: hardly more than the window holds. What the
    connection of a lane that ends tells of its bind is no news: one `connection` counts.

    It is `down` when somebody should look at it: the bind was refused, or the tries to bind have grown as rare as
    they get. `on_change` is called with its name when it is, again, and when it is no more.
    """

    def __init__(
        self, profile: SmscProfile, *, rows: QueueRows, alarms: Alarms, clock: Clock,
        on_change: Callable[[str], None],
    ) -> None:  # fmt: skip
        self.name, self._profile, self._part, self._on_change = profile.name, profile, 1.0, on_change
        self.gate = Gate(clock)
        self.down = False
        self.caps = DailyCaps(profile.name, profile.pace.sender_daily, rows, clock)
        self.senders: Buckets[str] = Buckets(lambda _: self._profile.pace.sender_rate * self._part)
        self.outflow = Outflow(profile.settings())
        self.ready = Places(_ready(profile))
        self.connection: object = None
        self._alarms, self._no_bind = alarms, f"{profile.name} has no bind"

    def follow(self, profile: SmscProfile) -> None:
        """The profile has changed: its figures hold from now on, also for what is under way."""
        self._profile = profile
        self.caps.most = profile.pace.sender_daily
        self._set_pace()

    # -- with others

    @property
    def wish(self) -> Wish:
        """What it asks for of its rate and window, where other processes send, too."""
        pace, taken = self._profile.pace, self.outflow.window.taken
        units = units_of(pace.window, pace.rate)
        weight = (BUSY if taken else IDLE) if self.gate.room(0) else DOWN  # nothing can leave without a bind
        return Wish(units=units, weight=weight, using=min(units, math.ceil(taken * units / pace.window)))

    def take_part(self, part: float) -> bool:
        """Use that part of its rate and window from now on, 0: nothing leaves; whether that is another."""
        if part == self._part:
            return False
        self._part = part
        self._set_pace()
        return True

    def _set_pace(self) -> None:
        settings, part = self._profile.settings(), self._part
        if part == 1:
            self.outflow.follow(settings)
            self.ready.change(_ready(self._profile))
            return
        window = max(1, int(settings.window * part + ROUNDING)) if part else 0
        self.outflow.window.change(window)
        self.ready.change(window)
        if part:
            self.outflow.follow(
                replace(
                    settings, window=window, rate=settings.rate * part, burst=max(1, int(settings.burst * part))
                )
            )

    def begin(self, connection: object) -> None:
        """That connection counts from now on. The queue waits until it has its bind."""
        self.connection = connection
        self.lost(connection)

    def lost(self, connection: object) -> None:
        """That connection has no bind."""
        if connection is self.connection:
            self.gate.close()

    async def told(self, connection: object, problem: str) -> None:
        """That connection has its bind (an empty text), or what keeps it from it."""
        if connection is not self.connection:
            return
        changed = self.down or bool(problem)
        self.down = bool(problem)
        if problem:
            await self._alarms.raise_(self._no_bind, f"{problem}; its SMS wait")
        else:
            self.gate.open()
            await self._alarms.clear(self._no_bind)
        if changed:
            self._on_change(self.name)

    # -- for the lane

    @property
    def opens_at(self) -> Millis:
        """Nothing leaves before."""
        return self.gate.opens_at

    @property
    def fresh_since(self) -> Millis:
        """No outage is counted as one: what has waited goes first."""
        return self.gate.fresh_since

    def room(self, in_hand: int) -> int:
        """As many as there are places, unless there is no bind, or others have all of it."""
        return self.gate.room(in_hand) if self._part else 0

    def admits(self, _: int) -> bool:
        """Whether it is a good place for another SMS. A bind that was lost a moment ago will be back in another."""
        return not self.down


def _ready(profile: SmscProfile) -> int:
    window = profile.pace.window
    return window + max(1, window // READY_SHARE)
