"""`POST /sim/phones/NUMBER/messages`: the phone sends a message.

A form of the type multipart/form-data: `to`, `text`, `subject`, any number of `file` and `cc`, `kind` (mms or sms),
`twice` (1: the carrier brings it twice). The answer is ``{"taken": true, "why": ""}``; a browser's form without
script is led back to the phone. Posts from other sites are refused: they would send in their visitor's name.
"""

from collections.abc import AsyncGenerator
from urllib.parse import urlsplit

from starlette.datastructures import FormData, Headers, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from mmsgate.domain.number import normalise
from mmsgate.simulator.outgoing import File, Outgoing
from mmsgate.simulator.phone import Outcome, Phones
from mmsgate.simulator.query import is_number

MAX_BODY = 16 * 1024 * 1024

_HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
_MAX_FILES = 20
_MAX_FIELDS = 50
_FIELDS = frozenset({"to", "text", "subject", "file", "cc", "kind", "twice"})


class _RefusedError(Exception):
    """The request is not what it should be; says why, and with which HTTP status."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status, self.why = status, why


def phone_routes(phones: Phones) -> list[Route]:
    """The route over one simulator's phones."""

    async def send(request: Request) -> Response:
        try:
            outgoing = await _outgoing(request)
        except _RefusedError as refused:
            return _answer(request, Outcome(taken=False, why=refused.why), status=refused.status)
        return _answer(request, await phones.send(outgoing))

    return [Route("/sim/phones/{number}/messages", send, methods=["POST"])]


def _answer(request: Request, outcome: Outcome, *, status: int = 200) -> Response:
    if "text/html" not in request.headers.get("accept", ""):
        return JSONResponse({"taken": outcome.taken, "why": outcome.why}, status_code=status, headers=_HEADERS)
    if status != 200:
        return PlainTextResponse(f"{outcome.why}\n", status_code=status, headers=_HEADERS)
    number = normalise(request.path_params["number"])
    return RedirectResponse(f"/sim/phones/{number}", status_code=303, headers=_HEADERS)


async def _outgoing(request: Request) -> Outgoing:
    """What is to be sent. Raises `_RefusedError`."""
    if is_foreign(request.headers):
        raise _RefusedError(403, "another site may not send from here")
    number = normalise(request.path_params["number"])
    if not is_number(number):
        raise _RefusedError(404, "there is no such phone: its address ends with a number, in digits")
    if not request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
        raise _RefusedError(415, "send a form of the type multipart/form-data")
    form = await _form(request)
    try:
        return await _read(number, form)
    finally:
        await form.close()


def is_foreign(headers: Headers) -> bool:
    """Whether a browser says that a page of another origin sends this. Programs say nothing."""
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site not in ("same-origin", "none")
    origin = headers.get("origin")
    return origin is not None and urlsplit(origin).netloc != headers.get("host")


async def _form(request: Request) -> FormData:
    body = await _body(request)

    async def stream() -> AsyncGenerator[bytes, None]:
        yield body

    parser = MultiPartParser(
        request.headers, stream(), max_files=_MAX_FILES, max_fields=_MAX_FIELDS, max_part_size=MAX_BODY
    )
    try:
        return await parser.parse()
    except MultiPartException as error:
        raise _RefusedError(400, f"the form can't be read: {error.message}") from error


async def _body(request: Request) -> bytes:
    pieces, size = [], 0
    async for piece in request.stream():
        pieces.append(piece)
        size += len(piece)
        if size > MAX_BODY:
            raise _RefusedError(413, f"the body has more than {MAX_BODY:,} bytes")
    return b"".join(pieces)


async def _read(number: str, form: FormData) -> Outgoing:
    """The message that the form describes. Raises `_RefusedError`."""
    unknown = sorted(set(form) - _FIELDS)
    if unknown:
        raise _RefusedError(400, f"unknown field {unknown[0]!r}: there are {', '.join(sorted(_FIELDS))}")
    kind = _text(form, "kind") or "mms"
    if kind not in ("mms", "sms"):
        raise _RefusedError(400, "kind must be mms or sms")
    copies = tuple(_number("cc", value) for value in form.getlist("cc") if value)
    files = tuple(
        [await _file(one) for one in form.getlist("file") if isinstance(one, UploadFile) and one.filename]
    )
    outgoing = Outgoing(
        sender=number, to=_number("to", form.get("to", "")), text=_text(form, "text"),
        subject=_text(form, "subject").strip(), files=files, copies=copies, sms=kind == "sms",
        twice=_text(form, "twice") == "1",
    )  # fmt: skip
    if outgoing.sms and (outgoing.files or outgoing.copies or outgoing.subject):
        raise _RefusedError(400, "an SMS has a text alone: no subject, no file, no cc")
    if not (outgoing.text or outgoing.files or (outgoing.subject and not outgoing.sms)):
        raise _RefusedError(400, "there is nothing to send: give a text or a file")
    return outgoing


def _text(form: FormData, name: str) -> str:
    """A field's text with the line ends of texts, not of forms."""
    value = form.get(name, "")
    if not isinstance(value, str):
        raise _RefusedError(400, f"{name} must be a text, not a file")
    return value.replace("\r\n", "\n")


def _number(name: str, value: object) -> str:
    number = normalise(value) if isinstance(value, str) else ""
    if not is_number(number):
        raise _RefusedError(400, f"{name} must be a number, such as 28444")
    return number


async def _file(upload: UploadFile) -> File:
    return File(name=upload.filename or "", content_type=upload.content_type or "", body=await upload.read())
