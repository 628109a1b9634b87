"""SubmitReq, byte for byte (MM7 wire page)."""

import dataclasses
import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from mmsgate.domain.number import SenderType
from mmsgate.domain.slide import Medium, Slide
from mmsgate.mm7.content import Body, EncodedContent, encode_content
from mmsgate.mm7.dialect import Dialect, Encoding, InnerType, Layout, SmilRefs
from mmsgate.mm7.envelope import Prefix
from mmsgate.mm7.received import SubmitReqReceived
from mmsgate.mm7.request import read_request
from mmsgate.mm7.smil import read_smil
from mmsgate.mm7.submit import HttpMessage, SubmitReq, encode_submit
from tests.unit.mm7.samples import (
    ANIMATION,
    BLOBS,
    CARD,
    DIALECT,
    FILM,
    HELLO,
    IMAGE,
    JPEG,
    REQUEST,
    SOUND,
    as_http,
    encoded,
)

Golden = Callable[[str, bytes], None]

NS = "http://www.3gpp.org/ftp/Specs/archive/23_series/23.140/schema/REL-6-MM7-1-4"

# Typed off the MM7 wire page, on purpose not built from anything in the program.
GOLDEN_HEAD = f"""\
--outer1
Content-Type: text/xml; charset=utf-8
Content-ID: <soap.42@gw.example>

<?xml version="1.0" encoding="UTF-8"?>
<env:Envelope xmlns:env="http://schemas.xmlsoap.org/soap/envelope/"><env:Header>
<mm7:TransactionID xmlns:mm7="{NS}" env:mustUnderstand="1">42</mm7:TransactionID>
</env:Header><env:Body>
<SubmitReq xmlns="{NS}">
<MM7Version>6.8.0</MM7Version>
<SenderIdentification><VASPID>v</VASPID><VASID>28444mms</VASID><SenderAddress><ShortCode>28444</ShortCode></SenderAddress></SenderIdentification>
<Recipients><To><Number>12399471613</Number></To></Recipients>
<TimeStamp>2026-01-02T09:30:47Z</TimeStamp>
<ExpiryDate>2026-01-05T09:30:47Z</ExpiryDate>
<DeliveryReport>true</DeliveryReport>
<ReadReply>false</ReadReply>
<Priority>Normal</Priority>
<Subject>Hello</Subject>
<Content href="cid:content.7@gw.example" allowAdaptations="false"/>
</SubmitReq></env:Body></env:Envelope>
--outer1
Content-Type: multipart/related; boundary=inner1; type="application/smil"; start="<show.smil>"
Content-ID: <content.7@gw.example>

--inner1
Content-Type: application/smil; charset=utf-8; name="show.smil"
Content-ID: <show.smil>
Content-Location: show.smil

<smil><head><layout><root-layout width="320" height="480"/>\
<region id="Image" left="0" top="0" width="320" height="320" fit="meet"/>\
<region id="Text" left="0" top="320" width="320" height="160" fit="scroll"/></layout></head><body>\
<par dur="10000ms"><img src="s1.jpg" region="Image"/><text src="s1.txt" region="Text"/></par></body></smil>
--inner1
Content-Type: image/jpeg; name="s1.jpg"
Content-ID: <s1.jpg>
Content-Location: s1.jpg
Content-Transfer-Encoding: binary

"""
GOLDEN_TAIL = """
--inner1
Content-Type: text/plain; charset=utf-8; name="s1.txt"
Content-ID: <s1.txt>
Content-Location: s1.txt
Content-Transfer-Encoding: binary

Hi
--inner1--
--outer1--
"""

