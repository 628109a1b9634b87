"""Which postbacks a step makes (postback contract 2, R-27, R-28), and what a step keeps."""

from mmsgate.domain.change import CarrierId, Change, Why, move, normalise_id
from mmsgate.domain.message import Message
from mmsgate.domain.postback import PostbackCode, SentAs, Undelivered
from mmsgate.domain.state import Happening, State
from tests.unit.builders import NOW, a_message

H = Happening


def walk(message: Message, *happenings: Happening) -> tuple[Message, list[tuple[PostbackCode, SentAs]]]:
    """The message after all of them, and everything the customer was told."""
    told: list[tuple[PostbackCode, SentAs]] = []
    for happening in happenings:
        change = move(message, happening, Why.of(happening.value), at=NOW, due_at=NOW)
        told += [(postback.code, postback.sent_as) for postback in change.postbacks]
        message = change.message
    return message, told


N101, N102, E101, E102, E202 = (PostbackCode(code) for code in ("N101", "N102", "E101", "E102", "E202"))
MMS, SMS = SentAs.MMS, SentAs.SMS


def test_a_delivered_mms_tells_n101_then_n102() -> None:
    message, told = walk(a_message(), H.SUBMIT, H.TAKEN, H.REPORTED_DELIVERED)
    assert told == [(N101, MMS), (N102, MMS)]
    assert (message.state, message.postbacks, message.due_at) == (State.DELIVERED, 2, None)


def test_a_refusal_tells_e101_alone() -> None:
    assert walk(a_message(), H.SUBMIT, H.GAVE_UP)[1] == [(E101, MMS)]


def test_a_report_proves_that_the_carrier_took_it() -> None:
    """R-27: the answer was lost, the report says delivered: N101 comes first all the same."""
    assert walk(a_message(), H.SUBMIT, H.IN_DOUBT, H.REPORTED_DELIVERED)[1] == [(N101, MMS), (N102, MMS)]


def test_an_unknown_outcome_that_stays_unknown_tells_e101() -> None:
    assert walk(a_message(), H.SUBMIT, H.IN_DOUBT, H.GAVE_UP)[1] == [(E101, MMS)]


def test_a_forwarded_report_settles_an_unknown_outcome() -> None:
    assert walk(a_message(), H.SUBMIT, H.IN_DOUBT, H.UNDER_WAY)[1] == [(N101, MMS)]


def test_a_refused_content_goes_by_sms() -> None:
    message, told = walk(a_message(), H.SUBMIT, H.FELL_BACK, H.SUBMIT, H.TAKEN, H.REPORTED_DELIVERED)
    assert told == [(N101, SMS), (N102, SMS)]
    assert message.sent_as is SMS


def test_a_phone_without_mms_gets_the_sms_after_the_report() -> None:
    steps = (H.SUBMIT, H.TAKEN, H.FELL_BACK, H.SUBMIT, H.TAKEN, H.REPORTED_DELIVERED)
    assert walk(a_message(), *steps)[1] == [(N101, MMS), (N101, SMS), (N102, SMS)]


def test_a_failed_sms_is_e202_once_anything_was_told() -> None:
    assert walk(a_message(), H.FELL_BACK, H.SUBMIT, H.GAVE_UP)[1] == [(E101, SMS)]
    assert walk(a_message(), H.FELL_BACK, H.SUBMIT, H.TAKEN, H.REPORTED_UNDELIVERED)[1] == [
        (N101, SMS),
        (E202, SMS),
    ]
    assert walk(a_message(), H.SUBMIT, H.TAKEN, H.FELL_BACK, H.SUBMIT, H.GAVE_UP)[1] == [(N101, MMS), (E202, SMS)]


def test_a_second_report_tells_nothing() -> None:
    steps = (H.SUBMIT, H.TAKEN, H.REPORTED_DELIVERED, H.REPORTED_DELIVERED, H.REPORTED_UNDELIVERED)
    assert walk(a_message(), *steps)[1] == [(N101, MMS), (N102, MMS)]


def test_without_a_report_nothing_final_is_told() -> None:
    assert walk(a_message(), H.SUBMIT, H.TAKEN, H.UNDER_WAY, H.NEVER_REPORTED)[1] == [(N101, MMS)]


def test_an_undelivered_mms_says_why() -> None:
    sent, _ = walk(a_message(), H.SUBMIT, H.TAKEN)
    why = Why(reason="report Expired", data={}, undelivered=Undelivered.EXPIRED)
    (postback,) = move(sent, H.REPORTED_UNDELIVERED, why, at=NOW).postbacks
    assert (postback.code, postback.why, postback.details) == (E102, Undelivered.EXPIRED, "report Expired")


def taken() -> Change:
    sending, _ = walk(a_message(handset="moto17c", details="before"), H.SUBMIT)
    ids = (CarrierId(connection="sim", verbatim="00Ab"),)
    return move(sending, H.TAKEN, Why.of("taken"), at=NOW, due_at=NOW + 5, carrier_ids=ids)


def test_a_later_step_without_details_clears_nothing() -> None:
    """R-20."""
    message = taken().message
    assert (message.handset, message.details, message.carrier_message_id) == ("moto17c", "before", "00Ab")


def test_a_report_names_the_handset_in_its_postback() -> None:
    change = move(taken().message, H.REPORTED_DELIVERED, Why.of("ok"), at=NOW, handset="iphone")
    assert [postback.handset for postback in change.postbacks] == ["iphone"]


def test_ids_survive_what_carriers_do_to_them() -> None:
    assert normalise_id(" 00aB ") == normalise_id("AB") == "ab"
    assert normalise_id("000") == "0"
