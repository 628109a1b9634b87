"""One gateway for the tests that only use it; tests that kill theirs start their own."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from mmsgate.http import HttpClient
from tests.acceptance.gateway import Customer, Program, customer_of


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def http() -> AsyncIterator[HttpClient]:
    client = HttpClient()
    await client.start()
    yield client
    await client.stop()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def program(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Program]:
    """The embedded gateway with its simulator, whose delays run ten times as fast."""
    data_dir: Path = tmp_path_factory.mktemp("gateway")
    running = Program(data_dir=data_dir, environment={"MMSGATE_SIMULATOR_SPEED": "10"})
    await running.start()
    yield running
    await running.stop()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def customer(program: Program, http: HttpClient) -> Customer:
    return await customer_of(program, http)
