"""A store with the release's schema, and an account in it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from mmsgate.store import Store, migrate


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    path = tmp_path / "mmsgate.db"
    migrate(path)
    store = Store(path)
    await store.start()
    yield store
    await store.stop()
