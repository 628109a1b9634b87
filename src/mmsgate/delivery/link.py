"""What is known of one SMSC: whether there is a bind, what has left for it, and who has sent how much.

It is kept by the connection's name and outlives the lanes: where a profile changes, the lane that ends and the one
that begins share it, so that the SMSC gets no more than its profile says.
"""

from mmsgate.bucket import Buckets
from mmsgate.carriers.smsc import SmscProfile
from mmsgate.clock import Clock
from mmsgate.delivery.alarms import Alarms
from mmsgate.delivery.caps import DailyCaps
from mmsgate.delivery.gate import Gate
from mmsgate.places import Places
from mmsgate.sms.outflow import Outflow
from mmsgate.store.queue import QueueRows

#: One message stands ready behind this many places of the window.
READY_SHARE = 4


class Link:
    """The `gate` of an SMSC's queue, closed while there is no bind, the `outflow` of its connections, and the
    limits of its `senders`.

    `ready` are the messages that may be committed as under way: hardly more than the window holds. What the
    connection of a lane that ends tells of its bind is no news: one `connection` counts.
    """

    def __init__(self, profile: SmscProfile, *, rows: QueueRows, alarms: Alarms, clock: Clock) -> None:
        self._pace = profile.pace
        self.gate = Gate(clock)
        self.caps = DailyCaps(profile.name, profile.pace.sender_daily, rows, clock)
        self.senders: Buckets[str] = Buckets(lambda _: self._pace.sender_rate)
        self.outflow = Outflow(profile.settings())
        self.ready = Places(_ready(profile))
        self.connection: object = None
        self._alarms, self._no_bind = alarms, f"{profile.name} has no bind"

    def follow(self, profile: SmscProfile) -> None:
        """The profile has changed: its figures hold from now on, also for what is under way."""
        self._pace = profile.pace
        self.caps.most = profile.pace.sender_daily
        self.outflow.follow(profile.settings())
        self.ready.change(_ready(profile))

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
        if problem:
            await self._alarms.raise_(self._no_bind, f"{problem}; its SMS wait")
        else:
            self.gate.open()
            await self._alarms.clear(self._no_bind)


def _ready(profile: SmscProfile) -> int:
    window = profile.pace.window
    return window + max(1, window // READY_SHARE)
