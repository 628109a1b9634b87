"""What a dialect can say is in the bytes, and the key of a content depends on nothing else."""

from collections.abc import Callable
from dataclasses import fields, replace

import pytest

from mmsgate.domain.number import SenderType
from mmsgate.domain.slide import Slide
from mmsgate.mm7.address import Address, AddressKind
from mmsgate.mm7.content import Body, encode_content
from mmsgate.mm7.dialect import (
    BoundaryAlphabet,
    ContentStyle,
    Dialect,
    Expiry,
    Layout,
    PartIds,
    RecipientStyle,
    SenderStyle,
    SmilRefs,
    Start,
)
from mmsgate.mm7.received import SubmitReqReceived
from mmsgate.mm7.request import read_request
from mmsgate.mm7.subject import SubjectPolicy, write_subject
from mmsgate.mm7.submit import HttpMessage, Priority, SubmitReq, encode_submit
from tests.unit.mm7.samples import DIALECT, HELLO, IMAGE, REQUEST, as_http, encoded

LONG_CODE = replace(REQUEST, sender="12065550100", sender_type=SenderType.LONG_CODE)


def written(request: SubmitReq = REQUEST, **changes: object) -> HttpMessage:
    dialect = replace(DIALECT, **changes)  # type: ignore[arg-type]  # any of its settings
    return encode_submit(request, encoded(HELLO, dialect), dialect=dialect)


def read(message: HttpMessage) -> SubmitReqReceived:
    found = read_request(message.headers["Content-Type"], b"".join(message.buffers))
    assert isinstance(found, SubmitReqReceived)
    return found


# -- who


@pytest.mark.parametrize(
    ("style", "sender", "kind", "element"),
    [
        (SenderStyle.BY_TYPE, "28444", SenderType.SHORT_CODE, "ShortCode"),
        (SenderStyle.BY_TYPE, "28444", SenderType.TOLL_FREE, "Number"),
        (SenderStyle.BY_LENGTH, "284440", SenderType.TOLL_FREE, "ShortCode"),
        (SenderStyle.BY_LENGTH, "2844400", SenderType.SHORT_CODE, "Number"),
        (SenderStyle.SHORT_CODE, "12065550100", SenderType.LONG_CODE, "ShortCode"),
        (SenderStyle.NUMBER, "28444", SenderType.SHORT_CODE, "Number"),
    ],
)
def test_a_sender_is_a_short_code_or_a_number_as_the_carrier_wants(
    style: SenderStyle, sender: str, kind: SenderType, element: str
) -> None:
    request = replace(REQUEST, sender=sender, sender_type=kind)
    assert read(written(request, sender=style)).sender == Address(value=sender, kind=AddressKind(element))


def test_how_long_a_short_code_may_be_is_the_carrier_s_to_say() -> None:
    found = read(written(sender=SenderStyle.BY_LENGTH, short_code_length=4))
    assert found.sender == Address(value="28444")


def test_a_plus_stands_before_a_sender_that_is_a_number() -> None:
    assert b"<Number>+12065550100</Number></SenderAddress>" in written(LONG_CODE, sender_plus=True).buffers[0]
    assert b"<ShortCode>28444</ShortCode>" in written(sender_plus=True).buffers[0]


@pytest.mark.parametrize(
    ("style", "xml"),
    [
        (RecipientStyle.NUMBER, "<To><Number>12399471613</Number></To>"),
        (RecipientStyle.PLUS, "<To><Number>+12399471613</Number></To>"),
        (RecipientStyle.PLMN, "<To><RFC2822Address>+12399471613/TYPE=PLMN</RFC2822Address></To>"),
        (RecipientStyle.SHORT_CODE, "<To><ShortCode>12399471613</ShortCode></To>"),
    ],
)
def test_a_recipient_is_written_as_the_carrier_wants(style: RecipientStyle, xml: str) -> None:
    message = written(recipient=style)
    assert xml.encode() in message.buffers[0]
    assert [each.value for each in read(message).recipients] == ["12399471613"]


