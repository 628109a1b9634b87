"""What follows from the words of a message: block lists, the answer, and when nothing does."""

from dataclasses import replace
from typing import Any

import pytest

from mmsgate.clock import DAY, Ids, ManualClock
from mmsgate.domain.account import Account, BlockOrigin, Compat, Sender, Switches
from mmsgate.domain.inbound import Inbound, InboundKind
from mmsgate.domain.number import SenderType
from mmsgate.domain.optout import Intent, OptOutSettings
from mmsgate.domain.postback import SentAs
from mmsgate.domain.state import State
from mmsgate.reports.optout import Consequence, consequence
from mmsgate.store import Directory
from tests.unit.builders import NOW, an_account

CLOCK = ManualClock()


def says(text: str, **changes: Any) -> Inbound:
    whole = Inbound(
        id=1, tracking_id="mo", kind=InboundKind.SMS, connection="smsc", sender="12065550199", recipient="28444",
        text=text, sent_at=NOW, received_at=NOW, expires_at=NOW + DAY,
    )  # fmt: skip
    return replace(whole, **changes)


def follows(message: Inbound, *accounts: Account, sms: str = "smsc") -> Consequence:
    owners = accounts or (an_account(),)
    directory = Directory(
        revision=1, accounts={each.id: each for each in owners}, by_key={}, patterns=(), profiles={},
        owners={"28444": tuple(each.id for each in owners)},
    )  # fmt: skip
    return consequence(message, owners[0], directory, sms=sms, ids=Ids(CLOCK), at=NOW)


def test_stop_blocks_the_number_for_that_short_code_and_is_answered_by_sms() -> None:
    found = follows(says("stop"))
    (block,) = found.blocks
    assert (block.account_id, block.sender, block.number) == (1, "28444", "12065550199")
    assert (block.origin, block.reason) == (BlockOrigin.PHONE, "opted out with 'stop' by SMS")
    assert found.reply is not None
    message = found.reply.message
    assert (message.sender, message.recipient, message.connection) == ("28444", "12065550199", "smsc")
    assert (message.state, message.sent_as, message.is_reply) == (State.FALLBACK, SentAs.SMS, True)
    assert message.fallback.text.startswith("You will get no more messages from 28444.")
    assert (message.fallback.link, message.expires_at, message.due_at) == (False, NOW + DAY, NOW)


def test_a_shared_number_is_blocked_for_every_account_that_heeds_the_words() -> None:
    sender = {"28444": Sender(number="28444", type=SenderType.SHORT_CODE)}
    second = an_account(id=2, senders=sender)
    third = an_account(id=3, senders=sender, optout=OptOutSettings(enabled=False))
    found = follows(says("STOP"), an_account(), second, third)
    assert [block.account_id for block in found.blocks] == [1, 2]


def test_help_is_answered_and_blocks_nothing() -> None:
    found = follows(says("Help!"))
    assert found.blocks == ()
    assert found.reply is not None
    assert "reply STOP to end them" in found.reply.message.fallback.text


@pytest.mark.parametrize(
    "account",
    [
        an_account(optout=OptOutSettings(enabled=False)),
        an_account(optout=OptOutSettings(excluded=("28444",))),
        an_account(switches=Switches(compat=Compat.STRICT)),
    ],
)
def test_an_account_that_handles_the_words_itself_is_left_alone(account: Account) -> None:
    found = follows(says("STOP"), account)
    assert (found.inbound.intent, found.blocks, found.reply) == (None, (), None)


def test_a_strict_account_may_switch_it_on() -> None:
    strict = an_account(switches=Switches(compat=Compat.STRICT), optout=OptOutSettings(enabled=True))
    assert follows(says("STOP"), strict).inbound.intent is Intent.OPT_OUT


def test_a_keyword_info_is_the_account_s_own_but_stop_never_is() -> None:
    account = an_account(keywords={"28444": frozenset({"INFO", "STOP"})})
    assert follows(says("info"), account).reply is None
    assert follows(says("info"), account).inbound.keyword == "INFO"
    assert follows(says("help"), account).reply is not None
    assert follows(says("stop"), account).blocks


def test_an_empty_text_is_not_sent() -> None:
    found = follows(says("STOP"), an_account(optout=OptOutSettings(stop_text=" ")))
    assert found.blocks
    assert found.reply is None


def test_without_an_sms_connection_the_number_is_blocked_all_the_same() -> None:
    found = follows(says("STOP"), sms="")
    assert found.blocks
    assert (found.reply, found.note) == (None, "opt-out: not answered, there is no SMS connection")


@pytest.mark.parametrize("sender", ["", "bob@example.com", "ACME"])
def test_who_has_no_number_can_not_be_blocked(sender: str) -> None:
    found = follows(says("STOP", sender=sender))
    assert (found.blocks, found.reply) == ((), None)
    assert found.note == "opt-out: nothing done, its sender has no number"


def test_the_subject_counts_where_there_is_no_text() -> None:
    assert follows(says("", subject="Stop")).inbound.intent is Intent.OPT_OUT
    assert follows(says(" \n", subject="Stop")).inbound.intent is Intent.OPT_OUT
    assert follows(says("Hello", subject="Stop")).inbound.intent is None
