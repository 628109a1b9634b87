"""A uvicorn server inside our own event loop, whose connections an application can cut.

ASGI cannot hang up without answering: an application that returns silently gets a 500 sent in its name. The table
of recipients needs exactly that (0108, 0122), so the HTTP protocol class hands the application its transport's
`close` as an ASGI extension. Everything else of HTTP stays uvicorn's.
"""

import asyncio
import contextlib
import socket
from collections.abc import Callable, Iterator
from typing import cast

import uvicorn
from starlette.types import ASGIApp, Receive, Scope
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

CUT = "mmsgate.cut"


class CuttableProtocol(HttpToolsProtocol):
    """uvicorn's HTTP, and a way to close the connection."""

    def on_message_begin(self) -> None:
        """As uvicorn does; then adds the extension."""
        super().on_message_begin()
        self.scope["extensions"] = {CUT: {"close": self.transport.close}}


async def cut(scope: Scope, receive: Receive) -> None:
    """Close the connection without a byte of answer, and return when it is closed.

    Raises RuntimeError under a server without the extension.
    """
    close = scope.get("extensions", {}).get(CUT, {}).get("close")
    if close is None:
        raise RuntimeError("only the simulator's own server can cut a connection")
    cast("Callable[[], None]", close)()
    while (await receive())["type"] != "http.disconnect":
        pass


class _Embedded(uvicorn.Server):
    """Leaves signals to whoever owns the process, and says when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """None of them."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """As uvicorn does; then says so."""
        await super().startup(sockets=sockets)
        self.ready.set()


class HttpServer:
    """Serves one application on one port. `start` and `stop` may be called twice."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._running: tuple[_Embedded, asyncio.Task[None]] | None = None
        self.port = 0

    async def start(self, host: str, port: int) -> None:
        """Listen; port 0 takes a free one. Raises OSError if the port is taken."""
        if self._running:
            return
        config = uvicorn.Config(
            self._app,
            http=CuttableProtocol,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=1,
        )
        listener = _listen(host, port)
        self.port = int(listener.getsockname()[1])
        server = _Embedded(config)
        self._running = (server, asyncio.create_task(server.serve(sockets=[listener])))
        await server.ready.wait()

    async def stop(self) -> None:
        """Stop listening and end what is open, within about a second."""
        running, self._running = self._running, None
        self.port = 0
        if running:
            server, task = running
            server.should_exit = True
            await task


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.setblocking(False)
    except OSError:
        listener.close()
        raise
    return listener