@pytest.mark.parametrize(
    ("vasid", "vasids", "expected"),
    [
        ("fixed", (), "fixed"),
        ("{sender}mms", (), "28444mms"),
        ("{service}-{sender}", (), "32113-28444"),
        ("{sender}mms", (("28444", "gold"),), "gold"),
        ("{sender}mms", (("32113", "by service"),), "by service"),
        ("{sender}mms", (("32113", "by service"), ("28444", "by sender")), "by sender"),
        ("", (("28445", "other"),), ""),
    ],
)
def test_the_vasid_may_depend_on_sender_and_service(
    vasid: str, vasids: tuple[tuple[str, str], ...], expected: str
) -> None:
    request = replace(REQUEST, service="32113")
    assert read(written(request, vasid=vasid, vasids=vasids)).vasid == expected


# -- when, and what about


def test_an_expiry_is_a_time_a_duration_or_left_out() -> None:
    assert read(written()).expiry == "2026-01-05T09:30:47Z"
    assert read(written(expiry=Expiry.RELATIVE)).expiry == "PT259200S"
    assert "ExpiryDate" not in read(written(expiry=Expiry.NONE)).elements
    overdue = replace(REQUEST, expiry=0)
    assert read(written(overdue, expiry=Expiry.RELATIVE)).expiry == "PT0S"
    undated = replace(REQUEST, timestamp=None)
    assert read(written(undated, expiry=Expiry.RELATIVE)).expiry == "2026-01-05T09:30:47Z"
    assert "ExpiryDate" not in read(written(replace(REQUEST, expiry=None), expiry=Expiry.RELATIVE)).elements


@pytest.mark.parametrize(
    ("policy", "subject", "expected"),
    [
        (SubjectPolicy.UTF8, "Grüße 🎉 Привет", "Grüße 🎉 Привет"),
        (SubjectPolicy.TRANSLITERATE, "Grüße 🎉 Привет", "Grüße :tada: Privet"),
        (SubjectPolicy.TRANSLITERATE, "“R&B” – ça va…", '"R&B" - ca va...'),  # GSM has a capital Ç only
        (SubjectPolicy.STRIP, "Grüße 🎉 Привет!", "Grüße !"),
        (SubjectPolicy.STRIP, "🎉", ""),
        (SubjectPolicy.STRIP, "u\u0308ber", "über"),
    ],
)
def test_the_subject_s_policy(policy: SubjectPolicy, subject: str, expected: str) -> None:
    assert write_subject(subject, policy) == expected
    assert read(written(replace(REQUEST, subject=subject), subject=policy)).subject == expected


def test_a_constant_stands_where_the_request_says_nothing() -> None:
    assert (read(written()).priority, read(written()).read_reply) == ("Normal", False)
    constants = (("Priority", "High"), ("ReadReply", "true"))
    found = read(written(constants=constants))
    assert (found.priority, found.read_reply) == ("High", True)
    said = replace(REQUEST, priority=Priority.LOW, read_reply=False)
    found = read(written(said, constants=constants))
    assert (found.priority, found.read_reply) == ("Low", False)


# -- ids, names, boundaries


def test_content_ids_with_a_domain_and_references_that_lead_to_them() -> None:
    content = read(written(part_ids=PartIds.DOMAIN, smil_refs=SmilRefs.CID)).content
    assert [part.content_id for part in content.parts] == [
        "show.smil@gw.example", "s1.jpg@gw.example", "s1.txt@gw.example",
    ]  # fmt: skip
    assert b'src="cid:s1.jpg@gw.example"' in (content.smil or b"")
    assert content.find("cid:s1.jpg@gw.example") is content.parts[1]


@pytest.mark.parametrize("layout", list(Layout))
def test_flat_or_nested_the_content_is_found_by_a_domain_id(layout: Layout) -> None:
    found = read(written(part_ids=PartIds.DOMAIN, layout=layout))
    assert len(found.content.parts) == 3


def test_content_ids_without_brackets() -> None:
    raw = as_http(written(id_brackets=False))
    assert b"Content-ID: <" not in raw
    assert b"Content-ID: s1.jpg\r\n" in raw
    assert len(read(written(id_brackets=False)).content.parts) == 3


@pytest.mark.parametrize(
    ("start", "outer", "inner"),
    [
        (Start.BRACKETS, '; start="<soap.42@gw.example>"', '; start="<show.smil>"'),
        (Start.BARE, '; start="soap.42@gw.example"', '; start="show.smil"'),
        (Start.NONE, 'type="text/xml"', 'type="application/smil"'),
    ],
)
def test_how_a_multipart_names_its_root(start: Start, outer: str, inner: str) -> None:
    message = written(start=start)
    assert message.headers["Content-Type"].endswith(outer)
    assert f"{inner}\r\n".encode() in as_http(message)
    assert read(message).transaction_id == "42"


