"""What holds for every command."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.cli.conftest import Shell


def test_what_a_command_writes_is_its_owners_alone(shell: Shell) -> None:
    os.umask(0o022)  # as most machines are set up
    shell.succeeds("account", "list")
    assert os.umask(0o022) == 0o077


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a full disk is played by a device of Linux")
def test_output_that_can_not_be_written_is_one_line_and_a_failure() -> None:
    with Path("/dev/full").open("w") as full:
        run = subprocess.run(
            [sys.executable, "-m", "mmsgate", "config"], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert (run.returncode, run.stderr) == (
        1, "mmsgate: the output could not be written: No space left on device\n",
    )  # fmt: skip
