"""Each recipient of the simulator page, played by the MMSC without a socket."""

from collections.abc import Sequence

import pytest

from mmsgate.simulator.behaviour import ANY_OTHER, SIZE_LIMIT, TABLE, behaviour_of
from tests.unit.simulator.carrier import Carrier
from tests.unit.simulator.submits import SMIL, WORDS, part

PREFIX = "1239947"

#: The rows that the simulator must play by now (issue 2, point 8).
REQUIRED = [f"{digits:04}" for digits in (*range(100, 113), *range(114, 117), *range(118, 129), *range(130, 136))]


@pytest.fixture
def carrier() -> Carrier:
    return Carrier()


def arrived(carrier: Carrier) -> int:
    return len(carrier.box.after())


def test_every_required_recipient_has_a_row_with_words() -> None:
    assert set(REQUIRED) <= set(TABLE)
    assert all(row.title and row.digits == digits for digits, row in TABLE.items())


@pytest.mark.parametrize("number", ["12399470103", "+12399470103", "12399470103/TYPE=PLMN", "0103"])
def test_the_last_four_digits_decide_however_the_number_is_written(number: str) -> None:
    assert behaviour_of(number) is TABLE["0103"]


@pytest.mark.parametrize("number", ["12399471613", "28444", "103", "", "someone@example.com"])
def test_any_other_number_takes_everything(number: str) -> None:
    assert behaviour_of(number) is ANY_OTHER


async def test_any_other_number_is_accepted_and_retrieved_at_once(carrier: Carrier) -> None:
    answer = await carrier.submit("12399471613")
    assert (answer.mm7.status_code, answer.mm7.transaction_id) == (1000, "42")
    assert answer.mm7.message_id
    assert await carrier.statuses() == [(0, "Retrieved")]
    assert carrier.poster.reported[0].report.message_id == answer.mm7.message_id
    assert arrived(carrier) == 1


@pytest.mark.parametrize(
    ("digits", "reports", "shown"),
    [
        ("0100", [(1000, "Retrieved")], 1),
        ("0101", [(60_000, "Retrieved")], 1),
        ("0102", [(1000, "Forwarded")], 1),
        ("0104", [(1000, "Expired")], 0),
        ("0105", [(1000, "NotSupported")], 0),
        ("0109", [(0, "Retrieved"), (200, "Retrieved")], 1),
        ("0111", [(0, "Retrieved")], 1),
        ("0114", [(0, "Retrieved")], 1),
        ("0121", [(0, "Retrieved")], 1),
        ("0123", [(1000, "Rejected")], 0),
        ("0124", [(1000, "Unrecognised")], 0),
        ("0125", [(200, "Deferred"), (600, "Forwarded"), (1000, "Retrieved")], 1),
        ("0126", [(1000, "Indeterminate")], 1),
        ("0127", [], 1),
        ("0128", [(0, "Retrieved")], 1),
    ],
)
async def test_accepted_and_reported(
    carrier: Carrier, digits: str, reports: Sequence[tuple[int, str]], shown: int
) -> None:
    answer = await carrier.submit(PREFIX + digits)
    assert answer.mm7.status_code == 1000
    assert await carrier.statuses() == reports
    assert arrived(carrier) == shown


@pytest.mark.parametrize(
    ("digits", "code", "fault"),
    [
        ("0103", 2002, False),
        ("0116", 4007, False),
        ("0119", 4004, True),
        ("0130", 2004, False),
        ("0131", 2004, False),
        ("0132", 2004, False),
        ("0133", 2004, False),
        ("0134", 2004, False),
        ("0135", 2004, False),
    ],
)
async def test_refused_for_good(carrier: Carrier, digits: str, code: int, fault: bool) -> None:
    answer = await carrier.submit(PREFIX + digits)
    assert (answer.http, answer.mm7.status_code, answer.mm7.is_fault) == (200, code, fault)
    assert answer.mm7.message_id is None
    assert await carrier.statuses() == []
    assert arrived(carrier) == 0


async def test_a_handset_without_mms_is_refused_with_words_that_say_so(carrier: Carrier) -> None:
    answer = await carrier.submit(f"{PREFIX}0130")
    assert "takes no MMS" in answer.mm7.status_text


@pytest.mark.parametrize(("extra", "code"), [(0, 1000), (1, 2004)])
async def test_0106_refuses_more_than_300_kb_decoded(carrier: Carrier, extra: int, code: int) -> None:
    picture = part("s1.jpg", "image/jpeg", bytes(SIZE_LIMIT - len(SMIL) + extra))
    answer = await carrier.submit(f"{PREFIX}0106", parts=[picture])
    assert answer.mm7.status_code == code
    assert arrived(carrier) == (code == 1000)


