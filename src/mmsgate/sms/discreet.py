"""What the SMPP library is given so that it queues nothing and tells nobody's numbers."""

import asyncio
import logging

from aiosmpplib import AbstractBroker, SmppMessage  # type: ignore[import-untyped]  # it has no py.typed

log = logging.getLogger("mmsgate.sms")


class NothingQueued(AbstractBroker):  # type: ignore[misc]  # the base class has no types
    """The library's outgoing queue, unused: `Session.submit` writes by itself."""

    async def enqueue(self, message: SmppMessage) -> None:
        raise RuntimeError("nothing is queued here: use Session.submit")

    async def dequeue(self) -> SmppMessage:
        return await asyncio.get_running_loop().create_future()


class Discreet(logging.Handler):
    """Passes on what the library says without its values: they hold numbers, texts and whole PDUs."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._smsc = name

    def emit(self, record: logging.LogRecord) -> None:
        words = str(record.msg).partition(" >>> ")[0]
        log.debug("SMSC %s: library: %s", self._smsc, words)
