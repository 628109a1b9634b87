"""What has to be done now and then: chores, one after the other, a failing one keeps none of the others from its
turn.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

from mmsgate.errors import Fault

log = logging.getLogger("mmsgate")

#: Seconds between two rounds of what is usual, and of what somebody waits for.
EVERY, LOOK_EVERY = 60.0, 1.0

Chore = Callable[[], Awaitable[object]]


class Housekeeping:
    """Does the `own` chores of this process, and the `common` ones where it `leads` those who share the work: a
    round `every` so many seconds.
    """

    def __init__(
        self, *, common: Sequence[Chore], leads: Callable[[], bool], own: Sequence[Chore] = (), every: float = EVERY
    ) -> None:
        self._own, self._common, self._leads, self._every = own, common, leads, every
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        if self._task is None:
            self._task = asyncio.create_task(self._keep_on(), name="housekeeping")

    async def stop(self) -> None:
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait({task})

    async def _keep_on(self) -> None:
        while True:
            await asyncio.sleep(self._every)
            await self.keep()

    async def keep(self) -> None:
        """All of it once."""
        for chore in (*self._own, *(self._common if self._leads() else ())):
            try:
                await chore()
            except Fault as fault:
                log.warning("housekeeping failed, it will be tried again: %s", fault)
            except Exception:
                log.exception("housekeeping failed; it will be tried again")
