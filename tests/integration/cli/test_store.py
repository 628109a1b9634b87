"""``mmsgate store copy``: an embedded gateway's data folder to PostgreSQL and S3."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mmsgate.cli.main import cli
from mmsgate.clock import SystemClock
from mmsgate.config import load
from mmsgate.domain.media import MediaKind
from mmsgate.domain.slide import Medium
from mmsgate.lock import lock
from mmsgate.media.blobs import open_blobs
from mmsgate.media.storage import FileBlobStore
from mmsgate.store import Store
from tests.integration.cli.conftest import Shell
from tests.postgres import drop_database, new_database
from tests.s3.server import S3Server
from tests.unit.builders import NOW

PICTURE, LOST = b"a picture", "ab" * 32


@pytest.fixture
def target(postgres: str, migrated: str) -> Iterator[str]:
    address = asyncio.run(new_database(postgres, template=migrated))
    yield address
    asyncio.run(drop_database(postgres, address))


@pytest.fixture
def environment(target: str, s3_server: S3Server) -> dict[str, str]:
    return {
        "MMSGATE_DATABASE_URL": target, "MMSGATE_BLOBS_URL": f"s3://{s3_server.bucket()}/mms",
        "MMSGATE_S3_ENDPOINT": s3_server.url, "MMSGATE_S3_REGION": "us-east-1", "MMSGATE_S3_ACCESS_KEY": "id",
        "MMSGATE_S3_SECRET_KEY": "s3cret", "COLUMNS": "300",
    }  # fmt: skip


def keep(shell: Shell, data: bytes = PICTURE) -> str:
    """A file that an account has uploaded."""
    blobs = FileBlobStore(shell.settings.blobs, clock=SystemClock())

    async def kept(store: Store) -> str:
        await blobs.start()
        blob = await blobs.put_bytes(data)
        await upload(store, blob)
        return blob

    return shell.store(kept)


async def upload(store: Store, blob: str) -> None:
    medium = Medium(kind=MediaKind.IMAGE, blob=blob, mime="image/jpeg", size=9, width=1, height=1)
    await store.media.put_upload(blob, 1, medium, at=NOW)


def copy(shell: Shell, environment: dict[str, str]) -> Result:
    arguments = ["store", "copy", "--from", str(shell.settings.data_dir)]
    return CliRunner().invoke(cli, arguments, env=environment)


def in_target(environment: dict[str, str], folder: Path, blob: str) -> bytes:
    """A blob as a gateway with these settings reads it."""
    given = {name: value for name, value in environment.items() if name != "COLUMNS"}
    blobs = open_blobs(load(environment=given, data_dir=str(folder)), SystemClock())

    async def read() -> bytes:
        await blobs.start()
        try:
            return await blobs.read(blob)
        finally:
            await blobs.stop()

    return asyncio.run(read())


def test_accounts_and_media_are_there_after_it(
    shell: Shell, environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    blob = keep(shell)
    shell.store(lambda store: upload(store, LOST))
    result = copy(shell, environment)
    assert result.exit_code == 0, result.output
    assert "1 media file in s3://" in result.output
    assert f"missing or damaged in the data folder, and so not copied: {LOST}" in result.output
    assert in_target(environment, tmp_path_factory.mktemp("host"), blob) == PICTURE
    words = ["account", "list", "--data-dir", str(shell.settings.data_dir)]
    assert "acme" in CliRunner().invoke(cli, words, env=environment).output, "the environment names the target"


def test_a_file_that_is_damaged_is_not_copied(shell: Shell, environment: dict[str, str]) -> None:
    blob = keep(shell)
    FileBlobStore(shell.settings.blobs, clock=SystemClock()).place(blob).write_bytes(b"something else")
    result = copy(shell, environment)
    assert "0 media files in s3://" in result.output
    assert f"so not copied: {blob}" in result.output


def test_the_data_folder_is_as_it_was(shell: Shell, environment: dict[str, str]) -> None:
    keep(shell)

    def files() -> dict[str, bytes]:
        folder = shell.settings.data_dir
        return {
            str(path): path.read_bytes()
            for path in folder.rglob("*")
            if path.is_file() and path.name not in {"lock", "mmsgate.db-wal", "mmsgate.db-shm"}
        }

    before = files()
    assert copy(shell, environment).exit_code == 0
    assert files() == before


def test_without_blobs_url_it_says_that_the_media_stay(shell: Shell, environment: dict[str, str]) -> None:
    result = copy(shell, {**environment, "MMSGATE_BLOBS_URL": ""})
    assert f"The media stay in {shell.settings.blobs}" in result.output


def test_without_a_target_it_asks_for_one(shell: Shell) -> None:
    result = copy(shell, {"COLUMNS": "300"})
    assert "Set database_url" in str(result.exception)


def test_a_folder_that_a_gateway_runs_on_is_refused(shell: Shell, environment: dict[str, str]) -> None:
    with lock(shell.settings):
        result = copy(shell, environment)
    assert "another mmsgate runs with the data folder" in str(result.exception)
    assert "stop it, and copy then" in str(result.exception)


def test_a_bucket_that_is_not_there_ends_it_before_any_row_is_copied(
    shell: Shell, environment: dict[str, str]
) -> None:
    keep(shell)
    result = copy(shell, {**environment, "MMSGATE_BLOBS_URL": "s3://nobodys/mms"})
    assert "there is no bucket nobodys" in str(result.exception)
    assert copy(shell, environment).exit_code == 0
