"""What a customer is told of each status that a carrier can report, in each dialect (postback contract 8)."""

from dataclasses import replace
from typing import cast

import pytest
from lxml import etree

from mmsgate.carriers.profile import CarrierProfile
from mmsgate.clock import DAY, ManualClock
from mmsgate.domain.account import PostbackSettings
from mmsgate.domain.change import Change
from mmsgate.domain.message import Message
from mmsgate.domain.request import WireDialect
from mmsgate.domain.state import State
from mmsgate.mm7.address import Address, AddressKind
from mmsgate.mm7.answer import MAX_ID
from mmsgate.mm7.report import DeliveryReportReq, MMStatus, ReadReplyReq, ReadStatus, encode_delivery_report
from mmsgate.mm7.request import read_request
from mmsgate.postbacks.ledger import Ledger, render
from mmsgate.reports.read import from_read_reply
from mmsgate.reports.reports import LONGEST_TEXT, Report, Reports, from_mm7
from mmsgate.store import Match, MatchedBy, Recorded, Snapshot, Sought, Store
from mmsgate.store.reports import DecideReport
from tests.unit.builders import NOW, a_fallback, a_message, altered, an_account

KEBAB, SKYCORE = WireDialect.KEBAB, WireDialect.SKYCORE
SIM = CarrierProfile(name="sim", endpoints=("http://127.0.0.1:9/mm7",))
FINAL_INDETERMINATE = altered(SIM, reports={"indeterminate_is_final": True})
PHONE, CODE = Address(value="12065550100"), Address(value="28444", kind=AddressKind.SHORT_CODE)


class OneMessage:
    """As much of a store as a report needs: it always means the one message there is."""

    def __init__(self, message: Message) -> None:
        self.message = message
        self.changes: list[Change] = []

    @property
    def reports(self) -> "OneMessage":
        return self

    async def record(self, sought: Sought, decide: DecideReport, **_: object) -> Recorded:
        assert sought.came == NOW
        match = Match(message=self.message, part=0, matched_by=MatchedBy.ID)
        change = decide(Snapshot(message=self.message, sms_parts=()), match)
        self.message = change.message
        self.changes.append(change)
        return Recorded(change=change)


class SilentLedger:
    """Wakes nobody."""

    async def follow_up(self, recorded: Recorded) -> Change:
        return recorded.change


async def told(
    report: DeliveryReportReq, dialect: WireDialect, message: Message, *, profile: CarrierProfile = SIM,
    has_sms: bool = True,
) -> tuple[list[tuple[str, str, str]], Message]:  # fmt: skip
    """Code, status and status-details of each postback that the report makes; the message after it."""
    store = OneMessage(message)
    reports = Reports(
        cast("Store", store), cast("Ledger", SilentLedger()), lambda _: profile, ManualClock(),
        sms_route=lambda names: names[0] if has_sms else "",
    )  # fmt: skip
    await reports.receive(from_mm7("sim", read(report)))
    account = an_account(postback=PostbackSettings(url="https://customer.example/", dialect=dialect))
    return [_told(row.body) for change in store.changes for row in render(change, account)], store.message


def read(report: DeliveryReportReq) -> DeliveryReportReq:
    """The report as it is read off the wire."""
    found = read_request("text/xml", encode_delivery_report(report))
    assert isinstance(found, DeliveryReportReq)
    return found


def _told(body: bytes) -> tuple[str, str, str]:
    values = {str(element.tag).lower().replace("-", ""): element.text or "" for element in etree.fromstring(body)}
    return values["code"], values["status"], values.get("statusdetails", "")


def a_report(status: MMStatus = MMStatus.RETRIEVED, **more: str) -> DeliveryReportReq:
    return DeliveryReportReq(
        transaction_id="1", message_id="m1", status=status, recipient=PHONE, sender=CODE,
        raw_status=more.pop("raw_status", status.value), **more,  # type: ignore[arg-type]  # all of them texts
    )  # fmt: skip


SENT = a_message(state=State.SENT, told=True, postbacks=1, fallback=a_fallback(enabled=False))

