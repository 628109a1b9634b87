"""A uvicorn server inside our own event loop: bound first, so that its port is known before anything starts."""

import asyncio
import contextlib
import socket
from collections.abc import Iterator
from typing import Any, cast

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from mmsgate.errors import Fault


class _Joined:
    """A transport that sends what is written in one turn of the loop in one piece.

    An answer's head goes out with its body: one system call less here, one packet less for the peer.
    """

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._pieces: list[bytes] = []

    def write(self, data: bytes) -> None:
        if not self._pieces:
            asyncio.get_running_loop().call_soon(self._flush)
        self._pieces.append(data)

    def close(self) -> None:
        self._flush()
        self._transport.close()

    def _flush(self) -> None:
        pieces, self._pieces = self._pieces, []
        if pieces:
            self._transport.write(b"".join(pieces))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


class HttpProtocol(HttpToolsProtocol):
    """uvicorn's HTTP over a transport that joins."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(cast("asyncio.Transport", _Joined(cast("asyncio.Transport", transport))))


#: Callers that may wait until they are accepted.
BACKLOG = 2048
#: Seconds that the request of a connection may take to come, when the port is shut meanwhile.
FIRST_WORD = 0.1


class PortTaken(Fault):
    """Another program listens there."""


class _Embedded(uvicorn.Server):
    """Leaves signals to whoever owns the process, and says when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        self.ready.set()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Who has just connected gets a moment: uvicorn cuts off whoever has not been heard yet."""
        for server in self.servers:
            server.close()
        await asyncio.sleep(0)  # those that were accepted just now become connections
        if any(getattr(each, "cycle", None) is None for each in self.server_state.connections):
            await asyncio.sleep(FIRST_WORD)
        await super().shutdown(sockets=sockets)


class Listener:
    """One TCP port. `bind` takes it; `start` serves an application on it; `stop` lets requests finish.

    Each may be called twice. `grace` is how many seconds requests under way get; `protocol` is a class
    derived from uvicorn's HTTP.
    """

    def __init__(
        self, host: str, port: int, *, grace: int = 5, protocol: type[HttpToolsProtocol] = HttpProtocol
    ) -> None:
        self._host, self._port, self._grace, self._protocol = host, port, grace, protocol
        self._socket: socket.socket | None = None
        self._running: tuple[_Embedded, asyncio.Task[None]] | None = None

    @property
    def port(self) -> int:
        """The port it listens on, once bound."""
        return int(self._socket.getsockname()[1]) if self._socket else self._port

    def bind(self, *, listen: bool = False) -> None:
        """Take the port, and with `listen` let callers wait for `start` already. Raises `PortTaken`.

        Two programs may take a port that neither listens on yet.
        """
        if self._socket is not None:
            return
        family = socket.AF_INET6 if ":" in self._host else socket.AF_INET
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((self._host, self._port))
            if listen:
                listener.listen(BACKLOG)
        except OSError as error:
            listener.close()
            raise PortTaken(f"can't listen on {self._host}:{self._port}: {error.strerror}") from error
        listener.setblocking(False)
        self._socket = listener

    async def start(self, app: ASGIApp) -> None:
        if self._running is not None:
            return
        self.bind()
        assert self._socket is not None
        config = uvicorn.Config(
            app, http=self._protocol, lifespan="off", ws="none", log_config=None, access_log=False,
            server_header=False, proxy_headers=False, timeout_keep_alive=30, backlog=BACKLOG,
            timeout_graceful_shutdown=self._grace,
        )  # fmt: skip
        server = _Embedded(config)
        self._running = (server, asyncio.create_task(server.serve(sockets=[self._socket]), name="listener"))
        await server.ready.wait()

    def drain(self) -> None:
        """End each connection with its next answer from now on, so that none is left when it stops."""
        if self._running is not None:
            server, _ = self._running
            close = [(b"connection", b"close")]
            server.config.encoded_headers += close  # what uvicorn makes the headers of, every second
            server.server_state.default_headers = server.server_state.default_headers + close

    async def stop(self) -> None:
        running, self._running = self._running, None
        if running is not None:
            server, task = running
            server.should_exit = True
            await task
        if self._socket is not None:
            self._socket.close()
            self._socket = None
