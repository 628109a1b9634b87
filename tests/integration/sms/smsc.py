"""An SMSC that does what a test tells it, PDU by PDU.

Its PDUs are coded by smpp34, a library that knows nothing of ours. Only smpp34's codec is used: its server leaves
threads behind that hang or crash the interpreter when it ends.
"""

import asyncio
import ssl
import struct
from collections.abc import Callable

import smpp34

BIND_TRANSCEIVER, SUBMIT_SM, DELIVER_SM, UNBIND, ENQUIRE_LINK = 0x09, 0x04, 0x05, 0x06, 0x15
GENERIC_NACK = 0x80000000
RESPONSE = 0x80000000


class Link:
    """One connection of a client. Binds, enquire_link and unbind are answered, the rest waits for the test."""

    def __init__(self, smsc: "Smsc", reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.submits: asyncio.Queue[smpp34.SubmitSm] = asyncio.Queue()
        self.answers: asyncio.Queue[tuple[int, int, int]] = asyncio.Queue()  # command, status, sequence
        self.closed = asyncio.Event()
        self.unbound = asyncio.Event()
        self.enquired = asyncio.Event()
        self.credentials = ("", "")
        self.bind = b""  # the body of the bind
        self._smsc = smsc
        self._reader = reader
        self._writer = writer
        self._sequence = 0

    async def serve(self) -> None:
        try:
            while True:
                head = await self._reader.readexactly(16)
                length, command, status, sequence = struct.unpack("!IIII", head)
                pdu = head + await self._reader.readexactly(length - 16)
                self._take(command, status, sequence, pdu)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # the client is gone: tests look at `closed`
        finally:
            self._writer.transport.abort()
            self.closed.set()

    def _take(self, command: int, status: int, sequence: int, pdu: bytes) -> None:
        if command == BIND_TRANSCEIVER:
            self.bind = pdu[16:]
            system_id, password = self.bind.split(b"\0")[:2]
            self.credentials = (system_id.decode(), password.decode())
            self._smsc.binding(self, sequence)
        elif command == SUBMIT_SM:
            submit = smpp34.decode(pdu)
            assert isinstance(submit, smpp34.SubmitSm)
            self.submits.put_nowait(submit)
        elif command == ENQUIRE_LINK:
            self.enquired.set()
            if self._smsc.alive:
                self.write(command | RESPONSE, sequence)
        elif command == UNBIND:
            self.unbound.set()
            self.write(command | RESPONSE, sequence)
        else:
            self.answers.put_nowait((command, status, sequence))

    def write(self, command: int, sequence: int, *, status: int = 0, body: bytes = b"") -> None:
        self._writer.write(struct.pack("!IIII", 16 + len(body), command, status, sequence) + body)

    def raw(self, octets: bytes) -> None:
        self._writer.write(octets)

    def accept(self, submit: smpp34.SubmitSm, message_id: str) -> None:
        self.write(SUBMIT_SM | RESPONSE, submit.sequence_number, body=message_id.encode() + b"\0")

    def refuse(self, submit: smpp34.SubmitSm, status: int) -> None:
        self.write(SUBMIT_SM | RESPONSE, submit.sequence_number, status=status)

    def deliver(
        self,
        text: bytes = b"",
        *,
        esm_class: int = 0x04,
        data_coding: int = 0,
        tlvs: dict[int, bytes] | None = None,
        source: str = "15550000100",
        destination: str = "12345",
    ) -> int:
        """Write a deliver_sm, a receipt unless told otherwise; its sequence number."""
        self._sequence += 1
        deliver = smpp34.DeliverSm(
            source,
            destination,
            text,
            esm_class=esm_class,
            data_coding=data_coding,
            tlvs=[smpp34.Tlv(tag, value) for tag, value in (tlvs or {}).items()],
            sequence_number=self._sequence,
        )
        self.raw(deliver.encode())
        return self._sequence

    async def answer(self) -> tuple[int, int, int]:
        """The next response of the client: command without the response bit, status, sequence."""
        command, status, sequence = await asyncio.wait_for(self.answers.get(), 10)
        return command & ~RESPONSE, status, sequence

    async def submit(self) -> smpp34.SubmitSm:
        """The next submit_sm of the client."""
        return await asyncio.wait_for(self.submits.get(), 10)

    def cut(self) -> None:
        """Close the connection without a word."""
        self._writer.transport.abort()


class Smsc:
    """Listens on a port of its own. `password` None takes any; `alive` False answers no enquire_link."""

    def __init__(self, *, password: str | None = None, tls: ssl.SSLContext | None = None) -> None:
        self.password = password
        self._tls = tls
        self.alive = True
        self.binding: Callable[[Link, int], None] = self.answer_bind
        self.port = 0
        self._links: asyncio.Queue[Link] = asyncio.Queue()
        self._serving: dict[Link, asyncio.Task[None]] = {}
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", self.port, ssl=self._tls)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Stop listening and cut every connection."""
        if self._server is None:
            return
        self._server.close()
        for link in list(self._serving):
            link.cut()
        await asyncio.gather(*self._serving.values())
        await self._server.wait_closed()
        self._server = None

    def answer_bind(self, link: Link, sequence: int) -> None:
        refused = self.password not in {None, link.credentials[1]}
        status = 0x0E if refused else 0
        link.write(BIND_TRANSCEIVER | RESPONSE, sequence, status=status, body=b"smsc\0")

    async def link(self) -> Link:
        """The next connection that a client has opened."""
        return await asyncio.wait_for(self._links.get(), 10)

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        link = Link(self, reader, writer)
        self._serving[link] = asyncio.create_task(link.serve())
        self._links.put_nowait(link)
