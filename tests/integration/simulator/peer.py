"""The other ends of the simulator's sockets, as raw as they come: HTTP, reports, SMPP."""

import asyncio
import base64
import struct
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Self

from mmsgate.mm7.report import DeliveryReportReq
from mmsgate.mm7.request import read_request
from tests.unit.simulator.submits import Post


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """An HTTP response; `status` 0 if the connection ended without a byte."""

    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


async def request(
    port: int, path: str, *, method: str = "GET", headers: Mapping[str, str] | None = None, body: bytes = b""
) -> Response:
    """One request on a connection of its own."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(_head(method, path, {"Connection": "close"} | dict(headers or {})) + body)
        return parse(await reader.read())
    finally:
        writer.close()
        await writer.wait_closed()


def _head(method: str, path: str, headers: Mapping[str, str]) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: simulator.test", *(f"{k}: {v}" for k, v in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode()


def parse(raw: bytes) -> Response:
    """The bytes of one response."""
    if not raw:
        return Response()
    head, _, body = raw.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return Response(status=int(first.split()[1]), headers=headers, body=body)


async def submit(port: int, post: Post, *, auth: str = "mmsgate:mmsgate", path: str = "/mm7") -> Response:
    """Post bytes with a Content-Length."""
    headers = {
        "Authorization": f"Basic {base64.b64encode(auth.encode()).decode()}",
        "SOAPAction": '""',
        "Content-Type": post.content_type,
        "Content-Length": str(len(post.body)),
    }
    return await request(port, path, method="POST", headers=headers, body=post.body)


async def submit_chunked(port: int, post: Post) -> Response:
    """Post bytes to `/mm7` in chunks, without a Content-Length."""
    headers = {
        "Authorization": f"Basic {base64.b64encode(b'mmsgate:mmsgate').decode()}",
        "Content-Type": post.content_type,
        "Transfer-Encoding": "chunked",
    }
    body = f"{len(post.body):x}\r\n".encode() + post.body + b"\r\n0\r\n\r\n"
    return await request(port, "/mm7", method="POST", headers=headers, body=body)


class Endpoint:
    """A VASP's report endpoint: answers with `statuses` in turn, then with 200, and keeps what came."""

    def __init__(self) -> None:
        self.statuses: list[int] = []
        self.reports: asyncio.Queue[DeliveryReportReq] = asyncio.Queue()
        self.authorizations: list[str] = []
        self.paths: list[str] = []
        self.port = 0

    @classmethod
    @asynccontextmanager
    async def running(cls) -> AsyncIterator[Self]:
        """Listens until the block ends."""
        endpoint = cls()
        server = await asyncio.start_server(endpoint._serve, "127.0.0.1", 0)
        endpoint.port = server.sockets[0].getsockname()[1]
        try:
            yield endpoint
        finally:
            server.close()
            await server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        headers = {
            name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head.split("\r\n"))
        }
        body = await reader.readexactly(int(headers["content-length"]))
        status = self.statuses.pop(0) if self.statuses else 200
        writer.write(f"HTTP/1.1 {status} X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
        writer.close()
        await writer.wait_closed()
        report = read_request(headers["content-type"], body)
        assert isinstance(report, DeliveryReportReq)
        self.paths.append(head.split()[1])
        self.authorizations.append(headers.get("authorization", ""))
        self.reports.put_nowait(report)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pdu:
    """One SMPP PDU as it came."""

    command: int
    status: int
    sequence: int
    body: bytes

    @property
    def text(self) -> str:
        """The short message of a deliver_sm, wherever it lies: receipts begin with their id."""
        return self.body[self.body.index(b"id:") :].decode("latin-1")


class SmppPeer:
    """A raw SMPP client."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._sequence = 0

    @classmethod
    @asynccontextmanager
    async def connected(cls, port: int) -> AsyncIterator[Self]:
        """Connects, and hangs up when the block ends."""
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            yield cls(reader, writer)
        finally:
            writer.close()
            await writer.wait_closed()

    def send(self, command: int, body: bytes = b"", *, sequence: int = 0, status: int = 0) -> None:
        """Send one PDU; without a sequence number it takes the next."""
        self._sequence += 1
        number = sequence or self._sequence
        self._writer.write(struct.pack(">IIII", 16 + len(body), command, status, number) + body)

    def send_raw(self, data: bytes) -> None:
        """Send bytes as they are."""
        self._writer.write(data)

    async def next(self) -> Pdu | None:
        """The next PDU, None once the server has hung up."""
        try:
            length, command, status, sequence = struct.unpack(">IIII", await self._reader.readexactly(16))
            return Pdu(
                command=command,
                status=status,
                sequence=sequence,
                body=await self._reader.readexactly(length - 16),
            )
        except asyncio.IncompleteReadError:
            return None

    async def receive(self) -> Pdu:
        """The next PDU; the server must not have hung up."""
        pdu = await self.next()
        assert pdu is not None
        return pdu

    async def bind(self, system_id: str = "mmsgate", password: str = "mmsgate", command: int = 0x09) -> Pdu:
        """Bind and return the answer."""
        body = f"{system_id}\0{password}\0\0".encode() + bytes([0x34, 0, 0, 0])
        self.send(command, body)
        return await self.receive()

    def submit(self, to: str, text: bytes, *, esm_class: int = 0, data_coding: int = 0) -> None:
        """Send a submit_sm that asks for a receipt."""
        body = b"\0\1\1" + b"28444\0" + b"\1\1" + to.encode() + b"\0" + bytes([esm_class, 0, 0]) + b"\0\0"
        self.send(0x04, body + bytes([1, 0, data_coding, 0, len(text)]) + text)

    async def acknowledged(self) -> Pdu:
        """The next deliver_sm, acknowledged."""
        pdu = await self.receive()
        assert pdu.command == 0x05
        self.send(0x80000005, b"\0", sequence=pdu.sequence)
        return pdu
