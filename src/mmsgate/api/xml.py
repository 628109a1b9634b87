"""The XML API: ``/ep/v1/`` (kebab) and ``/API/wxml/1.3/`` (Skycore). API contract 1 to 4."""

import hashlib
import logging
import time
from collections.abc import AsyncGenerator, Sequence
from urllib.parse import parse_qsl

from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from mmsgate.accept.actions import Actions
from mmsgate.accept.call import Call
from mmsgate.accept.caller import Callers as Accounts
from mmsgate.accept.idempotency import Keys
from mmsgate.accept.preview import Previews
from mmsgate.api.call import MAX_DOCUMENT, BodyTooLarge, Callers, read_body, request_id
from mmsgate.api.preview import is_dry_run, preview_response
from mmsgate.domain.account import Account
from mmsgate.domain.request import Action, ApiRequest, Parameters, SendMms, SendSavedMms, WireDialect
from mmsgate.errors import Refusal
from mmsgate.observe import Observe, Work, unobserved
from mmsgate.store import Idempotency
from mmsgate.trail import present
from mmsgate.wire.document import looks_like_xml, read_document
from mmsgate.wire.reader import read_form, read_request
from mmsgate.wire.writer import content_type, failure

log = logging.getLogger("mmsgate.api")

KEBAB_PATHS = ("/ep/v1", "/ep/v1/")
SKYCORE_PATHS = ("/API/wxml/1.3", "/API/wxml/1.3/", "/API/wxml/1.3/index.php")
METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]  # wrong ones are answered with E100, not by HTTP
MAX_FIELDS = 200
#: The code of an answer that is none of a refusal, and the action of a request that has none of ours.
SUCCESS, NO_ACTION = "success", "none"
_ACTIONS = {action.value.lower(): action.value for action in Action}

#: A form's fields in order. A file is bytes: unlike a text, it may be in the encoding that the document declares.
Fields = Sequence[tuple[str, str | bytes]]


class XmlApi:
    """Both XML dialects. Every answer that can be a document is one, with HTTP 200 (contract 1.1)."""

    def __init__(
        self, accounts: Accounts, actions: Actions, previews: Previews, keys: Keys, callers: Callers, *,
        help_base: str, observe: Observe = unobserved,
    ) -> None:  # fmt: skip
        self._observe = observe
        self._accounts, self._actions, self._previews = accounts, actions, previews
        self._keys, self._callers, self._help_base = keys, callers, help_base

    def routes(self) -> list[Route]:
        return [
            *(Route(path, self.kebab, methods=METHODS) for path in KEBAB_PATHS),
            *(Route(path, self.skycore, methods=METHODS) for path in SKYCORE_PATHS),
        ]

    async def kebab(self, request: Request) -> Response:
        return await self._answer(request, WireDialect.KEBAB)

    async def skycore(self, request: Request) -> Response:
        return await self._answer(request, WireDialect.SKYCORE)

    async def _answer(self, request: Request, path_dialect: WireDialect) -> Response:
        """Read, do, write; whatever goes wrong is answered in the dialect of the document, or of the path."""
        parsed: ApiRequest | None = None
        status, extra, began = 200, {}, time.perf_counter()
        try:
            body = await _body(request, path_dialect)
            parsed = await _parse(request, body, path_dialect)
            response = await self._run(request, parsed, body)
        except BodyTooLarge as error:
            refusal, status = Refusal("E100", detail=str(error)), 413
        except Refusal as refused:
            refusal = refused
        except KeyConflict as conflict:
            refusal, status, extra = conflict.refusal, 409, conflict.headers
        except Exception:
            log.exception("request %s failed", request_id(request))
            refusal = Refusal("E503", detail=f"the operator finds it under request id {request_id(request)}")
        else:
            self._tell(parsed, SUCCESS, began)
            return response
        self._tell(parsed, refusal.code, began)
        return self._refuse(request, refusal, parsed, path_dialect, status=status, headers=extra)

    def _tell(self, parsed: ApiRequest | None, code: str, began: float) -> None:
        """Whoever observes it."""
        trail = present()
        action = _ACTIONS.get((parsed.action or "" if parsed else "").lower(), NO_ACTION)
        took = time.perf_counter() - began
        self._observe(Work.REQUEST, action, code, took, trail.tracking_id if trail else "")

    async def _run(self, request: Request, parsed: ApiRequest, body: bytes) -> Response:
        preview = is_dry_run(request.query_params.multi_items())
        account, action = await self._accounts.admit(parsed, self._callers.address(request))
        assert parsed.parameters is not None, action  # the caller's check lets only served actions through
        if preview:  # whatever its Idempotency-Key: nothing is done that could be done twice
            call = Call(account=account, dialect=parsed.dialect)
            return preview_response(await self._previews.run(parsed.parameters, action, call))
        key = request.headers.get("idempotency-key", "")
        call = Call(account=account, dialect=parsed.dialect, idempotency_key=key)
        if not key:
            return _document(await self._actions.run(parsed.parameters, call), parsed.dialect)
        return await self._run_once(account, parsed.parameters, call, body)

    async def _run_once(self, account: Account, parameters: Parameters, call: Call, body: bytes) -> Response:
        """R-07: the same key and body is answered once more with the same bytes."""
        digest = hashlib.sha256(body).hexdigest()
        held = await self._keys.begin(account.id, call.idempotency_key, digest)
        match held:
            case bytes():
                return _document(held, call.dialect, {"Idempotent-Replayed": "true"})
            case Idempotency.OTHER_REQUEST:
                wording = "This Idempotency-Key was used with another request."
                raise KeyConflict(Refusal("E100", wording=wording))
            case Idempotency.RUNNING:
                wording = "The request with this Idempotency-Key is still running."
                raise KeyConflict(Refusal("E100", wording=wording), retry_after=1)
            case Idempotency.NEW:
                pass
        try:
            return _document(await self._actions.run(parameters, call), call.dialect)
        except BaseException:
            await self._keys.abandon(account.id, call.idempotency_key)  # only Success is kept
            raise

    def _refuse(
        self, request: Request, refusal: Refusal, parsed: ApiRequest | None, dialect: WireDialect, *, status: int,
        headers: dict[str, str],
    ) -> Response:  # fmt: skip
        """The failure document. What its text can't say is in X-Error-Detail, and the code's page is linked."""
        dialect = parsed.dialect if parsed else dialect
        to = _recipient(parsed)
        request.state.note = f"{refusal.code} {refusal.detail}"
        detail = " ".join(refusal.detail.replace("×", "x").encode("ascii", "backslashreplace").decode().split())
        told = {
            "X-Error-Detail": detail,
            "Link": f'<{self._help_base}/errors/{refusal.code}>; rel="help"',
            **headers,
        }
        return _document(failure(dialect, refusal, to=to), dialect, told, status=status)


