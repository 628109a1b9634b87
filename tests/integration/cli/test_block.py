"""``mmsgate account block``: entries are kept as numbers are compared, and nothing is claimed that was not done."""

import pytest

from mmsgate.domain.account import Block
from mmsgate.store import Store
from tests.integration.cli.conftest import Shell


def entries(shell: Shell) -> list[tuple[str, str]]:
    async def blocks(store: Store) -> list[Block]:
        (account_id,) = (await store.accounts.directory()).accounts
        return await store.accounts.blocks(account_id)

    return [(block.number, block.sender) for block in shell.store(blocks)]


@pytest.mark.parametrize("written", ["+12065550177", "1-206-555-0177", "12065550177"])
def test_an_entry_matches_however_it_was_written(shell: Shell, written: str) -> None:
    shell.succeeds("account", "block", "add", "acme", written)
    assert entries(shell) == [("12065550177", "")]
    shell.succeeds("account", "block", "remove", "acme", "+1 206 555 0177")
    assert entries(shell) == []


def test_a_star_and_a_sender(shell: Shell) -> None:
    shell.succeeds("account", "block", "add", "acme", "+1900*", "--sender", "+28444")
    assert entries(shell) == [("1900*", "28444")]


@pytest.mark.parametrize(
    ("words", "option"),
    [
        (["bob@example.com"], "NUMBER"),
        (["1206555x177"], "NUMBER"),
        (["١٢٠٦٥٥٥٠١٧٧"], "NUMBER"),
        (["12065550177", "--sender", "28*"], "--sender"),
    ],
)
def test_what_is_no_number_is_refused(shell: Shell, words: list[str], option: str) -> None:
    said = shell.fails("account", "block", "add", "acme", *words)
    assert "is no number" in said
    assert option in said
    assert entries(shell) == []


def test_an_entry_that_is_not_there_cannot_be_removed(shell: Shell) -> None:
    shell.succeeds("account", "block", "add", "acme", "12065550178", "--sender", "28444")
    assert "12•••••0177 is not on the block list of acme" in shell.fails(
        "account", "block", "remove", "acme", "12065550177"
    )
    assert "not on the block list" in shell.fails("account", "block", "remove", "acme", "12065550178")
    assert entries(shell) == [("12065550178", "28444")]


def test_an_entry_that_is_there_is_said_to_be_there(shell: Shell) -> None:
    shell.succeeds("account", "block", "add", "acme", "12065550177")
    said = shell.succeeds("account", "block", "add", "acme", "+12065550177", "--reason", "asked by phone")
    assert "already on the block list" in said
