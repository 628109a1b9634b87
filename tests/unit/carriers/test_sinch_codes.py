"""Every status code of the Sinch service's page, as its profile reads it: whose fault, and what becomes of it."""

import pytest

from mmsgate.carriers.outcome import (
    Accepted,
    OurFault,
    Paused,
    RefusedContent,
    RefusedRecipient,
    SubmitOutcome,
    Temporary,
    outcome_of,
)
from mmsgate.http.outcome import Answered
from mmsgate.mm7.answer import encode_submit_rsp
from tests.unit.carriers.test_shipped import profile

TABLE: dict[type[SubmitOutcome], list[int]] = {
    Accepted: [1000],
    RefusedRecipient: [2002, 3001, 4007],
    RefusedContent: [2004, 2560, 3003],
    Paused: [2000, 2550, 2551, 2564, 2568],
    Temporary: [2569, 3000, 3500, 3510, 3520, 4000, 4006],
    OurFault: [
        2007, 2500, 2502, 2503, 2504, 2505, 2506, 2507, 2510, 2511, 2512, 2513, 2514, 2515, 2561, 2562, 2563,
        2565, 2566, 2567, 2571, 2572, 3002, 4002, 4003, 4004,
    ],
}  # fmt: skip


def outcome(code: int) -> SubmitOutcome:
    body = encode_submit_rsp(transaction_id="7", code=code, message_id="m1")
    return outcome_of(Answered(status=200, headers={"content-type": "text/xml"}, body=body), profile("sinch"))


@pytest.mark.parametrize(("code", "expected"), [(code, kind) for kind, codes in TABLE.items() for code in codes])
def test_each_code_of_the_service_means_what_its_page_says(code: int, expected: type[SubmitOutcome]) -> None:
    assert type(outcome(code)) is expected


def test_a_throughput_that_was_exceeded_slows_the_connection_down() -> None:
    throttled = [code for code in TABLE[Temporary] if getattr(outcome(code), "throttled", False)]
    assert throttled == [3510]
