"""How many messages one sender may give one connection on a UTC day.

What the carrier has, or may have, counts; what it refused for now does not. The count is in the store, so that a
restart begins no new day.
"""

from mmsgate.clock import DAY, Clock, Millis
from mmsgate.domain.message import counted
from mmsgate.store.queue import QueueRows


class DailyCaps:
    """The days of one connection's senders; `most` 0 is no limit."""

    def __init__(self, connection: str, most: int, rows: QueueRows, clock: Clock) -> None:
        self._connection, self.most, self._rows, self._clock = connection, most, rows, clock
        self._day = 0
        self._today: dict[str, int] = {}  # with what is under way

    async def take(self, sender: str) -> bool:
        """Whether the sender may give another message today; then it counts, until it is given back."""
        if not self.most:
            return True
        if await self.full(sender):
            return False
        self._today[sender] += 1
        return True

    async def full(self, sender: str) -> bool:
        """Whether the sender has given all that it may today."""
        return self.most > 0 and await self._given(sender) >= self.most

    def give_back(self, sender: str) -> None:
        """The carrier does not have it."""
        if self._today.get(sender):
            self._today[sender] -= 1

    async def count(self, sender: str) -> None:
        """The carrier has it, or may have it."""
        await self._rows.count_sent(self._connection, sender, self._clock.now() // DAY)

    def spent(self, sender: str) -> str:
        """Why a sender has to wait, for people."""
        most = counted(self.most, "message")
        given = f"{sender} has given {self._connection} {most} today, which is all it may"
        return f"{given}: its turn comes after 00:00 UTC"

    @property
    def next_day(self) -> Millis:
        """When the count begins anew: at midnight, UTC."""
        return (self._clock.now() // DAY + 1) * DAY

    async def _given(self, sender: str) -> int:
        while True:
            day = self._clock.now() // DAY
            if day != self._day:
                self._day, self._today = day, {}
            if sender in self._today:
                return self._today[sender]
            given = await self._rows.sent(self._connection, sender, day)
            if day == self._day:  # else the day has ended meanwhile
                self._today.setdefault(sender, given)  # somebody else may have asked, too