# The schema's sequence (REL-6-MM7-1-4), typed off the MM7 wire page.
SEQUENCE = [
    "MM7Version",
    "SenderIdentification",
    "Recipients",
    "ServiceCode",
    "LinkedID",
    "MessageClass",
    "TimeStamp",
    "ReplyCharging",
    "EarliestDeliveryTime",
    "ExpiryDate",
    "DeliveryReport",
    "ReadReply",
    "Priority",
    "Subject",
    "ChargedParty",
    "ChargedPartyID",
    "DistributionIndicator",
    "DeliveryCondition",
    "ApplicID",
    "ReplyApplicID",
    "AuxApplicInfo",
    "ContentClass",
    "DRMContent",
    "Content",
]


def submit(
    request: SubmitReq = REQUEST, *, slides: tuple[Slide, ...] = HELLO, dialect: Dialect = DIALECT
) -> HttpMessage:
    return encode_submit(request, encoded(slides, dialect), dialect=dialect)


def received(message: HttpMessage) -> SubmitReqReceived:
    found = read_request(message.headers["Content-Type"], b"".join(message.buffers))
    assert isinstance(found, SubmitReqReceived)
    return found


def envelope(message: HttpMessage) -> str:
    return message.buffers[0].decode()


def test_the_golden_message_of_the_wire_page() -> None:
    message = submit()
    head, tail = (text.replace("\n", "\r\n").encode() for text in (GOLDEN_HEAD, GOLDEN_TAIL))
    body = head + JPEG + tail
    assert b"".join(message.buffers) == body
    assert message.headers == {
        "SOAPAction": '""',
        "Content-Type": 'multipart/related; boundary=outer1; type="text/xml"; start="<soap.42@gw.example>"',
        "Content-Length": str(len(body)),
    }
    assert message.length == len(body)


TWO_SLIDES = (
    Slide(text="Grüße", media=(IMAGE, SOUND), duration=5),
    Slide(text="A card", media=(CARD,)),
    Slide(media=(CARD,)),
    Slide(media=(FILM,), duration=60),
)


@pytest.mark.parametrize(
    ("name", "dialect"),
    [
        ("nested", DIALECT),
        ("mixed", replace(DIALECT, inner=InnerType.MIXED)),
        ("flat", replace(DIALECT, layout=Layout.FLAT)),
        ("base64", replace(DIALECT, encoding=Encoding.BASE64, vcard_mime="text/vcard")),
        ("cid", replace(DIALECT, smil_refs=SmilRefs.CID)),
        (
            "prefixed",
            replace(DIALECT, prefix=Prefix.PREFIXED, mm7_version="5.3.0", namespace=NS.replace("6", "5", 1)),
        ),
        ("flat-base64", replace(DIALECT, layout=Layout.FLAT, encoding=Encoding.BASE64)),
    ],
)
def test_every_dialect_as_golden_bytes_that_a_stranger_reads(golden: Golden, name: str, dialect: Dialect) -> None:
    message = submit(slides=TWO_SLIDES, dialect=dialect)
    golden(f"mm7/submit-{name}.http", as_http(message))
    found = received(message)
    assert [(part.name, part.body) for part in found.content.parts[1:]] == [
        ("s1.jpg", BLOBS["jpeg"]),
        ("s1.mp3", BLOBS["mp3"]),
        ("s1.txt", "Grüße".encode()),
        ("s2.txt", b"A card"),
        ("s2.vcf", BLOBS["vcf"]),
        ("s3.vcf", BLOBS["vcf"]),
        ("s4.mp4", BLOBS["mp4"]),
    ]
    assert found.version == dialect.mm7_version
    assert found.namespace == dialect.namespace


def test_every_part_has_one_name_and_each_shown_one_is_shown_once() -> None:
    found = received(submit(slides=TWO_SLIDES)).content
    assert found.parts[0].is_smil
    names = [part.name for part in found.parts]
    assert len(set(names)) == len(names)
    assert all(part.name == part.content_id == part.location for part in found.parts)
    pars = read_smil(found.smil or b"")
    assert pars is not None
    assert [par.duration for par in pars] == [5000, 10_000, 60_000]
    shown = [reference.src for par in pars for reference in par.references]
    assert shown == ["s1.jpg", "s1.mp3", "s1.txt", "s2.txt", "s4.mp4"]
    assert [found.find(src) is not None for src in shown] == [True] * 5


