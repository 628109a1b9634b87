"""``mmsgate message``: the newest message, and the link of its page."""

import os
import subprocess
import sys
from dataclasses import replace
from typing import Any

from mmsgate.domain.discovery import Discovery, ahead_of
from mmsgate.domain.message import Event, Message
from mmsgate.domain.postback import SentAs
from mmsgate.domain.state import State
from mmsgate.store import Store
from tests.integration.cli.conftest import Shell
from tests.integration.store.test_messages import acceptance
from tests.unit.builders import NOW, a_message


def with_a_message(shell: Shell, sent_as: SentAs = SentAs.SMS, **changes: Any) -> Message:
    message = a_message(account_id=shell.account.id, sent_as=sent_as, **changes)
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


def test_a_message_that_never_fell_back_shows_no_page_but_its_json_has_the_link(shell: Shell) -> None:
    message = with_a_message(shell, SentAs.MMS)
    assert "fallback page" not in shell.succeeds("message", "show", "latest")
    assert f"/m/{message.fallback.token}" in shell.succeeds("message", "show", "latest", "--json")


def test_the_state_comes_first_and_a_line_that_is_piped_is_not_wrapped(shell: Shell) -> None:
    message = with_a_message(shell, tracking_id="t" * 80)
    environment = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
    piped = subprocess.run(
        [sys.executable, "-m", "mmsgate", "message", "show", "latest", "--data-dir", str(shell.settings.data_dir)],
        env=environment, capture_output=True, check=True, timeout=60,
    )  # fmt: skip
    first = piped.stdout.decode().splitlines()[0]
    assert first == (
        f"{message.state.value}  {message.tracking_id}  {message.sender} → {message.recipient}  "
        f"mms-id {message.mms_id}"
    )


def test_the_link_is_at_the_accounts_own_address_if_it_has_one(shell: Shell) -> None:
    message = with_a_message(shell)

    async def give_address(store: Store) -> None:
        await store.accounts.update(replace(account, page_base="https://pics.example.com/"))

    account = shell.account
    shell.settings.url_file.write_text("http://127.0.0.1:9000\n")
    shell.store(give_address)
    shown = shell.succeeds("message", "show", "latest", "--json")
    assert f'"https://pics.example.com/m/{message.fallback.token}"' in shown


def test_the_timeline_of_a_device_discovery_stands_below_that_of_its_message(shell: Shell) -> None:
    message = with_a_message(shell, SentAs.MMS, state=State.DISCOVERING)
    assert "device discovery:" not in shell.succeeds("message", "show", "latest")
    ahead = ahead_of(message, Discovery(text="Hi"), message_id=88, content_id=89)
    event = Event(at=NOW, happening=None, state=State.ACCEPTED, reason="goes ahead")
    accepted = replace(acceptance(ahead), event=event)
    shell.store(lambda store: store.messages.accept(accepted))
    said = shell.succeeds("message", "show", "latest").splitlines()
    (at,) = [number for number, line in enumerate(said) if line == "  device discovery:"]
    assert said[0].startswith("discovering")
    assert said[at + 1].endswith("accepted  goes ahead")
