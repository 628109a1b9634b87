"""What the inbox reads from a postback: both dialects, and bodies that are none."""

from dataclasses import replace

import pytest

from mmsgate.demo.entry import LONGEST_VALUE, Entry, read_files, read_values
from mmsgate.demo.signature import Signature
from mmsgate.domain.inbound import Inbound, InboundKind
from mmsgate.domain.operators import BUILT_IN
from mmsgate.domain.postback import Postback, PostbackCode, SentAs, Undelivered
from mmsgate.domain.request import WireDialect
from mmsgate.wire.inbound import render_inbound
from mmsgate.wire.json_postback import json_inbound, json_postback
from mmsgate.wire.postback import render_postback

XML_DIALECTS = [WireDialect.KEBAB, WireDialect.SKYCORE]


def postback(code: PostbackCode, *, sent_as: SentAs = SentAs.MMS, why: Undelivered | None = None) -> Postback:
    return Postback(
        code=code, sent_as=sent_as, mms_id=39597, sender="28444", recipient="12399471613", tracking_id="T" * 22,
        operator="31003", timestamp=1_767_346_247_000, why=why, details="Because.",
    )  # fmt: skip


def entry(body: bytes, **headers: str) -> Entry:
    return Entry(
        id=1, received_at=0, body=body, headers=headers, signature=Signature.UNCHECKED, values=read_values(body)
    )


@pytest.mark.parametrize("dialect", XML_DIALECTS)
def test_both_dialects_read_alike(dialect: WireDialect) -> None:
    found = entry(render_postback(postback(PostbackCode.N101, sent_as=SentAs.SMS), dialect))
    assert (found.code, found.tracking_id, found.recipient) == ("N101", "T" * 22, "12399471613")
    assert (found.meaning, found.details) == ("sent as an SMS with a link", "Because.")
    operator = BUILT_IN.spid("31003") if dialect is WireDialect.SKYCORE else "31003"
    assert found.values["operatorid"] == operator


@pytest.mark.parametrize("code", list(PostbackCode))
def test_every_code_that_we_send_has_plain_words(code: PostbackCode) -> None:
    assert entry(f"<postback><code>{code}</code></postback>".encode()).meaning


def test_json_reads_like_xml() -> None:
    found = entry(json_postback(postback(PostbackCode.N103, why=Undelivered.EXPIRED)))
    assert (found.code, found.tracking_id, found.recipient) == ("N103", "T" * 22, "12399471613")
    assert (found.meaning, found.details) == ("sent, but expired before it was delivered", "Because.")


def test_an_inbound_mms_in_json_shows_its_files_and_nothing_that_is_no_address() -> None:
    files = ["https://gw.example/mo/t/1.jpg", "https://gw.example/mo/t/2.txt", "javascript:alert(1)"]
    inbound = Inbound(
        id=1, tracking_id="mo", kind=InboundKind.MMS, connection="sim", sender="17745550001", recipient="28444",
        subject="The lake", sent_at=0, received_at=0, expires_at=0,
    )  # fmt: skip
    body = json_inbound(inbound, files=files, group=True)
    found = replace(entry(body), files=read_files(body))
    assert (found.code, found.tracking_id, found.sender, found.words) == ("N401", "mo", "17745550001", "The lake")
    assert found.files == tuple(files[:2])


@pytest.mark.parametrize("body", [b"[1]", b'{"code": 7, "content": 3}', b"{", b"[" * 100_000, b'{"content": [7]}'])
def test_json_of_another_shape_is_shown_as_it_is(body: bytes) -> None:
    assert (entry(body).code, read_files(body)) == ("", ())


@pytest.mark.parametrize("dialect", XML_DIALECTS)
def test_an_undelivered_one_says_why(dialect: WireDialect) -> None:
    found = entry(render_postback(postback(PostbackCode.E102, why=Undelivered.EXPIRED), dialect))
    assert found.details == "Expired: Because."
    assert found.meaning == "sent, but not delivered"


def test_elements_come_in_any_order_and_the_first_of_a_name_counts() -> None:
    found = entry(b"<x><to>1</to><future><a/></future><CODE> N101 </CODE><code>E101</code></x>")
    assert (found.code, found.recipient, found.meaning) == ("N101", "1", "sent")


def test_a_code_that_is_not_ours_has_no_plain_words() -> None:
    found = entry(b"<postback><code>N999</code></postback>")
    assert (found.code, found.meaning, found.details) == ("N999", "", "")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no xml",
        b"<postback><code>N101</code>",
        b"\xff\xfe\x00",
        b"\x00<a/>",
        b'<!DOCTYPE a [<!ENTITY b "c">]><postback><code>&b;</code></postback>',
        b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><postback><code>N101</code></postback>',
        b"<a>" * 16_000,
        b"<a>" * 9_000 + b"</a>" * 9_000,
        b"<a " + b" ".join(b'a%d=""' % number for number in range(9_000)) + b"<",
    ],
)
def test_a_body_that_is_no_postback_reads_as_nothing_and_is_kept(body: bytes) -> None:
    found = entry(body)
    assert (found.code, found.tracking_id, found.recipient, found.meaning) == ("", "", "", "")
    assert found.body == body
    assert found.text.encode(errors="replace") == body or "\ufffd" in found.text


def test_a_value_is_cut_before_it_fills_the_page() -> None:
    found = entry(b"<postback><tracking-id>" + b"x" * 60_000 + b"</tracking-id></postback>")
    assert found.tracking_id == "x" * LONGEST_VALUE


@pytest.mark.parametrize(
    ("given", "expected"),
    [("1", 1), ("12", 12), ("", None), ("-1", None), ("1.5", None), ("²", None), ("9" * 5000, None)],
)
def test_a_sequence_is_a_whole_number(given: str, expected: int | None) -> None:
    assert entry(b"", **{"x-sequence": given}).sequence == expected


@pytest.mark.parametrize("dialect", XML_DIALECTS)
def test_an_inbound_mms_shows_who_wrote_what_and_its_files(dialect: WireDialect) -> None:
    files = ["https://gw.example/mo/t/1.jpg", "https://gw.example/mo/t/2.txt", "javascript:alert(1)"]
    inbound = Inbound(
        id=1, tracking_id="mo", kind=InboundKind.MMS, connection="sim", sender="17745550001", recipient="28444",
        subject="The lake", sent_at=0, received_at=0, expires_at=0,
    )  # fmt: skip
    body = render_inbound(inbound, dialect, files=files, group=True)
    found = replace(entry(body), files=read_files(body))
    assert (found.code, found.meaning, found.tracking_id) == ("N401", "a phone sent an MMS", "mo")
    assert (found.sender, found.words) == ("17745550001", "The lake")
    assert found.files == tuple(files[:2])
    assert found.pictures == (files[0],)


def test_an_inbound_sms_shows_its_text() -> None:
    found = entry(
        b"<postback><origin>SMS_MO</origin><code>N211</code><from>1</from><text>Hi</text>"
        b"<transaction-id>x</transaction-id></postback>"
    )
    assert (found.sender, found.words, found.tracking_id, found.files) == ("1", "Hi", "x", ())


def test_a_sender_is_shown_only_of_inbound_messages() -> None:
    assert entry(render_postback(postback(PostbackCode.N101), WireDialect.KEBAB)).sender == ""
