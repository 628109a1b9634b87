"""The catalogue against the published code table, and the two families of errors."""

import csv
from collections.abc import Iterator
from pathlib import Path

import pytest

from mmsgate.domain.media import MediaKind
from mmsgate.domain.notices import NOTICES
from mmsgate.domain.postback import PostbackCode
from mmsgate.domain.request import WireDialect
from mmsgate.domain.slide import DraftSlide, count_fault, slide_fault
from mmsgate.errors import (
    CATALOGUE,
    NOT_FETCHED,
    TOO_BIG,
    UNREACHABLE,
    Fault,
    Refusal,
    error_text,
    reference,
)

TESTS = Path(__file__).parents[1]
KEBAB, SKYCORE = WireDialect.KEBAB, WireDialect.SKYCORE

#: Texts that the wire samples give otherwise than the table (API contract 4, codes.csv notes).
WIRE_TEXTS = {"E111": "Invalid shortcode"}


def published(generation: str) -> Iterator[tuple[str, str, str]]:
    with (TESTS / "data" / "codes.csv").open(encoding="utf-8", newline="") as table:
        for row in csv.DictReader(table):
            if row["kind"] == "error" and generation in row["generation"].split("|"):
                yield row["code"], row["error_info_template"], row["notes"]


def as_template(text: str) -> str:
    return " ".join(word.replace("X", "{x}") if word.strip(".") == "X" else word for word in text.split(" "))


XML_ROWS = {code: text for code, text, _ in published("xml-v1")}


def test_the_table_has_rows() -> None:
    assert len(XML_ROWS) > 55


@pytest.mark.parametrize("code", list(XML_ROWS))
def test_every_published_code_is_in_the_catalogue_with_its_text(code: str) -> None:
    wanted = WIRE_TEXTS.get(code, as_template(XML_ROWS[code]))
    assert CATALOGUE[code].text == wanted


def test_no_other_code_than_the_published_and_the_ruled_ones() -> None:
    ours = {code for code in CATALOGUE if code.startswith("G")}
    ruled = {"E109", "E115", "E200", "E343", "E714", "E715"}  # contract 3, 5.4, 6.1 and 10, R-29
    assert set(CATALOGUE) - ours - ruled == set(XML_ROWS)


@pytest.mark.parametrize("code", ["E109", "E200", "E343", "E714", "E715"])
def test_legacy_only_codes_have_the_legacy_text(code: str) -> None:
    texts = {row: text for row, text, _ in published("legacy-1.3")}
    assert CATALOGUE[code].text == as_template(texts[code])


def test_from_mask_has_the_text_of_the_json_table() -> None:
    texts = {row: text for row, text, _ in published("json-v2")}
    assert CATALOGUE["E115"].text == texts["E115"]


def legacy_texts() -> Iterator[tuple[str, str]]:
    """The legacy wording as the table's notes quote it."""
    for code, _, notes in published("legacy-1.3"):
        for mark in ('Legacy text: "', 'Legacy: "', 'legacy: "', 'Skycore wire text: "'):
            _, found, rest = notes.partition(mark)
            if found and code in XML_ROWS:
                yield code, rest.partition('"')[0]


def test_the_notes_quote_some_twenty_legacy_texts() -> None:
    assert len(list(legacy_texts())) >= 18


@pytest.mark.parametrize(("code", "text"), list(legacy_texts()))
def test_skycore_keeps_the_legacy_wording(code: str, text: str) -> None:
    assert CATALOGUE[code].template(SKYCORE) == as_template(text)


def test_codes_that_this_version_cannot_send_have_a_reason() -> None:
    assert "E109" in UNREACHABLE
    assert {"E301", "E302", "E303", "E304"} <= set(UNREACHABLE)
    assert not {"E100", "E110", "E201", "E341", "E503", "E628"} & set(UNREACHABLE)
    assert all(len(reason) > 20 for reason in UNREACHABLE.values())


