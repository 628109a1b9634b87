"""The addresses of the pages: ``/m/TOKEN``, its files, its beacon, and robots.txt."""

from dataclasses import dataclass
from typing import Protocol

from starlette.background import BackgroundTask
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from mmsgate.clock import Clock
from mmsgate.pages.files import BlobPaths, local_file
from mmsgate.pages.html import SCRIPT, SCRIPT_NAME, Notice, page_html
from mmsgate.pages.page import Page, is_token
from mmsgate.pages.responses import HEADERS, Hosted, file_response, html, notice
from mmsgate.pages.robots import is_robot

_FOR_EVER = "public, max-age=31536000, immutable"


class PageSource(Protocol):
    """Where pages are looked up."""

    async def page(self, token: str) -> Page | None:
        """The page of a token, expired or not; None if there is none."""
        ...


class ViewListener(Protocol):
    """Told of every view: once per beacon of a browser, once per page that a known robot fetched (R-37)."""

    async def __call__(self, token: str, robot: bool) -> None: ...


def routes(pages: PageSource, blobs: BlobPaths, *, clock: Clock, on_view: ViewListener) -> list[Route]:
    """All addresses of this room. None of them asks who is there: knowing a token is the right to see its page."""
    site = _Site(pages=pages, blobs=blobs, clock=clock, on_view=on_view)
    small = [Middleware(GZipMiddleware, minimum_size=500, compresslevel=6)]
    return [
        Route("/robots.txt", _robots_txt),
        Route("/favicon.ico", _no_icon),
        Route(f"/m/assets/{SCRIPT_NAME}", _script),
        Route("/m/{token}", site.show, middleware=small),
        Route("/m/{token}/seen", site.seen, methods=["POST"]),
        Route("/m/{token}/{name}", site.file),
        Route("/m/{rest:path}", _nothing),
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Site:
    pages: PageSource
    blobs: BlobPaths
    clock: Clock
    on_view: ViewListener

    async def show(self, request: Request) -> Response:
        """The page itself. A known robot is counted here: few of them would send the beacon."""
        page = await self._find(request)
        if isinstance(page, Notice):
            return notice(page)
        response = html(page_html(page))
        if request.method == "GET" and _from_robot(request):
            response.background = BackgroundTask(self.on_view, page.token, robot=True)
        return response

    async def file(self, request: Request) -> Response:
        """One file, by its exact name; ``?download=1`` saves it."""
        page = await self._find(request)
        if isinstance(page, Notice):
            return notice(page)
        file = page.file(request.path_params["name"])
        if file is None:
            return notice(Notice.UNKNOWN)
        what = f"the {file.name} of a page of account {page.account_id}"
        found = await local_file(self.blobs, file.medium.blob, what)
        if isinstance(found, Notice):
            return notice(found)
        hosted = Hosted(
            name=file.name, mime=file.mime, etag=file.etag, created_at=page.created_at, expires_at=page.expires_at,
            attach=request.query_params.get("download") == "1",
        )  # fmt: skip
        return file_response(
            hosted,
            found.path,
            stat=found.stat,
            request=request.headers,
            method=request.method,
            now=self.clock.now(),
        )

    async def seen(self, request: Request) -> Response:
        """The beacon: a browser shows the page to somebody. Its body is not read."""
        page = await self._find(request)
        if isinstance(page, Notice):
            return notice(page)
        if not _from_robot(request):
            await self.on_view(page.token, robot=False)
        return Response(status_code=204, headers=HEADERS)

    async def _find(self, request: Request) -> Page | Notice:
        """The page that the address names, or why it shows nothing."""
        token = request.path_params["token"]
        page = await self.pages.page(token) if is_token(token) else None
        if page is None:
            return Notice.UNKNOWN
        return Notice.EXPIRED if page.expired(self.clock.now()) else page


def _from_robot(request: Request) -> bool:
    return is_robot(request.headers.get("user-agent", ""))


async def _script(_: Request) -> Response:
    headers = {**HEADERS, "Cache-Control": _FOR_EVER}
    return Response(SCRIPT, headers=headers, media_type="text/javascript")


async def _no_icon(_: Request) -> Response:
    """Every browser asks for it, and calls a 404 an error."""
    return Response(status_code=204, headers={"Cache-Control": "public, max-age=86400"})


async def _robots_txt(_: Request) -> Response:
    return PlainTextResponse("User-agent: *\nDisallow: /\n", headers=HEADERS)


async def _nothing(_: Request) -> Response:
    return notice(Notice.UNKNOWN)
