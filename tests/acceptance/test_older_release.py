"""Release 0.1.0 goes on working on the present schema of SQLite: its own acceptance tests run on it.

Its program refuses a database whose `user_version` is larger than the newest migration that it carries. So it gets
the present migrations in the place of its own, and nothing else is changed: it makes the database as the present
release does, and its statements meet the present tables, indexes and defaults. MMSGATE_TEST_RELEASE names another
tag or commit.
"""

import os
import shutil
import subprocess
import sysconfig
import tarfile
import venv
from importlib import resources
from io import BytesIO
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
#: The commit that is release 0.1.0: a clone may come without tags.
RELEASE = os.environ.get("MMSGATE_TEST_RELEASE", "ba17620e13a84df27441cdb310f107751a420300")


@pytest.fixture
def release(tmp_path: Path) -> Path:
    """The sources of the release, with the present migrations."""
    git = shutil.which("git")
    if git is None or not (ROOT / ".git").exists():
        pytest.skip("this is no clone with git: the older release can't be taken from it")
    archive = subprocess.run([git, "archive", RELEASE], cwd=ROOT, capture_output=True, check=False)
    if archive.returncode:
        pytest.skip(f"{RELEASE} is not in this clone: git fetch --tags")
    folder = tmp_path / "release"
    with tarfile.open(fileobj=BytesIO(archive.stdout)) as sources:
        sources.extractall(folder, filter="data")
    place = folder / "src" / "mmsgate" / "store" / "migrations"
    for old in place.iterdir():
        old.unlink()
    for new in resources.files("mmsgate.store").joinpath("migrations", "sqlite").iterdir():
        (place / new.name).write_text(new.read_text(encoding="utf-8"), encoding="utf-8")
    return folder


def python_of(release: Path, folder: Path) -> Path:
    """An interpreter that has that release's package before the present libraries; its cages start with it, too."""
    venv.create(folder, symlinks=True)
    (site,) = folder.glob("lib/python*/site-packages")
    (site / "release.pth").write_text(f"{release / 'src'}\n{sysconfig.get_path('purelib')}\n", encoding="utf-8")
    return folder / "bin" / "python"


def test_its_acceptance_tests_pass_on_the_present_schema(release: Path, tmp_path: Path) -> None:
    python = python_of(release, tmp_path / "venv")
    ours = ("MMSGATE_", "PYTEST_")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    runs = tmp_path / "runs"
    done = subprocess.run(
        [python, "-m", "pytest", "tests/acceptance", "-q", "-p", "no:cacheprovider", "--basetemp", runs],
        cwd=release, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-4000:]
    assert " passed" in done.stdout
