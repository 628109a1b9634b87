"""Sinch's MM7 service: each code of its own that a request can meet, and what it tells its customer."""

import pytest

from tests.unit.simulator.carrier import Carrier
from tests.unit.simulator.submits import PICTURE, REL_5, REL_6, Post, flat, golden

REL_6_0 = REL_6.replace("1-4", "1-0")


def sinch() -> Carrier:
    return Carrier("sinch", user="v")


def edited(old: str, new: str, post: Post | None = None) -> Post:
    """The flat message with another piece of text."""
    post = post or flat()
    assert old.encode() in post.body
    return Post(content_type=post.content_type, body=post.body.replace(old.encode(), new.encode()))


GROUP = '<Number displayOnly="{}">12399471613</Number><Number displayOnly="{}">12399471614</Number>'
NUMBER = "<Number>12399471613</Number>"


@pytest.mark.parametrize(
    ("post", "code"),
    [
        (Post(content_type="text/plain", body=flat().body), 2500),
        (edited("Content-Type: image/jpeg", "X-Type: image/jpeg"), 2514),
        (edited("text/xml; charset=utf-8\r\nContent-ID", "text/html\r\nContent-ID"), 2515),
        (edited("</SubmitReq>", "<SubmitReq>"), 2007),
        (edited("SubmitReq", "CancelReq"), 2512),
        (flat(href="cid:nowhere"), 2513),
        (edited(">42<", "><"), 2510),
        (flat(version="5.2.0"), 2505),
        (flat(version="7.0.0"), 2505),
        (flat(version="6"), 2505),
        (edited("<MM7Version>6.8.0</MM7Version>", ""), 2505),
        (flat(namespace="http://example.com/mm7"), 2507),
        (flat(namespace=REL_5), 2507),
        (edited("SenderIdentification", "SenderIdentity"), 2561),
        (flat(vaspid="another"), 2564),
        (flat(vaspid=""), 2564),
        (edited("28444mms", "my service"), 2562),
        (edited("ShortCode", "Name"), 2504),
        (edited(NUMBER, ""), 2502),
        (edited(NUMBER, NUMBER * 2), 2503),
        (edited(NUMBER, GROUP.format("true", "true")), 2571),
        (edited(NUMBER, GROUP.format("false", "false")), 2572),
        (flat("+12399471613"), 2002),
        (flat("0012399471613"), 2002),
        (flat("abc"), 2002),
        (flat(more="<ReplyCharging/>"), 2565),
        (flat(more="<ChargedParty>Sender</ChargedParty>"), 3002),
        (edited('<Content href="cid:show.smil"/>', ""), 2506),
        (golden(smil=None), 2513),
    ],
)
async def test_each_fault_has_its_code(post: Post, code: int) -> None:
    carrier = sinch()
    answer = await carrier.post(post)
    assert (answer.http, answer.mm7.is_fault, answer.mm7.status_code) == (200, True, code)
    assert answer.mm7.status_text
    assert answer.mm7.details
    assert carrier.box.after() == []


@pytest.mark.parametrize(
    "post",
    [
        flat(),
        golden(),
        flat(namespace=REL_5, version="5.3.0"),
        flat(namespace=REL_6_0, version="5.3.0"),
        edited("<VASID>28444mms</VASID>", "<VASID/>"),
        edited("28444mms", "28444"),
        flat(more="<ReadReply>true</ReadReply><ContentClass>text</ContentClass>"),
    ],
)
async def test_what_the_page_allows_is_taken(post: Post) -> None:
    answer = await sinch().post(post)
    assert (answer.mm7.status_code, answer.mm7.is_fault) == (1000, False)
    assert answer.mm7.status_text == "Successfully parsed and validated request"
    assert answer.headers["content-type"] == "application/xml; charset=utf-8"
    assert (len(answer.mm7.message_id or ""), (answer.mm7.message_id or "").isdigit()) == (18, True)


async def test_of_several_faults_the_outermost_is_told() -> None:
    post = edited("28444mms", "my service", flat("abc", version="9", href="cid:nowhere"))
    assert (await sinch().post(post)).mm7.status_code == 2513
    post = edited("28444mms", "my service", flat("abc", version="9"))
    assert (await sinch().post(post)).mm7.status_code == 2505


@pytest.mark.parametrize(("auth", "code"), [("", 1000), ("Basic djpw", 1000), ("Basic djp4", 2568)])
async def test_basic_is_optional_but_must_be_right(auth: str, code: int) -> None:
    assert (await sinch().post(flat(), headers={"authorization": auth})).mm7.status_code == code


async def test_of_a_group_only_the_real_recipient_gets_the_message() -> None:
    carrier = sinch()
    await carrier.post(edited(NUMBER, GROUP.format("true", "false")))
    assert [message.to for message in carrier.box.after()] == ["12399471614"]


@pytest.mark.parametrize("name", ["x-mblox-carrier-id", "x-mblox-operator-id", "x-skycore-carrier-id"])
async def test_the_carrier_header_is_taken_under_each_name_and_returned_with_the_report(name: str) -> None:
    carrier = sinch()
    assert (await carrier.post(flat(), headers={name: "0001890"})).mm7.status_code == 1000
    await carrier.scheduler.run()
    (reported,) = carrier.poster.reported
    assert reported.headers["X-Mblox-Carrier-Id"] == "0001890"
    assert reported.headers["Content-Type"] == 'multipart/related; type="text/xml"'
    assert (reported.report.raw_status, reported.report.status_text) == ("Retrieved", "Success")


async def test_an_unknown_carrier_is_refused() -> None:
    assert (await sinch().post(flat(), headers={"x-mblox-carrier-id": "4711"})).mm7.status_code == 2566


async def test_without_a_carrier_header_the_report_has_none() -> None:
    carrier = sinch()
    await carrier.post(flat())
    await carrier.scheduler.run()
    assert "X-Mblox-Carrier-Id" not in carrier.poster.reported[0].headers


async def test_a_picture_without_a_slide_show_is_refused() -> None:
    answer = await sinch().post(golden(smil=None, parts=[PICTURE]))
    assert answer.mm7.details == "the content has no SMIL"
