"""What leaves for one SMSC: at its pace, and into its window. It may outlive the connection that it leaves by."""

import asyncio
import logging
import time
from collections.abc import Callable

from mmsgate.places import Places
from mmsgate.sms.outcome import SmsAccepted, SmsOutcome, SmsRefused, SmsThrottled
from mmsgate.sms.pace import Pace
from mmsgate.sms.settings import SmscSettings

log = logging.getLogger("mmsgate.sms")


class Outflow:
    """The turns of messages and the places of unanswered parts, over all connections to the SMSC that share it.

    `now` is a monotonic clock, in seconds.
    """

    def __init__(self, settings: SmscSettings, *, now: Callable[[], float] = time.monotonic) -> None:
        self._name, self._now = settings.name, now
        self._pace = Pace(rate=settings.rate, burst=settings.burst)
        self._turns = asyncio.Lock()  # first come, first served
        self._eased = asyncio.Event()
        self.window = Places(settings.window)

    def follow(self, settings: SmscSettings) -> None:
        """Another rate, burst and window from now on. What has left counts, and so do the SMSC's refusals."""
        self._pace.change(settings.rate, settings.burst)
        self.window.change(settings.window)

    async def turn(self, parts: int, *, within: float) -> bool:
        """Wait, `within` seconds, until a message of so many parts may leave; whether it may now."""
        try:
            async with asyncio.timeout(within), self._turns:
                while (wait := self._pace.wait(self._now())) > 0:
                    await self._until_eased(wait)
                self._pace.take(parts, self._now())
        except TimeoutError:
            return False
        return True

    async def _until_eased(self, seconds: float) -> None:
        """Those seconds, or until the SMSC takes messages again."""
        self._eased.clear()
        try:
            async with asyncio.timeout(seconds):
                await self._eased.wait()
        except TimeoutError:
            return

    def leaves(self) -> float | None:
        """A part is about to leave: the moment, for `learn`; None if nothing may leave at all."""
        now = self._now()
        return None if self._pace.stopped(now) else now

    def learn(self, outcome: SmsOutcome, left_at: float) -> float:
        """What an answer says of the pace; how long it took, in seconds."""
        now = self._now()
        match outcome:
            case SmsThrottled(name=name):
                if self._pace.refused(left_at, now):
                    log.warning("SMSC %s: %s, so it goes slower", self._name, name)
            case SmsAccepted() | SmsRefused():
                if self._pace.answered(now):
                    self._eased.set()
            case _:
                pass  # no answer
        return now - left_at
