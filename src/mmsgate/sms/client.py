"""The connection to an SMSC: submit a part, be told of receipts and of SMS that come in.

`session.py` says how the SMPP library is used and why it is fenced.
"""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable

from mmsgate.domain.number import mask
from mmsgate.observe import Observe, Work, unobserved
from mmsgate.sms.inbound import InboundReceipt, Unreadable, read_deliver_sm
from mmsgate.sms.message import InboundSms, OutboundSms
from mmsgate.sms.outcome import (
    SmsAccepted,
    SmsNotSent,
    SmsOutcome,
    SmsRefused,
    SmsThrottled,
    SmsUnknown,
    Status,
)
from mmsgate.sms.outflow import Outflow
from mmsgate.sms.receipt import Receipt
from mmsgate.sms.session import OnState, Session
from mmsgate.sms.settings import SmscSettings
from mmsgate.trail import Trail

log = logging.getLogger("mmsgate.sms")

_NAMES: dict[type[SmsOutcome], str] = {
    SmsAccepted: "accepted", SmsThrottled: "throttled", SmsRefused: "refused", SmsNotSent: "not-sent",
    SmsUnknown: "unknown",
}  # fmt: skip

#: (receipt, source, destination): source is the phone. When it returns, the receipt is stored.
OnReceipt = Callable[[Receipt, str, str], Awaitable[None]]
#: When it returns, the SMS is stored.
OnInbound = Callable[[InboundSms], Awaitable[None]]
#: (reason, PDU): a deliver_sm that can't be read. When it returns, somebody has been told.
OnUnreadable = Callable[[str, bytes], Awaitable[None]]


async def nobody_asks(_: str) -> None:
    """The `on_state` of a connection that nobody watches."""


async def nobody_reads(_: str, __: bytes) -> None:
    """The `on_unreadable` of a connection that nobody watches."""


