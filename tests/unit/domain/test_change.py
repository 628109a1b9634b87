"""Which postbacks a step makes (postback contract 2, R-27, R-28), and what a step keeps."""

from hypothesis import given
from hypothesis import strategies as st

from mmsgate.domain.change import CarrierId, Change, Why, move, normalise_id
from mmsgate.domain.message import Message
from mmsgate.domain.postback import PostbackCode, SentAs, Undelivered
from mmsgate.domain.state import TRANSITIONS, Happening, State, next_state
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


def test_the_last_receipt_ends_an_sms_that_is_back_in_the_queue() -> None:
    """All that was still to go has been settled by receipts meanwhile: nothing is left to send."""
    steps = (H.SUBMIT, H.FELL_BACK, H.SUBMIT, H.IN_DOUBT, H.POSTPONED, H.REPORTED_DELIVERED)
    message, told = walk(a_message(), *steps)
    assert (message.state, message.due_at, told) == (State.DELIVERED, None, [(N101, SMS), (N102, SMS)])


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


# -- whatever happens, in whatever order

FINAL_CODES = {N102, E101, E102, E202}


@st.composite
def walks(draw: st.DrawFn) -> list[Happening]:
    """Lives of a message, long ones rather than short: mostly what can happen next, now and then what cannot."""
    state, happenings = State.ACCEPTED, []
    for stray in draw(st.lists(st.sampled_from([False, False, False, True]), max_size=15)):
        ways = [(happening, after) for (before, happening), after in TRANSITIONS.items() if before is state]
        possible = [happening for happening, after in ways for _ in range(1 if after.final else 4)]
        happening = draw(st.sampled_from(list(Happening) if stray or not possible else possible))
        happenings.append(happening)
        state = next_state(state, happening) or state
    return happenings


@given(walks())
def test_no_walk_tells_more_than_one_final_postback_nor_anything_after_it(happenings: list[Happening]) -> None:
    message, told = walk(a_message(), *happenings)
    finals = [code for code, _ in told if code in FINAL_CODES]
    assert len(finals) <= 1
    assert not finals or told[-1][0] is finals[0]
    assert bool(finals) is (message.state.final and message.state is not State.UNREPORTED)


@given(walks())
def test_every_walk_tells_n101_before_a_report_and_at_most_once_for_each_way(happenings: list[Happening]) -> None:
    _, told = walk(a_message(), *happenings)
    codes = [code for code, _ in told]
    assert told.count((N101, MMS)) <= 1
    assert told.count((N101, SMS)) <= 1
    if {N102, E102, E202} & set(codes):
        assert codes[0] is N101
    if E101 in codes:
        assert codes == [E101]


@given(walks())
def test_every_walk_keeps_the_message_consistent(happenings: list[Happening]) -> None:
    message, told = walk(a_message(), *happenings)
    assert (message.due_at is None) is message.state.final
    assert (message.told, message.postbacks) == (bool(told), len(told))
    assert (message.sent_as is SMS) is (H.FELL_BACK in effective(happenings))


@given(walks())
def test_every_step_of_a_walk_is_a_transition_or_changes_nothing(happenings: list[Happening]) -> None:
    message = a_message()
    for happening in happenings:
        change = move(message, happening, Why.of("because"), at=NOW, due_at=NOW)
        expected = next_state(message.state, happening)
        assert change.event.changed is (expected is not None)
        assert change.message.state is change.event.state is (expected or message.state)
        if expected is None:
            assert (change.message, change.postbacks) == (message, ())
        message = change.message


def effective(happenings: list[Happening]) -> list[Happening]:
    """Those that moved a message which began as accepted."""
    state, moved = State.ACCEPTED, []
    for happening in happenings:
        after = next_state(state, happening)
        if after is not None:
            moved.append(happening)
            state = after
    return moved
