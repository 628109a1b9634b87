"""Whom the MMSC plays: what each personality demands, makes of a message, answers and reports."""

import re
from pathlib import Path

import pytest

from mmsgate.http.outcome import Answered
from mmsgate.mm7.deliver import encode_deliver_rsp
from mmsgate.simulator.personality import PERSONALITIES, personality
from mmsgate.simulator.rules import READABLE
from tests.unit.simulator.carrier import Answer, Carrier
from tests.unit.simulator.submits import PICTURE, Post, flat, golden, mmsbox

REL_5_2 = "http://www.3gpp.org/ftp/Specs/archive/23_series/23.140/schema/REL-5-MM7-1-2"
REFERENCE = Path(__file__).parents[3] / "docs" / "reference" / "simulator.md"
TO = "12399471613"
ASKED = "<DeliveryReport>true</DeliveryReport>"


def carrier_as(name: str) -> Carrier:
    return Carrier(name, user="v")


def written_for(name: str) -> tuple[Post, dict[str, str]]:
    """A message that this personality takes, and further headers that it wants."""
    headers = {"x-vasp-key": "p"} if name == "header-auth" else {}
    match name:
        case "vectorcore" | "flat-only":
            return flat(more=ASKED), headers
        case "version-bug":
            return flat(namespace=REL_5_2, version="5.3.0", more=ASKED), headers
        case "header-auth":
            return Post(
                content_type=golden().content_type, body=golden().body.replace(b"<VASPID>v</VASPID>", b"")
            ), headers
    return golden(), headers


async def send(carrier: Carrier, name: str) -> Answer:
    post, headers = written_for(name)
    return await carrier.post(post, headers=headers)


def test_an_unknown_personality_is_told_with_those_that_there_are() -> None:
    with pytest.raises(ValueError, match="no personality 'mbuny': there are 3gpp, mbuni, vectorcore, sinch"):
        personality("mbuny")


@pytest.mark.parametrize("name", PERSONALITIES)
def test_every_personality_lets_only_a_readable_submit_through_to_what_looks_at_it(name: str) -> None:
    tests = {rule.test for rule in PERSONALITIES[name].rules}
    assert {rule.test for rule in READABLE} <= tests
    assert PERSONALITIES[name].title


