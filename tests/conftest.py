"""What all tests share: golden files, and how long Hypothesis may look."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.postgres import postgres_server
from tests.s3.server import S3Server, serving

# Commands that are tested write to no terminal, whatever the one is that the tests run in.
os.environ.pop("COLUMNS", None)

# No deadline: how long one example takes says more about the machine's other work than about the code.
settings.register_profile("mmsgate", deadline=None, max_examples=50)
settings.load_profile("mmsgate")

GOLDEN = Path(__file__).parent / "golden"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--golden-update", action="store_true", help="write the golden files anew; review the diff")


@pytest.fixture(scope="session")
def s3_server() -> Iterator[S3Server]:
    """One S3 server for all tests; each takes a bucket of its own."""
    with serving() as server:
        yield server


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, bytes], None]:
    """`golden(name, data)` fails unless tests/golden/`name` holds exactly these bytes."""

    def check(name: str, data: bytes) -> None:
        path = GOLDEN / name
        if request.config.getoption("--golden-update"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        assert path.exists(), f"{name} is missing: write it with --golden-update and review it"
        assert data == path.read_bytes()

    return check


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The address of a PostgreSQL server."""
    with postgres_server() as address:
        yield address
