"""Bare HTTP/1.1 over asyncio streams: the cheapest client and server that the benchmark can measure with."""

import asyncio
from collections.abc import Sequence


class Connection:
    """A keep-alive connection that posts and reads one answer at a time."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    @classmethod
    async def open(cls, port: int) -> "Connection":
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    async def post(self, path: str, headers: Sequence[tuple[str, str]], body: Sequence[bytes]) -> tuple[int, bytes]:
        """The status and the body of the answer."""
        lines = [f"POST {path} HTTP/1.1", "Host: 127.0.0.1", *(f"{name}: {value}" for name, value in headers)]
        head = "\r\n".join([*lines, f"Content-Length: {sum(map(len, body))}", "", ""]).encode()
        self._writer.writelines([head, *body])
        await self._writer.drain()
        return await self._answer()

    async def _answer(self) -> tuple[int, bytes]:
        head = await self._reader.readuntil(b"\r\n\r\n")
        length = content_length(head)
        return int(head[9:12]), await self._reader.readexactly(length)

    def close(self) -> None:
        self._writer.close()


def content_length(head: bytes) -> int:
    """The Content-Length of a head, 0 if it has none."""
    lower = head.lower()
    at = lower.find(b"\r\ncontent-length:")
    if at < 0:
        return 0
    return int(lower[at + 17 : lower.index(b"\r\n", at + 17)])


def answer(body: bytes, content_type: str = "text/xml") -> bytes:
    """A 200 with that body."""
    return f"HTTP/1.1 200 OK\r\nContent-Type: {content_type}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