def _recipient(parsed: ApiRequest | None) -> str | None:
    """The recipient as the caller wrote it; None for actions that have none (contract 4)."""
    parameters = parsed.parameters if parsed else None
    return parameters.to or "" if isinstance(parameters, SendMms | SendSavedMms) else None


class KeyConflict(Exception):  # noqa: N818  the caller's mistake
    """An Idempotency-Key that can't be used now: HTTP 409 (R-07)."""

    def __init__(self, refusal: Refusal, *, retry_after: int | None = None) -> None:
        super().__init__(str(refusal))
        self.refusal = refusal
        self.headers = {} if retry_after is None else {"Retry-After": str(retry_after)}


def _document(
    body: bytes, dialect: WireDialect, headers: dict[str, str] | None = None, *, status: int = 200
) -> Response:
    return Response(body, status_code=status, headers={"Content-Type": content_type(dialect), **(headers or {})})


async def _body(request: Request, dialect: WireDialect) -> bytes:
    """The body of a call by POST, empty for GET in the Skycore dialect; other methods are E100."""
    if request.method == "POST":
        body = await read_body(request, MAX_DOCUMENT)
        if not body.strip():
            raise Refusal("E100", detail="the body is empty")
        return body
    if request.method == "GET" and dialect is WireDialect.SKYCORE:
        return b""
    raise Refusal("E100", detail=f"{request.method} is not accepted here")


async def _parse(request: Request, body: bytes, dialect: WireDialect) -> ApiRequest:
    """A document is known by its first character, whatever its label says (contract 1.1)."""
    if body and looks_like_xml(body):
        return read_request(read_document(body))
    if dialect is WireDialect.KEBAB:
        raise Refusal("E108", detail="the body is not an XML document")
    fields = await _fields(request, body)
    document = next((value for name, value in fields if name.lower() == "xml"), None)
    if document is not None:
        return read_request(read_document(document))
    return read_form([(name, value) for name, value in fields if isinstance(value, str)])


async def _fields(request: Request, body: bytes) -> Fields:
    """The fields of a query string or a form of either kind."""
    if body and request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
        return await _multipart_fields(request, body)
    try:
        text = body.decode() if body else request.url.query
        return parse_qsl(text, keep_blank_values=True, max_num_fields=MAX_FIELDS)
    except ValueError as error:  # also what is not UTF-8
        where = "body is neither XML nor" if body else "query string is not"
        raise Refusal("E100", detail=f"the {where} a form of at most {MAX_FIELDS} fields") from error


async def _multipart_fields(request: Request, body: bytes) -> Fields:
    """A form in parts. The document may come as a file (``curl -F xml=@request.xml``); other files are not read."""

    async def stream() -> AsyncGenerator[bytes, None]:
        yield body

    parser = MultiPartParser(
        request.headers, stream(), max_files=1, max_fields=MAX_FIELDS, max_part_size=MAX_DOCUMENT
    )
    try:
        form = await parser.parse()
    except MultiPartException as error:
        raise Refusal("E100", detail=f"the form could not be read: {error.message}") from error
    try:
        return [
            (name, value if isinstance(value, str) else await value.read()) for name, value in form.multi_items()
        ]
    finally:
        await form.close()
