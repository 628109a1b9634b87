"""The probe behind ``mmsgate carrier check``: what it shows, what it means, and which mistake it points to."""

import asyncio
import socket
from dataclasses import replace
from pathlib import Path

import pytest

from mmsgate.carriers.files import MASK
from mmsgate.carriers.probe import NOBODY, Caller, Probed, look, probe
from mmsgate.carriers.profile import Answers, Auth, AuthKind, CarrierProfile, Gives, OnUnknown, Reporting
from mmsgate.clock import ManualClock, SystemClock
from mmsgate.http import HttpClient
from mmsgate.http.knock import Stage, knock
from mmsgate.mm7.answer import encode_fault, encode_submit_rsp
from mmsgate.mm7.dialect import Dialect
from mmsgate.mm7.received import SubmitReqReceived
from mmsgate.mm7.request import read_request
from tests.integration.carriers.conftest import Authority
from tests.integration.http.origin import Exchange, Origin

ANYBODY = "12065550100"


@pytest.fixture
def profile(mmsc: Origin) -> CarrierProfile:
    return CarrierProfile(
        name="acme", endpoints=(mmsc.url("/mm7"),), auth=Auth(username="u", password="hidden"),
        mm7=Dialect(vaspid="hidden-vaspid", vasid="28444mms"),
    )  # fmt: skip


async def probed(profile: CarrierProfile, http: HttpClient, *, to: str = NOBODY) -> Probed:
    return await probe(profile, Caller(sender="28444", recipient=to), http=http, clock=ManualClock())


def answering(mmsc: Origin, body: bytes, *, status: int = 200, **headers: str) -> None:
    async def answer(exchange: Exchange) -> None:
        await exchange.answer(body, status=status, **headers)

    mmsc.routes["/mm7"] = answer


def fault(code: int) -> bytes:
    return encode_fault(transaction_id="1", code=code)


async def test_it_asks_for_no_report_and_reaches_nobody(
    profile: CarrierProfile, mmsc: Origin, http: HttpClient
) -> None:
    await probed(profile, http)
    submit = read_request(mmsc.seen[0].headers["content-type"], mmsc.seen[0].body)
    assert isinstance(submit, SubmitReqReceived)
    assert [each.value for each in submit.recipients] == [NOBODY]
    assert not submit.delivery_report


async def test_what_was_sent_and_answered_is_shown_without_secrets(
    profile: CarrierProfile, mmsc: Origin, http: HttpClient
) -> None:
    found = await probed(profile, http)
    assert found.sent.startswith(f"POST {mmsc.url('/mm7')}\nAuthorization: {MASK}\n")
    assert f"<VASPID>{MASK}</VASPID><VASID>28444mms</VASID>" in found.sent
    assert "hidden" not in found.sent
    assert "bytes of content]" in found.sent
    assert found.answer.startswith("HTTP 200\ncontent-length: ")
    assert "<MessageID>m-1</MessageID>" in found.answer
    header = replace(profile, auth=Auth(kind=AuthKind.HEADER, header="X-Key", value="hidden"))
    assert f"X-Key: {MASK}" in (await probed(header, http)).sent


@pytest.mark.parametrize("code", [2002, 2003, 4007])
async def test_nobody_s_number_refused_is_a_good_answer(
    profile: CarrierProfile, mmsc: Origin, http: HttpClient, code: int
) -> None:
    answering(mmsc, fault(code))
    found = await probed(profile, http)
    assert (found.fine, found.hints) == (True, ())
    assert found.outcome.startswith("the recipient was refused, as it should be, and nothing else: ")
    assert not (await probed(profile, http, to=ANYBODY)).fine


async def test_a_carrier_that_accepts_looks_at_recipients_later(
    profile: CarrierProfile, mmsc: Origin, http: HttpClient
) -> None:
    found = await probed(profile, http)
    assert (found.fine, found.outcome) == (True, "accepted as m-1; this carrier looks at recipients later")
    assert found.fate == "it would be sent, and wait up to 3 days for its report"
    answering(mmsc, encode_submit_rsp(transaction_id="1"))
    silent = replace(profile, reports=Reporting(gives=Gives.NONE))
    found = await probed(silent, http, to=ANYBODY)
    assert (found.outcome, found.fate) == ("accepted, without a MessageID", "it would be sent, and be done")


