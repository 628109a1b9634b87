"""One process as its operator sees it: the port, the numbers, readiness, traces; and how it stops."""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from importlib.metadata import version
from importlib.util import find_spec
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector

from mmsgate.config import ConfigFault, Settings
from mmsgate.listener import Listener
from mmsgate.observe import Observe, Work
from mmsgate.ops import catalogue
from mmsgate.ops.deeds import Deeds
from mmsgate.ops.lag import Lag
from mmsgate.ops.listener import bound, ops_app
from mmsgate.ops.readiness import Readiness
from mmsgate.ops.snapshot import Reading, Snapshot

if TYPE_CHECKING:
    from mmsgate.ops.traces import Traces

log = logging.getLogger("mmsgate")


class Ops:
    """Made first, for its `observe` is given to the rooms; then `snapshot` and `readiness` are told of the rooms.

    `role` is what the process is, for traces. Raises `ConfigFault` if traces are wanted and can't be made.
    """

    def __init__(self, settings: Settings, *, role: str) -> None:
        self._settings = settings
        self.readiness, self.snapshot = Readiness(), Snapshot()
        self.deeds, self._lag = Deeds(), Lag()
        self._traces = _traces(settings.trace_url, role)
        self.observe: Observe = self.deeds if self._traces is None else _Both(self.deeds, self._traces)
        self.listener: Listener | None = None
        self.snapshot.add("build", _build)

    @property
    def registry(self) -> CollectorRegistry:
        """A registry of our own: the library's global one would collect whatever a library puts there."""
        registry = CollectorRegistry(auto_describe=False)
        for collector in (self.deeds, self._lag, self.snapshot):
            registry.register(collector)
        for standard in (ProcessCollector, PlatformCollector, GCCollector):
            standard(registry=registry)
        return registry

    @property
    def url(self) -> str:
        """Where it listens; empty if it does not."""
        if self.listener is None:
            return ""
        host = self._settings.ops_host
        return f"http://[{host}]:{self.listener.port}" if ":" in host else f"http://{host}:{self.listener.port}"

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Ops"]:
        """Open before the rooms are, so that they can be seen to start, and until they have stopped."""
        async with AsyncExitStack() as stack:
            self.listener = bound(self._settings)
            if self._traces is not None:
                await self._traces.start()
                stack.push_async_callback(self._traces.stop)
            if self.listener is not None:
                await self.listener.start(ops_app(self.readiness, self.registry, self.snapshot.refresh))
                stack.push_async_callback(self.listener.stop)
            self._lag.start()
            stack.push_async_callback(self._lag.stop)
            yield self

    async def drain(self, hurry: asyncio.Event, listener: Listener | None = None) -> None:
        """Be seen to stop, and go on for `drain_seconds`, or until `hurry`; then the public `listener` may stop."""
        self.readiness.draining = True
        if listener is not None:
            listener.drain()
        seconds = self._settings.drain_seconds
        if not seconds:
            return
        log.info("draining: /readyz says 503, requests are answered for %g s more", seconds)
        try:
            async with asyncio.timeout(seconds):
                await hurry.wait()
        except TimeoutError:
            return


class Signals:
    """What SIGTERM and SIGINT ask for: the first to stop, the second to be quick about it."""

    def __init__(self) -> None:
        self.stop, self.hurry = asyncio.Event(), asyncio.Event()

    def __call__(self) -> None:
        (self.hurry if self.stop.is_set() else self.stop).set()


class _Both:
    """Two who observe."""

    def __init__(self, one: Observe, other: Observe) -> None:
        self._one, self._other = one, other

    def __call__(
        self, work: Work, where: str, outcome: str, seconds: float | None = None, tracking_id: str = ""
    ) -> None:
        self._one(work, where, outcome, seconds, tracking_id)
        self._other(work, where, outcome, seconds, tracking_id)


def _traces(url: str, role: str) -> "Traces | None":
    """Imported when they are wanted: OpenTelemetry takes a quarter of a second."""
    if not url:
        return None
    for package in ("opentelemetry.sdk", "opentelemetry.exporter.otlp.proto.common"):
        if not _installed(package):
            raise ConfigFault(f"the setting trace_url needs {package}: pip install 'mmsgate[traces]'")
    from mmsgate.ops.traces import Traces

    return Traces(url, role=role)


def _installed(package: str) -> bool:
    try:
        return find_spec(package) is not None
    except ModuleNotFoundError:  # of a package above it
        return False


async def _build() -> Sequence[Reading]:
    return (Reading(metric=catalogue.BUILD, value=1, labels=(version("mmsgate"),)),)
