"""``/errors/CODE``: what the code of an error or a postback means and what to do, linked from every refusal."""

import html
from collections.abc import Iterable

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from mmsgate.domain.notices import NOTICES, Notice
from mmsgate.domain.request import WireDialect
from mmsgate.errors import CATALOGUE, Entry

_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1"><title>{title} · mmsgate</title>
<style>body{{font:1rem/1.5 system-ui,sans-serif;max-width:42rem;margin:2rem auto;padding:0 1rem;color:#1c2733;
background:#fff}}code{{background:#eef2f6;padding:.1em .3em;border-radius:.2em}}
dt{{font-weight:600;margin-top:1rem}}dd{{margin:0}}a{{color:#0b62c4}}@media(prefers-color-scheme:dark){{body{{color:#dde5ee;background:#12181f}}
code{{background:#222c37}}a{{color:#7db7ff}}}}</style>
<h1>{title}</h1>{body}</html>"""
_ALL = '<a href="/errors/">All codes</a>'
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
    errors = _list((entry.code, entry.meaning) for entry in CATALOGUE.values())
    postbacks = _list((code, notice.meaning) for code, notice in NOTICES.items())
    return _page("Error codes", f"{errors}<h1>Postback codes</h1>{postbacks}")


def _list(codes: Iterable[tuple[str, str]]) -> str:
    rows = (
        f'<dt><a href="/errors/{code}">{code}</a></dt><dd>{html.escape(meaning)}</dd>' for code, meaning in codes
    )
    return f"<dl>{''.join(rows)}</dl>"


async def _code(request: Request) -> Response:
    code = request.path_params["code"]
    entry, notice = CATALOGUE.get(code.upper()), NOTICES.get(code.upper())
    pages = [*([_error(entry)] if entry else ()), *([_postback(notice)] if notice else ())]
    if not pages:
        return _page("No such code", f"<p>See {_ALL}.</p>", status=404)
    if code != code.upper():
        return RedirectResponse(f"/errors/{code.upper()}")
    return _page(code, f"{''.join(pages)}<p>{_ALL}</p>")


def _error(entry: Entry) -> str:
    texts = {entry.template(WireDialect.KEBAB), entry.template(WireDialect.SKYCORE)}
    wordings = "<br>".join(f"<code>{html.escape(_placeholders(text))}</code>" for text in sorted(texts))
    return (
        f"<dl><dt>Text</dt><dd>{wordings}</dd><dt>Meaning</dt><dd>{html.escape(entry.meaning)}</dd>"
        f"<dt>What to do</dt><dd>{html.escape(entry.remedy)}</dd></dl>"
        "<p>The header <code>X-Error-Detail</code> of the answer says more: the slide, the byte count, the "
        "setting.</p>"
    )


def _postback(notice: Notice) -> str:
    last = "No other postback comes after it." if notice.final else "It is not the last word."
    return (
        f"<dl><dt>Meaning of this postback</dt><dd>{html.escape(notice.meaning)}</dd>"
        f"<dt>What to do</dt><dd>{html.escape(notice.remedy)}</dd></dl><p>{last}</p>"
    )


def _placeholders(text: str) -> str:
    return text.replace("{x}", "X").replace("{detail}", "…")


def _page(title: str, body: str, *, status: int = 200) -> Response:
    page = _PAGE.format(title=html.escape(title), body=body)
    return HTMLResponse(page, status_code=status, headers=_HEADERS)
