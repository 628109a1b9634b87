"""``mmsgate message``: the newest message, and the link of its page."""

from dataclasses import replace

from mmsgate.domain.message import Message
from mmsgate.store import Store
from tests.integration.cli.conftest import Shell
from tests.integration.store.test_messages import acceptance
from tests.unit.builders import a_message


def with_a_message(shell: Shell) -> Message:
    message = a_message(account_id=shell.account.id)
    shell.store(lambda store: store.messages.accept(acceptance(message)))
    return message


def test_latest_is_the_newest_message(shell: Shell) -> None:
    assert "there is no message" in shell.fails("message", "show", "latest")
    message = with_a_message(shell)
    assert message.tracking_id in shell.succeeds("message", "show", "latest")
    assert "there is no message" in shell.fails("message", "show", "nobodys")


def test_the_link_is_at_the_address_of_the_running_gateway(shell: Shell) -> None:
    message = with_a_message(shell)
    shell.settings.url_file.write_text("http://127.0.0.1:9000\n")
    assert f"http://127.0.0.1:9000/m/{message.fallback.token}" in shell.succeeds("message", "show", "latest")


def test_the_link_is_at_the_accounts_own_address_if_it_has_one(shell: Shell) -> None:
    message = with_a_message(shell)

    async def give_address(store: Store) -> None:
        await store.accounts.update(replace(account, page_base="https://pics.example.com/"))

    account = shell.account
    shell.settings.url_file.write_text("http://127.0.0.1:9000\n")
    shell.store(give_address)
    shown = shell.succeeds("message", "show", "latest", "--json")
    assert f'"https://pics.example.com/m/{message.fallback.token}"' in shown
