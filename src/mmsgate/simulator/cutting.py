"""HTTP connections that an application can cut.

ASGI cannot hang up without answering: an application that returns silently gets a 500 sent in its name. The table
of recipients needs exactly that (0108, 0122), so the HTTP protocol class hands the application its transport's
`close` as an ASGI extension. Everything else of HTTP stays uvicorn's.
"""

from collections.abc import Callable
from typing import cast

from starlette.types import Receive, Scope
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
