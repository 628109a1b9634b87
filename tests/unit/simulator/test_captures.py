"""What the simulated Mbuni and VectorCore write, compared with what the real ones wrote."""

import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.unit.simulator.carrier import Carrier
from tests.unit.simulator.submits import flat, golden

PEERS = Path(__file__).parents[2] / "golden" / "mm7" / "peers"

#: Ids and dates, which differ between any two messages.
CHANGING = (
    (re.compile(r"(TransactionID[^>]*>)[^<]*"), r"\1id"),
    (re.compile(r"(MessageID>)[^<]*"), r"\1id"),
    (re.compile(r"(Date>)[^<]*"), r"\1date"),
)
#: Headers of the connection, which the server and the HTTP client write, and those that hold a length or a date.
OTHERS = frozenset({"date", "content-length", "host", "authorization"})

SHORT_CODE = (
    "<SenderIdentification><VASPID>v</VASPID><SenderAddress><ShortCode>111</ShortCode></SenderAddress>"
    "</SenderIdentification><Recipients><To><Number>+15550001111</Number></To></Recipients>"
    "<DeliveryReport>true</DeliveryReport>"
)


def captured(name: str) -> tuple[str, dict[str, str], str]:
    """First line, headers and body of a capture."""
    head, _, body = (PEERS / name).read_bytes().decode().partition("\r\n\r\n")
    first, *lines = head.split("\r\n")
    headers = {key.lower(): value.strip() for key, _, value in (line.partition(":") for line in lines)}
    return first, headers, body


def same(body: bytes, headers: Mapping[str, str], capture: str) -> None:
    _, theirs, text = captured(capture)
    assert masked(body.decode()) == masked(text)
    assert without_others(headers) == without_others(theirs)


def masked(text: str) -> str:
    for pattern, stand_in in CHANGING:
        text = pattern.sub(stand_in, text)
    return text


def without_others(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items() if name.lower() not in OTHERS}


@pytest.fixture
def mbuni() -> Carrier:
    return Carrier("mbuni")


@pytest.fixture
def vectorcore() -> Carrier:
    return Carrier("vectorcore", user="v")


async def test_mbuni_accepts_in_the_bytes_of_the_capture(mbuni: Carrier) -> None:
    answer = await mbuni.post(golden(transaction="tx-0001"))
    same(answer.body, answer.headers, "mbuni-submit-rsp.http")
    assert answer.http == 200
    assert re.fullmatch(r"5-t6-qf[0-9a-f]+\.1\.x78\.37@mmsc", answer.mm7.message_id or "")


async def test_mbuni_refuses_a_content_that_is_not_there_in_the_bytes_of_the_capture(mbuni: Carrier) -> None:
    answer = await mbuni.post(flat(href="cid:nowhere"))
    same(answer.body, answer.headers, "mbuni-fault-4004-rsp.http")
    assert answer.http == 200


async def test_mbuni_reports_in_the_bytes_of_the_capture(mbuni: Carrier) -> None:
    answer = await mbuni.post(golden(elements=SHORT_CODE))
    await mbuni.scheduler.run()
    (reported,) = mbuni.poster.reported
    same(reported.body, {"connection": "keep-alive", **reported.headers}, "mbuni-DeliveryReportReq-Retrieved.http")
    assert reported.report.transaction_id == reported.report.message_id == answer.mm7.message_id


async def test_vectorcore_accepts_in_the_bytes_of_the_capture(vectorcore: Carrier) -> None:
    answer = await vectorcore.post(flat())
    same(answer.body, answer.headers, "vectorcore-submit-rsp.http")
    assert answer.http == 200
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", answer.mm7.message_id or "")


async def test_vectorcore_refuses_credentials_in_the_bytes_of_the_capture(vectorcore: Carrier) -> None:
    answer = await vectorcore.post(flat(), auth="v:wrong")
    same(answer.body, answer.headers, "vectorcore-fault-401-rsp.http")
    assert answer.http == 401


async def test_vectorcore_reports_in_the_bytes_of_the_capture(vectorcore: Carrier) -> None:
    await vectorcore.post(flat("15550001111"))
    await vectorcore.scheduler.run()
    (reported,) = vectorcore.poster.reported
    same(reported.body, reported.headers, "vectorcore-DeliveryReportReq-Retrieved.http")
    assert reported.report.transaction_id == "42"


@pytest.mark.parametrize("capture", sorted(PEERS.glob("mbuni-*")) + sorted(PEERS.glob("vectorcore-*")))
def test_a_capture_that_differs_in_one_letter_is_noticed(capture: Path) -> None:
    _, headers, text = captured(capture.name)
    with pytest.raises(AssertionError):
        same(text.replace("mustUnderstand", "mustUnderstanD").encode(), headers, capture.name)
