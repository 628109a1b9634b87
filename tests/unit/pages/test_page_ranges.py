"""Which bytes a Range header asks for (RFC 9110 14.1.2, 14.2)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmsgate.pages.ranges import span


@pytest.mark.parametrize(
    ("header", "start", "end"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=0-1", 0, 2),
        ("bytes=10-", 10, 100),
        ("bytes=10-19", 10, 20),
        ("bytes=10-1000", 10, 100),
        ("bytes=-1", 99, 100),
        ("bytes=-1000", 0, 100),
        ("BYTES= 5-6 ", 5, 7),
    ],
)
def test_one_range(header: str, start: int, end: int) -> None:
    wanted = span(header, 100)
    assert wanted is not None
    assert (wanted.start, wanted.end, wanted.empty) == (start, end, False)


@pytest.mark.parametrize("header", ["bytes=100-", "bytes=100-200", "bytes=-0", "bytes=999999999999999999-"])
def test_a_range_without_a_byte_of_the_file_is_not_satisfiable(header: str) -> None:
    wanted = span(header, 100)
    assert wanted is not None
    assert wanted.empty


@pytest.mark.parametrize(
    "header",
    [
        None, "", "bytes", "bytes=", "bytes=-", "bytes=a-b", "bytes=5-4", "bytes=0-1,5-6", "bytes=0-,0-,0-",
        "items=0-1", "bytes=+1-2", "bytes=1_0-20", "bytes=٣-٤", "bytes=" + "9" * 5000 + "-", "bytes=0x1-0x2",
        "bytes=0-1\n",
    ],
)  # fmt: skip
def test_what_cannot_be_read_and_several_ranges_are_the_whole_file(header: str | None) -> None:
    assert span(header, 100) is None


@given(st.from_regex(r"bytes=[0-9]{0,6}-[0-9]{0,6}", fullmatch=True), st.integers(min_value=0, max_value=100_000))
def test_a_span_is_always_inside_the_file(header: str, size: int) -> None:
    wanted = span(header, size)
    assert wanted is None or wanted.empty or 0 <= wanted.start < wanted.end <= size
