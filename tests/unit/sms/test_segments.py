"""A text and a link become parts that split nothing a reader would miss."""

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mmsgate.domain.gsm import Alphabet, decode
from mmsgate.sms.segments import (
    NotSegmentable,
    Segmented,
    clusters,
    fallback_text,
    segment,
)
from mmsgate.sms.writing import MOST_PARTS, Writing

LINK = "https://mms.example/p/4nT0kEn4nT0kEn4nT0kEn4"
FAMILY = "👩\u200d👩\u200d👧\u200d👦"


def cut(text: str, link: str = "", *, reference: int = 42, most_parts: int = MOST_PARTS) -> Segmented:
    result = segment(text, link, reference=reference, writing=Writing(most_parts=most_parts))
    assert isinstance(result, Segmented)
    return result


def texts(sms: Segmented) -> list[str]:
    return [decode(part.user_data, part.data_coding, has_header=bool(part.udh)) for part in sms.segments]


def test_a_short_sms_has_no_header() -> None:
    sms = cut("Look:", LINK)
    (part,) = sms.segments
    assert sms.alphabet is Alphabet.GSM7
    assert (part.number, part.total, part.udh, part.data_coding) == (1, 1, b"", 0)
    assert part.user_data == f"Look: {LINK}".encode()


@pytest.mark.parametrize(
    ("text", "link", "whole"),
    [
        ("Look:", LINK, f"Look: {LINK}"),
        ("Look: ", LINK, f"Look: {LINK}"),
        ("Look\n", LINK, f"Look {LINK}"),
        ("Look ", "", "Look "),
        ("", LINK, LINK),
        ("  ", LINK, LINK),
        ("", "", ""),
    ],
)
def test_text_and_link_are_joined_by_one_blank(text: str, link: str, whole: str) -> None:
    assert fallback_text(text, link) == whole
    assert texts(cut(text, link)) == [whole]


@pytest.mark.parametrize(
    ("text", "lengths"),
    [
        ("a" * 160, [160]),
        ("a" * 161, [153, 8]),
        ("a" * 307, [153, 153, 1]),
        ("a" * 158 + "€", [160]),
        ("a" * 159 + "€", [153, 8]),
        ("a" * 152 + "€" + "a" * 10, [152, 12]),  # the escape pair would straddle
    ],
)
def test_septets_fill_parts(text: str, lengths: list[int]) -> None:
    assert [len(part.payload) for part in cut(text).segments] == lengths


