"""The server's port, as it is shut."""

import asyncio

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from mmsgate import listener as module
from mmsgate.listener import Listener


async def _hello(_: Request) -> PlainTextResponse:
    return PlainTextResponse("hello")


async def test_who_has_connected_before_the_port_is_shut_is_answered_though_he_speaks_after_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A balancer that asks nobody had its request cut off, once in some restarts."""
    monkeypatch.setattr(module, "FIRST_WORD", 1.0)  # the machine may be busy
    listener = Listener("127.0.0.1", 0)
    await listener.start(Starlette(routes=[Route("/", _hello)]))
    reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
    stopping = asyncio.create_task(listener.stop())
    await _deaf(listener.port)
    writer.write(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    answer = await reader.read()
    writer.close()
    await stopping
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")


async def _deaf(port: int) -> None:
    """Until nobody listens there."""
    async with asyncio.timeout(20):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
                await writer.wait_closed()
            except ConnectionRefusedError:
                return
            except ConnectionResetError:
                continue  # it was in the line as the port was shut
