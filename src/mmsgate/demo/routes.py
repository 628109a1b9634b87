"""The demo over HTTP: its media, and the inbox of postbacks for people, for scripts and for the gateway."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from jinja2 import Environment, PackageLoader
from starlette.requests import ClientDisconnect, Request
from starlette.responses import (
    FileResponse,
    HTMLResponse,
    JSONResponse,
    PlainTextResponse,
    RedirectResponse,
    Response,
    StreamingResponse,
)
from starlette.routing import BaseRoute, Route

from mmsgate.clock import iso_z
from mmsgate.demo.entry import Entry
from mmsgate.demo.files import BY_NAME, FILES, file_response
from mmsgate.demo.inbox import Inbox
from mmsgate.demo.query import BadQuery, parse_query

#: The largest postback that is taken, in bytes.
MAX_BODY = 64 * 1024
#: What a page shows at most: postbacks, and characters of each body. The JSON has them all.
SHOWN = 100
SHOWN_BODY = 4000
#: Seconds of silence after which a comment keeps a page's connection alive.
KEEP_ALIVE = 15.0

_STATIC = {"demo.css": "text/css", "demo.js": "text/javascript", "icon.svg": "image/svg+xml"}
_FOLDER = Path(__file__).parent / "static"
_HEADERS = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}
_PAGE_HEADERS = {
    **_HEADERS,
    "Content-Security-Policy": (
        "default-src 'none'; img-src 'self'; media-src 'self'; style-src 'self'; script-src 'self'; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
}


def demo_routes(inbox: Inbox) -> list[BaseRoute]:
    """Everything under ``/demo``. Close `inbox` before the server stops: pages and scripts wait on it."""
    postbacks = _Postbacks(inbox)
    return [
        Route("/demo", _redirect),
        Route("/demo/", _list),
        Route("/demo/static/{name}", _static),
        Route("/demo/postbacks", postbacks.show, methods=["GET"]),
        Route("/demo/postbacks", postbacks.receive, methods=["POST"]),
        Route("/demo/postbacks", postbacks.empty, methods=["DELETE"]),
        Route("/demo/postbacks.json", postbacks.answer),
        Route("/demo/postbacks/events", postbacks.events),
        Route("/demo/{name}", _file),
    ]


async def _redirect(_: Request) -> Response:
    return RedirectResponse("/demo/", status_code=308)


async def _list(_: Request) -> Response:
    return _page("files.html", files=FILES)


async def _file(request: Request) -> Response:
    file = BY_NAME.get(request.path_params["name"])
    if file is None:
        return PlainTextResponse("There is no such file; /demo/ lists those there are.", 404, headers=_HEADERS)
    return file_response(file, request)


async def _static(request: Request) -> Response:
    name = request.path_params["name"]
    if name not in _STATIC:
        return PlainTextResponse("There is no such file.", 404, headers=_HEADERS)
    headers = {"Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff"}
    return FileResponse(_FOLDER / name, media_type=_STATIC[name], headers=headers)


@dataclass(frozen=True, slots=True)
class _Postbacks:
    """The routes over one inbox."""

    inbox: Inbox

    async def receive(self, request: Request) -> Response:
        """Keep a postback and say 200, which is all that its sender wants to know."""
        body = await _body(request)
        if body is None:
            return PlainTextResponse(f"A postback has at most {MAX_BODY:,} bytes.", 413, headers=_HEADERS)
        self.inbox.receive(body, request.headers)
        return PlainTextResponse("OK", headers=_HEADERS)

    async def show(self, request: Request) -> Response:
        tracking_id = request.query_params.get("tracking-id", "")
        entries = self.inbox.entries(tracking_id)
        return _page(
            "postbacks.html",
            entries=entries[: -SHOWN - 1 : -1],
            hidden=max(0, len(entries) - SHOWN),
            tracking_id=tracking_id,
            revision=self.inbox.revision,
            is_checked=bool(self.inbox.secret),
        )

    async def answer(self, request: Request) -> Response:
        """The postbacks as JSON, the oldest first; with `wait`, as soon as there are any."""
        query = parse_query(request.query_params)
        if isinstance(query, BadQuery):
            return JSONResponse({"error": query.reason}, status_code=400, headers=_HEADERS)
        found = self.inbox.entries(query.tracking_id)
        if not found and query.wait:
            found = await self._wait(query.tracking_id, query.wait)
        return JSONResponse([_entry_json(entry) for entry in found], headers=_HEADERS)

    async def _wait(self, tracking_id: str, seconds: float) -> list[Entry]:
        try:
            return await asyncio.wait_for(self.inbox.wait_for_entries(tracking_id), seconds)
        except TimeoutError:
            return []

    async def empty(self, _: Request) -> Response:
        self.inbox.clear()
        return Response(status_code=204, headers=_HEADERS)

    async def events(self, request: Request) -> Response:
        known = request.headers.get("last-event-id") or request.query_params.get("since", "")
        headers = {**_HEADERS, "X-Accel-Buffering": "no"}
        return StreamingResponse(changes(self.inbox, known), media_type="text/event-stream", headers=headers)


async def changes(inbox: Inbox, known: str, *, keep_alive: float = KEEP_ALIVE) -> AsyncIterator[str]:
    """Server-Sent Events `change` with the inbox's revision, until it closes.

    `known` is the revision that the page shows. Changes that come together are one event.
    """
    while not inbox.closed:
        if known != str(inbox.revision):
            known = str(inbox.revision)
            yield f"id: {known}\nevent: change\ndata: {known}\n\n"
        try:
            await asyncio.wait_for(inbox.wait(int(known)), keep_alive)
        except TimeoutError:
            yield ": still here\n\n"


async def _body(request: Request) -> bytes | None:
    """The body; None if it is too long, or its sender went away."""
    body = bytearray()
    try:
        async for piece in request.stream():
            body += piece
            if len(body) > MAX_BODY:
                return None
    except ClientDisconnect:
        return None  # nobody reads the answer
    return bytes(body)


def _entry_json(entry: Entry) -> dict[str, object]:
    return {
        "sequence": entry.sequence,
        "code": entry.code,
        "tracking_id": entry.tracking_id,
        "received_at": iso_z(entry.received_at),
        "signature": entry.signature.value,
        "body": entry.text,
        "headers": dict(entry.headers),
    }


def _page(name: str, **values: object) -> Response:
    return HTMLResponse(_templates().get_template(name).render(values), headers=_PAGE_HEADERS)


@lru_cache(maxsize=1)
def _templates() -> Environment:
    environment = Environment(
        loader=PackageLoader("mmsgate.demo"), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"iso": iso_z, "size": _size, "shown": _shown, "tone": _tone}
    return environment


def _size(size: int) -> str:
    return f"{size / 1024:,.0f} KB" if size >= 1024 else f"{size} bytes"


def _shown(text: str) -> str:
    """As much of a body as a page shows, with what a browser can't show made visible."""
    visible = "".join(
        c if c.isprintable() or c in "\n\t" else "\ufffd" for c in text[:SHOWN_BODY].replace("\r\n", "\n")
    )
    return visible if len(text) <= SHOWN_BODY else f"{visible}\n… {len(text) - SHOWN_BODY:,} more characters"


def _tone(code: str) -> str:
    """How a code looks: good, bad, or on the way."""
    tones: Mapping[str, str] = {"N101": "way", "N102": "good", "N202": "good", "N401": "way", "N211": "way"}
    return tones.get(code, "bad" if code.startswith("E") else "other")
