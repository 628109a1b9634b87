"""Sessions of an SMPP 3.4 server: framing, binding, and PDUs handed on.

The PDUs are coded by the smpp34 library. Its ready-made server is not used: it accepts any password, cannot listen
on port 0, and sends in its own time, while the table of recipients must decide whether the receipt or the
response is on the wire first, and receipts must outlive a session (SMPP 3.4, sections 4.1, 4.2, 4.4, 4.6).
"""

import asyncio
import hmac
import logging
import os
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

import smpp34

from mmsgate.listener import PortTaken

_log = logging.getLogger(__name__)

_HEADER = struct.Struct(">IIII")
_LARGEST_PDU = 70_000  # a message_payload may carry 64 KB
_FIRST_BIND = 10.0  # seconds that a connection may stay unbound

_GENERIC_NACK = 0x80000000
_BINDS = {0x01: "receiver", 0x02: "transmitter", 0x09: "transceiver"}
_SUBMIT_SM, _DELIVER_SM, _UNBIND, _ENQUIRE_LINK = 0x04, 0x05, 0x06, 0x15
_RESPONSE = 0x80000000

_ROK, _RINVCMDLEN, _RINVCMDID, _RINVBNDSTS, _RALYBND, _RINVPASWD = 0x00, 0x02, 0x03, 0x04, 0x05, 0x0E
_RBINDFAIL = 0x0D


@dataclass(frozen=True, slots=True, kw_only=True)
class SmppAccount:
    """Who may bind."""

    system_id: str
    password: str = field(repr=False)


class Handler(Protocol):
    """What a server does with its sessions. Nothing here may block."""

    def bound(self, session: "Session") -> None:
        """A client has bound."""
        ...

    def submitted(self, session: "Session", submit: smpp34.SubmitSm) -> None:
        """A submit_sm arrived; answer it with `session.answer`."""
        ...

    def delivered(self, session: "Session", sequence: int, status: int) -> None:
        """The client answered the deliver_sm with that sequence number."""
        ...

    def unbound(self, session: "Session") -> None:
        """A bound session has ended."""
        ...


