"""What a carrier's answer means: the table of the MM7 wire page, row by row."""

from collections.abc import Mapping

import pytest

from mmsgate.carriers.outcome import (
    Accepted,
    OurFault,
    Paused,
    RefusedContent,
    RefusedRecipient,
    SubmitOutcome,
    Temporary,
    Unknown,
    outcome_of,
)
from mmsgate.carriers.profile import Answers, CarrierProfile
from mmsgate.http.outcome import Answered, Lost, NotSent
from mmsgate.mm7 import status as mm7_status
from mmsgate.mm7.answer import encode_fault, encode_submit_rsp

XML = {"content-type": "text/xml; charset=utf-8"}


def a_profile(*, codes: Mapping[int, str] | None = None, empty_answer_accepts: bool = False) -> CarrierProfile:
    return CarrierProfile(
        name="sim",
        endpoints=("http://mmsc.example/",),
        answers=Answers(codes=codes or {}, empty_accepts=empty_answer_accepts),
    )


WHOLE_OK = encode_submit_rsp(transaction_id="7", code=1000)


def of_code(code: int, profile: CarrierProfile | None = None, *, status: int = 200) -> SubmitOutcome:
    """The outcome of a SubmitRsp with that code."""
    body = encode_submit_rsp(transaction_id="7", code=code, message_id="m1")
    return outcome_of(Answered(status=status, headers=XML, body=body), profile or a_profile())


