"""``GET /limits?to=&from=[&operator-id=]``: which carrier takes a message, what it may be, and why, as JSON.

    {"to": "…", "from": "…", "sender-type": "short-code",
     "operator": {"id": "31002", "name": "AT&T", "country": "US", "told-by": "number-cache", "why": "…"},
     "carrier": "att",
     "connections": [{"name": "att", "chosen": true, "up": true, "why": "…", "carrier": "AT&T/short-code",
                      "limit": {"bytes": 1050000, "measure": "decoded", "source": "…"}, "types": ["…"]}]}

The key comes in the header ``X-Api-Key``. A refusal is the one that an MMS would get, but for E114.
"""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from mmsgate.accept.caller import Callers as Accounts
from mmsgate.accept.limits import LimitsWorkflow, Option, RecipientLimits
from mmsgate.api.call import Callers
from mmsgate.api.messages import refused
from mmsgate.errors import Refusal


class LimitsApi:
    """The limits of a recipient."""

    def __init__(self, limits: LimitsWorkflow, accounts: Accounts, callers: Callers) -> None:
        self._limits, self._accounts, self._callers = limits, accounts, callers

    def routes(self) -> list[Route]:
        return [Route("/limits", self.limits, methods=["GET"])]

    async def limits(self, request: Request) -> Response:
        asked = request.query_params
        try:
            account = self._accounts.authenticate(
                request.headers.get("x-api-key", ""), self._callers.address(request)
            )
            found = await self._limits.run(asked.get("to"), asked.get("from"), asked.get("operator-id"), account)
        except Refusal as refusal:
            return refused(refusal)
        return JSONResponse(limits_json(found))


def limits_json(found: RecipientLimits) -> dict[str, object]:
    """All of it."""
    operator = found.found.operator
    return {
        "to": found.address.recipient,
        "from": found.address.sender.number,
        "sender-type": found.address.sender.type.value,
        "operator": {
            "id": found.found.id, "name": operator.name if operator else "",
            "country": operator.country if operator else "", "told-by": found.found.told_by.value,
            "why": str(found.found),
        },
        "carrier": next(each.route.profile.name for each in found.options if each.chosen),
        "connections": [_connection(each) for each in found.options],
    }  # fmt: skip


def _connection(option: Option) -> dict[str, object]:
    limit = option.limit
    return {
        "name": option.route.profile.name, "chosen": option.chosen, "up": option.is_up, "why": option.route.reason,
        "carrier": limit.label,
        "limit": {"bytes": limit.limit.bytes, "measure": limit.limit.measure.value, "source": limit.source},
        "types": sorted(limit.types),
    }  # fmt: skip
