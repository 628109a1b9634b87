"""Which postbacks a step makes for an account, in whose words, and who is woken after it."""

import json
import logging
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, cast

import pytest
from lxml import etree

from mmsgate.domain.account import Account, PostbackSettings, Switches
from mmsgate.domain.change import Change, Why, move
from mmsgate.domain.message import Message
from mmsgate.domain.postback import SentAs, Undelivered
from mmsgate.domain.request import WireDialect
from mmsgate.domain.state import Happening, State
from mmsgate.postbacks.ledger import Ledger, receiver_of, render
from mmsgate.store import Decide, Directory, Orphan, PostbackRow, Recorded, Snapshot, Store
from tests.unit.builders import NOW, a_message, an_account

KEBAB, SKYCORE, JSON = WireDialect.KEBAB, WireDialect.SKYCORE, WireDialect.JSON
URL = "https://customer.example/postbacks"
H = Happening


def told_at(url: str = URL, dialect: WireDialect | None = None, **switches: Any) -> Account:
    return an_account(postback=PostbackSettings(url=url, dialect=dialect), switches=Switches(**switches))


def a_step(happening: Happening, **message: Any) -> Change:
    return move(a_message(**message), happening, Why.of("because"), at=NOW, due_at=NOW + 5)


def delivered(sent_as: SentAs, dialect: WireDialect = KEBAB) -> Change:
    state = State.SMS_SENT if sent_as is SentAs.SMS else State.SENT
    return a_step(H.REPORTED_DELIVERED, state=state, sent_as=sent_as, dialect=dialect, told=True)


def code_on_the_wire(row: PostbackRow) -> str:
    """The code in the body, read by another parser than ours."""
    if row.content_type.startswith("application/json"):
        return str(json.loads(row.body)["code"])
    (code,) = [element.text for element in etree.fromstring(row.body) if str(element.tag).lower() == "code"]
    assert code is not None
    return code


# --


@pytest.mark.parametrize(
    ("sent_as", "dialect", "switch", "expected"),
    [
        (SentAs.MMS, KEBAB, "", "N102"),
        (SentAs.MMS, SKYCORE, "", "N102"),
        (SentAs.MMS, KEBAB, "N202", "N102"),
        (SentAs.MMS, SKYCORE, "N202", "N102"),
        (SentAs.SMS, KEBAB, "", "N102"),
        (SentAs.SMS, SKYCORE, "", "N202"),
        (SentAs.SMS, KEBAB, "N202", "N202"),
        (SentAs.SMS, SKYCORE, "N102", "N102"),
        (SentAs.MMS, JSON, "N202", "N102"),
        (SentAs.SMS, JSON, "", "N202"),
        (SentAs.SMS, JSON, "N102", "N102"),
    ],
)
def test_the_code_of_a_delivery(sent_as: SentAs, dialect: WireDialect, switch: str, expected: str) -> None:
    (row,) = render(delivered(sent_as, dialect), told_at(fallback_dlr_code=switch))
    assert row.code == code_on_the_wire(row) == expected


@pytest.mark.parametrize("dialect", [KEBAB, SKYCORE, JSON])
@pytest.mark.parametrize("switch", ["", "N102", "N202"])
def test_a_fallback_sms_that_was_not_delivered_is_e202_everywhere(dialect: WireDialect, switch: str) -> None:
    change = a_step(H.REPORTED_UNDELIVERED, state=State.SMS_SENT, sent_as=SentAs.SMS, dialect=dialect, told=True)
    assert [row.code for row in render(change, told_at(fallback_dlr_code=switch))] == ["E202"]


# -- dialect


@pytest.mark.parametrize(
    ("of_account", "of_message", "root"),
    [
        (None, KEBAB, "postback"),
        (None, SKYCORE, "POSTBACK"),
        (KEBAB, SKYCORE, "postback"),
        (SKYCORE, KEBAB, "POSTBACK"),
    ],
)
def test_the_accounts_dialect_comes_before_that_of_the_request(
    of_account: WireDialect | None, of_message: WireDialect, root: str
) -> None:
    (row,) = render(delivered(SentAs.MMS, of_message), told_at(dialect=of_account))
    assert etree.fromstring(row.body).tag == root
    assert row.content_type == "text/xml; charset=utf-8"


