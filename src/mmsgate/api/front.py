"""The way in: the calls that make up nearly all traffic go straight to their endpoints, the others by the routes.

Starlette's middleware and routing are spared, 5 % of a message's CPU. Its requests and responses are used all the
same, and every path here is one of its routes too, for other methods.
"""

from collections.abc import Awaitable, Callable, Mapping

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

#: The parts of the public port by the first folder of their paths.
AREAS = {
    "ep": "api", "API": "api", "messages": "api", "limits": "api", "media": "uploads", "mm7": "carriers",
    "m": "pages", "mo": "files", "errors": "help",
}  # fmt: skip

Endpoint = Callable[[Request], Awaitable[Response]]


class Front:
    """Posts to a path in `exact`, and to one name below a folder in `below`, are answered by that endpoint.

    Of ``/folder/name`` the endpoint finds the name in `path_params` under the parameter that `below` gives. What an
    endpoint lets through is answered with HTTP 500 by the server.
    """

    def __init__(
        self, routes: ASGIApp, *, exact: Mapping[str, Endpoint], below: Mapping[str, tuple[str, Endpoint]]
    ) -> None:
        self._routes, self._exact, self._below = routes, exact, below

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        endpoint = self._endpoint(scope) if scope["type"] == "http" and scope["method"] == "POST" else None
        if endpoint is None:
            return await self._routes(scope, receive, send)
        response = await endpoint(Request(scope, receive, send))
        return await response(scope, receive, send)

    def _endpoint(self, scope: Scope) -> Endpoint | None:
        path = scope["path"]
        exact = self._exact.get(path)
        if exact is not None:
            return exact
        folder, _, name = path.rpartition("/")
        found = self._below.get(folder)
        if found is None or not name:
            return None
        parameter, endpoint = found
        scope["path_params"] = {parameter: name}
        return endpoint
