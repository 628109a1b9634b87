"""What holds for every command."""

import os

from tests.integration.cli.conftest import Shell


def test_what_a_command_writes_is_its_owners_alone(shell: Shell) -> None:
    os.umask(0o022)  # as most machines are set up
    shell.succeeds("account", "list")
    assert os.umask(0o022) == 0o077