def test_the_accounts_dialect_decides_the_code_of_a_fallback_too() -> None:
    (row,) = render(delivered(SentAs.SMS, KEBAB), told_at(dialect=SKYCORE))
    assert row.code == "N202"


@pytest.mark.parametrize(
    ("dialect", "undelivered", "expected"),
    [
        (KEBAB, Undelivered.EXPIRED, "E102"),
        (SKYCORE, Undelivered.EXPIRED, "E102"),
        (JSON, Undelivered.EXPIRED, "N103"),
        (JSON, Undelivered.REJECTED, "E102"),
    ],
)
def test_an_expired_message_is_n103_in_json_alone(
    dialect: WireDialect, undelivered: Undelivered, expected: str
) -> None:
    why = Why(reason="because", data={}, undelivered=undelivered)
    change = move(a_message(state=State.SENT, told=True), H.REPORTED_UNDELIVERED, why, at=NOW)
    (row,) = render(change, told_at(dialect=dialect))
    assert row.code == code_on_the_wire(row) == expected


def test_an_account_that_wants_json_gets_it_labelled_so() -> None:
    (row,) = render(delivered(SentAs.MMS, KEBAB), told_at(dialect=JSON))
    assert json.loads(row.body)["origin"] == "MMS_MT"
    assert row.content_type == "application/json; charset=utf-8"


def test_json_tells_the_mask_that_the_sender_was_shown_as() -> None:
    change = a_step(H.REPORTED_DELIVERED, state=State.SENT, told=True, sender_mask="LAKE")
    (row,) = render(change, told_at(dialect=JSON))
    assert json.loads(row.body)["from-mask"] == "LAKE"


def test_a_device_discovery_is_told_in_xml_alone() -> None:
    """The contract's JSON has no code for it."""
    change = a_step(H.TAKEN, state=State.SUBMITTING, discovers=8)
    assert [row.code for row in render(change, told_at())] == ["N501"]
    assert list(render(change, told_at(dialect=JSON))) == []


# -- where to


def test_a_postback_is_addressed_to_the_accounts_url() -> None:
    (row,) = render(delivered(SentAs.MMS), told_at())
    assert (row.url, row.receiver) == (URL, f"1 {URL}")


def test_two_accounts_with_one_url_are_two_receivers() -> None:
    assert receiver_of(1, URL) != receiver_of(2, URL)


def test_without_a_url_there_are_no_postbacks() -> None:
    assert list(render(delivered(SentAs.MMS), told_at(url=""))) == []


def test_a_step_that_tells_nothing_makes_none() -> None:
    assert list(render(a_step(H.SUBMIT), told_at())) == []


def test_a_step_that_tells_two_things_makes_both_in_order() -> None:
    """R-27: the report proves that the carrier took it."""
    change = a_step(H.REPORTED_DELIVERED, state=State.UNKNOWN)
    assert [row.code for row in render(change, told_at())] == ["N101", "N102"]


# -- the ledger


class FakeMessages:
    """Makes the step on the message as it stands, and hands out the reports that waited for it."""

    def __init__(self, message: Message, orphans: Sequence[Orphan] = ()) -> None:
        self._message, self._orphans = message, tuple(orphans)

    async def record(self, held: Message, decide: Decide) -> Recorded:
        assert held.id == self._message.id
        change = decide(Snapshot(message=self._message, sms_parts=()))
        return Recorded(change=change, orphans=self._orphans)


class FakeStore:
    def __init__(self, messages: FakeMessages) -> None:
        self.messages = messages


class Watched:
    """A ledger over one message, and whom it woke."""

    def __init__(self, message: Message, account: Account | None, orphans: Sequence[Orphan] = ()) -> None:
        accounts = {account.id: account} if account else {}
        directory = Directory(revision=1, accounts=accounts, by_key={}, patterns=(), profiles={})
        store = cast("Store", FakeStore(FakeMessages(message, orphans)))
        self._message = message
        self.ledger = Ledger(store, lambda: directory)
        self.woken: list[str] = []
        self.early: list[int] = []
        self.ledger.on_postbacks = self.woken.append
        self.ledger.on_due = lambda message: self.woken.append(message.connection)
        self.ledger.on_early_report = self._on_early_report

    async def _on_early_report(self, orphan: Orphan) -> None:
        self.early.append(orphan.id)

    async def record(self, happening: Happening, *, connection: str | None = None) -> Change:
        return await self.ledger.record(
            self._message,
            lambda snapshot: move(
                snapshot.message, happening, Why.of("because"), at=NOW, due_at=NOW + 5, connection=connection
            ),
        )


