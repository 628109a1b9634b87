"""One SMPP session over aiosmpplib: everything that is special about that library stays in this module.

From the library come the life of the session (connect, bind, the reading loop, enquire_link, connecting again) and
the PDUs. What it does differently from what a gateway needs, and what is done here instead:

* It correlates a submit_sm *after* writing it, and splits texts itself. `submit` registers the sequence number
  first, writes our octets as they are, and so knows at any time whether the PDU has left.
* It acknowledges a deliver_sm with success or not at all, reads nothing else while the hook runs, answers
  generic_nack to receipts that it can't parse (TLVs alone), and dies of others (``err:12f``) as often as the SMSC
  repeats them. Here a deliver_sm is handed over as octets, each in a task of its own, and answered with the status
  that the task returns, on the connection it came from or not at all.
* A vendor's command_status or an unknown command_id ends its session. `_get_pdu` reads them.
* It knows no TLS, and its submit_sm can't say all that an SMSC may want (`submit.py`). `connect` is ours.
* It never closes the socket of a lost connection, waits half a second for each of that connection's tasks, leaves
  those of the enquire_link timer behind, and connects under `asyncio.wait_for`, which in Python 3.11 loses a
  cancellation that comes together with the result.
* Its logger writes JSON with numbers and texts to stderr. Ours keeps the words and drops the values.

Limits that remain: passwords of 8 characters (which is the standard's limit too, 4.1.1); while the SMSC
does not read, nothing is written. Tested with aiosmpplib 0.7.4, which the lock file pins: private names of `ESME`
are overridden here, so a new version needs a look at this module.
"""

import asyncio
import errno
import logging
import ssl
import struct
from collections.abc import Awaitable, Callable
from typing import TypeVar

from aiosmpplib import (  # type: ignore[import-untyped]  # it has annotations, but no py.typed
    ESME,
    BindTransceiver,
    DeliverSmResp,
    EnquireLink,
    GenericNack,
    PduHeader,
    SmppCommand,
    SmppCommandStatus,
    SmppMessage,
    SmppSessionState,
    Unbind,
)

from mmsgate.sms.backoff import Backoff
from mmsgate.sms.discreet import Discreet, NothingQueued
from mmsgate.sms.message import OutboundSms
from mmsgate.sms.outcome import SmsNotSent, SmsOutcome, SmsUnknown, Status, outcome_of
from mmsgate.sms.settings import SmscSettings
from mmsgate.sms.submit import submit_sm

log = logging.getLogger("mmsgate.sms")

#: A deliver_sm's octets in, the status to answer with out. It must not raise.
OnDeliver = Callable[[bytes], Awaitable[Status]]
#: Why there is no bind, when somebody should look at it; empty: there is one.
OnState = Callable[[str], Awaitable[None]]

T = TypeVar("T")

_HEADER = struct.Struct("!IIII")
#: message_payload holds 64 KiB (5.3.2.32), the rest is small.
_MAX_PDU = 2**16 + 1024
_RESPONSE = 0x80000000
_CONNECT_ERRORS = (OSError, asyncio.IncompleteReadError, ValueError)


class BindRefusedError(ConnectionError):
    """The SMSC answered the bind, but with another status than ESME_ROK."""

    def __init__(self, status: int) -> None:
        super().__init__(f"the bind was refused: {status_name(status)}")
        self.status = status


