"""Keeps the picture of accounts and carriers fresh: a change by the command line counts within a second."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from mmsgate.errors import Fault
from mmsgate.store import Store
from mmsgate.store.accounts import Directory

log = logging.getLogger("mmsgate.watch")

LOOK_EVERY = 0.25  # seconds


class DirectoryWatch:
    """Holds the present `Directory`. `on_change` is awaited with each new one, the first included."""

    def __init__(self, store: Store, on_change: Callable[[Directory], Awaitable[None]]) -> None:
        self._store, self._on_change = store, on_change
        self._directory: Directory | None = None
        self._task: asyncio.Task[None] | None = None

    def __call__(self) -> Directory:
        """The present picture."""
        assert self._directory is not None, "the watch has not been started"
        return self._directory

    async def start(self) -> None:
        if self._task is None:
            await self.refresh()
            self._task = asyncio.create_task(self._look(), name="directory watch")

    async def stop(self) -> None:
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait({task})

    async def refresh(self) -> None:
        """Look now."""
        if self._directory is None or await self._store.accounts.revision() != self._directory.revision:
            self._directory = await self._store.accounts.directory()
            await self._on_change(self._directory)

    async def _look(self) -> None:
        complaint = ""
        while True:
            await asyncio.sleep(LOOK_EVERY)
            try:
                await self.refresh()
            except Fault as fault:
                if str(fault) != complaint:
                    log.warning("accounts and carriers can't be read, the old ones stay in force: %s", fault)
                complaint = str(fault)
            except Exception as error:
                if str(error) != complaint:  # four times a second would hide everything else in the log
                    log.exception("a change of accounts or carriers could not be read; the old ones stay in force")
                complaint = str(error)
            else:
                complaint = ""