class SmscConnection:
    """One bind as transceiver, kept up in the background.

    `on_state` is told each time the bind stands, with an empty text, and what keeps it from standing when somebody
    should look at it: the bind was refused, or the SMSC could not be reached for as long as the tries grow rarer.

    `outflow` is what the parts leave through; without one it has one of its own.

    The other callbacks are awaited before deliver_sm_resp goes out. When one raises, the SMSC is told
    ESME_RX_T_APPN and repeats; so a callback must take the same receipt twice. Callbacks run beside each other and
    beside submits, in no particular order.
    """

    def __init__(
        self,
        settings: SmscSettings,
        *,
        on_receipt: OnReceipt,
        on_inbound: OnInbound,
        on_state: OnState = nobody_asks,
        on_unreadable: OnUnreadable = nobody_reads,
        roll: Callable[[], float] = random.random,
        outflow: Outflow | None = None,
    ) -> None:
        self.settings = settings
        self._on_receipt = on_receipt
        self._on_inbound = on_inbound
        self._on_state = on_state
        self._on_unreadable = on_unreadable
        self._roll = roll
        self._outflow = outflow or Outflow(settings)
        self._session: Session | None = None
        self._task: asyncio.Task[None] | None = None
        self._switch = asyncio.Lock()  # one start or stop at a time
        self.observe: Observe = unobserved

    @property
    def bound(self) -> bool:
        """Whether the SMSC has accepted the bind and the connection stands."""
        return self._session is not None and self._session.bound

    @property
    def problem(self) -> str:
        """Why it is not bound, for a person; empty if it is."""
        return self._session.problem if self._session else "stopped"

    async def start(self) -> None:
        """Begin to connect; returns at once. Does nothing when it has been started."""
        async with self._switch:
            if self._session is None:
                self._session = Session(
                    self.settings, on_deliver=self._deliver, on_state=self._on_state, roll=self._roll
                )
                self._task = asyncio.create_task(self._session.run(), name=f"SMSC {self.settings.name}")

    async def stop(self) -> None:
        """Take nothing new, let what is under way end (`stop_grace`), unbind, close. Does nothing when stopped.

        A submit that is not answered by then ends as SmsUnknown.
        """
        async with self._switch:
            session, task = self._session, self._task
            if session is None or task is None:
                return
            self._session = self._task = None
            try:
                async with asyncio.timeout(self.settings.stop_grace):
                    await _part_in_peace(session, task)
            except TimeoutError:
                log.warning("SMSC %s: not done after %g s", self.settings.name, self.settings.stop_grace)
            finally:
                task.cancel()
                await asyncio.wait({task})

    async def wait_bound(self, within: float) -> bool:
        """Wait up to `within` seconds for the bind; whether it stands then."""
        if self._session is None:
            return False
        try:
            async with asyncio.timeout(within):
                await self._session.wait_bound()
        except TimeoutError:
            return False
        return True

    async def alive(self) -> bool:
        """Ask the SMSC for a sign of life (enquire_link); whether one came."""
        return self._session is not None and await self._session.alive()

    async def turn(self, parts: int, *, within: float) -> bool:
        """Wait, `within` seconds, until a message of so many parts may leave at the pace of this SMSC.

        Whether it may now. Its parts are submitted with `submit` at once, or not at all.
        """
        return await self._outflow.turn(parts, within=within)

    async def submit(self, sms: OutboundSms) -> SmsOutcome:
        """Send one part and wait for the SMSC's word on it. Never raises for what the network does.

        Waits for a place in the window first. At most twice `request_timeout`.
        """
        if not self.bound:
            return SmsNotSent(reason=f"not bound to the SMSC: {self.problem}")
        try:
            async with asyncio.timeout(self.settings.request_timeout):
                await self._outflow.window.acquire()
        except TimeoutError:
            return SmsNotSent(reason=f"{self.settings.window} submits are under way, and none is answered")
        try:
            outcome = await self._exchange(sms)
        finally:
            self._outflow.window.release()
        log.debug("SMSC %s: %s: %s", self.settings.name, sms, outcome)
        return outcome

    async def _exchange(self, sms: OutboundSms) -> SmsOutcome:
        if self._session is None:
            return SmsNotSent(reason="the connection to the SMSC is being stopped")
        left_at = self._outflow.leaves()
        if left_at is None:
            return SmsNotSent(reason="held back: the SMSC has just refused others and wants it slower")
        outcome = await self._session.submit(sms, within=self.settings.request_timeout)
        took = self._outflow.learn(outcome, left_at)
        self.observe(Work.SUBMIT, self.settings.name, _NAMES[type(outcome)], took, sms.reference)
        return outcome

    async def _deliver(self, pdu: bytes) -> Status:
        """Have a deliver_sm stored; the status to answer with."""
        read = read_deliver_sm(pdu, self.settings.alphabet)
        if isinstance(read, Unreadable):
            log.warning("SMSC %s: a deliver_sm of %d octets: %s", self.settings.name, len(pdu), read.reason)
        try:
            if isinstance(read, Unreadable):
                await self._on_unreadable(read.reason, pdu)
                return Status.ESME_RX_R_APPN
            with Trail():
                await self._hand_over(read)
        except Exception:  # whatever kept it from being stored, the SMSC must keep it and repeat
            log.exception("SMSC %s: a deliver_sm could not be stored", self.settings.name)
            return Status.ESME_RX_T_APPN
        return Status.ESME_ROK

    async def _hand_over(self, read: InboundReceipt | InboundSms) -> None:
        if isinstance(read, InboundSms):
            log.info("SMSC %s: %s", self.settings.name, read)
            await self._on_inbound(read)
        else:
            state = read.receipt.state
            log.debug("SMSC %s: receipt %s of %s", self.settings.name, state, mask(read.source))
            await self._on_receipt(read.receipt, read.source, read.destination)


async def _part_in_peace(session: Session, task: asyncio.Task[None]) -> None:
    await session.settle()
    if session.bound:
        await session.unbind()
        await asyncio.wait({task})
