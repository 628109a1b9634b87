"""How many messages one sender may give one connection on a UTC day.

What the carrier has, or may have, counts; what it refused for now does not. The count is in the store: a restart
begins no new day, and all processes that send for a sender share it. A message is counted before it leaves, so that
all of them together give no more; one that a process held as it died counts, too.
"""

import logging
from dataclasses import dataclass

from mmsgate.clock import DAY, Clock, Millis
from mmsgate.domain.message import counted
from mmsgate.domain.number import mask
from mmsgate.store import StoreFault
from mmsgate.store.queue import QueueRows

log = logging.getLogger("mmsgate.delivery")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One message of a sender's day, which is in days since 1970; None where nothing is counted."""

    sender: str
    day: int | None


#: What counts for nobody's day.
UNCOUNTED = Place(sender="", day=None)


class DailyCaps:
    """The days of one connection's senders; `most` 0 is no limit."""

    def __init__(self, connection: str, most: int, rows: QueueRows, clock: Clock) -> None:
        self._connection, self.most, self._rows, self._clock = connection, most, rows, clock

    async def full(self, sender: str) -> bool:
        """Whether the sender has given all that it may today."""
        return self.most > 0 and await self._rows.sent(self._connection, sender, self._today) >= self.most

    async def take(self, sender: str) -> Place | None:
        """A place in the sender's day for a message, which counts until it is given back; None: it is full."""
        if not self.most:
            return UNCOUNTED
        day = self._today
        taken = await self._rows.count_sent(self._connection, sender, day, most=self.most)
        return Place(sender=sender, day=day) if taken else None

    async def give_back(self, place: Place) -> None:
        """The carrier does not have it. Where that can't be kept, the sender may give one less that day."""
        if place.day is None:
            return
        try:
            await self._rows.uncount_sent(self._connection, place.sender, place.day)
        except StoreFault:
            log.exception(
                "%s: a message from %s goes on counting for its day", self._connection, mask(place.sender)
            )

    def spent(self, sender: str) -> str:
        """Why a sender has to wait, for people."""
        most = counted(self.most, "message")
        given = f"{sender} has given {self._connection} {most} today, which is all it may"
        return f"{given}: its turn comes after 00:00 UTC"

    @property
    def next_day(self) -> Millis:
        """When the count begins anew: at midnight, UTC."""
        return (self._today + 1) * DAY

    @property
    def _today(self) -> int:
        return self._clock.now() // DAY
