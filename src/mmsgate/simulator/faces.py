"""One MMSC under all its names: `/mm7/NAME` plays that personality, plain `/mm7` whom its port plays."""

from collections.abc import Callable
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from mmsgate.simulator.personality import PERSONALITIES, Personality, personality

_PORTS = range(65_536)


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """A port of its own for one personality; 0 takes a free one."""

    plays: str
    port: int

    def __post_init__(self) -> None:
        personality(self.plays)
        if self.port not in _PORTS:
            raise ValueError(f"{self.port} is no port")


def parse_door(text: str) -> Door | str:
    """``mbuni:8091`` is a door, ``mbuni`` alone the name of whom plain `/mm7` plays. Raises ValueError in words."""
    name, colon, port = text.partition(":")
    if not colon:
        return personality(name).name
    if not (port.isascii() and port.isdigit()):
        raise ValueError(f"{text!r} is not like mbuni or mbuni:8091")
    return Door(plays=name, port=int(port))


class Faces:
    """The applications of all personalities; `make` makes one, when it is first asked for."""

    def __init__(self, make: Callable[[Personality], ASGIApp]) -> None:
        self._make = make
        self._apps: dict[str, ASGIApp] = {}

    def routes(self, plain: str) -> list[Route]:
        """The routes of a port that plays `plain`."""
        return [
            Route("/mm7", self._app(personality(plain)), methods=["POST"]),
            Route("/mm7/{name}", _Named(self._app), methods=["POST"]),
        ]

    def _app(self, plays: Personality) -> ASGIApp:
        if plays.name not in self._apps:
            self._apps[plays.name] = self._make(plays)
        return self._apps[plays.name]


class _Named:
    """The personality that the path names."""

    def __init__(self, app_of: Callable[[Personality], ASGIApp]) -> None:
        self._app_of = app_of

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        plays = PERSONALITIES.get(Request(scope).path_params["name"])
        if plays is None:
            words = "There is no such MMSC. There are:\n" + "".join(
                f"  {one.name}: {one.title}\n" for one in PERSONALITIES.values()
            )
            await PlainTextResponse(words, status_code=404)(scope, receive, send)
        else:
            await self._app_of(plays)(scope, receive, send)
