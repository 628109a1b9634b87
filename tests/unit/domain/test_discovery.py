"""A device discovery and the message that waits for it: which of its steps end the wait, and what is told."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmsgate.clock import MINUTE, SECOND
from mmsgate.domain.change import Change, Why, move
from mmsgate.domain.discovery import SUBJECT, Discovery, ahead_of, follow, meaning, waiting
from mmsgate.domain.message import Message
from mmsgate.domain.postback import PostbackCode, SentAs, Undelivered
from mmsgate.domain.state import Happening, State
from tests.unit.builders import NOW, a_message

H = Happening
DISCOVERY = Discovery(text="Hi, what phone is this?")
CONTENT = waiting(a_message(), DISCOVERY)
AHEAD = ahead_of(a_message(), DISCOVERY, message_id=8, content_id=9)
#: What can happen to a message that has no fallback, on its way to the carrier and back.
HAPPENINGS = [
    H.SUBMIT, H.TAKEN, H.POSTPONED, H.IN_DOUBT, H.GAVE_UP, H.UNDER_WAY, H.REPORTED_DELIVERED,
    H.REPORTED_UNDELIVERED, H.NEVER_REPORTED,
]  # fmt: skip


def a_step(message: Message, happening: Happening, *, handset: str = "", at: int = NOW + 1) -> Change:
    why = Why(reason=f"it {happening}", data={}, undelivered=Undelivered.REJECTED)
    return move(message, happening, why, at=at, due_at=NOW + MINUTE, handset=handset)


def walk(*happenings: Happening, content: Message = CONTENT, handset: str = "") -> tuple[Message, list[Change]]:
    """The waiting message after the discovery's steps, and the steps that it made itself."""
    ahead, followed = AHEAD, []
    for happening in happenings:
        change = a_step(ahead, happening, handset=handset if happening is H.REPORTED_DELIVERED else "")
        ahead, what = change.message, meaning(change)
        if what is not None:
            followed.append(follow(change, what, content))
            content = followed[-1].message
    return content, followed


def codes(followed: list[Change]) -> list[PostbackCode]:
    return [postback.code for change in followed for postback in change.postbacks]


N501, N502, E501, E502 = (PostbackCode(code) for code in ("N501", "N502", "E501", "E502"))


@pytest.mark.parametrize(
    ("happenings", "told", "state"),
    [
        ((), [], State.DISCOVERING),
        ((H.SUBMIT,), [], State.DISCOVERING),
        ((H.SUBMIT, H.TAKEN), [N501], State.DISCOVERING),
        ((H.SUBMIT, H.TAKEN, H.UNDER_WAY), [N501], State.DISCOVERING),
        ((H.SUBMIT, H.TAKEN, H.REPORTED_DELIVERED), [N501, N502], State.ACCEPTED),
        ((H.SUBMIT, H.TAKEN, H.REPORTED_UNDELIVERED), [N501, E502], State.ACCEPTED),
        ((H.SUBMIT, H.TAKEN, H.NEVER_REPORTED), [N501], State.ACCEPTED),
        ((H.SUBMIT, H.GAVE_UP), [E501], State.ACCEPTED),
        ((H.GAVE_UP,), [E501], State.ACCEPTED),
        ((H.SUBMIT, H.POSTPONED, H.SUBMIT, H.TAKEN), [N501], State.DISCOVERING),
        ((H.SUBMIT, H.IN_DOUBT), [], State.DISCOVERING),
        ((H.SUBMIT, H.IN_DOUBT, H.REPORTED_DELIVERED), [N501, N502], State.ACCEPTED),
        ((H.SUBMIT, H.IN_DOUBT, H.UNDER_WAY), [N501], State.DISCOVERING),
        ((H.SUBMIT, H.IN_DOUBT, H.GAVE_UP), [E501], State.ACCEPTED),
    ],
)
def test_what_is_told_and_when_the_wait_ends(
    happenings: tuple[Happening, ...], told: list[PostbackCode], state: State
) -> None:
    message, followed = walk(*happenings)
    assert (codes(followed), message.state) == (told, state)