def of_http(status: int, body: bytes = b"", profile: CarrierProfile | None = None, **headers: str) -> SubmitOutcome:
    """The outcome of an answer that need not be MM7 at all."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return outcome_of(Answered(status=status, headers=named, body=body), profile or a_profile())


# -- status codes

TABLE: dict[int, type[SubmitOutcome]] = {
    1000: Accepted,
    1100: Accepted,
    2000: OurFault,
    2001: Paused,
    2002: RefusedRecipient,
    2003: RefusedRecipient,
    2004: RefusedContent,
    2005: OurFault,
    2006: OurFault,
    2007: OurFault,
    2008: OurFault,
    2009: OurFault,
    3000: Temporary,
    3001: Temporary,
    3002: Temporary,
    3003: Temporary,
    3004: Temporary,
    4000: Temporary,
    4001: Paused,
    4002: OurFault,
    4003: OurFault,
    4004: OurFault,
    4005: OurFault,
    4006: Temporary,
    4007: RefusedRecipient,
}


@pytest.mark.parametrize(("code", "expected"), TABLE.items())
def test_each_code_of_the_standard_means_what_the_table_says(code: int, expected: type[SubmitOutcome]) -> None:
    assert type(of_code(code)) is expected


def test_the_table_has_every_code_of_the_standard() -> None:
    assert TABLE.keys() == mm7_status.TEXTS.keys()


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (1001, Accepted),
        (1999, Accepted),
        (2571, OurFault),
        (2999, OurFault),
        (3500, Temporary),
        (3510, Temporary),
        (4008, Temporary),
        (4999, Temporary),
    ],
)
def test_an_unknown_code_counts_as_its_class(code: int, expected: type[SubmitOutcome]) -> None:
    assert type(of_code(code)) is expected


@pytest.mark.parametrize("code", [1, 999, 5000, 9999, 10000, 99999])
def test_a_code_of_no_class_is_temporary(code: int) -> None:
    assert type(of_code(code)) is Temporary


def test_an_outcome_names_the_carriers_own_code_and_not_what_it_counts_as() -> None:
    outcome = of_code(3510)
    assert isinstance(outcome, Temporary)
    assert outcome.code == 3510
    assert outcome.text.startswith("3510 ")


@pytest.mark.parametrize(("code", "codes"), [(3510, {}), (3510, {3510: "temporary"}), (3001, {3001: "throttled"})])
def test_a_throughput_that_was_exceeded_is_told_from_other_passing_failures(
    code: int, codes: Mapping[int, str]
) -> None:
    assert getattr(of_code(code, a_profile(codes=codes)), "throttled", None) is True
    assert getattr(of_code(3000, a_profile(codes=codes)), "throttled", None) is False


def test_a_fault_with_an_mm7_status_is_an_answer_of_a_server_that_works() -> None:
    outcome = of_http(500, encode_fault(transaction_id="7", code=3000))
    assert isinstance(outcome, Temporary)
    assert not outcome.down


def test_an_accepted_message_has_the_carriers_id() -> None:
    assert of_code(1000) == Accepted(message_id="m1", code=1000, text="1000 Success")


def test_a_1000_without_a_message_id_is_accepted_too() -> None:
    body = encode_submit_rsp(transaction_id="7")
    assert of_http(200, body) == Accepted(message_id="", code=1000, text="1000 Success")


def test_the_details_of_a_refusal_are_shown() -> None:
    body = encode_fault(transaction_id="7", code=2002, text="Address Error", details="no such subscriber")
    assert of_http(200, body) == RefusedRecipient(code=2002, text="2002 Address Error (no such subscriber)")


def test_our_fault_keeps_the_start_of_the_carriers_answer() -> None:
    outcome = of_code(4004)
    assert isinstance(outcome, OurFault)
    assert (outcome.code, "<StatusCode>4004</StatusCode>" in outcome.raw) == (4004, True)


@pytest.mark.parametrize("status", [200, 202, 400, 404, 500, 502])
@pytest.mark.parametrize(
    ("code", "expected"), [(2002, RefusedRecipient), (2004, RefusedContent), (4006, Temporary)]
)
def test_a_fault_counts_by_its_code_whatever_the_http_status(
    status: int, code: int, expected: type[SubmitOutcome]
) -> None:
    assert type(of_http(status, encode_fault(transaction_id="7", code=code))) is expected


@pytest.mark.parametrize("status", [200, 400, 500])
def test_a_code_that_is_only_in_the_header_counts(status: int) -> None:
    assert type(of_http(status, b"", x_mm7_status_code="2003")) is RefusedRecipient


def test_the_code_of_the_body_comes_before_that_of_the_header() -> None:
    body = encode_submit_rsp(transaction_id="7", code=1000)
    assert type(of_http(200, body, x_mm7_status_code="2003")) is Accepted


# -- a profile's own meanings

OVERRIDES: dict[str, type[SubmitOutcome]] = {
    "accepted": Accepted,
    "recipient": RefusedRecipient,
    "content": RefusedContent,
    "our-fault": OurFault,
    "pause": Paused,
    "temporary": Temporary,
}


@pytest.mark.parametrize("code", [1000, 2002, 3001, 3500, 4004, 9999])
@pytest.mark.parametrize(("name", "expected"), OVERRIDES.items())
def test_the_profile_comes_before_the_table(code: int, name: str, expected: type[SubmitOutcome]) -> None:
    assert type(of_code(code, a_profile(codes={code: name}))) is expected


def test_a_profile_that_names_a_code_says_nothing_of_its_class() -> None:
    profile = a_profile(codes={3000: "recipient", 4004: "content"})
    assert type(of_code(3001, profile)) is Temporary
    assert type(of_code(3999, profile)) is Temporary
    assert type(of_code(4003, profile)) is OurFault


@pytest.mark.parametrize("status", [401, 429])
def test_a_profile_does_not_overrule_what_http_says(status: int) -> None:
    assert type(of_code(1000, a_profile(codes={1000: "accepted"}), status=status)) is not Accepted


# -- HTTP


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize("body", [b"", b"go away", encode_submit_rsp(transaction_id="7", code=1000)])
def test_refused_credentials_pause_the_connection_whatever_the_body_says(status: int, body: bytes) -> None:
    assert of_http(status, body) == Paused(text=f"HTTP {status}: the carrier refuses our credentials")


@pytest.mark.parametrize("body", [b"", WHOLE_OK, b"slow down"])
def test_too_many_requests_slow_the_connection_down_whatever_the_body_says(body: bytes) -> None:
    assert of_http(429, body) == Temporary(text="HTTP 429: too many requests", throttled=True)


@pytest.mark.parametrize("status", [500, 502, 503, 504, 599])
@pytest.mark.parametrize("body", [b"", b"<html><body>Bad gateway</body></html>", b"<env:Envelope"])
def test_an_overloaded_or_broken_server_is_temporary(status: int, body: bytes) -> None:
    assert of_http(status, body) == Temporary(text=f"HTTP {status}", down=True)


@pytest.mark.parametrize("status", [300, 301, 302, 307, 404, 405, 410])
@pytest.mark.parametrize("body", [b"", b"not here"])
def test_a_wrong_address_pauses_the_connection_and_fails_no_message(status: int, body: bytes) -> None:
    assert of_http(status, body) == Paused(text=f"HTTP {status}: there is no MM7 server at this address")


@pytest.mark.parametrize("status", [400, 406, 413, 415, 499])
@pytest.mark.parametrize("body", [b"", b"not here"])
def test_any_other_status_without_a_code_is_our_fault(status: int, body: bytes) -> None:
    assert of_http(status, body) == OurFault(
        code=None, text=f"HTTP {status} without an MM7 status", raw=body.decode()
    )


@pytest.mark.parametrize("status", [200, 202, 204])
@pytest.mark.parametrize("body", [b"", b"\r\n"])
def test_an_empty_answer_says_nothing(status: int, body: bytes) -> None:
    assert of_http(status, body) == Unknown(text=f"HTTP {status} with an empty answer")


WHOLE = encode_submit_rsp(transaction_id="7", code=1000, message_id="m1")


@pytest.mark.parametrize(
    "body",
    [
        b"OK",
        b"<html><body>Welcome</body></html>",
        WHOLE[: len(WHOLE) // 2],
        WHOLE.replace(b"<StatusCode>1000</StatusCode>", b""),
        WHOLE.replace(b"1000", b"fine"),
    ],
    ids=["text", "html", "half", "no code", "no number"],
)
def test_an_answer_without_a_code_leaves_the_outcome_unknown(body: bytes) -> None:
    assert of_http(200, body, content_type="text/xml") == Unknown(
        text="HTTP 200 with an answer without a status code"
    )


@pytest.mark.parametrize("status", [200, 202, 204])
@pytest.mark.parametrize("body", [b"", b"\r\n"])
def test_an_empty_answer_is_accepted_where_the_profile_says_so(status: int, body: bytes) -> None:
    outcome = of_http(status, body, a_profile(empty_answer_accepts=True))
    assert isinstance(outcome, Accepted)
    assert (outcome.message_id, outcome.code) == ("", 1000)


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [(200, b"OK", Unknown), (302, b"", Paused), (413, b"", OurFault), (503, b"", Temporary), (401, b"", Paused)],
)
def test_only_an_empty_2xx_is_accepted_without_a_word(
    status: int, body: bytes, expected: type[SubmitOutcome]
) -> None:
    assert type(of_http(status, body, a_profile(empty_answer_accepts=True))) is expected


def test_an_empty_answer_with_a_code_in_its_header_counts_by_the_code() -> None:
    profile = a_profile(empty_answer_accepts=True)
    assert type(of_http(200, b"", profile, x_mm7_status_code="2004")) is RefusedContent


# -- no answer at all


def test_what_never_left_may_be_sent_again() -> None:
    outcome = outcome_of(NotSent(reason="connection refused"), a_profile())
    assert outcome == Temporary(text="not sent: connection refused", down=True)


def test_a_connection_lost_after_the_body_leaves_the_outcome_unknown() -> None:
    outcome = outcome_of(Lost(reason="no answer within 60 s"), a_profile(empty_answer_accepts=True))
    assert isinstance(outcome, Unknown)
    assert "no answer within 60 s" in outcome.text
    assert outcome.down


# -- Retry-After

RETRY_AFTER = [
    ("0", 0),
    ("1", 1000),
    ("120", 120_000),
    ("99999", 99_999_000),
    ("100000", None),
    ("999999999999999999999", None),
    ("", None),
    ("-1", None),
    ("1.5", None),
    ("soon", None),
    ("²", None),
    ("١٢", None),
    ("Fri, 02 Jan 2026 09:31:17 GMT", 30_000),
    ("Friday, 02-Jan-26 09:31:17 GMT", 30_000),
    ("Fri, 02 Jan 2026 09:30:00 GMT", 0),
    ("Sun, 04 Jan 2026 09:30:47 GMT", None),
    ("Fri, 99 Jan 2026 09:30:47 GMT", None),
]


@pytest.mark.parametrize(("value", "after"), RETRY_AFTER)
def test_retry_after_is_read_in_seconds_and_as_a_date(value: str, after: int | None) -> None:
    answered = of_http(503, b"", retry_after=value, date="Fri, 02 Jan 2026 09:30:47 GMT")
    assert answered == Temporary(text="HTTP 503", after=after, down=True)


@pytest.mark.parametrize("date", ["", "yesterday"])
def test_a_retry_after_date_without_the_date_of_the_answer_says_nothing(date: str) -> None:
    """Our clock is not the carrier's."""
    answered = of_http(503, b"", retry_after="Fri, 02 Jan 2026 09:31:17 GMT", date=date)
    assert answered == Temporary(text="HTTP 503", down=True)


@pytest.mark.parametrize("status", [200, 429, 500])
def test_retry_after_counts_with_and_without_a_code(status: int) -> None:
    outcome = of_http(status, encode_fault(transaction_id="7", code=3000), retry_after="30")
    assert isinstance(outcome, Temporary)
    assert outcome.after == 30_000


def test_a_code_may_mean_that_the_phone_s_owner_opted_out() -> None:
    for code, opted_out in ((4007, True), (2003, False)):
        refused = of_code(code, a_profile(codes={4007: "opted-out"}))
        assert isinstance(refused, RefusedRecipient)
        assert refused.opted_out is opted_out
