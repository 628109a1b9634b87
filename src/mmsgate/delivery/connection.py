"""One carrier connection as the delivery sees it: what its answers tell, and how many messages to have in hand.

It is kept by the connection's name and outlives the lanes: where a profile changes, the lane that ends and the one
that begins share it, so that the carrier gets no more than its profile says, and what is down stays down.
"""

import asyncio
import logging
import math
from collections.abc import Callable
from dataclasses import dataclass, replace

from mmsgate.bucket import Buckets
from mmsgate.carriers.outcome import Accepted, OurFault, Paused, SubmitOutcome, Temporary, Unknown
from mmsgate.carriers.profile import CarrierProfile, Pace
from mmsgate.clock import SECOND, Clock, Millis, iso
from mmsgate.delivery.alarms import Alarms
from mmsgate.delivery.caps import DailyCaps
from mmsgate.delivery.health import Health, Standing
from mmsgate.delivery.shares import ROUNDING, units_of
from mmsgate.delivery.throttle import Throttle
from mmsgate.domain.share import BUSY, DOWN, IDLE
from mmsgate.places import Places
from mmsgate.store import Wish
from mmsgate.store.queue import QueueRows

log = logging.getLogger("mmsgate.delivery")

#: One message stands ready behind this many connections.
READY_SHARE = 4
#: Messages in hand behind those under way, per connection: the next is ready when one is free, the last recorded.
AHEAD = 2
#: With a slow carrier no more are in hand than leave within that time: the others wait in the queue, in turn.
AHEAD_TIME: Millis = 1 * SECOND
#: How much the last answer's time counts in the average.
NEWEST = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionState:
    """How a connection stands: `since` when, nothing leaves before `opens_at`, `window` requests at once at most,
    `rate` a second (0: no limit), `under_way` now."""

    name: str
    standing: Standing
    since: Millis
    opens_at: Millis
    window: int
    rate: float
    under_way: int

    def __str__(self) -> str:
        limits = f"{self.window} at once" + (f", {self.rate:g} a second" if self.rate else "")
        since = f" since {iso(self.since)}" if self.since else ""
        return f"{self.name} is {self.standing}{since}: {limits}, {self.under_way} under way"


