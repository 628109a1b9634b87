"""What comes in over MM7: reports and messages of real peers, and what nobody should send."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmsgate.mm7.address import Address, AddressKind
from mmsgate.mm7.deliver import DeliverReq, encode_deliver_rsp
from mmsgate.mm7.envelope import REL_6, Prefix, Schema
from mmsgate.mm7.multipart import Part, build
from mmsgate.mm7.received import SubmitReqReceived
from mmsgate.mm7.report import (
    DeliveryReportReq,
    MMStatus,
    ReadReplyReq,
    ReadStatus,
    encode_delivery_report,
    encode_delivery_report_rsp,
    encode_read_reply_rsp,
)
from mmsgate.mm7.request import answering_schema, read_request
from mmsgate.mm7.smil import Par, Reference, read_smil
from mmsgate.mm7.submit import encode_submit
from mmsgate.mm7.unreadable import Unreadable
from tests.unit.mm7.deliveries import deliver_req
from tests.unit.mm7.samples import DIALECT, GIF, REQUEST, encoded, peer

Golden = Callable[[str, bytes], None]

PHONE = Address(value="15550001111")
CODE = Address(value="28444", kind=AddressKind.SHORT_CODE)
REPORT = DeliveryReportReq(
    transaction_id="42",
    message_id="m-1",
    status=MMStatus.RETRIEVED,
    recipient=PHONE,
    sender=CODE,
    date=1_767_346_247_000,
    raw_status="Retrieved",
    status_text="Success",
    ua_prof="http://wap.example/uaprof/SM-G900.xml",
)
MESSAGE = encode_submit(REQUEST, encoded(), dialect=DIALECT)
SUBMIT = b"".join(MESSAGE.buffers)
SUBMIT_TYPE = MESSAGE.headers["Content-Type"]


def report(body: bytes, content_type: str = "text/xml") -> DeliveryReportReq:
    found = read_request(content_type, body)
    assert isinstance(found, DeliveryReportReq)
    return found


def refused(content_type: str, body: bytes) -> Unreadable:
    found = read_request(content_type, body)
    assert isinstance(found, Unreadable)
    return found


# -- reports


def test_a_report_with_recipient_and_sender_swapped() -> None:
    _, headers, body = peer("mbuni-DeliveryReportReq-Retrieved")
    found = report(body, headers["Content-Type"])
    assert (found.recipient, found.sender) == (Address(value="111", kind=AddressKind.SHORT_CODE), PHONE)
    assert found.parties()[0] == PHONE
    assert (found.message_id, found.transaction_id) == ("5-t6-qf9254.1.x78.37@mmsc",) * 2
    assert (found.status, found.date, found.version) == (MMStatus.RETRIEVED, 1_795_389_285_000, "6.8.0")


def test_a_report_with_children_in_no_namespace_and_no_sender() -> None:
    _, headers, body = peer("vectorcore-DeliveryReportReq-Retrieved")
    found = report(body, headers["Content-Type"])
    assert (found.recipient, found.sender, found.date) == (PHONE, None, None)
    assert found.parties()[0] == PHONE
    assert (found.message_id, found.status_text) == ("d641ef7d-e2f4-4b66-8700-6d7a4d4a07d2", "Message delivered")
    schema = answering_schema(found)
    assert (schema.version, schema.namespace.rpartition("/")[2]) == ("5.3.0", "REL-5-MM7-1-0")


def test_a_bare_report_that_calls_itself_a_multipart() -> None:
    body = encode_delivery_report(REPORT)
    assert report(body, 'multipart/related; type="text/xml"') == REPORT
    assert report(b"\r\n" + body, "multipart/related; boundary=x") == REPORT


@pytest.mark.parametrize(
    "name",
    [
        "utf16", "utf16-declared", "xml-type", "double-colon", "no-namespace", "multipart", "bare-start",
        "bare-envelope",
    ],
)  # fmt: skip
def test_the_same_report_however_it_is_wrapped(name: str) -> None:
    _, headers, body = peer(f"{name}-report")
    found = report(body, headers["Content-Type"])
    assert (found.transaction_id, found.message_id, found.status) == ("tx-0001", "m-0001", MMStatus.RETRIEVED)
    assert (found.recipient, found.sender, found.date) == (PHONE, CODE, 1_795_389_285_000)


@pytest.mark.parametrize("prefix", list(Prefix))
def test_what_was_written_is_read_back(prefix: Prefix) -> None:
    full = replace(REPORT, status_extension="Rejected by filter", namespace="urn:MM7", version="5.6.0")
    found = report(encode_delivery_report(full, prefix=prefix))
    assert found == full


@pytest.mark.parametrize("number", ["+15550001111", "15550001111/TYPE=PLMN", "+1 555 000 1111", "15550001111"])
def test_numbers_are_normalised(number: str) -> None:
    body = encode_delivery_report(replace(REPORT, recipient=Address(value=number)))
    assert report(body).recipient == PHONE


def test_addresses_of_every_kind() -> None:
    mail = Address(value="someone@mail.example", kind=AddressKind.MAIL)
    assert report(encode_delivery_report(replace(REPORT, recipient=mail))).parties()[0] == mail
    bare = encode_delivery_report(REPORT).replace(b"<Number>15550001111</Number>", b"15550001111")
    assert report(bare).recipient == PHONE


@pytest.mark.parametrize(
    ("word", "status"),
    [
        *[(member.value, member) for member in MMStatus],
        ("Unrecognized", MMStatus.UNRECOGNISED),
        ("RETRIEVED", MMStatus.RETRIEVED),
        (" not supported ", MMStatus.NOT_SUPPORTED),
        ("Vanished", MMStatus.INDETERMINATE),
        ("", MMStatus.INDETERMINATE),
    ],
)
def test_every_status_word(word: str, status: MMStatus) -> None:
    body = encode_delivery_report(REPORT).replace(b">Retrieved<", f">{word}<".encode())
    found = report(body)
    assert (found.status, found.raw_status) == (status, word.strip())


def test_a_report_without_anything_is_still_a_report() -> None:
    found = report(b"<DeliveryReportReq/>")
    assert found == DeliveryReportReq(
        transaction_id="", message_id="", status=MMStatus.INDETERMINATE, namespace="", version=""
    )
    assert found.parties()[0] is None
    assert answering_schema(found) == Schema()


@pytest.mark.parametrize(
    ("ua_prof", "name"),
    [
        ("http://wap.example/uaprof/SM-G900.xml", "SM-G900"),
        ('"http://wap.example/ua/Nokia7.2.rdf?x=/y.z#f"', "Nokia7.2"),
        ("http://wap.example/ua/iPhone/", "iPhone"),
        ("SM-G900.v1", "SM-G900.v1"),
        ("../../x", "x"),
        ("http://[", "["),
        ("///", "///"),
        ("/.xml", ".xml"),
        ("", ""),
    ],
)
def test_the_handset_s_name(ua_prof: str, name: str) -> None:
    assert replace(REPORT, ua_prof=ua_prof).handset_name == name


def test_capabilities_as_elements() -> None:
    body = encode_delivery_report(REPORT).replace(
        b'<UACapabilities UAProf="http://wap.example/uaprof/SM-G900.xml"/>',
        b"<UACapabilities><UAProf>X1</UAProf></UACapabilities>",
    )
    assert report(body).ua_prof == "X1"


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("Read", ReadStatus.READ),
        ("Deleted without being read", ReadStatus.DELETED),
        ("?", ReadStatus.INDETERMINATE),
    ],
)
def test_read_reports(word: str, status: ReadStatus) -> None:
    body = encode_delivery_report(REPORT).replace(b"DeliveryReportReq", b"ReadReplyReq")
    found = read_request("text/xml", body.replace(b">Retrieved<", f">{word}<".encode()))
    assert found == ReadReplyReq(
        transaction_id="42",
        message_id="m-1",
        status=status,
        recipient=PHONE,
        sender=CODE,
        timestamp=1_767_346_247_000,
        status_text="Success",
    )


# -- messages


def test_a_foreign_submit() -> None:
    _, headers, body = peer("mmsbox-style-submit")
    found = read_request(headers["Content-Type"], body)
    assert isinstance(found, SubmitReqReceived)
    assert (found.vaspid, found.vasid, found.version) == ("vasp", "111", "5.3.0")
    assert found.sender == Address(value="111", kind=AddressKind.SHORT_CODE)
    assert found.recipients == (PHONE, Address(value="15550002222"))
    assert (found.subject, found.priority) == ("R&B über alles", "High")
    assert (found.delivery_report, found.read_reply, found.allow_adaptations) == (True, False, True)
    assert found.elements[0] == "MM7Version"
    assert found.elements[-1] == "Content"
    smil, image, text = found.content.parts
    assert read_smil(smil.body) == (
        Par(
            duration=5000,
            references=(
                Reference(tag="img", src="cid:image1", region="Image"),
                Reference(tag="text", src="cid:text1"),
            ),
        ),
    )
    assert (image.body, image.content_type, image.name) == (GIF, "image/gif", "pixel.gif")
    assert (text.body.decode(text.charset), found.content.find("cid:text1")) == ("Grüße", text)
    assert (found.content.size, found.wire_size) == (len(smil.body) + len(GIF) + 5, len(body))


DELIVER = b"""<Envelope><Header><TransactionID>d1</TransactionID></Header><Body>
<DeliverReq xmlns="http://www.3gpp.org/REL-6-MM7-1-4"><MM7Version>6.8.0</MM7Version><LinkedID>L7</LinkedID>
<Sender><Number>+15550001111</Number></Sender><Recipients><To><ShortCode>28444</ShortCode></To>
<Cc><Number>15550002222</Number></Cc></Recipients><TimeStamp>2026-01-02T09:30:47.250Z</TimeStamp>
<Priority>Normal</Priority><Subject>STOP</Subject>
<Content href="cid:default.cid"/></DeliverReq></Body></Envelope>"""


def delivered(href: str = "default.cid", *, body: bytes = DELIVER) -> tuple[str, bytes]:
    image = Part(headers=(("Content-Type", "image/gif"), ("Content-ID", "image_0.gif")), body=GIF)
    content = Part(
        headers=(("Content-Type", "multipart/mixed; boundary=i"), ("Content-ID", f"<{href}>")),
        body=b"".join(build((image,), "i")),
    )
    soap = Part(headers=(("Content-Type", "text/xml"), ("Content-ID", "soap-start")), body=body)
    return 'multipart/related; boundary=o; start="soap-start"', b"".join(build((soap, content), "o"))


def test_a_phone_s_message() -> None:
    found = read_request(*delivered())
    assert isinstance(found, DeliverReq)
    assert (found.transaction_id, found.linked_id, found.subject) == ("d1", "L7", "STOP")
    assert (found.sender, found.recipients) == (PHONE, (CODE, Address(value="15550002222")))
    assert found.timestamp == 1_767_346_247_250
    (part,) = found.content.parts
    assert (part.content_id, part.body) == ("image_0.gif", GIF)
    assert found.content.smil is None


@pytest.mark.parametrize("href", ["cid:default.cid", "CID:default%2Ecid", "default.cid", "cid:<default.cid>"])
def test_references_in_every_notation(href: str) -> None:
    escaped = href.replace("<", "&lt;").encode()
    found = read_request(*delivered(body=DELIVER.replace(b"cid:default.cid", escaped)))
    assert isinstance(found, DeliverReq)
    assert len(found.content.parts) == 1


def test_content_without_a_reference_is_all_that_is_there() -> None:
    found = read_request(*delivered(body=DELIVER.replace(b'<Content href="cid:default.cid"/>', b"")))
    assert isinstance(found, DeliverReq)
    assert [part.body for part in found.content.parts] == [GIF]


def test_an_envelope_in_base64() -> None:
    soap = Part(
        headers=(("Content-Type", "text/xml"), ("Content-Transfer-Encoding", "Base64")),
        body=b"PERlbGl2ZXJSZXEvPg==",
    )
    found = read_request("multipart/related; boundary=o", b"".join(build((soap,), "o")))
    assert isinstance(found, DeliverReq)


@pytest.mark.parametrize("name", ["../../x", "/etc/passwd", "C:\\x", "a\0b", "s1.jpg"])
def test_names_are_data_only(name: str) -> None:
    found = read_request(SUBMIT_TYPE, SUBMIT.replace(b'name="s1.jpg"', f'name="{name}"'.encode()))
    assert isinstance(found, SubmitReqReceived)
    assert found.content.parts[1].name == name.replace("\\x", "x")


# -- refused


def test_a_reference_to_nothing_is_a_validation_error() -> None:
    found = refused(*delivered("elsewhere"))
    assert (found.status_code, found.transaction_id, found.version) == (4004, "d1", "6.8.0")
    assert answering_schema(found).namespace == "http://www.3gpp.org/REL-6-MM7-1-4"


def test_an_operation_that_nobody_knows() -> None:
    found = refused("text/xml", DELIVER.replace(b"DeliverReq", b"CancelReq"))
    assert (found.status_code, found.transaction_id) == (4003, "d1")
    assert "CancelReq" in found.reason


def test_a_fault_is_no_request_and_its_namespace_is_not_repeated() -> None:
    found = refused("text/xml", b'<e:Fault xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"/>')
    assert found.status_code == 4003
    assert answering_schema(found).namespace == REL_6


def multipart_of(*parts: Part) -> tuple[str, bytes]:
    return "multipart/related; boundary=o", b"".join(build(parts, "o"))


def bomb(depth: int, width: int) -> Part:
    part = Part(body=b"x")
    for level in range(depth):
        headers = (("Content-Type", f"multipart/mixed; boundary=n{level}"),)
        part = Part(headers=headers, body=b"".join(build((part,) * width, f"n{level}")))
    return part


SOAP = Part(headers=(("Content-Type", "text/xml"),), body=b"<SubmitReq/>")
IN_BASE64 = (("Content-Transfer-Encoding", "base64"),)


@pytest.mark.parametrize(
    ("content_type", "body", "reason"),
    [
        ("multipart/related", SUBMIT, "no usable boundary"),
        ("multipart/related; boundary=other", SUBMIT, "does not occur"),
        (SUBMIT_TYPE, SUBMIT[:-20], "no end"),
        (SUBMIT_TYPE, SUBMIT[:400], "no end"),
        (SUBMIT_TYPE, SUBMIT.replace(b"--inner1--", b""), "no end"),
        (SUBMIT_TYPE, SUBMIT.replace(b"</SubmitReq>", b""), "not well-formed"),
        (SUBMIT_TYPE, SUBMIT.replace(b"Hello", b"\0"), "not well-formed"),
        (SUBMIT_TYPE, SUBMIT.replace(b"<env:Envelope", b'<!DOCTYPE x [<!ENTITY x "y">]><env:Envelope'), "DOCTYPE"),
        (SUBMIT_TYPE, b"", "does not occur"),
        ("text/xml", SUBMIT, "not well-formed"),
        ("", b"", "not well-formed"),
        ("text/xml", b"<a>" + b"x" * 10_000_000 + b"</a>", "262,144 are read"),
        ("text/xml", b"x" * (16 * 1024 * 1024 + 1), "16,777,216 are read"),
        (*multipart_of(), "no part"),
        (*multipart_of(*[SOAP] * 300), "more than 100 parts"),
        (*multipart_of(SOAP, bomb(2, 20)), "more than 100 parts"),
        (*multipart_of(SOAP, *[bomb(1, 60)] * 2), "more than 100 parts"),
        (*multipart_of(SOAP, bomb(3, 1)), "nested deeper"),
        (*multipart_of(SOAP, bomb(50, 1)), "nested deeper"),
        (*multipart_of(SOAP, Part(headers=IN_BASE64, body=b"\xff\xd8")), "base64"),
        (*multipart_of(SOAP, Part(headers=IN_BASE64, body=b"AAA")), "base64"),
    ],
    ids=lambda value: f"{value[:24]!r}",
)
def test_what_breaks_the_format_is_refused_as_corrupt(content_type: str, body: bytes, reason: str) -> None:
    found = refused(content_type, body)
    assert found.status_code == 2007
    assert reason in found.reason


def test_the_caller_sets_the_limit() -> None:
    found = read_request(SUBMIT_TYPE, SUBMIT, limit=len(SUBMIT) - 1)
    assert isinstance(found, Unreadable)
    assert not isinstance(read_request(SUBMIT_TYPE, SUBMIT, limit=len(SUBMIT)), Unreadable)


@given(st.text(max_size=80), st.binary(max_size=300))
def test_no_bytes_raise(content_type: str, body: bytes) -> None:
    assert isinstance(read_request(content_type, body), Unreadable)


@given(st.integers(0, len(SUBMIT)), st.binary(max_size=6), st.integers(0, 40))
def test_no_damage_raises(at: int, damage: bytes, gone: int) -> None:
    found = read_request(SUBMIT_TYPE, SUBMIT[:at] + damage + SUBMIT[at + gone :])
    assert isinstance(found, SubmitReqReceived | Unreadable)


@given(st.text(max_size=40))
def test_no_date_raises(text: str) -> None:
    body = encode_delivery_report(replace(REPORT, status_text=text)).replace(b"StatusText", b"X")
    date = f"{text[:10]}0001-01-01T00:00:00+23:59".encode("utf-8", "ignore")
    assert read_request("text/xml", body.replace(b"2026-01-02T09:30:47Z", date)) is not None


# -- golden


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("delivery-report-req", encode_delivery_report(REPORT)),
        ("delivery-report-req-prefixed", encode_delivery_report(REPORT, prefix=Prefix.PREFIXED)),
        (
            "delivery-report-req-short",
            encode_delivery_report(
                DeliveryReportReq(transaction_id="1", message_id="m", status=MMStatus.UNRECOGNISED, recipient=PHONE)
            ),
        ),
        ("delivery-report-rsp", encode_delivery_report_rsp(transaction_id="42")),
        (
            "delivery-report-rsp-3000",
            encode_delivery_report_rsp(transaction_id="42", code=3000, schema=Schema(version="5.3.0")),
        ),
        ("read-reply-rsp", encode_read_reply_rsp(transaction_id="42")),
        ("deliver-rsp", encode_deliver_rsp(transaction_id="42", text="Received")),
    ],
)
def test_reports_and_answers_as_golden_bytes(golden: Golden, name: str, body: bytes) -> None:
    golden(f"mm7/{name}.xml", body)


def test_the_others_of_a_group_are_no_recipients() -> None:
    content_type, body = deliver_req(to=("28444",), copies=("+17745550002", "17745550003/TYPE=PLMN"))
    found = read_request(content_type, body)
    assert isinstance(found, DeliverReq)
    assert [each.value for each in found.recipients] == ["28444"]
    assert [each.value for each in found.copy_to] == ["17745550002", "17745550003"]


@pytest.mark.parametrize(
    ("written", "shown"), [("true", True), ("1", True), ("false", False), ("0", False), ("x", False)]
)
def test_display_only_is_a_boolean(written: str, shown: bool) -> None:
    content_type, body = deliver_req(copies=("17745550002",))
    found = read_request(content_type, body.replace(b'"true"', f'"{written}"'.encode()))
    assert isinstance(found, DeliverReq)
    assert bool(found.copy_to) is shown
    assert len(found.recipients) == 2 - shown
