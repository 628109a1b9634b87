"""The phones' web: pages for people, `/sim/messages` for tests, parts for both.

Everything is rendered from what the box holds, which was read from the simulator's own sockets.
"""

import asyncio
import hashlib
from collections.abc import Callable
from importlib.resources import files

from jinja2 import Environment, PackageLoader
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import (
    HTMLResponse,
    JSONResponse,
    PlainTextResponse,
    RedirectResponse,
    Response,
    StreamingResponse,
)
from starlette.routing import Route

from mmsgate.clock import iso_z
from mmsgate.domain.number import normalise
from mmsgate.simulator.behaviour import TABLE, behaviour_of
from mmsgate.simulator.box import Box
from mmsgate.simulator.events import event_stream
from mmsgate.simulator.files import part_response
from mmsgate.simulator.handset import HANDSETS, Handset, look
from mmsgate.simulator.message import Message
from mmsgate.simulator.query import BadQuery, is_number, parse_query
from mmsgate.simulator.view import (
    linked,
    message_json,
    part_url,
    pretty_number,
    pretty_size,
    pretty_smil,
    preview,
    time_of_day,
)

#: What the example numbers of the list begin with.
EXAMPLE_PREFIX = "1239947"

_STATIC = {
    "sim.css": "text/css",
    "sim.js": "text/javascript",
    "icon.svg": "image/svg+xml",
}
_PAGE_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; img-src 'self'; media-src 'self'; style-src 'self'; script-src 'self'; "
        "connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",  # with none at all a browser hides the form's origin from us too
    "Cache-Control": "no-store",
}
_JSON_HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


class Web:
    """Routes over one box. `forget` is called when the boxes are emptied."""

    def __init__(self, box: Box, *, forget: Callable[[], None]) -> None:
        self._box = box
        self._forget = forget
        self._templates = _environment()
        self._static = {name: _load(name) for name in _STATIC}
        self.app = Starlette(
            routes=[
                Route("/sim", self._redirect),
                Route("/sim/", self._phones),
                Route("/sim/phones/{number}", self._phone),
                Route("/sim/phones/{number}/messages/{id:int}", self._message),
                Route("/sim/messages", self._messages, methods=["GET"]),
                Route("/sim/messages", self._empty, methods=["DELETE"]),
                Route("/sim/messages/{id:int}/parts/{part:int}", self._part),
                Route("/sim/events", self._events),
                Route("/sim/static/{name}", self._file),
            ]
        )

    async def _redirect(self, _: Request) -> Response:
        return RedirectResponse("/sim/", status_code=308)

    async def _phones(self, _: Request) -> Response:
        return self._page(
            "phones.html",
            phones=self._box.phones(),
            rows=TABLE.values(),
            prefix=EXAMPLE_PREFIX,
            dropped=self._box.dropped,
        )

    async def _phone(self, request: Request) -> Response:
        number = normalise(request.path_params["number"])
        if not is_number(number):
            return self._page("missing.html", status=404)
        query = parse_query(request.query_params)
        if isinstance(query, BadQuery):
            return PlainTextResponse(f"{query.reason}\n", status_code=400, headers=_PAGE_HEADERS)
        self._box.read(number)
        messages = [_seen(message, query.handset) for message in self._box.conversation(number)]
        return self._page(
            "phone.html",
            number=number,
            row=behaviour_of(number),
            handset=query.handset or behaviour_of(number).handset,
            handsets=HANDSETS.values(),
            messages=messages[::-1],
            correspondent=next((one.to if one.sent else one.sender for one in reversed(messages)), ""),
            notes=self._box.notes(number)[::-1],
            dropped=self._box.dropped,
        )

    async def _message(self, request: Request) -> Response:
        """One message as a piece of the phone's page."""
        message = self._box.get(request.path_params["id"])
        if message is None or message.phone != normalise(request.path_params["number"]):
            return Response(status_code=404, headers=_PAGE_HEADERS)
        query = parse_query(request.query_params)
        if isinstance(query, BadQuery):
            return PlainTextResponse(f"{query.reason}\n", status_code=400, headers=_PAGE_HEADERS)
        self._box.read(message.phone)
        return self._page("message.html", message=_seen(message, query.handset))

    async def _messages(self, request: Request) -> Response:
        query = parse_query(request.query_params)
        if isinstance(query, BadQuery):
            return JSONResponse({"error": query.reason}, status_code=400, headers=_JSON_HEADERS)
        found = self._box.after(query.since, to=query.to)
        if not found and query.wait:
            found = await self._wait(query.since, query.to, query.wait)
        return JSONResponse(
            [message_json(_seen(message, query.handset)) for message in found], headers=_JSON_HEADERS
        )

    async def _wait(self, since: int, to: str | None, seconds: float) -> list[Message]:
        try:
            return await asyncio.wait_for(self._box.wait_for_message(since, to=to), seconds)
        except TimeoutError:
            return []

    async def _empty(self, _: Request) -> Response:
        self._box.clear()
        self._forget()
        return Response(status_code=204, headers=_JSON_HEADERS)

    async def _part(self, request: Request) -> Response:
        message = self._box.get(request.path_params["id"])
        place = request.path_params["part"]
        if message is None or not 1 <= place <= len(message.parts):
            return Response("There is no such part.", status_code=404, headers=_JSON_HEADERS)
        return part_response(request, message.parts[place - 1])

    async def _events(self, request: Request) -> Response:
        query = parse_query(request.query_params)
        if isinstance(query, BadQuery):
            return JSONResponse({"error": query.reason}, status_code=400, headers=_JSON_HEADERS)
        last = request.headers.get("last-event-id", "")
        revision = int(last) if last.isascii() and last.isdigit() and len(last) <= 18 else query.since
        stream = event_stream(self._box, revision=revision, to=query.to)
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return StreamingResponse(stream, media_type="text/event-stream", headers=headers)

    async def _file(self, request: Request) -> Response:
        name = request.path_params["name"]
        if name not in self._static:
            return Response(status_code=404)
        body, tag = self._static[name]
        headers = {"Cache-Control": "no-cache", "ETag": tag, "X-Content-Type-Options": "nosniff"}
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers=headers)
        return Response(body, media_type=_STATIC[name], headers=headers)

    def _page(self, name: str, *, status: int = 200, **values: object) -> Response:
        page = self._templates.get_template(name).render(
            epoch=self._box.epoch, revision=self._box.revision, **values
        )
        return HTMLResponse(page, status_code=status, headers=_PAGE_HEADERS)


def _seen(message: Message, asked: Handset | None) -> Message:
    """Through the phone that was asked for, else through its recipient's own; what it has sent as it was sent."""
    if message.sent:
        return message
    return look(message, asked or behaviour_of(message.to).handset)


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("mmsgate.simulator"), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {
        "linked": linked,
        "number": pretty_number,
        "size": pretty_size,
        "clock": time_of_day,
        "iso": iso_z,
        "preview": preview,
        "smil": pretty_smil,
    }
    environment.globals["part_url"] = part_url
    return environment


def _load(name: str) -> tuple[bytes, str]:
    """A file of the package and its tag."""
    body = (files("mmsgate.simulator") / "static" / name).read_bytes()
    return body, f'"{hashlib.sha256(body).hexdigest()[:32]}"'
