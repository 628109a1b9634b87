from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from mmsgate.clock import ManualClock
from mmsgate.http import AddressPolicy, HttpClient
from mmsgate.media.cage import ImageCage
from mmsgate.media.ffmpeg import FfmpegCage
from mmsgate.media.storage import FileBlobStore
from tests.integration.http.origin import Origin
from tests.integration.media.footage import Footage
from tests.integration.media.keepers import Keeper, file_keeper, s3_keeper
from tests.s3.server import S3Server


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def origin() -> AsyncIterator[Origin]:
    async with Origin() as running:
        yield running


@pytest.fixture
async def http(origin: Origin) -> AsyncIterator[HttpClient]:
    running = HttpClient(policy=AddressPolicy(frozenset({("127.0.0.1", origin.port)})))
    await running.start()
    yield running
    await running.stop()


@pytest.fixture
async def blobs(tmp_path: Path, clock: ManualClock) -> FileBlobStore:
    store = FileBlobStore(tmp_path / "blobs", clock=clock)
    await store.start()
    return store


@pytest.fixture(params=["files", "s3"])
async def keeper(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Keeper]:
    """One store of each kind."""
    if request.param == "files":
        made = file_keeper(tmp_path)
    else:
        server: S3Server = request.getfixturevalue("s3_server")
        made = s3_keeper(tmp_path, server)
    await made.store.start()
    yield made
    await made.store.stop()


@pytest.fixture
async def cage() -> AsyncIterator[ImageCage]:
    running = ImageCage(workers=2)
    await running.start()
    yield running
    await running.stop()


@pytest.fixture(scope="session")
def footage(tmp_path_factory: pytest.TempPathFactory) -> Footage:
    return Footage(tmp_path_factory.mktemp("footage"))


@pytest.fixture
async def ffmpeg_cage(tmp_path: Path) -> AsyncIterator[FfmpegCage]:
    running = FfmpegCage(folder=tmp_path / "work", workers=2)
    await running.start()
    yield running
    await running.stop()