class Connection:
    """Health and throttle of one connection, the limits of its `senders`, and the alarms about it.

    `async with connection:` is for one request. `on_change` is called with its name when it goes down, is paused,
    is closed again after a probe, or comes up again.
    """

    def __init__(
        self, profile: CarrierProfile, *, rows: QueueRows, alarms: Alarms, clock: Clock,
        on_change: Callable[[str], None],
    ) -> None:  # fmt: skip
        self.name, self._alarms, self._clock, self._on_change = profile.name, alarms, clock, on_change
        pace = profile.pace
        self._profile, self._pace, self._part = profile, pace, 1.0
        self.health = Health(pace.connections, clock, self._changed)
        self.throttle = Throttle(pace.rate, pace.burst, clock)
        self.caps = DailyCaps(profile.name, pace.sender_daily, rows, clock)
        self.senders: Buckets[str] = Buckets(lambda _: self._pace.sender_rate)
        self._places = Places(_places(pace))
        self._answer_time = 0.0  # milliseconds, on average
        self.under_way = 0
        self._troubled = True  # an alarm of the run before may be open
        self._down, self._refuses = f"{self.name} is down", f"{self.name} refuses us"
        self._rejects = f"{self.name} rejects requests"

    def follow(self, profile: CarrierProfile) -> None:
        """The profile has changed: its figures hold from now on, also for what is under way.

        What kept the connection down or paused may be over where it goes to another place, or with other
        credentials.
        """
        renewed = _access(profile) != _access(self._profile)
        self._profile = profile
        self.caps.most = profile.pace.sender_daily
        self._set_pace()
        if renewed:
            self.health.renewed()

    # -- with others

    @property
    def wish(self) -> Wish:
        """What it asks for of its rate and requests in flight, where other processes send, too."""
        units = units_of(self._profile.pace.connections, self._profile.pace.rate)
        using = math.ceil(self.under_way * units / self._profile.pace.connections)
        up = self.health.standing is Standing.UP
        weight = (BUSY if self.under_way else IDLE) if up else DOWN
        return Wish(units=units, weight=weight, using=min(using, units))

    def take_part(self, part: float) -> bool:
        """Use that part of rate and requests in flight from now on, 0: nothing leaves; whether that is news."""
        if part == self._part:
            return False
        self._part = part
        self._set_pace()
        return True

    def _set_pace(self) -> None:
        pace, part = self._profile.pace, self._part
        self._pace = _part_of(pace, part)
        self.health.connections = self._pace.connections
        if not part:
            self._places.change(0)
            return
        self._places.change(_places(pace) if part == 1 else self._pace.connections)
        self.throttle.change(self._pace.rate, self._pace.burst)

    @property
    def state(self) -> ConnectionState:
        health = self.health
        return ConnectionState(
            name=self.name, standing=health.standing, since=health.since, opens_at=health.opens_at,
            window=health.window, rate=self.throttle.limit, under_way=self.under_way,
        )  # fmt: skip

    # -- for the lane

    @property
    def opens_at(self) -> Millis:
        """Nothing leaves before."""
        return self.health.opens_at

    @property
    def fresh_since(self) -> Millis:
        """What became due before is the backlog of an outage."""
        return self.health.up_since

    def room(self, in_hand: int) -> int:
        """How many more messages may be taken in hand: what has to wait waits in the queue, where others pass."""
        if self.health.closed or not self._part:
            return 0
        in_hand = max(in_hand, self.under_way)  # some may be in the hand of a lane that ends
        if self.health.slow:
            return max(0, self.health.window - in_hand)
        most = self._most_in_hand - in_hand
        by_rate = self.throttle.ahead
        if by_rate is not None:
            most = min(most, by_rate - (in_hand - self.under_way))
        return max(0, most)

    def admits(self, waiting: int) -> bool:
        """Whether it is a good place for another message: it is up, or one may try whether it is.

        Without the second, nothing would ever find out where all messages have moved to another connection.
        """
        health = self.health
        return health.standing is Standing.UP or (not health.closed and waiting < health.window)

    @property
    def _most_in_hand(self) -> int:
        """Messages in hand, with those under way: the slower the answers, the fewer have to stand behind."""
        connections = self._pace.connections
        behind = connections * AHEAD
        if self._answer_time > AHEAD_TIME / AHEAD:
            soon = int(connections * AHEAD_TIME / self._answer_time)
            behind = max(1, connections // READY_SHARE, soon)
        return connections + behind

    # -- for the delivery

    @property
    def crowded(self) -> bool:
        """More requests are under way than may be while it is slow."""
        return self.health.slow and self.under_way > self.health.window

    async def __aenter__(self) -> None:
        """Wait for a place among those that may be under way, and for a turn."""
        await self._places.acquire()
        try:
            await self._turn()
        except asyncio.CancelledError:
            self._places.release()
            raise
        self.under_way += 1

    async def _turn(self) -> None:
        """Wait for a turn, and for another one where the carrier has named a time meanwhile."""
        if self.health.closed:
            return
        wait = self.throttle.turn()
        while wait:
            await asyncio.sleep(wait / SECOND)
            wait = self.throttle.turn() if self.throttle.held else 0.0

    async def __aexit__(self, *_: object) -> None:
        self.under_way -= 1
        self._places.release()

    async def learn(
        self, outcome: SubmitOutcome, took: Millis, subject: object, *, by: CarrierProfile | None = None
    ) -> None:
        """What an answer that `took` so many ms says of the connection; `subject` is the message it was about.

        `by` is the profile that the request left by: what an earlier endpoint says, or what it says to earlier
        credentials, tells nothing of the present ones.
        """
        if by is not None and _access(by) != _access(self._profile):
            return
        match outcome:
            case Accepted():
                await self._answered(took, accepted=True)
            case Paused(text=text):
                await self._refused(text)
            case Temporary(down=True, text=text, after=after):
                await self._failed(text, after or 0)
            case Unknown(down=True, text=text):
                await self._failed(text)
            case OurFault(text=text):
                self._troubled = True
                await self._alarms.raise_(self._rejects, f"{subject}: {text}")
                await self._answered(took, accepted=False)
            case Temporary(throttled=True):
                if self.throttle.complained(outcome.after):
                    log.warning("%s wants us slower: %g requests a second now", self.name, self.throttle.limit)
                await self._answered(took, accepted=False)
            case _:
                await self._answered(took, accepted=False)

    async def _refused(self, text: str) -> None:
        self._troubled = True
        self.health.refused()
        await self._alarms.raise_(self._refuses, f"{text}; the connection is paused, its messages wait")

    async def _failed(self, text: str, after: Millis = 0) -> None:
        if self.health.failed(after=after):
            self._troubled = True
            await self._alarms.raise_(self._down, f"{text}; its messages wait, two at a time try it")

    async def _answered(self, took: Millis, *, accepted: bool) -> None:
        self._answer_time += (took - self._answer_time) * NEWEST
        if self.health.answered(accepted=accepted):
            await self._alarms.clear(self._down)
        if self._troubled and accepted:  # what was wrong is over. Once after a start, and after each alarm
            self._troubled = False
            for subject in (self._refuses, self._down, self._rejects):
                await self._alarms.clear(subject)

    def _changed(self) -> None:
        log.warning("%s", self.state)
        self._on_change(self.name)


def _places(pace: Pace) -> int:
    """Requests under way, and a few that stand ready behind them.

    With a rate nothing has to stand ready: a turn is only taken where a connection is free for it.
    """
    return pace.connections + (0 if pace.rate else max(1, pace.connections // READY_SHARE))


def _part_of(pace: Pace, part: float) -> Pace:
    """That part of a pace. Its last request in flight is not cut in two."""
    connections = max(1, int(pace.connections * part + ROUNDING))
    return replace(
        pace, connections=connections, rate=pace.rate * part, burst=max(1, int(pace.burst * part)),
        sender_rate=pace.sender_rate * part,
    )  # fmt: skip


def _access(profile: CarrierProfile) -> tuple[object, ...]:
    """Where a profile goes and what it shows there."""
    return profile.endpoints, profile.auth, profile.mm7.vaspid, profile.mm7.vasid, profile.mm7.vasids
