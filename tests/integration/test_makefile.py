"""The Makefile on a machine that lacks something: one line that says what to do."""

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_a_python_that_cannot_make_virtual_environments_is_told_in_one_line(tmp_path: Path) -> None:
    """Debian and Ubuntu keep ensurepip in a package of its own."""
    for name in ("Makefile", "requirements.lock", "requirements-dev.lock"):
        shutil.copy(ROOT / name, tmp_path)
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\ncase "$*" in *ensurepip*) exit 1;; esac\nexec {sys.executable} "$@"\n')
    python.chmod(0o755)
    made = subprocess.run(
        ["make", f"PYTHON={python}", "unit"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert made.returncode != 0
    (said,) = [line for line in made.stderr.splitlines() if not line.startswith("make")]
    assert said.startswith(f"{python} can't make virtual environments: install python3-venv")
    assert "set PYTHON" in said
    assert not (tmp_path / ".venv").exists()