def test_objects_alone_make_a_show_without_slides() -> None:
    found = received(submit(slides=(Slide(media=(CARD,)),))).content
    assert read_smil(found.smil or b"") == ()
    assert found.parts[1].content_type == "text/x-vcard"


def test_sizes_are_those_of_the_parts_and_of_the_wire() -> None:
    content = encoded(TWO_SLIDES, replace(DIALECT, encoding=Encoding.BASE64))
    message = encode_submit(REQUEST, content, dialect=DIALECT)
    assert content.decoded_size == received(message).content.size
    assert content.wire_size == sum(map(len, content.buffers)) == message.length - len(message.buffers[0])


def test_media_are_shared_not_copied() -> None:
    photo = bytes(range(256)) * 1200
    medium = replace(IMAGE, blob="photo", size=len(photo))
    body = Body.of(photo, DIALECT.encoding)
    content = encode_content(
        [Slide(media=(medium,))], {"photo": body}, dialect=DIALECT, content_id="7", token=lambda: "t0k3n"
    )
    first, second = (encode_submit(REQUEST, content, dialect=DIALECT) for _ in range(2))
    assert any(buffer is photo for buffer in first.buffers)
    assert all(one is other for one, other in zip(first.buffers[1:], second.buffers[1:], strict=True))


def test_stored_content_makes_the_same_bytes() -> None:
    content = encoded(TWO_SLIDES)
    row = {item.name: getattr(content, item.name) for item in dataclasses.fields(content)}
    loaded = EncodedContent(**{**row, "buffers": (b"".join(content.buffers),)})
    assert as_http(encode_submit(REQUEST, loaded, dialect=DIALECT)) == as_http(submit(slides=TWO_SLIDES))


@pytest.mark.parametrize(
    ("media", "fitted", "dialect_allows", "allowed"),
    [
        ((IMAGE,), False, False, False),
        ((IMAGE,), False, True, True),
        ((IMAGE,), True, True, False),
        ((ANIMATION,), False, True, False),
    ],
)
def test_a_carrier_may_adapt_only_what_nobody_has_fitted(
    media: tuple[Medium, ...], fitted: bool, dialect_allows: bool, allowed: bool
) -> None:
    dialect = replace(DIALECT, allow_adaptations=dialect_allows)
    content = encoded((Slide(media=media),), dialect, fitted=fitted)
    found = received(encode_submit(REQUEST, content, dialect=dialect))
    assert found.allow_adaptations is allowed


ALL_CONSTANTS = tuple(
    (name, "c")
    for name in SEQUENCE
    if name
    not in {"MM7Version", "SenderIdentification", "Recipients", "ReplyCharging", "DeliveryCondition", "Content"}
)


@pytest.mark.parametrize("constants", [(), (("ChargedParty", "Sender"), ("ServiceCode", "9")), ALL_CONSTANTS])
@pytest.mark.parametrize("omissions", [(), ("TimeStamp", "ExpiryDate", "ReadReply", "Priority", "Subject")])
@pytest.mark.parametrize("prefix", list(Prefix))
def test_the_children_of_submit_req_follow_the_schema(
    constants: tuple[tuple[str, str], ...], omissions: tuple[str, ...], prefix: Prefix
) -> None:
    dialect = replace(DIALECT, constants=constants, omissions=frozenset(omissions), prefix=prefix)
    xml = envelope(submit(dialect=dialect)).partition("\r\n\r\n")[2]
    (operation,) = etree.fromstring(xml.encode()).iter("{*}SubmitReq")
    names = [etree.QName(node).localname for node in operation]
    positions = [SEQUENCE.index(name) for name in names]
    assert positions == sorted(set(positions))
    expected = {name for name, _ in constants} | {
        "MM7Version", "SenderIdentification", "Recipients", "TimeStamp", "ExpiryDate", "DeliveryReport",
        "ReadReply", "Priority", "Subject", "Content",
    }  # fmt: skip
    assert set(names) == expected - set(omissions)
    assert {etree.QName(node).namespace for node in operation} == {None if prefix is Prefix.BARE else NS}