# fmt: off
TABLE = {
    MMStatus.RETRIEVED: ("N102", "Message Sent/Delivered", State.DELIVERED),
    MMStatus.EXPIRED: ("E102", "Message Sent/Expired", State.UNDELIVERED),
    MMStatus.REJECTED: ("E102", "Message Sent/Rejected", State.UNDELIVERED),
    MMStatus.NOT_SUPPORTED: ("E102", "Message Sent/Not Supported", State.UNDELIVERED),
    MMStatus.UNRECOGNISED: ("E102", "Message Sent/Failed", State.UNDELIVERED),
    MMStatus.UNREACHABLE: ("E102", "Message Sent/Failed", State.UNDELIVERED),
    MMStatus.DELIVERY_CONDITION_NOT_MET: ("E102", "Message Sent/Rejected", State.UNDELIVERED),
    MMStatus.INDETERMINATE: None,
    MMStatus.DEFERRED: None,
    MMStatus.FORWARDED: None,
}
# fmt: on


@pytest.mark.parametrize("dialect", [KEBAB, SKYCORE])
@pytest.mark.parametrize("status", MMStatus)
async def test_each_status_in_each_dialect(status: MMStatus, dialect: WireDialect) -> None:
    expected = TABLE[status]
    postbacks, message = await told(a_report(status), dialect, SENT)
    if expected is None:
        assert (postbacks, message.state) == ([], State.SENT)
        return
    code, words, state = expected
    words = words.replace("Not Supported", "NotSupported") if dialect is SKYCORE else words
    details = f"not delivered: report {status}" if code == "E102" else ""
    assert (postbacks, message.state) == ([(code, words, details)], state)


@pytest.mark.parametrize("dialect", [KEBAB, SKYCORE])
async def test_an_indeterminate_report_is_final_where_the_profile_says_so(dialect: WireDialect) -> None:
    postbacks, _ = await told(a_report(MMStatus.INDETERMINATE), dialect, SENT, profile=FINAL_INDETERMINATE)
    assert [(code, status) for code, status, _ in postbacks] == [("E102", "Message Sent/Failed")]


@pytest.mark.parametrize("state", [State.SENT, State.UNKNOWN])
async def test_a_retrieved_report_that_may_mean_deferred_tells_no_delivery(state: State) -> None:
    """The peers' page: VectorCore reports Deferred as Retrieved. Still, it took the message."""
    profile = altered(SIM, reports={"retrieved_is_final": False})
    message = replace(SENT, state=state, told=state is State.SENT, postbacks=int(state is State.SENT))
    postbacks, after = await told(a_report(MMStatus.RETRIEVED), KEBAB, message, profile=profile)
    assert after.state is State.SENT
    assert [code for code, _, _ in postbacks] == ([] if state is State.SENT else ["N101"])


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (MMStatus.NOT_SUPPORTED, "Message Sent/Not Supported"),
        (MMStatus.UNRECOGNISED, "Message Sent/Failed"),
        (MMStatus.REJECTED, "Message Sent/Rejected"),
    ],
)
async def test_what_would_fall_back_keeps_its_status_where_there_is_no_sms(status: MMStatus, words: str) -> None:
    profile = altered(SIM, reports={"rejected_falls_back": True})
    message = replace(SENT, fallback=a_fallback())
    postbacks, _ = await told(a_report(status), KEBAB, message, profile=profile, has_sms=False)
    assert [(code, said) for code, said, _ in postbacks] == [("E102", words)]
    assert "there is no SMS connection" in postbacks[0][2]


@pytest.mark.parametrize(
    ("more", "details"),
    [
        ({"status_text": "blocked by the subscriber"}, ": blocked by the subscriber"),
        ({"status_extension": "RejectionByMMSRecipient"}, ": RejectionByMMSRecipient"),
        (
            {"status_extension": "RejectionByOtherRS", "status_text": "spam"},
            ": RejectionByOtherRS, spam",
        ),
        ({"status_extension": "spam", "status_text": "spam"}, ": spam"),
        ({"status_text": "rejected"}, ""),
    ],
)
async def test_extension_and_text_of_a_status_are_told_once(more: dict[str, str], details: str) -> None:
    ((_, _, said),), _ = await told(a_report(MMStatus.REJECTED, **more), KEBAB, SENT)
    assert said == f"not delivered: report Rejected{details}"


async def test_a_status_that_nobody_knows_is_told_as_it_is_written() -> None:
    report = a_report(MMStatus.INDETERMINATE, raw_status="Vanished")
    ((_, _, said),), _ = await told(report, KEBAB, SENT, profile=FINAL_INDETERMINATE)
    assert said == "not delivered: report Indeterminate: Vanished"


