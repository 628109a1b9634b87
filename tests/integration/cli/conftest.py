"""The commands, run in this process on a data folder of their own."""

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import pytest
from click.testing import CliRunner, Result

from mmsgate.cli.main import cli
from mmsgate.config import Settings
from mmsgate.domain.account import Account
from mmsgate.store import Store, migrate
from tests.integration.api.conftest import api  # noqa: F401  # a fixture: the running gateway
from tests.unit.builders import NOW

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Shell:
    """Runs commands on a data folder, and looks at what they did there."""

    settings: Settings

    def run(self, *words: str) -> Result:
        """A command's result; every exception but its own exit is one of ours."""
        arguments = [*words, "--data-dir", str(self.settings.data_dir)]
        return CliRunner().invoke(cli, arguments, env={"COLUMNS": "300"})

    def fails(self, *words: str) -> str:
        """What a command that must fail says to the person."""
        result = self.run(*words)
        assert result.exit_code != 0, result.output
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result.output

    def succeeds(self, *words: str) -> str:
        """What a command that must succeed says."""
        result = self.run(*words)
        assert result.exit_code == 0, result.output
        return result.output

    def store(self, work: Callable[[Store], Awaitable[T]]) -> T:
        """Run `work` on the store of the data folder."""

        async def opened() -> T:
            store = Store(self.settings.database)
            await store.start()
            try:
                return await work(store)
            finally:
                await store.stop()

        return asyncio.run(opened())

    @property
    def account(self) -> Account:
        async def only(store: Store) -> Account:
            return next(iter((await store.accounts.directory()).accounts.values()))

        return self.store(only)


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    """A data folder with one account, `acme`. The commands' umask does not outlive the test."""
    before = os.umask(0o077)
    shell = Shell(Settings(data_dir=tmp_path))
    migrate(shell.settings.database)
    shell.store(lambda store: store.accounts.create("acme", Account(id=0, name="acme"), at=NOW))
    yield shell
    os.umask(before)
