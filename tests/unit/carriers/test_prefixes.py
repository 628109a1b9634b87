"""The CSV of prefixes."""

import pytest

from mmsgate.carriers.prefixes import read_prefixes
from mmsgate.domain.operators import BUILT_IN, Operator, Operators


def read(text: str) -> dict[str, str]:
    return dict(read_prefixes(text.splitlines(keepends=True), BUILT_IN))


def test_lines_with_and_without_a_comment_a_header_and_every_spelling() -> None:
    text = 'Prefix, Operator-Id ,comment\n# ours\n\n1206,31002,"Seattle, WA"\n +1207 , 0001890 \n1208,1570\n'
    assert read(text) == {"1206": "31002", "1207": "31003", "1208": "31004"}


def test_without_a_header_the_first_line_counts() -> None:
    assert read("1206,31002\r\n1207,31003\r\n") == {"1206": "31002", "1207": "31003"}


@pytest.mark.parametrize("text", ["", "prefix,operator-id\n", "\n\n# nothing\n"])
def test_a_file_without_prefixes_has_none(text: str) -> None:
    assert read(text) == {}


def test_a_prefix_may_stand_twice_for_one_operator() -> None:
    assert read("1206,31002\n1206,0001470\n") == {"1206": "31002"}


def test_operators_that_were_added_count() -> None:
    table = Operators([Operator(id="23415", name="Vodafone", country="GB")])
    assert read_prefixes(["447,23415\n"], table) == {"447": "23415"}


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("1206,31002\n1207,31003\n1206,31004\n", "line 3: 1206 is 31004's here and 31002's in line 1"),
        (
            "prefix,operator-id\n1206,99999\n",
            "line 2: there is no operator '99999'; mmsgate operator list shows them",
        ),
        ("1206,\n", "line 1: there is no operator ''"),
        ("12O6,31002\n", "line 1: '12O6' is no prefix: it has 1 to 15 digits"),
        (",31002\n", "line 1: '' is no prefix"),
        ("1234567890123456,31002\n", "line 1: '1234567890123456' is no prefix"),
        ("١٢,31002\n", "is no prefix"),
        ("001206,31002\n", "line 1: 001206 is no prefix of an international number: none begins with 0"),
        ("1206;31002\n", "line 1: it has 1 cells, and needs prefix,operator-id or prefix,operator-id,comment"),
        ("1206,31002,Seattle,WA\n", "line 1: it has 4 cells"),
        ('1206,31002,"a\nb"\n1207,x\n', "line 3: there is no operator 'x'"),
        ('"' + "x" * 200_000, "it is no CSV: field larger than field limit"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(text: str, complaint: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011  the text is checked below
        read(text)
    assert str(caught.value).startswith(complaint) or complaint in str(caught.value)


def test_of_many_wrong_lines_ten_are_told() -> None:
    with pytest.raises(ValueError, match="line 10: there is no operator") as caught:
        read("1206,x\n" * 1000)
    assert str(caught.value).count("\n") == 9


def test_a_hundred_thousand_prefixes_are_read() -> None:
    lines = [f"{number},{31002 + number % 4}\n" for number in range(1_000_000, 1_100_000)]
    assert len(read_prefixes(lines, BUILT_IN)) == 100_000
