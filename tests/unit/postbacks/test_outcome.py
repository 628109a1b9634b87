"""What becomes of a postback after a try: taken, tried again, parked (R-08, R-35)."""

from typing import cast

import pytest

from mmsgate.clock import MINUTE, ManualClock
from mmsgate.domain.account import Account, Compat, PostbackSettings, Switches
from mmsgate.http import Answered, HttpClient, Lost, NotSent, PostOutcome
from mmsgate.postbacks.sender import PostbackSender, _problem
from mmsgate.store import Store
from mmsgate.store.accounts import Directory
from mmsgate.store.postbacks import Again, DuePostback, Parked, Sent
from tests.unit.builders import NOW, an_account


def a_sender() -> PostbackSender:
    """One that is only asked what it makes of an answer: neither store nor HTTP is touched."""

    def directory() -> Directory:
        raise AssertionError

    return PostbackSender(cast("Store", None), cast("HttpClient", None), directory, clock=ManualClock(), owner="o")


def due_after(attempts: int) -> DuePostback:
    return DuePostback(
        id=1, message_id=7, sequence=1, account_id=1, receiver="1 http://u", url="http://u", code="N101",
        content_type="text/xml", body=b"", event_at=NOW, attempts=attempts,
    )  # fmt: skip


def on_schedule(name: str) -> Account:
    return an_account(postback=PostbackSettings(url="http://u", schedule=name))


def answered(status: int) -> Answered:
    return Answered(status=status, headers={}, body=b"")


@pytest.mark.parametrize("attempts", [0, 4])
def test_on_the_schedule_of_the_original_the_next_try_is_in_exactly_five_minutes(attempts: int) -> None:
    account = on_schedule("sinch")
    for _ in range(20):
        outcome = a_sender()._outcome(due_after(attempts), account, "HTTP 500")
        assert outcome == Again(id=1, attempts=attempts + 1, error="HTTP 500", due_at=NOW + 5 * MINUTE)


def test_on_the_default_schedule_the_next_try_varies_by_a_fifth() -> None:
    due = {a_sender()._outcome(due_after(1), on_schedule("default"), "HTTP 500") for _ in range(50)}
    delays = [outcome.due_at - NOW for outcome in due if isinstance(outcome, Again)]
    assert len(delays) > 1
    assert all(4 * MINUTE <= delay <= 6 * MINUTE for delay in delays)


@pytest.mark.parametrize(("schedule", "last"), [("default", 7), ("sinch", 5)])
def test_after_the_last_try_it_is_parked(schedule: str, last: int) -> None:
    account = on_schedule(schedule)
    assert isinstance(a_sender()._outcome(due_after(last - 1), account, "HTTP 500"), Again)
    parked = a_sender()._outcome(due_after(last), account, "HTTP 500")
    assert parked == Parked(id=1, attempts=last + 1, error="HTTP 500")


def test_what_the_receiver_took_is_done() -> None:
    assert a_sender()._outcome(due_after(2), on_schedule("default"), "") == Sent(id=1, attempts=3)


@pytest.mark.parametrize(
    ("posted", "better", "strict"),
    [
        (answered(200), "", ""),
        (answered(204), "", "HTTP 204"),
        (answered(299), "", "HTTP 299"),
        (answered(301), "HTTP 301", "HTTP 301"),
        (answered(500), "HTTP 500", "HTTP 500"),
        (NotSent(reason="refused"), "refused", "refused"),
        (Lost(reason="cut off"), "cut off", "cut off"),
    ],
)
def test_any_2xx_takes_a_postback_in_a_strict_account_only_200(
    posted: PostOutcome, better: str, strict: str
) -> None:
    assert _problem(posted, an_account()) == better
    assert _problem(posted, an_account(switches=Switches(compat=Compat.STRICT))) == strict