@pytest.mark.parametrize(
    ("text", "units"),
    [
        ("ж" * 70, [70]),
        ("ж" * 71, [67, 4]),
        ("👍" * 35, [70]),
        ("👍" * 36, [66, 6]),  # 33 pairs: the 67th unit would be half of the next
        ("ж" * 65 + "e\u0301" + "ж" * 9, [67, 9]),
        ("ж" * 66 + "e\u0301" + "ж" * 9, [66, 11]),  # the accent stays with its letter
        ("ж" * 60 + FAMILY + "ж" * 9, [60, 20]),
        ("ж" * 65 + "🇫🇷" + "ж" * 9, [65, 13]),
        ("ж" * 65 + "👍🏽" + "ж" * 9, [65, 13]),
    ],
)
def test_code_units_fill_parts(text: str, units: list[int]) -> None:
    assert [len(part.payload) // 2 for part in cut(text).segments] == units


def test_one_foreign_character_makes_the_whole_sms_ucs2() -> None:
    sms = cut("Très çool " + "a" * 70, LINK)
    assert sms.alphabet is Alphabet.UCS2
    assert {part.data_coding for part in sms.segments} == {8}


def test_headers_count_the_parts_with_one_reference() -> None:
    sms = cut("a" * 400, reference=0x1FE)
    assert [part.udh.hex() for part in sms.segments] == ["050003fe0301", "050003fe0302", "050003fe0303"]
    assert [(part.number, part.total) for part in sms.segments] == [(1, 3), (2, 3), (3, 3)]


def test_the_link_opens_a_new_part_rather_than_be_split() -> None:
    text = "a" * 140
    assert texts(cut(text, LINK)) == [f"{text} ", LINK]


def test_a_link_that_fills_a_part_stays_whole() -> None:
    link = "https://mms.example/" + "x" * 133
    assert texts(cut("a" * 153, link)) == ["a" * 153, " ", link]


@pytest.mark.parametrize(("text", "units"), [("a", 154), ("ж", 68)])
def test_a_link_longer_than_a_part_is_an_error_value(text: str, units: int) -> None:
    result = segment(text * 160, "h" * units, reference=1)
    assert isinstance(result, NotSegmentable)
    assert f"the link has {units} characters" in result.reason


def test_a_link_alone_may_fill_a_whole_sms() -> None:
    assert texts(cut("", "h" * 160)) == ["h" * 160]


def test_too_many_parts_are_an_error_value() -> None:
    assert len(cut("a" * 459, most_parts=3).segments) == 3
    assert segment("a" * 460, reference=1, writing=Writing(most_parts=3)) == NotSegmentable(
        reason="the SMS has 460 characters, 3 parts are allowed"
    )
    wasteful = "a" * 152 + "€"  # with blank and link it has 2 × 153 septets, but nothing to split at the seam
    assert segment(wasteful, "h" * 151, reference=1, writing=Writing(most_parts=2)) == NotSegmentable(
        reason="the SMS has 3 parts, 2 are allowed"
    )


def test_the_cap_is_what_the_header_can_count() -> None:
    assert len(cut("a" * 153 * 255).segments) == 255
    assert isinstance(segment("a" * 153 * 256, reference=1, writing=Writing(most_parts=255)), NotSegmentable)


def test_an_accent_tower_longer_than_a_part_is_split_between_code_points() -> None:
    tower = "e" + "\u0301" * 99
    assert texts(cut(tower)) == ["e" + "\u0301" * 66, "\u0301" * 33]


def test_lone_surrogates_become_replacement_characters() -> None:
    assert texts(cut("a\ud83db")) == ["a\ufffdb"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("abc", ["a", "b", "c"]),
        ("e\u0301a", ["e\u0301", "a"]),
        (FAMILY + "x", [FAMILY, "x"]),
        ("❤\ufe0f!", ["❤\ufe0f", "!"]),
        ("🇫🇷🇩🇪🇫", ["🇫🇷", "🇩🇪", "🇫"]),
        ("👍🏽👍", ["👍🏽", "👍"]),
        ("🏴\U000e0067\U000e0062\U000e007f.", ["🏴\U000e0067\U000e0062\U000e007f", "."]),
        ("a\r\nb\nc", ["a", "\r\n", "b", "\n", "c"]),
        ("", []),
    ],
)
def test_clusters(text: str, expected: list[str]) -> None:
    assert list(clusters(text)) == expected


GSM = st.text(st.sampled_from("abc XYZ0189€{}[]~|^\\@£\n\rÄß"), max_size=700)
ANY = st.text(max_size=300)
EMOJI = st.text(st.sampled_from(["👍", "🏽", "\u200d", "👩", "e", "\u0301", "🇫", "🇷", "ж", "\ufe0f"]), max_size=300)
LINKS = st.one_of(st.just(""), st.just(LINK), st.text(st.sampled_from("hxyz0129_~"), min_size=1, max_size=60))


@given(st.one_of(GSM, ANY, EMOJI), LINKS, st.integers(0, 255))
@example("a" * 147, LINK, 0)
def test_parts_put_together_are_the_text_and_split_nothing(text: str, link: str, reference: int) -> None:
    sms = cut(text, link, reference=reference)
    parts = texts(sms)
    alphabet = sms.alphabet
    limit = alphabet.single if len(parts) == 1 else alphabet.part
    assert "".join(parts) == fallback_text(text, link)
    assert all(len(part.payload) <= limit * alphabet.unit for part in sms.segments)
    assert all(len(part.user_data) <= 160 for part in sms.segments)
    assert not link or parts[-1].endswith(link)
    assert all(part and not unicodedata.combining(part[0]) for part in parts[1:])
    assert "\ufffd" not in "".join(parts) or "\ufffd" in text
