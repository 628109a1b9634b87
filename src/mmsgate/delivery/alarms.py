"""Alarms: what an operator has to look at, in the log and in the store."""

import logging

from mmsgate.clock import DAY, Clock, Millis
from mmsgate.domain.number import mask_numbers
from mmsgate.store import Store

log = logging.getLogger("mmsgate.alarm")

#: How much is shown of what could not be read, in hex digits.
LONGEST_HEX = 300
#: How long nothing unreadable has to come until the alarm about it ends: what was lost does not come back with the
#: next thing that can be read, so a person gets the time to see it.
READABLE_FOR: Millis = 1 * DAY
_UNREADABLE = "sends what can't be read"


class Alarms:
    """Raises and clears. The same subject again only counts."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock = store, clock

    async def raise_(self, subject: str, reason: str) -> None:
        log.error("%s: %s", subject, mask_numbers(reason))
        await self._store.accounts.raise_alarm(subject, reason, at=self._clock.now())

    async def unreadable(self, connection: str, reason: str, data: bytes = b"") -> None:
        """What `connection` sent was refused for good; `data` are its octets, if they are to be shown."""
        shown = f"{reason}: {data.hex()[:LONGEST_HEX]}" if data else reason
        await self.raise_(f"{connection} {_UNREADABLE}", shown)

    async def end_unreadable(self) -> None:
        """Clear the alarms of connections that have sent nothing unreadable for `READABLE_FOR`."""
        quiet_since = self._clock.now() - READABLE_FOR
        for alarm in await self._store.accounts.alarms():
            if alarm.subject.endswith(f" {_UNREADABLE}") and alarm.last_at <= quiet_since:
                await self.clear(alarm.subject)

    async def clear(self, subject: str) -> None:
        if await self._store.accounts.clear_alarm(subject, at=self._clock.now()):
            log.warning("cleared: %s", subject)
