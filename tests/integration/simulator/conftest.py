from collections.abc import AsyncIterator

import pytest

from mmsgate.clock import Ids, SystemClock
from mmsgate.http import HttpClient
from mmsgate.simulator.reports import Poster
from mmsgate.simulator.service import Simulator, SimulatorConfig
from tests.integration.simulator.peer import Endpoint


@pytest.fixture
async def endpoint() -> AsyncIterator[Endpoint]:
    async with Endpoint.running() as running:
        yield running


@pytest.fixture
async def poster() -> AsyncIterator[Poster]:
    client = HttpClient()
    await client.start()
    yield client.pool(limit=4)
    await client.stop()


@pytest.fixture
async def simulator(endpoint: Endpoint, poster: Poster) -> AsyncIterator[Simulator]:
    """A simulator on free ports, a hundred times as fast as real time."""
    config = SimulatorConfig(
        mmsc_port=0,
        smsc_port=0,
        report_url=f"http://127.0.0.1:{endpoint.port}/mm7",
        report_user="mmsc",
        report_password="secret",
        speed=100,
    )
    clock = SystemClock()
    running = Simulator(config, poster=poster, clock=clock, ids=Ids(clock))
    await running.start()
    yield running
    await running.stop()


@pytest.fixture
def port(simulator: Simulator) -> int:
    return int(simulator.mmsc_url.rpartition(":")[2].partition("/")[0])
