"""Which calls go straight to their endpoint."""

import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from mmsgate.api.front import Front


class Doors:
    """A front with one exact path and one folder; it remembers through which door a call came."""

    def __init__(self) -> None:
        self.through: list[str] = []
        self.front = Front(self._routes, exact={"/ep/v1/": self._exact}, below={"/mm7": ("carrier", self._below)})

    async def _routes(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.through.append("routes")

    async def _exact(self, request: Request) -> Response:
        self.through.append("exact")
        return Response()

    async def _below(self, request: Request) -> Response:
        self.through.append(f"below: {request.path_params['carrier']}")
        return Response()

    async def call(self, method: str, path: str, kind: str = "http") -> None:
        async def receive() -> Message:
            return {"type": "http.request"}

        async def send(message: Message) -> None:
            assert message["type"].startswith("http.response")

        await self.front({"type": kind, "method": method, "path": path, "headers": []}, receive, send)


@pytest.mark.parametrize(
    ("method", "path", "door"),
    [
        ("POST", "/ep/v1/", "exact"),
        ("POST", "/mm7/sim", "below: sim"),
        ("GET", "/ep/v1/", "routes"),
        ("POST", "/ep/v1/x", "routes"),
        ("GET", "/mm7/sim", "routes"),
        ("POST", "/mm7/", "routes"),
        ("POST", "/mm7", "routes"),
        ("POST", "/mm7/sim/more", "routes"),
        ("POST", "/m/token", "routes"),
    ],
)
async def test_posts_to_known_paths_go_straight_and_all_else_by_the_routes(
    method: str, path: str, door: str
) -> None:
    doors = Doors()
    await doors.call(method, path)
    assert doors.through == [door]


async def test_what_is_no_http_goes_by_the_routes() -> None:
    doors = Doors()
    await doors.call("POST", "/ep/v1/", kind="websocket")
    assert doors.through == ["routes"]
