from collections.abc import AsyncIterator

import pytest

from mmsgate.http import AddressPolicy, HttpClient
from tests.integration.http.origin import Origin


@pytest.fixture
async def origin() -> AsyncIterator[Origin]:
    async with Origin() as running:
        yield running


@pytest.fixture
async def client(origin: Origin) -> AsyncIterator[HttpClient]:
    """A client that may fetch from the test's own origin and nothing else on this host."""
    running = HttpClient(policy=AddressPolicy(frozenset({("127.0.0.1", origin.port)})))
    await running.start()
    yield running
    await running.stop()
