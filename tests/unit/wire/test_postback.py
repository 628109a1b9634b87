"""Notifications in the XML dialects: golden bytes, order of elements, any text."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from mmsgate.domain.postback import Postback, PostbackCode, SentAs, Undelivered
from mmsgate.domain.request import WireDialect
from mmsgate.wire.postback import content_type, render_postback

Golden = Callable[[str, bytes], None]
KEBAB, SKYCORE = WireDialect.KEBAB, WireDialect.SKYCORE
MMS, SMS = SentAs.MMS, SentAs.SMS

SAMPLE = Postback(
    code=PostbackCode.N102,
    sent_as=MMS,
    mms_id=39597,
    sender="28444",
    recipient="12399471613",
    tracking_id="TU1TXzU5Nzg3OQ==",
    operator="31003",
    timestamp=1_402_144_054_398,  # 2014-06-07T12:27:34Z and some
    handset="moto17c",
)
LINK = replace(SAMPLE, sent_as=SMS, handset="", details="Handset setting: mms with pass via HTML")
FAILED = replace(SAMPLE, handset="", details="Recipient blocked by mobile operator")

SOUND, FILM = "https://media.example/a.mp3", "https://media.example/v.mp4?x=1&y=2"
UNUSABLE = Postback(code=PostbackCode.E003, sent_as=MMS, mms_id=39597, timestamp=SAMPLE.timestamp, medium=FILM)

CASES = {
    "n003": Postback(code=PostbackCode.N003, sent_as=MMS, mms_id=39597, timestamp=SAMPLE.timestamp),
    "e002": replace(UNUSABLE, code=PostbackCode.E002),
    "e003": replace(UNUSABLE, code=PostbackCode.E003),
    "n013": replace(SAMPLE, code=PostbackCode.N013, handset=""),
    "e012": replace(FAILED, code=PostbackCode.E012, details="slide 1: Audio: it is cut short", medium=SOUND),
    "e013": replace(FAILED, code=PostbackCode.E013, details="slide 2: Video: no stream", medium=FILM),
    "n101-mms": replace(SAMPLE, code=PostbackCode.N101, handset=""),
    "n101-sms": replace(LINK, code=PostbackCode.N101),
    "n102-mms": SAMPLE,
    "n102-mms-bare": replace(SAMPLE, operator="", handset=""),
    "n102-sms": LINK,
    "n202-sms": replace(LINK, code=PostbackCode.N202),
    "e101-mms": replace(FAILED, code=PostbackCode.E101),
    "e101-bare": replace(FAILED, code=PostbackCode.E101, operator="", details=""),
    "e102-expired": replace(FAILED, code=PostbackCode.E102, why=Undelivered.EXPIRED, details=""),
    "e102-rejected": replace(FAILED, code=PostbackCode.E102, why=Undelivered.REJECTED),
    "e102-failed": replace(FAILED, code=PostbackCode.E102, why=Undelivered.FAILED),
    "e102-not-supported": replace(FAILED, code=PostbackCode.E102, why=Undelivered.NOT_SUPPORTED),
    "e202-sms": replace(LINK, code=PostbackCode.E202, why=Undelivered.FAILED, details="UNDELIV"),
    "n501": replace(SAMPLE, code=PostbackCode.N501, handset=""),
    "n502": replace(SAMPLE, code=PostbackCode.N502),
    "e501": replace(FAILED, code=PostbackCode.E501),
    "e502-rejected": replace(FAILED, code=PostbackCode.E502, why=Undelivered.REJECTED),
    "e999": replace(FAILED, code=PostbackCode.E999, details=""),
}


@pytest.mark.parametrize("dialect", [KEBAB, SKYCORE])
@pytest.mark.parametrize("name", list(CASES))
def test_golden_postback(name: str, dialect: WireDialect, golden: Golden) -> None:
    golden(f"wire/postback-{name}.{dialect}.xml", render_postback(CASES[name], dialect))


def names(code: PostbackCode, sent_as: SentAs, dialect: WireDialect) -> str:
    body = render_postback(replace(SAMPLE, code=code, sent_as=sent_as), dialect)
    return " ".join(str(child.tag) for child in etree.fromstring(body))


@pytest.mark.parametrize(
    ("code", "sent_as", "order"),
    [
        ("N003", MMS, "origin code mms-id"),
        ("E002", MMS, "origin code mms-id audio-name"),
        ("E003", MMS, "origin code mms-id video-name"),
        ("N013", MMS, "origin code mms-id tracking-id"),
        ("E012", MMS, "origin code status mms-id from to tracking-id operator-id status-details audio-name"),
        ("E013", MMS, "origin code status mms-id from to tracking-id operator-id status-details video-name"),
        ("N101", MMS, "origin code sent-as status mms-id from to tracking-id operator-id timestamp"),
        ("N101", SMS, "origin code sent-as status mms-id from to tracking-id operator-id timestamp status-details"),
        ("N102", MMS, "origin code sent-as status mms-id from to tracking-id operator-id timestamp handset"),
        ("N102", SMS, "origin code sent-as status from to tracking-id operator-id timestamp"),
        ("N202", SMS, "origin code sent-as status from to tracking-id operator-id timestamp"),
        ("E101", MMS, "origin code status mms-id from to tracking-id operator-id status-details"),
        ("E101", SMS, "origin code status mms-id from to tracking-id operator-id status-details"),
        ("E102", MMS, "origin code status mms-id from to tracking-id operator-id status-details"),
        ("E202", SMS, "origin code sent-as status mms-id from to tracking-id operator-id status-details"),
        ("E999", MMS, "origin code status mms-id from to tracking-id operator-id status-details"),
        ("N501", MMS, "origin code sent-as status mms-id from to tracking-id operator-id timestamp status-details"),
        ("N502", MMS, "origin code sent-as status mms-id from to tracking-id operator-id timestamp handset"),
        ("E501", MMS, "origin code status mms-id from to tracking-id operator-id status-details"),
        ("E502", MMS, "origin code status mms-id from to tracking-id operator-id status-details"),
    ],
)
def test_the_order_in_kebab(code: str, sent_as: SentAs, order: str) -> None:
    assert names(PostbackCode(code), sent_as, KEBAB) == order


@pytest.mark.parametrize(
    ("code", "sent_as", "order"),
    [
        ("E003", MMS, "ORIGIN CODE MMSID VIDEONAME"),
        ("E012", MMS, "ORIGIN CODE STATUS MMSID FROM TO TRACKINGID SPID STATUSDETAILS AUDIONAME"),
        ("N101", MMS, "ORIGIN CODE SENTAS STATUS MMSID FROM TO TRACKINGID SPID TIMESTAMP"),
        ("N101", SMS, "ORIGIN CODE SENTAS STATUS MMSID FROM TO TRACKINGID SPID TIMESTAMP STATUSDETAILS"),
        ("N102", MMS, "ORIGIN CODE SENTAS STATUS MMSID FROM TO TRACKINGID SPID TIMESTAMP HANDSET AGGREGATORID"),
        ("N102", SMS, "ORIGIN CODE SENTAS STATUS FROM TO TRACKINGID SPID TIMESTAMP AGGREGATORID"),
        ("N202", SMS, "ORIGIN CODE SENTAS STATUS FROM TO TRACKINGID SPID TIMESTAMP AGGREGATORID"),
        ("E101", MMS, "ORIGIN CODE STATUS MMSID FROM TO TRACKINGID SPID STATUSDETAILS"),
        ("E102", MMS, "ORIGIN CODE STATUS MMSID FROM TO TRACKINGID SPID TIMESTAMP AGGREGATORID STATUSDETAILS"),
        (
            "E202",
            SMS,
            "ORIGIN CODE SENTAS STATUS MMSID FROM TO TRACKINGID SPID TIMESTAMP AGGREGATORID STATUSDETAILS",
        ),
        ("E999", MMS, "ORIGIN CODE STATUS MMSID FROM TO TRACKINGID SPID STATUSDETAILS"),
        ("N501", MMS, "ORIGIN CODE SENTAS STATUS MMSID FROM TO TRACKINGID SPID TIMESTAMP STATUSDETAILS"),
        ("N502", MMS, "ORIGIN CODE SENTAS STATUS MMSID FROM TO TRACKINGID SPID TIMESTAMP HANDSET AGGREGATORID"),
        ("E501", MMS, "ORIGIN CODE STATUS MMSID FROM TO TRACKINGID SPID STATUSDETAILS"),
        ("E502", MMS, "ORIGIN CODE STATUS MMSID FROM TO TRACKINGID SPID TIMESTAMP AGGREGATORID STATUSDETAILS"),
    ],
)
def test_the_order_in_skycore(code: str, sent_as: SentAs, order: str) -> None:
    assert names(PostbackCode(code), sent_as, SKYCORE) == order


def value(postback: Postback, dialect: WireDialect, name: str) -> str | None:
    return etree.fromstring(render_postback(postback, dialect)).findtext(name)


@pytest.mark.parametrize(
    ("code", "why", "kebab", "skycore"),
    [
        ("N101", None, "Message Sent", "Message Sent"),
        ("N102", None, "Message Sent/Delivered", "Message Sent/Delivered"),
        ("N202", None, "Message Sent/Delivered", "Message Sent/Delivered"),
        ("E101", None, "Message Failed", "Message Failed"),
        ("E101", Undelivered.EXPIRED, "Message Failed", "Message Failed"),
        ("E102", Undelivered.EXPIRED, "Message Sent/Expired", "Message Sent/Expired"),
        ("E102", Undelivered.REJECTED, "Message Sent/Rejected", "Message Sent/Rejected"),
        ("E102", Undelivered.NOT_SUPPORTED, "Message Sent/Not Supported", "Message Sent/NotSupported"),
        ("E202", Undelivered.FAILED, "Message Sent/Failed", "Message Sent/Failed"),
        ("E102", Undelivered.UNRECOGNISED, "Message Sent/Failed", "Message Sent/Failed"),
        ("E102", Undelivered.UNREACHABLE, "Message Sent/Failed", "Message Sent/Failed"),
        ("E102", Undelivered.INDETERMINATE, "Message Sent/Failed", "Message Sent/Failed"),
        ("N501", None, "Message Sent", "Message Sent"),
        ("N502", None, "Message Sent/Delivered", "Message Sent/Delivered"),
        ("E501", None, "Message Failed", "Message Failed"),
        ("E502", Undelivered.NOT_SUPPORTED, "Message Sent/Not Supported", "Message Sent/NotSupported"),
        ("E202", None, "Message Sent/Failed", "Message Sent/Failed"),
        ("E999", None, "Message Failed", "Message Failed"),
    ],
)
def test_the_status(code: str, why: Undelivered | None, kebab: str, skycore: str) -> None:
    postback = replace(SAMPLE, code=PostbackCode(code), why=why)
    assert value(postback, KEBAB, "status") == kebab
    assert value(postback, SKYCORE, "STATUS") == skycore


@pytest.mark.parametrize(
    ("operator", "kebab", "skycore"),
    [("31004", "31004", "0001570"), ("0001840", "0001840", "0001840"), ("", "", ""), ("99999", "99999", "")],
)
def test_the_carrier(operator: str, kebab: str, skycore: str) -> None:
    postback = replace(SAMPLE, operator=operator)
    assert value(postback, KEBAB, "operator-id") == kebab
    assert value(postback, SKYCORE, "SPID") == skycore


def test_the_time_has_seconds_and_an_offset() -> None:
    assert value(SAMPLE, KEBAB, "timestamp") == "2014-06-07T12:27:34+00:00"


def test_both_dialects_are_labelled_as_xml() -> None:
    assert content_type(KEBAB) == content_type(SKYCORE) == "text/xml; charset=utf-8"
    assert content_type(WireDialect.JSON) == "application/json; charset=utf-8"


def test_json_is_not_written_as_xml() -> None:
    with pytest.raises(ValueError, match="JSON"):
        render_postback(SAMPLE, WireDialect.JSON)


def test_every_code_but_that_of_json_has_a_golden_file() -> None:
    assert {postback.code for postback in CASES.values()} == set(PostbackCode) - {PostbackCode.N103}


ANY_TEXT = st.text(
    alphabet=st.characters(codec="utf-8", exclude_categories=("Cc", "Cs"), exclude_characters="\ufffe\uffff"),
    max_size=30,
)


@settings(max_examples=40)
@given(texts=st.tuples(*[ANY_TEXT] * 5), dialect=st.sampled_from([KEBAB, SKYCORE]))
def test_any_text_is_read_back(texts: tuple[str, ...], dialect: WireDialect) -> None:
    sender, recipient, tracking_id, handset, details = texts
    sample = replace(SAMPLE, sender=sender, recipient=recipient, tracking_id=tracking_id, handset=handset)
    delivered = [child.text or "" for child in etree.fromstring(render_postback(sample, dialect))]
    assert delivered[5:8] == [sender, recipient, tracking_id]
    assert delivered[10] == handset
    failed = replace(sample, code=PostbackCode.E101, details=details)
    assert (etree.fromstring(render_postback(failed, dialect))[-1].text or "") == details