def test_no_more_is_kept_of_a_carriers_words_than_people_read() -> None:
    report = from_mm7("sim", a_report(status_text="x" * 100_000, ua_prof="y" * 100_000))
    assert len(report.text) == LONGEST_TEXT
    assert len(report.to_json()) < 1000


def test_no_more_is_kept_of_a_read_reports_words_either() -> None:
    words = ReadReplyReq(transaction_id="1", message_id="m1", status=ReadStatus.READ, status_text="x" * 100_000)
    assert len(from_read_reply("sim", words).text) == LONGEST_TEXT


def test_no_more_is_kept_of_a_message_id_than_carriers_write() -> None:
    long = "m" * 100_000
    read_reply = ReadReplyReq(transaction_id="1", message_id=long, status=ReadStatus.READ)
    reports = (from_mm7("sim", replace(a_report(), message_id=long)), from_read_reply("sim", read_reply))
    assert [each.ids for each in reports] == [("m" * MAX_ID,)] * 2


@pytest.mark.parametrize("dialect", [KEBAB, SKYCORE])
async def test_the_handset_that_a_report_names_is_told(dialect: WireDialect) -> None:
    store = OneMessage(SENT)
    reports = Reports(
        cast("Store", store), cast("Ledger", SilentLedger()), lambda _: SIM, ManualClock(),
        sms_route=lambda names: names[0],
    )  # fmt: skip
    await reports.receive(from_mm7("sim", read(a_report(ua_prof="http://ua.example/phones/Pixel7.xml?v=2"))))
    account = an_account(postback=PostbackSettings(url="https://customer.example/", dialect=dialect))
    (row,) = render(store.changes[0], account)
    assert b">Pixel7<" in row.body


@pytest.mark.parametrize("status", MMStatus)
@pytest.mark.parametrize("state", [State.FAILED, State.UNDELIVERED, State.UNREPORTED, State.DELIVERED])
async def test_a_report_after_the_end_is_an_event_and_tells_nothing(status: MMStatus, state: State) -> None:
    """R-19, R-20; that a person is warned is the ledger's business."""
    ended = replace(SENT, state=state, due_at=None)
    assert await told(a_report(status), KEBAB, ended) == ([], ended)


# -- whose numbers they are


def people(recipient: Address | None, sender: Address | None, *, swapped: bool) -> tuple[str, str]:
    report = from_mm7("sim", replace(a_report(), recipient=recipient, sender=sender), swapped=swapped)
    return report.recipient, report.sender


LONG = Address(value="18885551234")


@pytest.mark.parametrize(
    ("recipient", "sender", "swapped", "expected"),
    [
        (PHONE, CODE, False, ("12065550100", "28444")),
        (CODE, PHONE, False, ("12065550100", "28444")),  # a short code is no phone
        (PHONE, CODE, True, ("12065550100", "28444")),
        (CODE, PHONE, True, ("12065550100", "28444")),
        (PHONE, LONG, False, ("12065550100", "18885551234")),
        (LONG, PHONE, True, ("12065550100", "18885551234")),
        (None, PHONE, True, ("12065550100", "")),
        (PHONE, None, False, ("12065550100", "")),
        (PHONE, None, True, ("12065550100", "")),  # the only one there is
        (None, None, True, ("", "")),
    ],
)
def test_who_is_the_phone(
    recipient: Address | None, sender: Address | None, swapped: bool, expected: tuple[str, str]
) -> None:
    assert people(recipient, sender, swapped=swapped) == expected


def test_a_kept_report_comes_back_as_it_was() -> None:
    report = from_mm7("sim", a_report(status_text="ümläut", ua_prof="Pixel7"))
    assert Report.from_json(report.to_json()) == report


async def test_a_report_that_proves_it_was_taken_gives_the_message_the_time_for_its_last_one() -> None:
    profile = altered(SIM, reports={"wait": 2 * DAY})
    unknown = replace(SENT, state=State.UNKNOWN, told=False, postbacks=0)
    postbacks, message = await told(a_report(MMStatus.FORWARDED), KEBAB, unknown, profile=profile)
    assert (message.state, message.due_at) == (State.SENT, NOW + 2 * DAY)
    assert [code for code, _, _ in postbacks] == ["N101"]
