"""The units are what systemd understands, start again what has ended, and keep the gateway in."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.integration.deploy.files import SYSTEMD, program, text_of
from tests.integration.deploy.units import PROGRAM, UNITS, Unit

IDS = [unit.name for unit in UNITS]


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """The units as on a host where the program is installed, one instance of each template."""
    there = shutil.which("true") or "/bin/true"
    for path in (*SYSTEMD.glob("*.service"), *SYSTEMD.glob("*.target")):
        text = text_of(path).replace(PROGRAM, there)
        (tmp_path / path.name.replace("@.", "@9471.")).write_text(text, encoding="utf-8")
    return tmp_path


def test_systemd_finds_no_fault_with_the_units(installed: Path) -> None:
    analyze = program("systemd-analyze", of="systemd")
    units = sorted(map(str, installed.iterdir()))
    assert len(units) == 6
    said = subprocess.run([analyze, "verify", *units], capture_output=True, text=True, check=False)
    assert (said.returncode, said.stderr) == (0, "")


@pytest.mark.parametrize("unit", UNITS, ids=IDS)
def test_systemd_calls_the_exposure_of_each_service_low(installed: Path, unit: Unit) -> None:
    analyze = program("systemd-analyze", of="systemd")
    if "--offline" not in subprocess.run([analyze, "--help"], capture_output=True, text=True, check=True).stdout:
        pytest.skip("this systemd can't judge units that are not installed")
    path = installed / unit.path.name.replace("@.", "@9471.")
    said = subprocess.run(
        [analyze, "security", "--offline=true", "--threshold=20", "--no-pager", path],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert said.returncode == 0, said.stdout


@pytest.mark.parametrize("unit", UNITS, ids=IDS)
def test_a_service_is_started_again_for_ever_and_its_children_get_no_signal_before_it_has_ended(unit: Unit) -> None:
    assert unit.one("Restart") == "always"
    assert unit.one("StartLimitIntervalSec") == "0"
    assert unit.one("KillMode") == "mixed"
    assert unit.one("User") == "mmsgate"
