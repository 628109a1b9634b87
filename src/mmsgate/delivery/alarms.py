"""Alarms: what an operator has to look at, in the log and in the store."""

import logging

from mmsgate.clock import Clock
from mmsgate.domain.number import mask_numbers
from mmsgate.store import Store

log = logging.getLogger("mmsgate.alarm")


class Alarms:
    """Raises and clears. The same subject again only counts."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock = store, clock

    async def raise_(self, subject: str, reason: str) -> None:
        log.error("%s: %s", subject, mask_numbers(reason))
        await self._store.accounts.raise_alarm(subject, reason, at=self._clock.now())

    async def clear(self, subject: str) -> None:
        if await self._store.accounts.clear_alarm(subject, at=self._clock.now()):
            log.warning("cleared: %s", subject)
