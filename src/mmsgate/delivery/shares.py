"""This process's part of what all of them share: each connection's rate and requests in flight, each account's
rate.

It is asked for anew all the time, and holds for a few seconds. When it can't be renewed it ends by itself, before
others may have it: so all together never use more than there is.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping

from mmsgate.clock import SECOND, Clock, Millis
from mmsgate.store import StoreFault, Wish
from mmsgate.store.shares import Shares

log = logging.getLogger("mmsgate.delivery")

RENEW_EVERY: Millis = 1 * SECOND
LEASE: Millis = 4 * SECOND
#: How long before the end of its lease a part is not used any more: what was begun may take that long to leave.
MARGIN: Millis = 1 * SECOND

#: A rate is cut into units of about so many a second: slower ones are worked by one process at a time, which keeps
#: them more exactly than several could.
UNIT_RATE = 10.0
#: What a product of floats may fall short of a whole number.
ROUNDING = 1e-6

#: What is wished at the moment, by thing.
Wishes = Callable[[], Mapping[str, Wish]]


def units_of(places: int, rate: float) -> int:
    """Into how many units so many requests in flight, and that rate (0: no limit), are cut."""
    return min(places, max(1, int(rate / UNIT_RATE))) if rate else places


class ShareKeeper:
    """Holds the parts of this process. `on_change` is called after each renewal, also when parts have run out."""

    def __init__(
        self, shares: Shares | None, node: str, wishes: Wishes, *, on_change: Callable[[], None], clock: Clock
    ) -> None:
        self._shares, self._node, self._wishes, self._clock = shares, node, wishes, clock
        self._on_change = on_change
        self._held: dict[str, tuple[int, int]] = {}  # units, and how many there are
        self._until: Millis = 0
        self._asked = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def part(self, thing: str) -> float:
        """The part of a thing that may be used now, from 0 to 1. Without others it is all."""
        if self._shares is None:
            return 1.0
        if self._clock.now() >= self._until:
            return 0.0
        units, most = self._held.get(thing, (0, 1))
        return units / most

    def start(self) -> None:
        if self._shares is not None and self._task is None:
            self._task = asyncio.create_task(self._keep(self._shares), name="shares")

    async def stop(self) -> None:
        """Give all of it back. May be called twice."""
        task, self._task = self._task, None
        if task is None or self._shares is None:
            return
        task.cancel()
        await asyncio.wait({task})
        self._held.clear()
        with contextlib.suppress(StoreFault):  # then the lease ends
            await self._shares.give_back(self._node)

    def wish(self) -> None:
        """Something is wished that was not: ask at once."""
        self._asked.set()

    async def _keep(self, shares: Shares) -> None:
        while True:
            try:
                async with asyncio.timeout((LEASE - MARGIN - RENEW_EVERY) / SECOND):
                    await self.renew(shares)
            except (StoreFault, TimeoutError) as fault:
                log.warning("the parts of rates could not be renewed: %s", str(fault) or "no answer")
            except Exception:
                log.exception("the parts of rates could not be renewed")
            self._on_change()
            self._asked.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(RENEW_EVERY / SECOND):
                    await self._asked.wait()

    async def renew(self, shares: Shares) -> None:
        """Ask for what is wished now."""
        wishes = dict(self._wishes())
        began = self._clock.now()
        granted = await shares.renew(self._node, wishes, lease=LEASE)
        self._held = {thing: (units, wishes[thing].units) for thing, units in granted.items()}
        self._until = began + LEASE - MARGIN
