"""``/errors/CODE``: what an error code means and what to do, linked from every refusal; and the start page."""

import html

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from mmsgate.domain.request import WireDialect
from mmsgate.errors import CATALOGUE

_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1"><title>{title} · mmsgate</title>
<style>body{{font:1rem/1.5 system-ui,sans-serif;max-width:42rem;margin:2rem auto;padding:0 1rem;color:#1c2733;
background:#fff}}code{{background:#eef2f6;padding:.1em .3em;border-radius:.2em}}
dt{{font-weight:600;margin-top:1rem}}dd{{margin:0}}a{{color:#0b62c4}}@media(prefers-color-scheme:dark){{body{{color:#dde5ee;background:#12181f}}
code{{background:#222c37}}a{{color:#7db7ff}}}}</style>
<h1>{title}</h1>{body}</html>"""
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "public, max-age=3600",
}


def help_routes() -> list[Route]:
    """The routes of this page."""
    return [
        Route("/errors", _index),
        Route("/errors/", _index),
        Route("/errors/{code}", _code),
        Route("/healthz", _alive),
    ]


async def _alive(_: Request) -> Response:
    """The process serves requests."""
    return JSONResponse({"status": "ok"})


async def _index(_: Request) -> Response:
    rows = "".join(
        f'<dt><a href="/errors/{entry.code}">{entry.code}</a></dt><dd>{html.escape(entry.meaning)}</dd>'
        for entry in CATALOGUE.values()
    )
    return _page("Error codes", f"<dl>{rows}</dl>")


async def _code(request: Request) -> Response:
    code = request.path_params["code"]
    entry = CATALOGUE.get(code.upper())
    if entry is None:
        return _page("No such code", '<p>See <a href="/errors/">all codes</a>.</p>', status=404)
    if code != entry.code:
        return RedirectResponse(f"/errors/{entry.code}")
    texts = {entry.template(WireDialect.KEBAB), entry.template(WireDialect.SKYCORE)}
    wordings = "<br>".join(f"<code>{html.escape(_placeholders(text))}</code>" for text in sorted(texts))
    body = (
        f"<dl><dt>Text</dt><dd>{wordings}</dd><dt>Meaning</dt><dd>{html.escape(entry.meaning)}</dd>"
        f"<dt>What to do</dt><dd>{html.escape(entry.remedy)}</dd></dl>"
        "<p>The header <code>X-Error-Detail</code> of the answer says more: the slide, the byte count, the "
        'setting.</p><p><a href="/errors/">All codes</a></p>'
    )
    return _page(entry.code, body)


def _placeholders(text: str) -> str:
    return text.replace("{x}", "X").replace("{detail}", "…")


def _page(title: str, body: str, *, status: int = 200) -> Response:
    page = _PAGE.format(title=html.escape(title), body=body)
    return HTMLResponse(page, status_code=status, headers=_HEADERS)