@pytest.mark.parametrize("kind", [kind for kind in MediaKind if kind is not MediaKind.TEXT])
def test_every_kind_of_file_has_its_two_codes(kind: MediaKind) -> None:
    big = error_text(Refusal(TOO_BIG[kind], slide=2), KEBAB)
    lost = error_text(Refusal(NOT_FETCHED[kind], slide=2), KEBAB)
    assert big == f"{kind.label} in slide 2 is too big."
    assert lost == f"Could not copy {kind.label} in slide 2."


def test_the_number_in_a_text_is_the_limit_where_there_is_one_and_else_the_slide() -> None:
    assert error_text(Refusal("E228", x=5000, slide=2), KEBAB) == "MMS text cannot exceed 5000 characters."
    assert error_text(Refusal("E230", slide=3), SKYCORE) == "Bad 3 slide duration."
    assert error_text(Refusal("E106", x=0), KEBAB).endswith("at least 0 seconds.")


def test_a_text_that_wants_a_number_does_not_go_without() -> None:
    with pytest.raises(ValueError, match="E313 needs a number"):
        Refusal("E313")


def test_an_unknown_code_is_our_mistake() -> None:
    with pytest.raises(KeyError):
        Refusal("E354")


def test_detail_is_for_people_and_stays_out_of_the_text() -> None:
    refusal = Refusal("E351", slide=1, detail="slide 1: the origin answered 404")
    assert str(refusal) == "E351: slide 1: the origin answered 404"
    assert error_text(refusal, KEBAB) == "Could not copy Image in slide 1."


def test_the_skycore_parse_error_names_the_reason_and_braces_in_it_do_no_harm() -> None:
    refusal = Refusal("E108", detail="line 1: {x} is no name")
    assert error_text(refusal, SKYCORE) == "XML Parse error: line 1: {x} is no name."
    assert error_text(refusal, KEBAB) == "Invalid XML. XML parsing failed."


def test_wording_takes_the_place_of_the_text() -> None:
    refusal = Refusal("E100", wording="This Idempotency-Key was used for another request.")
    assert error_text(refusal, KEBAB) == error_text(refusal, SKYCORE) == refusal.wording


def test_slide_rules_become_refusals() -> None:
    long = slide_fault(DraftSlide(texts=("a" * 5001,)), 2)
    none = count_fault([])
    assert long
    assert none
    refusal = Refusal.of_slide(long)
    assert (refusal.code, refusal.slide, refusal.x) == ("E228", 2, 5000)
    assert "5,001" in refusal.detail
    assert Refusal.of_slide(none).slide is None


def test_a_fault_without_words_says_what_its_class_says() -> None:
    class DiskFull(Fault):
        """The disk is full.

        More words.
        """

    assert str(DiskFull()) == "The disk is full."
    assert str(DiskFull("no room for 7 bytes")) == "no room for 7 bytes"


def test_the_reference_page_agrees_with_the_catalogue() -> None:
    page = (TESTS.parent / "docs" / "reference" / "errors.md").read_text(encoding="utf-8")
    assert page == reference(), "run: python -m mmsgate.errors > docs/reference/errors.md"


@pytest.mark.parametrize("code", [*PostbackCode, "N211", "N401"])
def test_every_postback_code_is_explained(code: str) -> None:
    assert NOTICES[code].meaning.endswith(".")
    assert f"| {code} | {NOTICES[code].meaning} |" in reference()


def test_a_code_is_answered_or_told_never_both() -> None:
    """E101 and the like were answered once, and are told now: a page speaks of one thing."""
    assert not CATALOGUE.keys() & NOTICES.keys()


def test_the_codes_after_which_nothing_comes_are_those_of_the_state_machine() -> None:
    final = {code for code, notice in NOTICES.items() if notice.final}
    assert final == {
        "E002",
        "E003",
        "E012",
        "E013",
        "E101",
        "E102",
        "E202",
        "E999",
        "N003",
        "N102",
        "N103",
        "N202",
        "N211",
        "N401",
    }
