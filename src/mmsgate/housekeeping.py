"""What has to be done now and then: chores, one after the other, a failing one keeps none of the others from its
turn.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

from mmsgate.errors import Fault

log = logging.getLogger("mmsgate")

EVERY = 60.0  # seconds

Chore = Callable[[], Awaitable[object]]


class Housekeeping:
    """Does the `own` chores of this process, and the `common` ones where it `leads` those who share the work."""

    def __init__(self, *, own: Sequence[Chore], common: Sequence[Chore], leads: Callable[[], bool]) -> None:
        self._own, self._common, self._leads = own, common, leads
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
            await asyncio.sleep(EVERY)
            await self.keep()

    async def keep(self) -> None:
        """All of it once."""
        for chore in (*self._own, *(self._common if self._leads() else ())):
            try:
                await chore()
            except Fault as fault:
                log.warning("housekeeping failed, it will be tried again in a minute: %s", fault)
            except Exception:
                log.exception("housekeeping failed; it will be tried again in a minute")