async def test_a_step_with_postbacks_wakes_their_receiver_and_the_messages_lane() -> None:
    watched = Watched(a_message(state=State.SUBMITTING), told_at())
    assert (await watched.record(H.TAKEN)).message.state is State.SENT
    assert watched.woken == [f"1 {URL}", "sim"]


async def test_a_step_that_moves_a_message_to_another_connection_wakes_that_one() -> None:
    watched = Watched(a_message(), told_at())
    await watched.record(H.FELL_BACK, connection="sim-sms")
    assert watched.woken == ["sim-sms"]


async def test_a_final_step_wakes_no_lane() -> None:
    watched = Watched(a_message(state=State.SENT, told=True), told_at())
    await watched.record(H.REPORTED_DELIVERED)
    assert watched.woken == [f"1 {URL}"]


@pytest.mark.parametrize("account", [None, an_account(), told_at(url="")])
async def test_nobody_is_woken_for_postbacks_that_nobody_wants(account: Account | None) -> None:
    watched = Watched(a_message(state=State.SENT, told=True), account)
    await watched.record(H.REPORTED_DELIVERED)
    assert watched.woken == []


async def test_what_is_only_recorded_wakes_nobody() -> None:
    watched = Watched(a_message(state=State.DELIVERED), told_at())
    assert not (await watched.record(H.TAKEN)).event.changed
    assert watched.woken == []


async def test_reports_that_came_early_are_handed_on_in_order() -> None:
    orphans = [Orphan(id=number, connection="sim", report="{}") for number in (3, 4)]
    watched = Watched(a_message(state=State.SUBMITTING), told_at(), orphans)
    await watched.record(H.TAKEN)
    assert watched.early == [3, 4]


async def test_an_early_report_that_breaks_something_undoes_no_step_and_holds_up_no_other(
    caplog: pytest.LogCaptureFixture,
) -> None:
    orphans = [Orphan(id=number, connection="sim", report="{}") for number in (3, 4)]
    watched = Watched(a_message(state=State.SUBMITTING), told_at(), orphans)

    async def breaks(orphan: Orphan) -> None:
        watched.early.append(orphan.id)
        raise ValueError("no such status")

    watched.ledger.on_early_report = breaks
    assert (await watched.record(H.TAKEN)).message.state is State.SENT
    assert watched.early == [3, 4]
    assert [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR] == [
        "sim: the kept report 3 could not be tried", "sim: the kept report 4 could not be tried",
    ]  # fmt: skip


def test_an_account_that_is_gone_gets_no_postbacks() -> None:
    assert list(Watched(a_message(), None).ledger.render(delivered(SentAs.MMS))) == []
    assert len(Watched(a_message(), told_at()).ledger.render(delivered(SentAs.MMS))) == 1


async def test_a_number_in_the_reason_is_masked_in_the_log_and_kept_in_the_timeline(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "mmsgate.messages")
    reason = "the carrier refused the recipient: 2002 Address error (+12065550100), 1,234,567 bytes"
    change = move(a_message(), H.GAVE_UP, Why.of(reason), at=NOW)
    await Watched(a_message(), told_at()).ledger.follow_up(Recorded(change=change))
    assert "2002 Address error (+12•••••0100), 1,234,567 bytes" in caplog.text
    assert "12065550100" not in caplog.text
    assert change.event.reason == reason


@pytest.mark.parametrize("state", [State.FAILED, State.UNDELIVERED])
async def test_a_delivery_after_the_failure_was_told_is_logged_as_a_warning(
    state: State, caplog: pytest.LogCaptureFixture
) -> None:
    """R-19: no second final postback, but a person should know."""
    watched = Watched(replace(a_message(), state=state), told_at())
    change = await watched.record(H.REPORTED_DELIVERED)
    assert change.postbacks == ()
    (record,) = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert "reported as delivered after it had failed" in record.getMessage()
    assert a_message().recipient not in record.getMessage()