def test_what_a_request_says_comes_before_a_constant() -> None:
    dialect = replace(DIALECT, constants=(("ServiceCode", "carrier & co"), ("LinkedID", "l")))
    assert received(submit(dialect=dialect)).service_code == "carrier & co"
    assert received(submit(replace(REQUEST, service_code="ours"), dialect=dialect)).service_code == "ours"


@pytest.mark.parametrize("name", ["Recipients", "Content", "servicecode", ""])
def test_a_dialect_names_only_elements_that_exist(name: str) -> None:
    with pytest.raises(ValueError, match="SubmitReq has no such element"):
        Dialect(constants=((name, "x"),))
    with pytest.raises(ValueError, match="SubmitReq has no such element"):
        Dialect(omissions=frozenset({name}))


def test_ids_and_the_adaptation_flag_can_be_left_out() -> None:
    dialect = replace(DIALECT, omissions=frozenset({"VASPID", "VASID", "allowAdaptations", "SOAPAction"}))
    message = submit(dialect=dialect)
    assert "VASP" not in envelope(message)
    assert '<Content href="cid:content.7@gw.example"/>' in envelope(message)
    assert "SOAPAction" not in message.headers


def test_what_the_request_has_not_is_left_out() -> None:
    bare = SubmitReq(
        transaction_id="1", sender="12015550123", sender_type=SenderType.LONG_CODE, recipient="1239947161"
    )
    found = received(submit(bare))
    assert not {"Subject", "TimeStamp", "ExpiryDate"} & set(found.elements)
    assert str(found.sender) == "Number(12•••••0123)"


@pytest.mark.parametrize("flag", [True, False, None])
def test_the_dialect_decides_on_reports_where_the_request_does_not(flag: bool | None) -> None:
    dialect = replace(DIALECT, delivery_report=False)
    found = received(submit(replace(REQUEST, delivery_report=flag), dialect=dialect))
    assert found.delivery_report is bool(flag)


texts = st.lists(st.text(max_size=5) | st.sampled_from("&<>\"'\r\n\t\0\x0b\ufffe"), max_size=12).map("".join)


@given(texts, texts)
def test_any_subject_and_transaction_id_arrives_as_xml_allows(subject: str, transaction: str) -> None:
    message = submit(replace(REQUEST, subject=subject, transaction_id=transaction))
    found = received(message)
    allowed = re.sub("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]", "", subject.replace("\r\n", "\n"))
    assert found.subject == re.sub("[\t\r\n]", " ", allowed).strip()
    assert message.length == len(b"".join(message.buffers)) == int(message.headers["Content-Length"])
    assert "\n" not in message.headers["Content-Type"]


def test_lone_surrogates_are_dropped_not_raised() -> None:
    message = submit(replace(REQUEST, subject="a\ud800b"), slides=(Slide(text="a\ud800b"),))
    assert received(message).subject == "ab"


def test_a_value_can_t_start_a_mime_delimiter() -> None:
    found = received(submit(replace(REQUEST, subject="x\r\n--outer1--\r\ny")))
    assert found.subject == "x --outer1-- y"
    assert len(found.content.parts) == 3


def test_a_type_that_no_mms_carries_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="can't carry image/x-icon"):
        encoded((Slide(media=(replace(IMAGE, mime="image/x-icon"),)),))


def test_numbers_subjects_and_bodies_stay_out_of_the_log() -> None:
    shown = repr((REQUEST, submit(), encoded(), DIALECT, received(submit())))
    assert "12399471613" not in shown
    assert "Hello" not in shown
    assert "JFIF" not in shown
    assert "vaspid" not in shown
