"""A store with the release's schema, and an account in it, on each engine."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from mmsgate.clock import SystemClock
from mmsgate.store import Store, migrate
from mmsgate.store.schema import migrate_postgres
from tests.postgres import drop_database, new_database


@pytest.fixture(scope="session")
def migrated(postgres: str) -> Iterator[str]:
    """The address of a database with the release's schema, to be copied."""
    address = asyncio.run(new_database(postgres))
    asyncio.run(migrate_postgres(address, now=SystemClock().now()))
    yield address
    asyncio.run(drop_database(postgres, address))


@pytest.fixture(params=["sqlite", "postgres"])
def where(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path | str]:
    """What a store may be opened with: both engines pass the same tests."""
    if request.param == "sqlite":
        path = tmp_path / "mmsgate.db"
        migrate(path)
        yield path
        return
    server, template = request.getfixturevalue("postgres"), request.getfixturevalue("migrated")
    address = asyncio.run(new_database(server, template=template))
    yield address
    asyncio.run(drop_database(server, address))


@pytest.fixture
async def store(where: Path | str) -> AsyncIterator[Store]:
    store = Store(where)
    await store.start()
    yield store
    await store.stop()
