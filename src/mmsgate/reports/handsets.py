"""What is known of phones, and for how long."""

from mmsgate.clock import DAY, Clock, Millis
from mmsgate.store import Handset, Store


class Handsets:
    """The handsets that reports named, each remembered for `days` days after it was seen last."""

    def __init__(self, store: Store, clock: Clock, *, days: int) -> None:
        self._store, self._clock, self._life = store, clock, days * DAY

    async def known(self, number: str) -> Handset | None:
        """The handset of a number, if one is remembered."""
        return await self._store.handsets.get(number, since=self._oldest + 1)

    async def forget(self) -> int:
        """Drop those that have had their time; how many."""
        return await self._store.handsets.forget(before=self._oldest + 1)

    @property
    def _oldest(self) -> Millis:
        return self._clock.now() - self._life