class Session:
    """One connection of a client."""

    def __init__(
        self, account: SmppAccount, handler: Handler, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._account = account
        self._handler = handler
        self._reader = reader
        self._writer = writer
        self._sequence = 0
        self._mode: str | None = None

    @property
    def receives(self) -> bool:
        """Whether deliver_sm may be sent on it."""
        return self._mode in ("receiver", "transceiver") and not self._writer.is_closing()

    def answer(self, submit: smpp34.SubmitSm, *, status: int = _ROK, message_id: str = "") -> None:
        """Send the submit_sm_resp. Without a body if the submit is refused."""
        body = message_id.encode("ascii") + b"\0" if status == _ROK else b""
        self._send(_SUBMIT_SM | _RESPONSE, submit.sequence_number, body, status)

    def deliver(self, make: Callable[[int], smpp34.DeliverSm]) -> int:
        """Send the deliver_sm that `make` builds for a sequence number, which is returned."""
        self._sequence = self._sequence % 0x7FFFFFFF + 1
        self._writer.write(make(self._sequence).encode())
        return self._sequence

    async def run(self) -> None:
        """Serve the connection until it ends."""
        try:
            while True:
                pdu = await asyncio.wait_for(self._next(), None if self._mode else _FIRST_BIND)
                if pdu is None or not self._take(*pdu):
                    break
                await self._writer.drain()
        except (ConnectionError, TimeoutError, asyncio.IncompleteReadError) as gone:
            _log.debug("an SMPP connection ended: %r", gone)
        finally:
            if self._mode:
                self._handler.unbound(self)
            self._writer.close()

    async def _next(self) -> tuple[int, int, int, bytes] | None:
        """Command, status, sequence and the whole PDU; None if its length cannot be right."""
        header = await self._reader.readexactly(_HEADER.size)
        length, command, status, sequence = _HEADER.unpack(header)
        if not _HEADER.size <= length <= _LARGEST_PDU:
            self._send(_GENERIC_NACK, sequence, status=_RINVCMDLEN)
            return None
        return command, status, sequence, header + await self._reader.readexactly(length - _HEADER.size)

    def _take(self, command: int, status: int, sequence: int, pdu: bytes) -> bool:
        """Act on one PDU; False ends the session."""
        if command in _BINDS:
            return self._bind(command, sequence, pdu[_HEADER.size :])
        if command == _UNBIND:
            self._send(_UNBIND | _RESPONSE, sequence)
            return False
        if command == _ENQUIRE_LINK:
            self._send(_ENQUIRE_LINK | _RESPONSE, sequence)
        elif command == _SUBMIT_SM:
            self._submit(sequence, pdu)
        elif command == _DELIVER_SM | _RESPONSE:
            self._handler.delivered(self, sequence, status)
        elif not command & _RESPONSE:
            self._send(_GENERIC_NACK, sequence, status=_RINVCMDID)
        return True

    def _bind(self, command: int, sequence: int, body: bytes) -> bool:
        fields = body.split(b"\0", 3)
        offered = tuple(one.decode("latin-1") for one in fields[:2])
        status = self._bind_status(offered)
        self._send(command | _RESPONSE, sequence, b"simulator\0" if status == _ROK else b"", status)
        if status == _ROK:
            self._mode = _BINDS[command]
            self._handler.bound(self)
        return self._mode is not None

    def _bind_status(self, offered: tuple[str, ...]) -> int:
        if self._mode:
            return _RALYBND
        if len(offered) < 2 or offered[0] != self._account.system_id:
            return _RBINDFAIL
        right = hmac.compare_digest(offered[1].encode(), self._account.password.encode())
        return _ROK if right else _RINVPASWD

    def _submit(self, sequence: int, pdu: bytes) -> None:
        if self._mode not in ("transmitter", "transceiver"):
            self._send(_SUBMIT_SM | _RESPONSE, sequence, status=_RINVBNDSTS)
            return
        try:
            submit = smpp34.decode(pdu)
        except smpp34.SmppError as wrong:
            _log.info("a submit_sm that cannot be read: %s", wrong)
            submit = None
        if isinstance(submit, smpp34.SubmitSm):
            self._handler.submitted(self, submit)
        else:
            self._send(_SUBMIT_SM | _RESPONSE, sequence, status=_RINVCMDLEN)

    def _send(self, command: int, sequence: int, body: bytes = b"", status: int = _ROK) -> None:
        self._writer.write(_HEADER.pack(_HEADER.size + len(body), command, status, sequence) + body)


class SmppServer:
    """Listens and runs a session per connection. `start` and `stop` may be called twice."""

    def __init__(self, account: SmppAccount, handler: Handler) -> None:
        self._account = account
        self._handler = handler
        self._server: asyncio.Server | None = None
        self._sessions: set[asyncio.Task[None]] = set()

    @property
    def port(self) -> int:
        """The port it listens on, 0 if it doesn't."""
        return int(self._server.sockets[0].getsockname()[1]) if self._server else 0

    async def start(self, host: str, port: int) -> None:
        """Listen. Raises `PortTaken`."""
        if self._server is None:
            try:
                self._server = await asyncio.start_server(self._serve, host, port)
            except OSError as error:
                # asyncio's own text repeats the address; a name that can't be looked up has a negative number.
                reason = os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror
                raise PortTaken(f"can't listen on {host}:{port} for SMPP: {reason}") from error

    async def stop(self) -> None:
        """Close the port and every session."""
        server, self._server = self._server, None
        if server is None:
            return
        server.close()
        running = list(self._sessions)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        await server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._sessions.add(task)
        try:
            await Session(self._account, self._handler, reader, writer).run()
        except asyncio.CancelledError:
            # Only `stop` cancels a session; asyncio's stream callback would report it as an error.
            _log.debug("an SMPP session was closed by the server")
        finally:
            self._sessions.discard(task)
