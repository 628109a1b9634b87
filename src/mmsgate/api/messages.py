"""``GET /messages/TRACKING-ID``: a message and its timeline as JSON, for the account it belongs to.

    {"tracking-id": "…", "mms-id": "…", "state": "delivered", "final": true, "sent-as": "MMS", "from": "…",
     "to": "…", "carrier": "…", "attempts": 1, "accepted": "…", "due": null, "handset": "…", "fallback-link": null,
     "timeline": [{"at": "…", "state": "…", "happening": "…", "reason": "…", "changed": true, "data": {}}],
     "sms-parts": [{"number": 1, "state": "sent", "error": ""}],
     "postbacks": [{"sequence": 1, "code": "N101", "state": "done", "attempts": 1, "error": "", "due": null}]}

The key comes in the header ``X-Api-Key``. Another account's ids are 404 like ids that never were.
"""

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from mmsgate.accept.caller import Callers as Accounts
from mmsgate.api.call import Callers
from mmsgate.clock import Millis, iso
from mmsgate.domain.message import Message
from mmsgate.domain.request import WireDialect
from mmsgate.errors import Refusal, error_text
from mmsgate.store import Store

_STATUS = {"E104": 401, "E105": 403, "E112": 403, "E503": 503, "G001": 404}


def refused(refusal: Refusal) -> Response:
    """A refusal as JSON, with the HTTP status that says the same."""
    told = {
        "status": "failure",
        "error-code": refusal.code,
        "error-info": error_text(refusal, WireDialect.KEBAB),
        "detail": refusal.detail,
    }
    return JSONResponse(told, status_code=_STATUS.get(refusal.code, 400))


class MessagesApi:
    """The timeline of a message."""

    def __init__(
        self, store: Store, accounts: Accounts, callers: Callers, *, page_url: Callable[[Message], str]
    ) -> None:
        self._store, self._accounts, self._callers = store, accounts, callers
        self._page_url = page_url

    def routes(self) -> list[Route]:
        return [Route("/messages/{tracking_id}", self.message, methods=["GET"])]

    async def message(self, request: Request) -> Response:
        try:
            key = request.headers.get("x-api-key", "")
            account = self._accounts.authenticate(key, self._callers.address(request))
        except Refusal as refusal:
            return refused(refusal)
        message = await self._store.messages.by_tracking(request.path_params["tracking_id"])
        if message is None or message.account_id != account.id:
            return refused(Refusal("G001"))
        return JSONResponse(await message_json(message, self._store, self._page_url(message)))


async def message_json(message: Message, store: Store, page_url: str) -> dict[str, object]:
    """Everything that is known of a message."""
    return {
        "tracking-id": message.tracking_id,
        "mms-id": str(message.mms_id),
        "state": message.state.value,
        "final": message.state.final,
        "sent-as": message.sent_as.value,
        "from": message.sender,
        "to": message.recipient,
        "carrier": message.connection,
        "attempts": message.attempts,
        "accepted": iso(message.accepted_at),
        "due": _iso(message.due_at),
        "handset": message.handset,
        "fallback-link": page_url or None,
        "timeline": [
            {
                "at": iso(event.at), "state": event.state.value,
                "happening": event.happening.value if event.happening else None,
                "reason": event.reason, "changed": event.changed, "data": dict(event.data),
            }
            for event in await store.messages.timeline(message.id)
        ],
        "sms-parts": [
            {"number": part.number, "state": part.state, "error": part.error}
            for part in await store.messages.sms_parts(message.id)
        ],
        "postbacks": [
            {
                "sequence": each.sequence, "code": each.code, "state": each.state, "attempts": each.attempts,
                "error": each.last_error, "due": _iso(each.due_at),
            }
            for each in await store.postbacks.of_message(message.id)
        ],
    }  # fmt: skip


def _iso(moment: Millis | None) -> str | None:
    return None if moment is None else iso(moment)
