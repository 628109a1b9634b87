"""What carriers answer, as captured, as written by us, and as garbage."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmsgate.mm7.answer import MAX_EXCERPT, SubmitAnswer, encode_fault, encode_submit_rsp, read_submit_response
from mmsgate.mm7.envelope import Prefix, Schema
from mmsgate.mm7.multipart import Part, build
from tests.unit.mm7.samples import peer

Golden = Callable[[str, bytes], None]

XML = {"Content-Type": "text/xml"}
GOOD = encode_submit_rsp(transaction_id="t1", message_id="m1")


def read(body: bytes, headers: dict[str, str] | None = None, status: int = 200) -> SubmitAnswer:
    return read_submit_response(status, XML if headers is None else headers, body)


@pytest.mark.parametrize(
    ("name", "status", "code", "message_id", "fault"),
    [
        ("mbuni-submit-rsp", 200, 1000, "5-t6-qf9254.1.x78.37@mmsc", False),
        ("mbuni-fault-4004-rsp", 200, 4004, None, True),
        ("vectorcore-submit-rsp", 200, 1000, "d641ef7d-e2f4-4b66-8700-6d7a4d4a07d2", False),
        ("vectorcore-fault-401-rsp", 401, 2004, None, True),
    ],
)
def test_captured_answers(name: str, status: int, code: int, message_id: str | None, fault: bool) -> None:
    found = read_submit_response(*peer(name))
    assert (found.http_status, found.status_code, found.message_id, found.is_fault) == (
        status,
        code,
        message_id,
        fault,
    )
    assert found.readable
    assert found.transaction_id in {"tx-0001", "vc-0002"}
    assert found.excerpt.startswith("<?xml")


def test_a_bare_fault_brings_its_words() -> None:
    assert read_submit_response(*peer("vectorcore-fault-401-rsp")).status_text == "authentication failed"


@pytest.mark.parametrize("status", [200, 400, 500, 502])
@pytest.mark.parametrize(
    "content_type", ["text/xml", "application/xml; charset=utf-8", "multipart/related", "", "text/html"]
)
def test_a_fault_is_one_under_any_http_status_and_content_type(status: int, content_type: str) -> None:
    body = encode_fault(transaction_id="t", code=4006, details="maintenance until 5")
    found = read(body, {"content-type": content_type}, status)
    assert (found.is_fault, found.status_code, found.status_text) == (True, 4006, "Service unavailable")
    assert found.details == "maintenance until 5"


@pytest.mark.parametrize("start", ["<soap>", "soap", '"<soap>"', "elsewhere"])
def test_an_answer_in_a_multipart(start: str) -> None:
    parts = (
        Part(headers=(("Content-Type", "text/plain"), ("Content-ID", "<first>")), body=b"hello"),
        Part(headers=(("Content-Type", "application/xml"), ("Content-ID", "<soap>")), body=GOOD),
    )
    headers = {"CONTENT-TYPE": f"multipart/related; boundary=b; start={start}"}
    assert read(b"".join(build(parts, "b")), headers).message_id == "m1"


@pytest.mark.parametrize("prefix", list(Prefix))
@pytest.mark.parametrize("namespace", ["urn:other:MM7", "http://www.3gpp.org/REL-5-MM7-1-0"])
def test_namespace_and_prefix_do_not_matter(prefix: Prefix, namespace: str) -> None:
    schema = Schema(namespace=namespace, version="5.3.0", prefix=prefix)
    found = read(encode_submit_rsp(transaction_id="t1", code=1100, message_id="m1", schema=schema))
    assert (found.status_code, found.message_id, found.status_text) == (1100, "m1", "Partial success")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf_16_is_read_with_and_without_its_mark(encoding: str) -> None:
    found = read(GOOD.decode().replace("UTF-8", "UTF-16").encode(encoding))
    assert (found.status_code, found.message_id) == (1000, "m1")
    assert found.excerpt.lstrip("\ufeff").startswith("<?xml")


def test_utf_16_that_is_only_declared() -> None:
    assert read(GOOD.replace(b"UTF-8", b"utf-16")).message_id == "m1"


def test_one_byte_encodings() -> None:
    schema = Schema()
    body = encode_submit_rsp(transaction_id="t", text="für später", schema=schema).decode()
    declared = body.replace("UTF-8", "ISO-8859-1").encode("latin-1")
    assert read(declared).status_text == "für später"
    undeclared = body.replace(' encoding="UTF-8"', "").encode("latin-1")
    assert read(undeclared, {"Content-Type": "text/xml; charset=ISO-8859-1"}).status_text == "für später"
    assert read(body.encode("latin-1")).status_text == "für später"  # declared as UTF-8, and is not
    assert read(body.replace("UTF-8", "x-klingon").encode()).status_text == "für später"


def test_an_undeclared_prefix_and_a_double_colon_are_mended() -> None:
    body = GOOD.replace(b"<env:Header>", b"<soap-env::Header>").replace(b"</env:Header>", b"</soap-env::Header>")
    found = read(body)
    assert (found.transaction_id, found.message_id) == ("t1", "m1")


def test_a_code_only_in_the_header() -> None:
    assert read(b"", {"x-mm7-STATUS-code": "4001"}, 401) == SubmitAnswer(http_status=401, status_code=4001)
    assert read(b"<html>", {"X-MM7-Status-Code": "3000"}).status_code == 3000
    assert read(GOOD, {"X-MM7-Status-Code": "3000"}).status_code == 1000


@pytest.mark.parametrize("body", [b"", b"  \r\n"])
def test_an_empty_200_says_nothing(body: bytes) -> None:
    found = read(body)
    assert (found.readable, found.status_code, found.message_id) == (True, None, None)


def test_a_success_without_message_id() -> None:
    found = read(encode_submit_rsp(transaction_id="t1"))
    assert (found.status_code, found.message_id) == (1000, None)


@pytest.mark.parametrize("code", ["", "x", "-1", "1e3", "١٠٠٠", "9" * 4000])
def test_a_code_that_is_no_number(code: str) -> None:
    assert read(GOOD.replace(b">1000<", f">{code}<".encode())).status_code is None


BOMB = (
    b'<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">'
    b'<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]><a>&c;</a>'
)


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b"<html><body>Bad Gateway</body></html>", "no SubmitRsp"),
        (b"nonsense", "not well-formed"),
        (b"\0" * 50, "not well-formed"),
        (GOOD.replace(b"Success", b"Suc\0cess"), "not well-formed"),
        (GOOD[:-30], "not well-formed"),
        (GOOD[: len(GOOD) // 2], "not well-formed"),
        (BOMB, "DOCTYPE"),
        (BOMB.decode().encode("utf-16"), "DOCTYPE"),
        (b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>', "DOCTYPE"),
        (b"<a>&undefined;</a>", "not well-formed"),
        (b"<a>" + b"<b/>" * 20_000 + b"</a>", "more than 20,000 tags"),
        (b"<a>" * 10_000 + b"</a>" * 10_000, "nested more than 100 deep"),
        (b"<a>" + b"x" * 300_000 + b"</a>", "262,144 are read"),
        (b"<a>" + b"x" * 10_000_000 + b"</a>", "1,048,576 are read"),
        (b"<Envelope><Body/></Envelope>", "no operation"),
        (b"<Envelope/>", "no operation"),
    ],
    ids=lambda value: f"{value[:24]!r}",
)
def test_unreadable_answers_are_values(body: bytes, problem: str) -> None:
    found = read(body, status=502)
    assert (found.http_status, found.readable, found.status_code) == (502, False, None)
    assert problem in found.problem
    assert len(found.excerpt) <= MAX_EXCERPT


@given(
    st.integers(100, 599),
    st.dictionaries(st.sampled_from(["Content-Type", "X-MM7-Status-Code"]), st.text(max_size=60)),
    st.binary(max_size=300) | st.integers(0, len(GOOD)).map(lambda cut: GOOD[:cut]),
)
def test_no_answer_raises(status: int, headers: dict[str, str], body: bytes) -> None:
    assert read_submit_response(status, headers, body).http_status == status


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("submit-rsp-1000", encode_submit_rsp(transaction_id="42", message_id="m-1")),
        ("submit-rsp-1100", encode_submit_rsp(transaction_id="42", code=1100, message_id="m-1")),
        ("submit-rsp-without-message-id", encode_submit_rsp(transaction_id="42")),
        (
            "submit-rsp-bare",
            encode_submit_rsp(transaction_id="42", message_id="m-1", schema=Schema(prefix=Prefix.BARE)),
        ),
        (
            "submit-rsp-prefixed",
            encode_submit_rsp(transaction_id="42", message_id="m-1", schema=Schema(prefix=Prefix.PREFIXED)),
        ),
        ("fault-2002", encode_fault(transaction_id="4<2", code=2002, details="R&D")),
        ("fault-3510", encode_fault(transaction_id="42", code=3510, text="Throughput exceeded")),
    ],
)
def test_answers_as_golden_bytes(golden: Golden, name: str, body: bytes) -> None:
    golden(f"mm7/{name}.xml", body)
