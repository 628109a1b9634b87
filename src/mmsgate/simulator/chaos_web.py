"""`/sim/chaos`: what goes wrong, seen and set while the simulator runs.

`PUT` takes a JSON object of the switches' probabilities, with `seed`, `all`, `latency-ms` and `delay-ms`, and
begins anew with it; `GET` shows it and what has been done; `DELETE` ends it. All answer with what holds now.
"""

import json

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from mmsgate.simulator.chaos import Chaos, ChaosSettings, Switch, read_settings

_HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
_MAX_BODY = 64 * 1024


def chaos_routes(chaos: Chaos) -> list[Route]:
    """The routes over the dice of one simulator."""

    async def show(_: Request) -> Response:
        return JSONResponse(chaos_json(chaos), headers=_HEADERS)

    async def change(request: Request) -> Response:
        try:
            chaos.begin(read_settings(await _table(request)))
        except ValueError as error:
            return JSONResponse({"error": str(error)}, status_code=400, headers=_HEADERS)
        return await show(request)

    async def end(request: Request) -> Response:
        chaos.begin(ChaosSettings())
        return await show(request)

    return [
        Route("/sim/chaos", show, methods=["GET"]),
        Route("/sim/chaos", change, methods=["PUT"]),
        Route("/sim/chaos", end, methods=["DELETE"]),
    ]


def chaos_json(chaos: Chaos) -> dict[str, object]:
    """The settings; under `done` how often each switch has struck, of how many `requests` and `reports`."""
    done = {switch.value: chaos.done[switch] for switch in Switch}
    counted = {"requests": chaos.requests, "reports": chaos.reports, "done": done}
    return {"on": chaos.settings.is_on, **chaos.settings.json(), **counted}


async def _table(request: Request) -> dict[str, object]:
    """The JSON object in the body. Raises ValueError that says what is wrong with it."""
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > _MAX_BODY:
            raise ValueError(f"the body has more than {_MAX_BODY:,} bytes")
    try:
        given = json.loads(bytes(body))
    except ValueError as error:
        raise ValueError(f"the body is no JSON: {error}") from None
    if not isinstance(given, dict):
        raise ValueError('the body must be a JSON object, such as {"seed": 7, "cut-body": 0.05}')  # noqa: TRY004
    return given
