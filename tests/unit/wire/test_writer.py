"""Answers in the XML dialects: golden bytes, and any text read back by parsers that are not ours."""

import re
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from mmsgate.domain.request import WireDialect
from mmsgate.errors import CATALOGUE, Refusal
from mmsgate.wire.markup import document
from mmsgate.wire.writer import content_type, failure, success_send

Golden = Callable[[str, bytes], None]
KEBAB, SKYCORE, JSON = WireDialect.KEBAB, WireDialect.SKYCORE, WireDialect.JSON
XML = [KEBAB, SKYCORE]


def elements(body: bytes) -> list[tuple[str, str]]:
    """The names and values of a document, by lxml."""
    return [(str(child.tag), child.text or "") for child in etree.fromstring(body)]


def what_xml_can_carry(text: str) -> str:
    """By the Char production of XML 1.0 (2.2), written independently of the writer."""
    ranges = [(0x9, 0xA), (0xD, 0xD), (0x20, 0xD7FF), (0xE000, 0xFFFD), (0x10000, 0x10FFFF)]
    return "".join(char for char in text if any(low <= ord(char) <= high for low, high in ranges))


@pytest.mark.parametrize("dialect", XML)
def test_golden_success_of_send_mms(dialect: WireDialect, golden: Golden) -> None:
    body = success_send(dialect, to="12399471613", mms_id=35674, tracking_id="9vJ3mXw0T4q1Zb7LkA2cRg")
    golden(f"wire/success-send.{dialect}.xml", body)


FAILURES = {
    "failure-recipient": (Refusal("E111"), "12399471613"),
    "failure-plain": (Refusal("E104"), None),
    "failure-slide": (Refusal("E331", slide=2), "12399471613"),
    "failure-limit": (Refusal("E228", x=5000, slide=1), "12399471613"),
    "failure-parse": (Refusal("E108", detail="mismatched tag: line 1, column 9"), None),
    "failure-wording": (Refusal("E100", wording="This Idempotency-Key was used for another request."), "1"),
}


@pytest.mark.parametrize("dialect", XML)
@pytest.mark.parametrize("name", list(FAILURES))
def test_golden_failure(name: str, dialect: WireDialect, golden: Golden) -> None:
    refusal, to = FAILURES[name]
    golden(f"wire/{name}.{dialect}.xml", failure(dialect, refusal, to=to))


@pytest.mark.parametrize("dialect", XML)
def test_golden_failure_of_every_code(dialect: WireDialect, golden: Golden) -> None:
    bodies = [failure(dialect, Refusal(code, x=7, detail="the reason"), to="12399471613") for code in CATALOGUE]
    golden(f"wire/failure-all.{dialect}.txt", b"\n".join(bodies))


def test_the_order_is_the_contracts() -> None:
    success = success_send(KEBAB, to="1", mms_id=2, tracking_id="3")
    assert [name for name, _ in elements(success)] == ["status", "to", "mms-id", "tracking-id", "status-details"]
    assert elements(failure(SKYCORE, Refusal("E111"), to="1")) == [
        ("STATUS", "Failure"),
        ("ERRORCODE", "E111"),
        ("TO", "1"),
        ("ERRORINFO", "Invalid shortcode"),
    ]
    skycore = success_send(SKYCORE, to="1", mms_id=2, tracking_id="3")
    assert [name for name, _ in elements(skycore)] == ["STATUS", "TO", "MMSID", "TRACKINGID", "STATUSDETAILS"]


def test_the_samples_of_the_contract() -> None:
    success = success_send(KEBAB, to="12399471613", mms_id=35674, tracking_id="9vJ3mXw0T4q1Zb7LkA2cRg")
    assert re.sub(rb">\s+", b">", success).endswith(
        b"<response><status>Success</status><to>12399471613</to><mms-id>35674</mms-id>"
        b"<tracking-id>9vJ3mXw0T4q1Zb7LkA2cRg</tracking-id>"
        b"<status-details>MMS request accepted and queued for delivery</status-details></response>"
    )


def test_an_empty_recipient_is_an_empty_element_and_none_is_none() -> None:
    assert b"<to/>" in failure(KEBAB, Refusal("E110"), to="")
    assert b"<to" not in failure(KEBAB, Refusal("E110"))


def test_content_types_are_those_of_the_ruling() -> None:
    assert content_type(KEBAB) == "text/xml; charset=utf-8"
    assert content_type(SKYCORE) == "text/html; charset=UTF-8"
    assert content_type(JSON) == "application/json; charset=utf-8"


def test_json_has_no_elements() -> None:
    with pytest.raises(ValueError, match="JSON"):
        failure(JSON, Refusal("E104"))


ANY_TEXT = st.text(alphabet=st.characters(codec=None), max_size=60)


@settings(max_examples=40)
@given(to=ANY_TEXT, tracking_id=ANY_TEXT, dialect=st.sampled_from(XML))
def test_any_text_is_read_back_by_lxml(to: str, tracking_id: str, dialect: WireDialect) -> None:
    read = [value for _, value in elements(success_send(dialect, to=to, mms_id=1, tracking_id=tracking_id))]
    assert read[1:4] == [what_xml_can_carry(to), "1", what_xml_can_carry(tracking_id)]


@settings(max_examples=40)
@given(values=st.lists(ANY_TEXT, max_size=4))
def test_any_text_is_read_back_by_expat(values: list[str]) -> None:
    root = ElementTree.fromstring(document("r", [("a", value) for value in values]))
    assert [child.text or "" for child in root] == [what_xml_can_carry(value) for value in values]


@pytest.mark.parametrize(
    "text", ["]]>", "\r\n", "\r", "<&>\"'", "\x00\x0b\ufffe\ud800", "&amp;", "🎉", "\x85\u2028"]
)
def test_awkward_texts(text: str) -> None:
    assert elements(document("r", [("a", text)])) == [("a", what_xml_can_carry(text))]


def test_the_folder_holds_no_forgotten_golden_file() -> None:
    folder = Path(__file__).parents[2] / "golden" / "wire"
    ours = {f"{name}.{dialect}" for name in [*FAILURES, "success-send"] for dialect in XML}
    found = {path.stem for path in folder.glob("*.xml") if not path.name.startswith("postback-")}
    assert found == ours