def test_the_reference_lists_every_personality_and_no_other() -> None:
    section = REFERENCE.read_text().partition("## Whom the MMSC plays")[2].partition("\n## ")[0]
    rows = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `")]
    assert [name for row in rows for name in re.findall("`(.*?)`", row)] == list(PERSONALITIES)


@pytest.mark.parametrize("name", PERSONALITIES)
async def test_what_is_written_for_it_is_taken_answered_and_reported(name: str) -> None:
    carrier = carrier_as(name)
    answer = await send(carrier, name)
    (message,) = carrier.box.after(to=TO)
    assert message.text == "Hi"
    assert PICTURE[2] in [part.body for part in message.parts]
    assert answer.http == 200
    if name != "empty-200":
        assert (answer.mm7.status_code, answer.mm7.message_id) == (1000, message.message_id)
    await carrier.scheduler.run()
    report = carrier.poster.reported[0].report
    assert (report.message_id, report.raw_status) == (message.message_id, "Retrieved")
    assert report.handset is not None
    assert report.handset.value == TO


@pytest.mark.parametrize("name", PERSONALITIES)
async def test_a_recipients_refusal_is_told_in_its_own_words(name: str) -> None:
    carrier = carrier_as(name)
    post, headers = written_for(name)
    answer = await carrier.post(
        Post(content_type=post.content_type, body=post.body.replace(TO.encode(), b"12399470103")), headers=headers
    )
    assert answer.mm7.status_code == 2002
    assert answer.mm7.is_fault == PERSONALITIES[name].answers.faults
    assert carrier.box.after() == []


@pytest.mark.parametrize(
    ("name", "status"), [("vectorcore", 400), ("http-faults", 500), ("3gpp", 200), ("mbuni", 200)]
)
async def test_corrupt_bytes_are_refused_with_its_http_status(name: str, status: int) -> None:
    answer = await carrier_as(name).post(Post(content_type="text/xml", body=b"<not xml"))
    assert (answer.http, answer.mm7.status_code) == (status, 2007)


@pytest.mark.parametrize(("digits", "status"), [("0103", 400), ("0107", 502), ("0116", 502)])
async def test_vectorcore_tells_the_code_in_a_header_alone(digits: str, status: int) -> None:
    answer = await carrier_as("vectorcore").post(flat(f"1239947{digits}"))
    assert answer.http == status
    assert b"StatusCode" not in answer.body
    assert answer.headers["x-mm7-status-code"] == str(answer.mm7.status_code)


# -- who is let in


@pytest.mark.parametrize("name", ["3gpp", "mbuni", "empty-200", "utf16"])
async def test_basic_is_demanded_with_a_401_without_a_body(name: str) -> None:
    answer = await carrier_as(name).post(golden(), auth="v:wrong")
    assert (answer.http, answer.body) == (401, b"")


async def test_mbuni_takes_any_vaspid_and_vectorcore_only_its_user() -> None:
    assert (await Carrier("mbuni", user="other").post(golden())).mm7.status_code == 1000
    answer = await Carrier("vectorcore", user="other").post(flat(vaspid="v"))
    assert (answer.http, answer.mm7.status_code) == (401, 2004)


@pytest.mark.parametrize(("key", "status"), [("", 401), ("wrong", 401), ("p", 200)])
async def test_header_auth_wants_the_password_in_a_header(key: str, status: int) -> None:
    post, _ = written_for("header-auth")
    headers = {"x-vasp-key": key, "authorization": ""}
    assert (await carrier_as("header-auth").post(post, headers=headers)).http == status


async def test_header_auth_wants_no_vaspid() -> None:
    answer = await carrier_as("header-auth").post(golden(), headers={"x-vasp-key": "p"})
    assert (answer.mm7.status_code, answer.mm7.details) == (4004, "element VASPID is not expected")


async def test_no_auth_takes_everybody() -> None:
    assert (await carrier_as("no-auth").post(golden(), headers={"authorization": ""})).mm7.status_code == 1000


# -- how it must be packed


@pytest.mark.parametrize(("name", "code"), [("3gpp", 2500), ("mbuni", 1000), ("vectorcore", 1000), ("sinch", 2500)])
async def test_a_chunked_body_is_taken_or_not(name: str, code: int) -> None:
    post, _ = written_for(name)
    assert (await carrier_as(name).post(post, headers={"content-length": ""})).mm7.status_code == code


@pytest.mark.parametrize(("name", "code"), [("3gpp", 4004), ("mbuni", 1000), ("vectorcore", 1000)])
async def test_only_a_validating_mmsc_refuses_a_misplaced_element(name: str, code: int) -> None:
    post = flat(more="<Subject>a</Subject><Priority>Low</Priority>", href="cid:show.smil")
    assert (await carrier_as(name).post(post)).mm7.status_code == code


@pytest.mark.parametrize(("name", "code"), [("3gpp", 1000), ("vectorcore", 2007)])
async def test_vectorcore_wants_the_soap_part_first_whatever_start_says(name: str, code: int) -> None:
    assert (await carrier_as(name).post(flat(soap_first=False))).mm7.status_code == code


@pytest.mark.parametrize(
    ("boundary", "code"), [("a" * 40, 1000), ("a" * 41, 2007), ("=_outer", 2007), ("a-b", 2007), ("Az09", 1000)]
)
async def test_punctuation_in_a_boundary_breaks_one_mmsc(boundary: str, code: int) -> None:
    assert (await carrier_as("alnum-boundary").post(flat(boundary=boundary))).mm7.status_code == code
    assert (await carrier_as("3gpp").post(flat(boundary=boundary))).mm7.status_code == 1000


async def test_punctuation_in_an_inner_boundary_breaks_it_too() -> None:
    assert (await carrier_as("alnum-boundary").post(mmsbox())).mm7.status_code == 2007


@pytest.mark.parametrize(
    ("name", "post", "code"),
    [
        ("nested-only", flat(), 4004),
        ("nested-only", golden(), 1000),
        ("flat-only", flat(), 1000),
        ("flat-only", golden(), 4004),
        ("no-base64", flat(encode=True), 4004),
        ("no-base64", flat(), 1000),
        ("version-bug", flat(), 4002),
        ("version-bug", flat(namespace=REL_5_2, version="5.5.0"), 4002),
    ],
)
async def test_what_a_personality_demands_decides(name: str, post: Post, code: int) -> None:
    carrier = carrier_as(name)
    assert (await carrier.post(post)).mm7.status_code == code
    assert len(carrier.box.after()) == (code == 1000)


# -- what becomes of the content


@pytest.mark.parametrize(("href", "left"), [("cid:show.smil", "show.smil"), ("cid:s1.jpg", "s1.jpg")])
async def test_mbuni_keeps_of_flat_parts_the_named_one_and_says_1000(href: str, left: str) -> None:
    carrier = carrier_as("mbuni")
    assert (await carrier.post(flat(href=href))).mm7.status_code == 1000
    (message,) = carrier.box.after()
    assert [part.name for part in message.parts] == [left]


async def test_mbuni_unpacks_and_decodes_a_nested_content() -> None:
    carrier = carrier_as("mbuni")
    await carrier.post(mmsbox())
    (message,) = carrier.box.after()
    assert [part.type for part in message.parts] == ["application/smil", "image/png", "text/plain"]
    assert message.text == "Grüße"


async def test_a_nested_content_reaches_vectorcores_phones_as_one_opaque_part() -> None:
    carrier = carrier_as("vectorcore")
    assert (await carrier.post(golden())).mm7.status_code == 1000
    (message,) = carrier.box.after()
    assert [part.type for part in message.parts] == ["multipart/related"]
    assert b"--inner1" in message.parts[0].body
    assert (message.slides, message.text, message.smil) == ((), "", None)


async def test_vectorcore_does_not_decode_base64() -> None:
    carrier = carrier_as("vectorcore")
    assert (await carrier.post(flat(encode=True))).mm7.status_code == 1000
    (message,) = carrier.box.after()
    assert PICTURE[2] not in [part.body for part in message.parts]
    assert b"SGk=" in [part.body for part in message.parts]


async def test_of_several_recipients_vectorcore_keeps_the_last_number_of_to() -> None:
    to = f"12399471611</Number><Number>{TO}</Number></To><Cc><Number>12399471615</Number></Cc><To><Number>1"
    carrier = carrier_as("vectorcore")
    await carrier.post(flat(to))
    assert [message.to for message in carrier.box.after()] == [TO]


# -- how it writes


@pytest.mark.parametrize(
    ("name", "content_type", "piece"),
    [
        ("3gpp", "text/xml; charset=utf-8", b'encoding="UTF-8"'),
        ("xml-type", "application/xml", b'encoding="UTF-8"'),
        ("utf16", "text/xml; charset=utf-16", 'encoding="utf-16"'.encode("utf-16-le")),
        ("utf16-declared", "text/xml; charset=utf-8", b'encoding="utf-16"'),
        ("double-colon", "text/xml; charset=utf-8", b"<soap-env::Header>"),
        ("multipart-answer", 'multipart/related; boundary="soap_boundary"; type="text/xml"; start="<soap-start>"',
         b"--soap_boundary\r\nContent-Type: text/xml; charset=utf-8\r\nContent-ID: <soap-start>\r\n\r\n<?xml"),
        ("bare-start", 'multipart/related; boundary="soap_boundary"; type="text/xml"; start="soap-start"',
         b"--soap_boundary--"),
        ("bare-envelope", 'multipart/related; type="text/xml"', b"<?xml"),
    ],
)  # fmt: skip
async def test_answers_and_reports_are_written_in_its_way(name: str, content_type: str, piece: bytes) -> None:
    carrier = carrier_as(name)
    answer = await send(carrier, name)
    assert answer.headers["content-type"] == content_type
    assert piece in answer.body
    await carrier.scheduler.run()
    (reported,) = carrier.poster.reported
    assert reported.headers["Content-Type"] == content_type
    assert piece in reported.body


async def test_empty_200_accepts_without_a_byte_and_refuses_with_words() -> None:
    carrier = carrier_as("empty-200")
    answer = await carrier.post(golden())
    assert (answer.http, answer.body, len(carrier.box.after())) == (200, b"", 1)
    assert (await carrier.submit("12399470103")).mm7.status_code == 2002


@pytest.mark.parametrize("name", ["mbuni", "vectorcore"])
async def test_what_it_repeats_is_escaped(name: str) -> None:
    carrier = carrier_as(name)
    post = flat()
    answer = await carrier.post(
        Post(content_type=post.content_type, body=post.body.replace(b">42<", b'>R&amp;D &lt;1&gt; "x"<'))
    )
    assert answer.mm7.transaction_id == 'R&D <1> "x"'


# -- what it reports


async def test_vectorcore_reports_deferred_as_retrieved() -> None:
    carrier = carrier_as("vectorcore")
    await carrier.post(flat("12399470125"))
    assert [word for _, word in await carrier.statuses()] == ["Retrieved", "Forwarded", "Retrieved"]


async def test_vectorcore_gives_a_report_up_at_once() -> None:
    carrier = carrier_as("vectorcore")
    carrier.poster.outcomes = [Answered(status=500, headers={}, body=b"")]
    await carrier.post(flat())
    assert len(await carrier.statuses()) == 1
    assert carrier.box.notes(TO)[-1].text == "DeliveryReportReq Retrieved → HTTP 500; given up"


@pytest.mark.parametrize(
    ("name", "asked", "reports"),
    [
        ("3gpp", "<DeliveryReport>true</DeliveryReport>", 1),
        ("3gpp", "<DeliveryReport>false</DeliveryReport>", 0),
        ("3gpp", "", 0),
        ("vectorcore", "<DeliveryReport>false</DeliveryReport>", 1),
        ("vectorcore", "", 1),
        ("sinch", "<DeliveryReport>false</DeliveryReport>", 0),
        ("sinch", "", 1),
    ],
)
async def test_reports_come_as_it_understands_delivery_report(name: str, asked: str, reports: int) -> None:
    carrier = carrier_as(name)
    assert (await carrier.post(flat(more=asked))).mm7.status_code == 1000
    assert len(await carrier.statuses()) == reports


async def test_mbuni_swaps_back_nothing_where_the_row_swaps_too() -> None:
    carrier = carrier_as("mbuni")
    await carrier.submit("12399470128")
    await carrier.scheduler.run()
    (reported,) = carrier.poster.reported
    assert b"<mm7:Sender><mm7:Number>+12399470128/TYPE=PLMN</mm7:Number>" in reported.body
    assert reported.report.handset_name == "Nokia6630"


async def test_sinch_sends_a_report_again_until_the_answer_is_right() -> None:
    carrier = carrier_as("sinch")
    wrong = encode_deliver_rsp(transaction_id="another")
    refused = encode_deliver_rsp(transaction_id="r1", code=3000)
    carrier.poster.outcomes = [Answered(status=200, headers={}, body=body) for body in (b"", wrong, refused)]
    await carrier.post(golden())
    times = [at for at, _ in await carrier.statuses()]
    assert times == [0, 300_000, 600_000, 900_000]
    log = [note.text.partition(" → ")[2].partition(";")[0] for note in carrier.box.notes(TO)[1:4]]
    assert log == [
        "an answer with status none",
        "an answer with another TransactionID",
        "an answer with status 3000",
    ]
