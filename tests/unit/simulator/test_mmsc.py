"""The MMSC as a strict carrier: who may send, what is well-formed, what it tells whom."""

import pytest

from mmsgate.http.outcome import Answered, Lost, NotSent
from mmsgate.simulator.report_style import RETRIES
from tests.unit.simulator.carrier import Carrier
from tests.unit.simulator.submits import Post, golden, mixed, mmsbox

IDENTITY = "<SenderIdentification><SenderAddress><ShortCode>1</ShortCode></SenderAddress></SenderIdentification>"
RECIPIENTS = "<Recipients><To><Number>12399471613</Number></To></Recipients>"


@pytest.fixture
def carrier() -> Carrier:
    return Carrier()


@pytest.mark.parametrize("auth", ["u:wrong", "wrong:p", "", "u", ":"])
async def test_wrong_credentials_get_a_401_without_a_body(carrier: Carrier, auth: str) -> None:
    answer = await carrier.post(golden(), auth=auth)
    assert (answer.http, answer.body) == (401, b"")
    assert answer.headers["www-authenticate"].startswith("Basic")
    assert carrier.box.after() == []


@pytest.mark.parametrize("header", ["", "Bearer abc", "Basic ???", "Basic"])
async def test_other_authorization_headers_are_refused(carrier: Carrier, header: str) -> None:
    assert (await carrier.post(golden(), headers={"authorization": header})).http == 401


async def test_content_length_is_demanded(carrier: Carrier) -> None:
    answer = await carrier.post(golden(), headers={"content-length": ""})
    assert (answer.mm7.status_code, answer.mm7.is_fault) == (2500, True)
    assert answer.mm7.transaction_id == "42"


@pytest.mark.parametrize(
    ("elements", "words"),
    [
        (f"{RECIPIENTS}{IDENTITY}", "element SenderIdentification must stand before Recipients"),
        (
            f"{IDENTITY}{RECIPIENTS}<Subject>a</Subject><Priority>Low</Priority>",
            "Priority must stand before Subject",
        ),
        (f"{IDENTITY}{RECIPIENTS}<Subject>a</Subject><Subject>b</Subject>", "element Subject occurs twice"),
        (f"{IDENTITY}{RECIPIENTS}<Colour>red</Colour>", "no element Colour"),
        (IDENTITY, "element Recipients is missing"),
        (RECIPIENTS, "element SenderIdentification is missing"),
        (f"{IDENTITY}<Recipients><To/></Recipients>", "Recipients names nobody"),
    ],
)
async def test_a_misplaced_element_is_named_in_a_4004_fault(carrier: Carrier, elements: str, words: str) -> None:
    answer = await carrier.post(golden(elements=elements))
    assert (answer.mm7.status_code, answer.mm7.is_fault) == (4004, True)
    assert words in answer.mm7.details
    assert carrier.box.after() == []


@pytest.mark.parametrize(
    ("body", "code"),
    [(b"<not xml", 2007), (b"", 2007), (b"<Envelope><Body><CancelReq/></Body></Envelope>", 4003)],
)
async def test_what_is_no_submit_gets_a_fault(carrier: Carrier, body: bytes, code: int) -> None:
    answer = await carrier.post(Post(content_type="text/xml", body=body))
    assert (answer.mm7.status_code, answer.mm7.is_fault) == (code, True)


async def test_a_report_sent_to_the_mmsc_gets_a_fault(carrier: Carrier) -> None:
    body = (
        b"<Envelope><Body><DeliveryReportReq><MMStatus>Retrieved</MMStatus></DeliveryReportReq></Body></Envelope>"
    )
    answer = await carrier.post(Post(content_type="text/xml", body=body))
    assert answer.mm7.status_code == 4003


async def test_a_body_without_end_is_refused_unread(carrier: Carrier, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mmsgate.simulator.mmsc.MAX_BODY", 100)
    assert (await carrier.post(golden())).http == 413


async def test_message_ids_differ(carrier: Carrier) -> None:
    answers = [await carrier.submit("12399471613", transaction=str(n)) for n in range(50)]
    assert len({answer.mm7.message_id for answer in answers}) == 50


async def test_the_same_transaction_again_is_a_second_copy_that_shows(carrier: Carrier) -> None:
    for _ in range(2):
        await carrier.submit("12399470122")
    (message,) = carrier.box.after()
    assert message.copies == 2


async def test_no_report_is_sent_that_was_not_asked_for(carrier: Carrier) -> None:
    await carrier.submit("12399471613", delivery_report="false")
    assert await carrier.statuses() == []


async def test_every_recipient_gets_the_message_and_the_odd_one_decides_the_answer(carrier: Carrier) -> None:
    to = "12399471613</Number><Number>12399470120"
    assert (await carrier.submit(to)).mm7.status_code == 1100
    assert [message.to for message in carrier.box.after()] == ["12399471613", "12399470120"]


@pytest.mark.parametrize(("post", "version"), [(mmsbox(), "5.3.0"), (mixed(), "6.8.0")])
async def test_foreign_bytes_are_taken_and_answered_in_their_own_version(
    carrier: Carrier, post: Post, version: str
) -> None:
    answer = await carrier.post(post)
    assert answer.mm7.status_code == 1000
    assert f"<MM7Version>{version}</MM7Version>".encode() in answer.body


async def test_reports_carry_credentials(carrier: Carrier) -> None:
    await carrier.submit("12399471613")
    await carrier.scheduler.run()
    headers = carrier.poster.reported[0].headers
    assert headers["Authorization"] == "Basic c2ltOnNlY3JldA=="
    assert headers["Content-Type"] == "text/xml; charset=utf-8"


async def test_a_report_is_tried_again_while_the_endpoint_fails(carrier: Carrier) -> None:
    carrier.poster.outcomes = [
        NotSent(reason="connection refused"),
        Answered(status=503, headers={}, body=b""),
        Lost(reason="the connection was lost"),
    ]
    await carrier.submit("12399471613")
    assert [at for at, _ in await carrier.statuses()] == [0, 1000, 3000, 8000]
    log = [note.text for note in carrier.box.notes("12399471613")]
    assert log[1] == "DeliveryReportReq Retrieved → connection refused; again in 1 s"
    assert log[-1] == "DeliveryReportReq Retrieved → HTTP 200"


async def test_the_mmsc_gives_a_report_up_in_the_end(carrier: Carrier) -> None:
    carrier.poster.outcomes = [NotSent(reason="refused")] * 100
    await carrier.submit("12399471613")
    assert len(await carrier.statuses()) == 1 + len(RETRIES)
    assert carrier.box.notes("12399471613")[-1].text.endswith("given up")


async def test_without_an_endpoint_the_log_says_so(carrier: Carrier, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(carrier.reports, "_endpoint", carrier.reports._endpoint.__class__())
    await carrier.submit("12399471613")
    assert await carrier.statuses() == []
    assert "no report address" in carrier.box.notes("12399471613")[-1].text


async def test_the_phone_log_tells_of_refusals(carrier: Carrier) -> None:
    await carrier.submit("12399470103")
    assert [note.text for note in carrier.box.notes("12399470103")] == ["SubmitReq 42 → 2002 Address error"]