def test_parts_without_a_location_or_a_name() -> None:
    message = written(content_location=False, part_names=False, smil_refs=SmilRefs.CID)
    assert b"Content-Location" not in as_http(message)
    assert b"name=" not in as_http(message)
    content = read(message).content
    assert content.find("cid:s1.jpg") is content.parts[1]


@pytest.mark.parametrize(
    ("alphabet", "length", "boundary"),
    [
        (BoundaryAlphabet.ALPHANUMERIC, 40, "outer" + "t" * 30),
        (BoundaryAlphabet.ALPHANUMERIC, 20, "outer" + "t" * 15),
        (BoundaryAlphabet.MIME, 40, "=_outer" + "t" * 30),
        (BoundaryAlphabet.MIME, 20, "=_outer" + "t" * 13),
    ],
)
def test_of_what_a_boundary_is_and_how_long(alphabet: BoundaryAlphabet, length: int, boundary: str) -> None:
    dialect = replace(DIALECT, boundary=alphabet, boundary_length=length)
    content = encoded(HELLO, dialect, token="t" * 30)
    assert content.boundary == boundary
    assert len(content.boundary) <= length
    message = encode_submit(REQUEST, content, dialect=dialect)
    assert len(read(message).content.parts) == 3


def test_a_short_boundary_is_looked_for_in_its_own_length() -> None:
    """A body that is free of the whole token may hold its beginning."""
    dialect = replace(DIALECT, boundary_length=20)
    body = Body.of(b"--outer" + b"t" * 15 + b"\r\n", dialect.encoding, "t" * 24)
    tokens = iter(["t" * 24, "u" * 24])
    content = encode_content(
        (Slide(media=(replace(IMAGE, blob="x"),)),), {"x": body}, dialect=dialect, content_id="7",
        token=lambda: next(tokens),
    )  # fmt: skip
    assert content.boundary == "outer" + "u" * 15


# -- what the bytes of a content depend on

CHANGES: dict[str, object] = {
    "layout": Layout.FLAT, "inner": "mixed", "encoding": "base64", "smil_refs": SmilRefs.CID,
    "vcard_mime": "text/vcard", "allow_adaptations": True, "id_domain": "other", "id_brackets": False,
    "part_ids": PartIds.DOMAIN, "part_names": False, "content_location": True, "start": Start.BARE,
    "boundary": BoundaryAlphabet.MIME, "boundary_length": 30,
}  # fmt: skip
ENVELOPE: dict[str, object] = {
    "vaspid": "other", "vasid": "other", "vasids": (("1", "2"),), "namespace": "urn:other", "mm7_version": "5.3.0",
    "soap_action": "urn:x", "omissions": frozenset({"ReadReply"}), "constants": (("ServiceCode", "x"),),
    "delivery_report": False, "sender": SenderStyle.NUMBER, "short_code_length": 4, "sender_plus": True,
    "recipient": RecipientStyle.PLUS, "carrier_header": "X-C", "carrier_ids": (("1", "2"),),
    "expiry": Expiry.NONE, "subject": SubjectPolicy.STRIP, "prefix": "prefixed",
}  # fmt: skip


def test_the_two_lists_are_all_settings() -> None:
    assert set(CHANGES) == {each.name for each in fields(ContentStyle)}
    assert set(CHANGES) | set(ENVELOPE) == {each.name for each in fields(Dialect)}


@pytest.mark.parametrize("name", sorted(set(CHANGES) - {"content_location"}))
def test_what_changes_the_content_changes_its_key(name: str) -> None:
    changed: Callable[..., Dialect] = replace
    dialect = changed(DIALECT, **{name: CHANGES[name]})
    assert dialect.key != DIALECT.key
    assert dialect.style != DIALECT.style
    assert dialect.style.key == dialect.key


@pytest.mark.parametrize("name", sorted(ENVELOPE))
def test_what_changes_the_envelope_alone_leaves_the_content_its_key(name: str) -> None:
    changed: Callable[..., Dialect] = replace
    dialect = changed(DIALECT, **{name: ENVELOPE[name]})
    assert dialect != DIALECT
    assert dialect.key == DIALECT.key
    assert dialect.style == DIALECT.style
    assert encoded(HELLO, dialect) == encoded(HELLO, DIALECT)