class Session(ESME):  # type: ignore[misc]  # the base class has no types
    """A bind as transceiver that comes back by itself until it is told to end."""

    # what the library keeps, with its types
    _reader: asyncio.StreamReader
    _writer: asyncio.StreamWriter | None
    _bound: asyncio.Event
    _data_received: asyncio.Event
    _drain_lock: asyncio.Lock
    _is_shutting_down: bool

    def __init__(
        self, settings: SmscSettings, *, on_deliver: OnDeliver, on_state: OnState, roll: Callable[[], float]
    ) -> None:
        self._backoff = Backoff(settings.reconnect_first, settings.reconnect_longest, roll)
        super().__init__(
            smsc_host=settings.host,
            smsc_port=settings.port,
            system_id=settings.system_id,
            password=settings.password,
            system_type=settings.system_type,
            client_id=settings.name,
            enquire_link_interval=settings.enquire_link_interval,
            socket_timeout=settings.socket_timeout,
            retry_timer=self._backoff,
            broker=NothingQueued(),
            log_level=logging.WARNING,
            log_handler=Discreet(settings.name),
        )
        self.name = settings.name
        self.problem = "not connected yet"
        self._tls = settings.tls
        self._on_deliver, self._on_state = on_deliver, on_state
        self._inbound_limit = settings.inbound_limit
        self._pending: dict[int, asyncio.Future[SmsOutcome]] = {}
        self._storing: set[asyncio.Task[None]] = set()
        self._stream: asyncio.StreamWriter | None = None
        self._connection = 0  # counts connections: an answer goes out on the one its request came from

    # --- what the connection calls ----------------------------------------------------------------

    @property
    def bound(self) -> bool:
        """Whether a submit_sm written now would leave."""
        stream = self._stream
        return self._bound.is_set() and stream is not None and not stream.transport.is_closing()

    async def wait_bound(self) -> None:
        """Return once the SMSC has accepted the bind."""
        await self._bound.wait()

    async def run(self) -> None:
        """Stay bound until `unbind` or cancellation."""
        try:
            while not self._is_shutting_down:
                try:
                    await self.start()
                except Exception:  # a session that died of a surprise must come back all the same
                    log.exception("SMSC %s: the session failed", self.name)
                    await self._backoff.wait()
        finally:
            self._lose("the session has ended")
            for task in self._storing:
                task.cancel()  # never answered, so the SMSC will repeat it
            await self._closed()

    async def alive(self) -> bool:
        """Ask for a sign of life (enquire_link); whether one came within `socket_timeout`."""
        self._data_received.clear()
        return self.bound and await self._enquire()

    async def unbind(self) -> None:
        """Say goodbye; `run` returns when the SMSC has answered."""
        self._is_shutting_down = True
        if self.bound:
            await self._send_data(Unbind())

    async def settle(self) -> None:
        """Wait until every submit_sm and every deliver_sm under way has been answered."""
        while under_way := self._under_way():
            await asyncio.wait(under_way)

    async def submit(self, sms: OutboundSms, *, within: float) -> SmsOutcome:
        """Write one submit_sm and wait for its answer, `within` seconds."""
        if not self.bound:
            return SmsNotSent(reason=f"not bound to the SMSC: {self.problem}")
        sequence: int = self.sequence_generator.next_sequence()
        answer: asyncio.Future[SmsOutcome] = asyncio.get_running_loop().create_future()
        self._pending[sequence] = answer
        try:
            async with asyncio.timeout(within):
                await self._write(submit_sm(sms, sequence))
                return await answer
        except TimeoutError:
            return SmsUnknown(reason=f"no answer to submit_sm within {within:g} s")
        finally:
            del self._pending[sequence]

    # --- the library's seams ----------------------------------------------------------------------

    async def connect(self) -> None:
        """Connect and bind, or leave nothing open."""
        try:
            await self._bind()
            await self._on_state("")
        except BaseException as error:
            self._stream, self._writer = self._writer, None
            if isinstance(error, _CONNECT_ERRORS):
                await self._note_failure(error)
            self._lose(self.problem)
            raise

    async def _bind(self) -> None:
        context = await asyncio.to_thread(_made, self._tls) if self._tls else None
        self._reader, self._writer = await self._socket_operation(
            asyncio.open_connection(self.smsc_host, self.smsc_port, limit=_MAX_PDU, ssl=context)
        )
        request = BindTransceiver(
            system_id=self.system_id, password=self.password, system_type=self.system_type,
            interface_version=self.interface_version,
        )  # fmt: skip
        await self._socket_operation(self._send_data(request))
        pdu, answer = await self._socket_operation(self._get_pdu())
        if answer.smpp_command not in {SmppCommand.BIND_TRANSCEIVER_RESP, SmppCommand.GENERIC_NACK}:
            raise ConnectionAbortedError(
                errno.EPROTO, f"{answer.smpp_command.name} in place of an answer to the bind"
            )
        if status := int.from_bytes(pdu[8:12]):
            raise BindRefusedError(status)
        self._session_state = SmppSessionState.BOUND_TRX
        self._stream = self._writer
        self._connection += 1
        self.problem = ""
        self._bound.set()
        log.info("SMSC %s: bound", self.name)

    async def _socket_operation(self, coro: Awaitable[T]) -> T:
        async with asyncio.timeout(self.socket_timeout):
            return await coro

    async def _receive_data(self) -> None:
        reason = "the link was given up"  # stopped, or enquire_link was not answered
        try:
            await super()._receive_data()
            reason = "the SMSC unbound"
        except (OSError, asyncio.IncompleteReadError) as error:
            reason = f"the connection was lost: {type(error).__name__}"
        finally:
            self._lose(reason)

    async def _get_pdu(self) -> tuple[bytes, PduHeader]:
        while True:
            head = await self._reader.readexactly(_HEADER.size)
            length, command, status, sequence = _HEADER.unpack(head)
            if not _HEADER.size <= length <= _MAX_PDU:
                raise ConnectionAbortedError(f"the SMSC announced a PDU of {length} octets")
            pdu = head + await self._reader.readexactly(length - _HEADER.size)
            if header := _known_header(length, command, status, sequence):
                return pdu, header
            if not command & _RESPONSE:
                await self._refuse_command(sequence)

    async def _handle_request(self, pdu: bytes, header: PduHeader) -> SmppMessage | None:
        """A message returned from here is answered by the library, None is not."""
        if header.smpp_command == SmppCommand.DELIVER_SM:
            await self._take_delivery(pdu, header.sequence_num)
            return None
        if header.smpp_command in {SmppCommand.ENQUIRE_LINK, SmppCommand.UNBIND}:
            return await super()._handle_request(pdu, header)
        await self._refuse_command(header.sequence_num)
        return None

    async def _handle_response(self, pdu: bytes, header: PduHeader) -> None:
        if header.smpp_command not in {SmppCommand.SUBMIT_SM_RESP, SmppCommand.GENERIC_NACK}:
            return
        answer = self._pending.get(header.sequence_num)
        if answer is None:
            log.warning("SMSC %s: an answer to no open request, perhaps too late", self.name)
        elif not answer.done():
            status = int.from_bytes(pdu[8:12])
            message_id = pdu[_HEADER.size :].partition(b"\0")[0].decode("latin-1").strip()
            answer.set_result(outcome_of(status, status_name(status), message_id))

    async def _send_data(self, smpp_message: SmppMessage) -> None:
        """Write one PDU of the library's."""
        if not smpp_message.sequence_num:
            smpp_message.sequence_num = self.sequence_generator.next_sequence()
        await self._write(smpp_message.pdu())

    async def _write(self, pdu: bytes) -> None:
        """A connection that is gone is not reported here: whoever reads from it will see."""
        stream = self._writer
        if stream is None:
            return
        stream.write(pdu)
        try:
            async with self._drain_lock:
                await stream.drain()
        except ConnectionError as error:
            log.debug("SMSC %s: %s while writing", self.name, type(error).__name__)

    async def _connection_keeper(self) -> None:
        """Ask for a sign of life after a silence; return when there is none, which ends the link."""
        while await self._heard_within(self.enquire_link_interval) or await self._enquire():
            self._data_received.clear()

    async def _enquire(self) -> bool:
        await self._send_data(EnquireLink())
        return await self._heard_within(self.socket_timeout)

    async def _heard_within(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                await self._data_received.wait()
        except TimeoutError:
            return False
        return True

    async def _disconnect(self) -> None:
        self._lose("the link was given up")

    async def _end_task(self, task: asyncio.Task[object]) -> None:
        task.cancel()
        await asyncio.wait({task})
        if not task.cancelled() and (error := task.exception()):
            log.error("SMSC %s: %s failed", self.name, task.get_name(), exc_info=error)

    # --- our side of the seams --------------------------------------------------------------------

    def _under_way(self) -> set[asyncio.Future[SmsOutcome] | asyncio.Task[None]]:
        return {*self._pending.values(), *self._storing}

    async def _take_delivery(self, pdu: bytes, sequence: int) -> None:
        if len(self._storing) >= self._inbound_limit:
            await self._answer_delivery(sequence, Status.ESME_RTHROTTLED)
            return
        task = asyncio.create_task(self._deliver(pdu, sequence, self._connection))
        self._storing.add(task)
        task.add_done_callback(self._storing.discard)

    async def _deliver(self, pdu: bytes, sequence: int, connection: int) -> None:
        status = await self._on_deliver(pdu)
        if self.bound and connection == self._connection:
            await self._answer_delivery(sequence, status)

    async def _answer_delivery(self, sequence: int, status: Status) -> None:
        answer = DeliverSmResp(sequence_num=sequence, command_status=SmppCommandStatus(status))
        await self._send_data(answer)

    async def _refuse_command(self, sequence: int) -> None:
        status = SmppCommandStatus(Status.ESME_RINVCMDID)
        await self._send_data(GenericNack(sequence_num=sequence, command_status=status))

    async def _note_failure(self, error: Exception) -> None:
        if isinstance(error, BindRefusedError):
            self.problem = str(error)
            if error.status != SmppCommandStatus.ESME_RALYBND:  # it will soon see that the link before is gone
                self._backoff.lengthen()  # wrong credentials: hammering locks accounts
        else:
            told = getattr(error, "strerror", None)
            self.problem = f"no connection: {type(error).__name__}" + (f": {told}" if told else "")
        log.warning("SMSC %s: %s", self.name, self.problem)
        if self._backoff.longest:
            await self._on_state(self.problem)

    def _lose(self, reason: str) -> None:
        """The connection is gone: close the socket, and whoever waits for an answer gets *unknown*."""
        if self._bound.is_set():
            self._bound.clear()
            self.problem = "stopped" if self._is_shutting_down else reason
            level = logging.INFO if self._is_shutting_down else logging.WARNING
            log.log(level, "SMSC %s: not bound any more: %s", self.name, self.problem)
        self._writer = None
        if self._stream is not None:
            self._stream.transport.abort()
        for answer in self._pending.values():
            if not answer.done():
                answer.set_result(SmsUnknown(reason=f"submit_sm was written, then {reason}"))

    async def _closed(self) -> None:
        """Until the socket of the last connection is closed."""
        if self._stream is None:
            return
        try:
            await self._stream.wait_closed()
        except ConnectionError as error:
            log.debug("SMSC %s: %s while closing", self.name, type(error).__name__)


def _made(tls: Callable[[], ssl.SSLContext]) -> ssl.SSLContext:
    try:
        return tls()
    except ValueError as error:  # its words are for people, but not those of every ValueError
        raise OSError(errno.EINVAL, str(error)) from error


def status_name(status: int) -> str:
    """The standard's name of a command_status, or its number in hex."""
    try:
        return str(SmppCommandStatus(status).name)
    except ValueError:
        return f"0x{status:08X}"


def _known_header(length: int, command: int, status: int, sequence: int) -> PduHeader | None:
    """The library's header; None for a command that it has no name for. A status without one is RUNKNOWNERR."""
    try:
        name = SmppCommand(command)
    except ValueError:
        return None
    known = status in SmppCommandStatus.__members__.values()
    return PduHeader(
        pdu_length=length,
        smpp_command=name,
        command_status=SmppCommandStatus(status) if known else SmppCommandStatus.ESME_RUNKNOWNERR,
        sequence_num=sequence,
    )
