"""What a report means for its message."""

import pytest

from mmsgate.carriers.profile import CarrierProfile
from mmsgate.domain.change import Why, move
from mmsgate.domain.message import Message
from mmsgate.domain.postback import SentAs
from mmsgate.domain.state import Happening, State
from mmsgate.mm7.address import Address, AddressKind
from mmsgate.mm7.report import ReadReplyReq, ReadStatus
from mmsgate.reports.read import from_read_reply
from mmsgate.reports.reports import Report, judge_mm7, judge_read
from tests.unit.builders import NOW, a_fallback, a_message

SIM = CarrierProfile(name="sim", endpoints=("http://127.0.0.1:9/mm7",))


def report(status: str) -> Report:
    return Report(kind="mm7", connection="sim", ids=("m1",), status=status)


@pytest.mark.parametrize(
    ("status", "happening"),
    [
        ("Retrieved", Happening.REPORTED_DELIVERED), ("Forwarded", Happening.UNDER_WAY),
        ("Deferred", Happening.UNDER_WAY), ("Indeterminate", Happening.UNDER_WAY),
        ("Expired", Happening.REPORTED_UNDELIVERED), ("Rejected", Happening.REPORTED_UNDELIVERED),
        ("Unrecognised", Happening.FELL_BACK), ("NotSupported", Happening.FELL_BACK),
    ],
)  # fmt: skip
def test_each_status_of_an_mms(status: str, happening: Happening) -> None:
    assert judge_mm7(report(status), a_message(state=State.SENT), SIM).happening is happening


def test_without_a_fallback_an_unsupported_mms_is_undelivered() -> None:
    message = a_message(state=State.SENT, fallback=a_fallback(enabled=False))
    assert judge_mm7(report("NotSupported"), message, SIM).happening is Happening.REPORTED_UNDELIVERED


@pytest.mark.parametrize("status", ["Retrieved", "Expired", "Rejected", "NotSupported"])
@pytest.mark.parametrize("state", [State.FALLBACK, State.SMS_SENT])
def test_a_late_report_about_the_mms_does_not_end_its_sms(status: str, state: State) -> None:
    message: Message = a_message(state=state, sent_as=SentAs.SMS)
    step = judge_mm7(report(status), message, SIM)
    assert step.happening is Happening.OVERTAKEN
    assert "the SMS goes on" in step.reason


@pytest.mark.parametrize("state", [State.SENT, State.DELIVERED, State.SMS_SENT])
def test_a_read_report_is_only_recorded(state: State) -> None:
    step = judge_read(Report(kind="read", connection="sim", ids=("m1",), status="Read", text="opened"))
    change = move(a_message(state=state), step.happening, Why.of(step.reason), at=NOW)
    assert (change.event.changed, change.message.state, change.postbacks) == (False, state, ())
    assert change.event.reason == "read report Read: opened"


SHORT = Address(value="28444", kind=AddressKind.SHORT_CODE)
LONG, PHONE = Address(value="18885551234"), Address(value="12065550100")


@pytest.mark.parametrize(
    ("recipient", "sender", "swapped"),
    [
        (PHONE, SHORT, False), (PHONE, SHORT, True), (SHORT, PHONE, False), (PHONE, LONG, False),
        (LONG, PHONE, True), (PHONE, None, False),
    ],
)  # fmt: skip
def test_the_phone_of_a_read_report(recipient: Address, sender: Address | None, *, swapped: bool) -> None:
    report = ReadReplyReq(
        transaction_id="1", message_id="m1", status=ReadStatus.DELETED, recipient=recipient, sender=sender
    )
    found = from_read_reply("sim", report, swapped=swapped)
    assert (found.kind, found.ids, found.status, found.recipient) == ("read", ("m1",), "Deleted", PHONE.value)
