"""Notifications in JSON: golden bytes, the contract's order and words, any text."""

import json
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmsgate.domain.inbound import Inbound
from mmsgate.domain.postback import Postback, PostbackCode, SentAs, Undelivered
from mmsgate.wire.json_postback import json_code, json_inbound, json_postback
from tests.unit.wire import test_inbound, test_postback

Golden = Callable[[str, bytes], None]

SAMPLE, FAILED = test_postback.SAMPLE, test_postback.FAILED
#: What XML has and JSON too: all but the codes of device discovery.
CASES = {
    name: replace(postback, code=code)
    for name, postback in test_postback.CASES.items()
    if (code := json_code(postback)) and name != "e102-expired"
} | {
    "n103": replace(FAILED, code=PostbackCode.N103, why=Undelivered.EXPIRED, details=""),
    "n101-mask": replace(SAMPLE, code=PostbackCode.N101, handset="", sender_mask="LAKE"),
}


@pytest.mark.parametrize("name", list(CASES))
def test_golden_json_postback(name: str, golden: Golden) -> None:
    golden(f"wire/postback-{name}.json", json_postback(CASES[name]))


@pytest.mark.parametrize(
    ("name", "inbound"),
    [("n401", test_inbound.MMS), ("n401-group", test_inbound.GROUP), ("n211", test_inbound.SMS)],
)
def test_golden_json_inbound(name: str, inbound: Inbound, golden: Golden) -> None:
    golden(f"wire/postback-{name}.json", json_inbound(inbound, files=test_inbound.FILES, group=True))


def members(postback: Postback) -> dict[str, str]:
    found = json.loads(json_postback(postback))
    assert isinstance(found, dict)
    return found


LIFE = (
    "origin code sent-as status status-details from to from-mask tracking-id operator-id operator-name timestamp "
    "mms-id handset"
)


@pytest.mark.parametrize(
    ("code", "order"),
    [
        ("N101", LIFE), ("N102", LIFE), ("N103", LIFE), ("N202", LIFE), ("E101", LIFE), ("E102", LIFE),
        ("E202", LIFE), ("E999", LIFE),
        ("N003", "origin code status mms-id tracking-id timestamp"),
        ("E002", "origin code status mms-id audio-name tracking-id timestamp"),
        ("E003", "origin code status mms-id video-name tracking-id timestamp"),
        ("N013", "origin code status mms-id tracking-id timestamp"),
        ("E012", "origin code status status-details from to tracking-id timestamp audio-name"),
        ("E013", "origin code status status-details from to tracking-id timestamp video-name"),
    ],
)  # fmt: skip
def test_the_order(code: str, order: str) -> None:
    assert " ".join(members(replace(SAMPLE, code=PostbackCode(code), sender_mask="LAKE"))) == order


def test_what_the_contract_has_in_brackets_is_left_out_where_it_is_empty() -> None:
    bare = members(replace(SAMPLE, handset="", operator=""))
    assert set(LIFE.split()) - bare.keys() == {"from-mask", "handset"}
    assert (bare["operator-id"], bare["operator-name"]) == ("", "")


@pytest.mark.parametrize(
    ("code", "why", "status", "details"),
    [
        ("N101", None, "Sent", "Message Sent"),
        ("N102", None, "Delivered", "Message Delivered"),
        ("N103", Undelivered.EXPIRED, "Expired", "Message Expired"),
        ("N202", None, "Delivered", "Message Delivered"),
        ("E101", None, "Failed", "Message Failed"),
        ("E101", Undelivered.EXPIRED, "Failed", "Message Failed"),
        ("E102", Undelivered.REJECTED, "Rejected", "Message Rejected"),
        ("E102", Undelivered.NOT_SUPPORTED, "Unrecognised", "Message Unrecognised"),
        ("E102", Undelivered.UNRECOGNISED, "Unrecognised", "Message Unrecognised"),
        ("E102", Undelivered.UNREACHABLE, "Rejected", "Message Rejected"),
        ("E102", Undelivered.INDETERMINATE, "Rejected", "Message Rejected"),
        ("E102", Undelivered.FAILED, "Rejected", "Message Rejected"),
        ("E202", Undelivered.FAILED, "Failed", "Message Failed"),
        ("E202", Undelivered.EXPIRED, "Expired", "Message Expired"),
        ("E202", None, "Failed", "Message Failed"),
        ("E999", None, "Failed", "Message Failed"),
    ],
)
def test_the_status(code: str, why: Undelivered | None, status: str, details: str) -> None:
    found = members(replace(SAMPLE, code=PostbackCode(code), why=why, details=""))
    assert (found["status"], found["status-details"]) == (status, details)


def test_details_take_the_place_of_the_usual_words() -> None:
    assert members(replace(FAILED, code=PostbackCode.E101))["status-details"] == FAILED.details


def test_the_time_has_microseconds_and_the_carrier_its_name() -> None:
    found = members(SAMPLE)
    assert found["timestamp"] == "2014-06-07T12:27:34.398000+00:00"
    assert (found["operator-id"], found["operator-name"]) == ("31003", "Verizon")


@pytest.mark.parametrize(
    ("code", "why", "told"),
    [
        ("E102", Undelivered.EXPIRED, "N103"),
        ("E102", Undelivered.REJECTED, "E102"),
        ("E202", Undelivered.EXPIRED, "E202"),
        ("N501", None, None),
        ("N502", None, None),
        ("E501", None, None),
        ("E502", Undelivered.EXPIRED, None),
    ],
)
def test_the_code(code: str, why: Undelivered | None, told: str | None) -> None:
    assert json_code(replace(SAMPLE, code=PostbackCode(code), why=why)) == told


def test_every_code_that_json_has_has_a_golden_file() -> None:
    known = {code for code in PostbackCode if json_code(replace(SAMPLE, code=code))}
    assert {postback.code for postback in CASES.values()} == known


def test_an_inbound_mms_has_the_order_of_the_contract() -> None:
    whole = "origin code from to copy-to keyword tracking-id operator-id timestamp message-subject content"
    found = json.loads(json_inbound(test_inbound.GROUP, files=test_inbound.FILES, group=True))
    assert " ".join(found) == whole
    assert found["copy-to"] == [{"number": "17745550002"}, {"number": "17745550003"}]
    assert found["content"] == [{"file": file} for file in test_inbound.FILES]
    assert (found["keyword"], found["timestamp"]) == ("", "2014-06-07T12:27:34Z")


@pytest.mark.parametrize(("inbound", "group"), [(test_inbound.MMS, True), (test_inbound.GROUP, False)])
def test_copy_to_is_only_in_a_group_s_message_where_it_is_wanted(inbound: Inbound, group: bool) -> None:
    assert "copy-to" not in json.loads(json_inbound(inbound, files=[], group=group))


@settings(max_examples=40)
@given(details=st.text(min_size=1, max_size=30))
def test_any_text_is_read_back(details: str) -> None:
    whole = details.encode("utf-8", "replace").decode()
    failed = replace(SAMPLE, code=PostbackCode.E101, sent_as=SentAs.SMS, details=details)
    assert members(failed)["status-details"] == whole
