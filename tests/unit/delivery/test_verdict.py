"""What a step decides, and what becomes of it when it is recorded."""

from dataclasses import replace

import pytest

from mmsgate.delivery.verdict import Verdict, gave_up
from mmsgate.domain.change import CarrierId, Why
from mmsgate.domain.message import SmsPart
from mmsgate.domain.state import Happening, State
from mmsgate.store import Snapshot
from tests.unit.builders import NOW, a_message

IDS = (CarrierId(connection="sim", verbatim="m1"),)
PARTS = (SmsPart(number=1, state="sent"),)


def test_everything_a_verdict_says_reaches_the_change() -> None:
    verdict = Verdict(
        happening=Happening.TAKEN, why=Why.of("taken", code=1000), due_at=NOW + 5, attempts=3, connection="other",
        carrier_ids=IDS, sms_parts=PARTS,
    )  # fmt: skip
    change = verdict.decide(NOW + 1)(Snapshot(message=a_message(state=State.SUBMITTING), sms_parts=()))
    after, event = change.message, change.event
    assert (after.state, after.due_at, after.attempts, after.connection) == (State.SENT, NOW + 5, 3, "other")
    assert (after.updated_at, after.carrier_message_id) == (NOW + 1, "m1")
    assert (event.at, event.reason, event.data) == (NOW + 1, "taken", {"code": 1000})
    assert (change.carrier_ids, change.sms_parts) == (IDS, PARTS)


def test_what_a_verdict_does_not_say_stays_as_it_was() -> None:
    message = a_message(attempts=2, connection="sim", carrier_message_id="m0")
    verdict = Verdict(happening=Happening.POSTPONED, why=Why.of("later"), due_at=NOW + 5)
    after = verdict.decide(NOW)(Snapshot(message=message, sms_parts=())).message
    assert (after.attempts, after.connection, after.carrier_message_id) == (2, "sim", "m0")


def test_the_step_is_made_of_the_message_as_it_stands_in_the_store() -> None:
    """A report may have come while the answer was on its way."""
    delivered = a_message(state=State.DELIVERED)
    verdict = Verdict(happening=Happening.TAKEN, why=Why.of("taken"), carrier_ids=IDS)
    change = verdict.decide(NOW)(Snapshot(message=delivered, sms_parts=()))
    assert (change.message, change.event.changed, change.carrier_ids) == (delivered, False, IDS)


@pytest.mark.parametrize("settled", ["delivered", "failed"])
def test_what_a_receipt_says_of_a_part_outlives_a_step_that_was_decided_before_it_came(settled: str) -> None:
    """R-20; the timer's resend of a doubtful part would send again what has just been reported."""
    part = SmsPart(number=1, state=settled, smsc_id="s1")
    again = SmsPart(number=2, state="pending")
    verdict = Verdict(
        happening=Happening.POSTPONED, why=Why.of("resend"), sms_parts=(replace(part, state="pending"), again)
    )
    message = a_message(state=State.SMS_UNKNOWN)
    doubtful = replace(again, state="unknown")
    assert verdict.decide(NOW)(Snapshot(message=message, sms_parts=(part, doubtful))).sms_parts == (again,)


def test_a_decision_can_be_repeated() -> None:
    """A transaction that is rolled back runs its functions anew."""
    decide = gave_up("no").decide(NOW)
    snapshot = Snapshot(message=a_message(), sms_parts=())
    assert decide(snapshot) == decide(snapshot)


def test_giving_up_has_a_reason_facts_and_no_next_time() -> None:
    verdict = gave_up("the carrier refused the recipient", code=2002)
    change = verdict.decide(NOW)(Snapshot(message=a_message(), sms_parts=()))
    assert (change.message.state, change.message.due_at) == (State.FAILED, None)
    assert change.message.details == change.event.reason == "the carrier refused the recipient"
    assert change.event.data == {"code": 2002}