def test_the_message_waits_until_a_second_after_the_discoverys_own_end() -> None:
    discovery = replace(DISCOVERY, timeout=7 * MINUTE)
    message = waiting(a_message(), discovery)
    ahead = ahead_of(a_message(), discovery, message_id=8, content_id=9)
    assert (message.state, message.due_at) == (State.DISCOVERING, NOW + 7 * MINUTE + SECOND)
    assert (ahead.state, ahead.due_at, ahead.expires_at) == (State.ACCEPTED, NOW, NOW + 7 * MINUTE)


def test_the_discovery_is_a_message_of_its_own_known_by_the_same_tracking_id() -> None:
    assert (AHEAD.id, AHEAD.mms_id, AHEAD.content_id, AHEAD.discovers) == (8, 9, 9, CONTENT.id)
    assert AHEAD.tracking_id == CONTENT.tracking_id
    assert AHEAD.transaction_id != CONTENT.transaction_id
    assert (AHEAD.fallback.enabled, AHEAD.fallback.token) == (False, "")
    assert "device discovery" in str(AHEAD)
    assert DISCOVERY.subject == SUBJECT


def test_a_discovery_that_was_taken_leaves_the_timer_as_it_is_and_one_that_ended_makes_the_message_due() -> None:
    _, (sent, ended) = walk(H.SUBMIT, H.TAKEN, H.REPORTED_DELIVERED)
    assert sent.message.due_at == CONTENT.due_at
    assert ended.message.due_at == NOW + 1


def test_what_is_told_has_the_template_the_customer_knows_and_the_handset_that_was_learnt() -> None:
    message, followed = walk(H.SUBMIT, H.TAKEN, H.REPORTED_DELIVERED, handset="Pixel7")
    sent, delivered = (postback for change in followed for postback in change.postbacks)
    assert (sent.mms_id, delivered.mms_id) == (CONTENT.mms_id, CONTENT.mms_id)
    assert (sent.handset, delivered.handset) == ("", "Pixel7")
    assert (sent.sent_as, sent.tracking_id, sent.details) == (SentAs.MMS, CONTENT.tracking_id, "")
    assert "the phone is a Pixel7" in followed[-1].event.reason
    assert (message.handset, message.postbacks, message.told) == ("", 2, False)


def test_a_discovery_that_did_not_arrive_says_why() -> None:
    _, followed = walk(H.SUBMIT, H.TAKEN, H.REPORTED_UNDELIVERED)
    (postback,) = followed[-1].postbacks
    assert (postback.why, postback.details) == (Undelivered.REJECTED, "it reported-undelivered")
    assert "the handset stays unknown" in followed[-1].event.reason


@pytest.mark.parametrize("state", sorted(set(State) - {State.DISCOVERING}))
def test_what_a_discovery_learns_after_the_wait_is_recorded_and_not_told(state: State) -> None:
    gone_on = replace(CONTENT, state=state)
    message, followed = walk(H.SUBMIT, H.TAKEN, H.REPORTED_DELIVERED, content=gone_on)
    assert message == gone_on
    assert codes(followed) == []
    assert [change.event.changed for change in followed] == [False, False]


def test_the_content_is_told_as_ever_after_its_discovery() -> None:
    message, followed = walk(H.SUBMIT, H.TAKEN, H.REPORTED_DELIVERED)
    told = codes(followed)
    for happening in (H.SUBMIT, H.TAKEN, H.REPORTED_DELIVERED):
        change = a_step(message, happening)
        message = change.message
        told += [postback.code for postback in change.postbacks]
    assert told == ["N501", "N502", "N101", "N102"]
    assert message.postbacks == len(told)


@given(st.lists(st.sampled_from(HAPPENINGS), max_size=12))
def test_however_a_discovery_goes_it_is_told_to_its_end_at_most_once_and_ends_the_wait_with_it(
    happenings: list[Happening],
) -> None:
    message, followed = walk(*happenings)
    told = codes(followed)
    finals = [code for code in told if code in {N502, E501, E502}]
    assert len(finals) <= 1
    assert not finals or told[-1] is finals[0]
    assert told.count(N501) <= 1
    assert not {N502, E502} & set(told) or told[0] is N501
    assert not finals or message.state is State.ACCEPTED
    assert message.postbacks == len(told)