async def test_0107_fails_twice_then_takes_it_and_counts_each_message_alone(carrier: Carrier) -> None:
    number = f"{PREFIX}0107"
    codes = [(await carrier.submit(number, transaction="a")).mm7.status_code for _ in range(2)]
    other = (await carrier.submit(number, transaction="b")).mm7.status_code
    last = (await carrier.submit(number, transaction="a")).mm7.status_code
    assert (codes, other, last) == ([3000, 3000], 3000, 1000)
    assert arrived(carrier) == 1


async def test_0108_cuts_after_the_body_and_reports_5_s_later(carrier: Carrier) -> None:
    answer = await carrier.submit(f"{PREFIX}0108")
    assert (answer.cut, answer.http) == (True, 0)
    assert await carrier.statuses() == [(5000, "Retrieved")]
    assert carrier.poster.reported[0].report.message_id == carrier.box.after()[0].message_id


async def test_0110_reports_before_it_answers(carrier: Carrier) -> None:
    answer = await carrier.submit(f"{PREFIX}0110")
    assert [one.report.raw_status for one in carrier.poster.reported] == ["Retrieved"]
    assert carrier.poster.reported[0].report.message_id == answer.mm7.message_id
    assert carrier.scheduler.jobs == []


async def test_0111_alters_case_and_zeros_of_the_message_id(carrier: Carrier) -> None:
    answer = await carrier.submit(f"{PREFIX}0111")
    await carrier.statuses()
    reported = carrier.poster.reported[0].report.message_id
    assert answer.mm7.message_id is not None
    assert reported != answer.mm7.message_id
    assert reported.startswith("0")
    assert reported.lstrip("0").lower() == answer.mm7.message_id.lstrip("0").lower()


async def test_0112_throttles_for_5_s_from_the_first_attempt(carrier: Carrier) -> None:
    number = f"{PREFIX}0112"
    codes = []
    for wait in (0, 4999, 1):
        carrier.clock.advance(wait)
        codes.append((await carrier.submit(number, transaction=str(wait))).mm7.status_code)
    assert codes == [3510, 3510, 1000]


async def test_0115_answers_200_without_a_body_and_never_reports(carrier: Carrier) -> None:
    answer = await carrier.submit(f"{PREFIX}0115")
    assert (answer.cut, answer.http, answer.body) == (False, 200, b"")
    assert await carrier.statuses() == []


async def test_0117_forgets_the_password_for_10_s(carrier: Carrier) -> None:
    number = f"{PREFIX}0117"
    assert (await carrier.submit(number)).http == 401
    carrier.clock.advance(10_000)
    assert (await carrier.submit(number)).mm7.status_code == 1000


@pytest.mark.parametrize(
    ("name", "content_type", "code"),
    [("s1.3gp", "video/3gpp", 2004), ("s1.mp4", "video/mp4", 2004), ("s1.gif", "image/gif", 1000)],
)
async def test_0118_refuses_any_video(carrier: Carrier, name: str, content_type: str, code: int) -> None:
    answer = await carrier.submit(f"{PREFIX}0118", parts=[part(name, content_type, b"..."), WORDS])
    assert answer.mm7.status_code == code


async def test_0120_is_a_partial_success_with_a_message_id(carrier: Carrier) -> None:
    answer = await carrier.submit(f"{PREFIX}0120")
    assert answer.mm7.status_code == 1100
    assert answer.mm7.message_id
    assert await carrier.statuses() == [(0, "Retrieved")]


async def test_0121_gives_no_message_id_and_reports_by_number(carrier: Carrier) -> None:
    answer = await carrier.submit(f"{PREFIX}0121")
    assert (answer.mm7.status_code, answer.mm7.message_id) == (1000, None)
    await carrier.statuses()
    report = carrier.poster.reported[0].report
    assert report.message_id == ""
    phone, _ = report.parties()
    assert phone is not None
    assert phone.value == f"{PREFIX}0121"


async def test_0122_cuts_and_never_reports_but_the_phone_has_it(carrier: Carrier) -> None:
    answer = await carrier.submit(f"{PREFIX}0122")
    assert answer.cut
    assert await carrier.statuses() == []
    assert arrived(carrier) == 1


async def test_0128_swaps_the_parties_and_names_the_handset(carrier: Carrier) -> None:
    await carrier.submit(f"{PREFIX}0128")
    await carrier.statuses()
    report = carrier.poster.reported[0].report
    assert report.recipient is not None
    assert report.sender is not None
    assert report.recipient.value == "28444"
    assert report.sender.value == f"{PREFIX}0128"
    assert report.handset_name == "Nokia6630"


async def test_0128_writes_the_number_as_plmn(carrier: Carrier) -> None:
    await carrier.submit(f"{PREFIX}0128")
    await carrier.scheduler.run()
    assert b"+12399470128/TYPE=PLMN" in carrier.poster.reported[0].body