WAITS, FAILS = "it would wait with all others", "it would fail with E101"
DOUBT, SMALLER, AGAIN = "a report could settle it", "a smaller version would be tried", "it would be tried again"
ASK = "show the carrier's support"


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ((401, b"", {}), ("we are refused: HTTP 401", WAITS, "credentials: auth.kind")),
        ((403, b"", {}), ("we are refused: HTTP 403", WAITS, "credentials: auth.kind")),
        ((404, b"", {}), ("we are refused: HTTP 404", WAITS, "the path of the URL in endpoints")),
        ((405, b"", {}), ("we are refused: HTTP 405", WAITS, "the URL in endpoints")),
        ((301, b"", {"Location": "/x"}), ("we are refused: HTTP 301", WAITS, "redirects are not followed")),
        ((415, b"", {}), ("what we write was refused: HTTP 415", FAILS, "the Content-Type or SOAPAction")),
        ((200, b"", {}), ("unknown: HTTP 200 with an empty answer", DOUBT, "an empty answer: if this carrier")),
        ((200, b"<html>hi</html>", {}), ("unknown: HTTP 200", DOUBT, "a web page answered")),
        ((200, b"hi", {"Content_Type": "text/html"}), ("unknown: HTTP 200", DOUBT, "a web page answered")),
        ((200, fault(2007), {}), ("what we write was refused: 2007", FAILS, "it could not read the message")),
        ((200, fault(4004), {}), ("what we write was refused: 4004", FAILS, "it did not like the content")),
        ((200, fault(4002), {}), ("what we write was refused: 4002", FAILS, "mm7.namespace and mm7.mm7_version")),
        ((200, fault(2004), {}), ("the content was refused: 2004", SMALLER, ASK)),
        ((503, b"", {}), ("not now: HTTP 503", AGAIN, ASK)),
    ],
)
async def test_the_usual_mistakes(
    profile: CarrierProfile, mmsc: Origin, http: HttpClient, answer: tuple[int, bytes, dict[str, str]],
    expected: tuple[str, str, str],
) -> None:  # fmt: skip
    status, body, headers = answer
    answering(mmsc, body, status=status, **headers)
    found = await probed(profile, http)
    assert not found.fine
    for said, begins in zip((found.outcome, found.fate, found.hints[0]), expected, strict=True):
        assert said.startswith(begins)


async def test_the_profile_s_own_words_count(profile: CarrierProfile, mmsc: Origin, http: HttpClient) -> None:
    answering(mmsc, b"")
    answers = Answers(on_unknown=OnUnknown.FALLBACK, unknown_wait=120_000)
    found = await probed(replace(profile, answers=answers), http)
    assert found.fate == "a report could settle it for 2 minutes, then on_unknown = fallback counts"
    assert (await probed(replace(profile, answers=Answers(empty_accepts=True)), http)).fine


async def test_a_long_answer_is_cut(profile: CarrierProfile, mmsc: Origin, http: HttpClient) -> None:
    answering(mmsc, b"x" * 10_000)
    assert (await probed(profile, http)).answer.endswith("[and 7,000 characters]")


# -- the way there


async def steps(profile: CarrierProfile) -> list[tuple[str, bool, str]]:
    return [(step.stage.value, step.fine, step.text) async for _, step in look(profile, clock=SystemClock())]


async def test_the_way_to_a_server_without_tls(profile: CarrierProfile, mmsc: Origin) -> None:
    assert await steps(profile) == [
        ("DNS", True, "127.0.0.1 is 127.0.0.1"),
        ("TCP", True, f"127.0.0.1 takes connections at port {mmsc.port}"),
    ]


async def test_a_port_where_nobody_listens() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    found = await steps(CarrierProfile(name="acme", endpoints=(f"http://127.0.0.1:{port}/",)))
    assert found[-1] == ("TCP", False, f"nobody listens at port {port}: 127.0.0.1: Connection refused")


async def test_a_name_that_nobody_has() -> None:
    def nobody(_: str) -> list[str]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    found = [step async for step in knock("http://mmsc.example/", now=0, lookup=nobody)]
    assert [(step.stage, step.fine, step.text) for step in found] == [
        (Stage.DNS, False, "mmsc.example has no address: Name or service not known")
    ]


async def test_the_certificate_is_shown_with_its_issuer_and_its_end(authority: Authority) -> None:
    async with Origin(tls=authority.server()) as mmsc:
        trusting = Auth(authorities=str(authority.file))
        found = await steps(CarrierProfile(name="acme", endpoints=(mmsc.url("/"),), auth=trusting))
        stranger = await steps(CarrierProfile(name="acme", endpoints=(mmsc.url("/"),)))
    stage, fine, text = found[-1]
    assert (stage, fine) == ("TLS", True)
    assert text.startswith("TLSv1.")
    assert " by Acme Certificates, valid until " in text
    assert text.endswith(" days)")
    assert stranger[-1][:2] == ("TLS", False)
    assert stranger[-1][2].startswith("its certificate is not trusted: ")


async def test_no_tls_at_the_other_end() -> None:
    async def speaks_plainly(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(speaks_plainly, "127.0.0.1", 0) as server:
        url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/mm7"
        found = await steps(CarrierProfile(name="acme", endpoints=(url,)))
    assert found[-1][:2] == ("TLS", False)
    assert found[-1][2].startswith("TLS can't be agreed: ")


async def test_a_certificate_that_can_t_be_used_is_named(profile: CarrierProfile, tmp_path: Path) -> None:
    broken = replace(profile, auth=Auth(certificate=str(tmp_path / "gone.pem")))
    with pytest.raises(ValueError, match=r"certificate: .*gone\.pem can't be read"):
        await steps(broken)
