"""The operator's port: ``/healthz``, ``/readyz`` and ``/metrics``. Not for the public."""

import logging
from collections.abc import Awaitable, Callable

from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4, CollectorRegistry, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from mmsgate.config import DEFAULT_OPS_PORT, Settings
from mmsgate.errors import Fault
from mmsgate.listener import Listener, PortTaken
from mmsgate.ops.readiness import Readiness

log = logging.getLogger("mmsgate.ops")

Refresh = Callable[[], Awaitable[None]]


def ops_app(readiness: Readiness, registry: CollectorRegistry, refresh: Refresh) -> Starlette:
    """The application. `refresh` is awaited before numbers are collected."""

    async def healthz(_: Request) -> Response:
        """The event loop runs: nothing else is asked, for a restart mends nothing else."""
        return JSONResponse({"status": "ok"})

    async def readyz(_: Request) -> Response:
        verdict = await readiness.verdict()
        checks = {name: problem or "ok" for name, problem in verdict.checks.items()}
        status = "ready" if verdict.ready else "not ready"
        return JSONResponse({"status": status, "checks": checks}, status_code=200 if verdict.ready else 503)

    async def metrics(_: Request) -> Response:
        await refresh()
        return Response(generate_latest(registry), headers={"Content-Type": CONTENT_TYPE_PLAIN_0_0_4})

    return Starlette(routes=[Route("/healthz", healthz), Route("/readyz", readyz), Route("/metrics", metrics)])


def bound(settings: Settings) -> Listener | None:
    """A listener that has its port; None where the operator wants none, or another process has the default one.

    Raises `Fault` if a port that somebody chose is taken. The default one is given up with a warning, so that
    several gateways start on one machine without a word of configuration.
    """
    if not settings.ops_host or settings.ops_port < 0:
        return None
    listener = Listener(settings.ops_host, settings.ops_port)
    try:
        listener.bind(listen=True)
    except PortTaken as taken:
        if settings.ops_port != DEFAULT_OPS_PORT:
            raise Fault(f"{taken}; the setting ops_port names it (0: any free one, -1: none)") from taken
        log.warning("%s: no /healthz, /readyz and /metrics here; set ops_port to have them", taken)
        return None
    return listener
