"""The multipart codec: what goes in comes out, and what is broken is refused."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmsgate.mm7.multipart import (
    MAX_HEADER_BLOCK,
    MAX_LOOK_ALIKES,
    MAX_PARTS,
    ContentType,
    Part,
    build,
    draw_boundaries,
    leaves,
    parse,
    parse_content_type,
)
from mmsgate.mm7.unreadable import CannotRead

TOKEN = "Zq9"
LOOK_ALIKES = (b"\r", b"\n", b"\0", b"\r\n", b"--", b"--inner", b"--innerZq", b"\r\n--", b"\r\n--innerZq\r\n", b"x")


def related(boundary: str) -> ContentType:
    return ContentType(mime="multipart/related", parameters={"boundary": boundary})


def body_of(*parts: Part, boundary: str = "b") -> bytes:
    return b"".join(build(parts, boundary))


bodies = st.binary(max_size=60) | st.lists(st.sampled_from(LOOK_ALIKES), max_size=8).map(b"".join)
header_names = st.text(string.ascii_letters + string.digits + "-", min_size=1, max_size=20)
header_values = st.text(string.ascii_letters + string.digits + ';="<>@._-/ü', min_size=1, max_size=30)
parts = st.builds(
    lambda headers, body: Part(headers=tuple(headers), body=body),
    st.lists(st.tuples(header_names, header_values), max_size=4),
    bodies,
)


@given(st.lists(parts, max_size=6))
def test_parsing_what_was_built_gives_the_same_parts(made: list[Part]) -> None:
    tokens = iter((TOKEN, "Zq9Zq9", *(f"other{n}" for n in range(6))))
    boundary = draw_boundaries(lambda _: (part.body for part in made), lambda: next(tokens)).inner
    assert parse(related(boundary), body_of(*made, boundary=boundary)) == tuple(made)


@given(
    st.binary(max_size=200)
    | st.lists(st.sampled_from((*LOOK_ALIKES, b"\r\n--b\r\n", b"--b--")), max_size=12).map(b"".join)
)
def test_any_bytes_are_parsed_or_refused(data: bytes) -> None:
    try:
        found = parse(related("b"), data)
    except CannotRead:
        return
    assert all(part.body in data for part in found)


def test_a_body_is_passed_on_as_the_same_object() -> None:
    media = bytes(300_000)
    assert any(buffer is media for buffer in build((Part(body=media),), "b"))


def test_a_boundary_that_occurs_in_a_part_is_drawn_again() -> None:
    tokens = iter(("aaa", "bbb"))
    boundaries = draw_boundaries(lambda _: (b"...inneraaa...",), lambda: next(tokens))
    assert (boundaries.inner, boundaries.outer) == ("innerbbb", "outerbbb")


def test_randomness_that_always_hits_is_reported() -> None:
    with pytest.raises(ValueError, match="every boundary"):
        draw_boundaries(lambda _: (b"--outera",), lambda: "a")


@pytest.mark.parametrize("token", ["", "a-b", "a b", "a" * 36, "é"])
def test_a_boundary_is_letters_and_digits_and_at_most_40(token: str) -> None:
    with pytest.raises(ValueError, match="can't be made"):
        draw_boundaries(lambda _: (), lambda: token)


def test_a_header_with_a_line_end_is_not_written() -> None:
    with pytest.raises(ValueError, match="line end"):
        build((Part(headers=(("Content-ID", "<x>\r\nEvil: 1"),)),), "b")


def test_line_feeds_alone_a_preamble_and_blanks_after_the_boundary_are_read() -> None:
    data = b"hello\n--b \t\nA: 1\n\none\n--b\n\ntwo\n--b-- \nbye"
    assert parse(related("b"), data) == (Part(headers=(("A", "1"),), body=b"one"), Part(body=b"two"))


def test_a_longer_boundary_with_the_same_start_is_no_delimiter() -> None:
    data = b"--b\r\n\r\n--b2\r\nx\r\n--b2--\r\n--b--"
    assert parse(related("b"), data)[0].body == b"--b2\r\nx\r\n--b2--"


def test_folded_headers_are_joined_and_found_in_any_case() -> None:
    (part,) = parse(related("b"), b"--b\r\ncontent-TYPE: a/b;\r\n\tname=x.txt\r\nnonsense\r\n\r\n\r\n--b--")
    assert part.content_type == ContentType(mime="a/b", parameters={"name": "x.txt"})


def test_a_header_that_is_not_utf_8_is_still_read() -> None:
    (part,) = parse(related("b"), b"--b\r\nContent-ID: <\xfc>\r\n\r\n\r\n--b--")
    assert part.header("Content-ID") == "<ü>"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "does not occur"),
        (b"no delimiter at all", "does not occur"),
        (b"--b\r\nA: 1\r\n\r\nhalf a part", "no end"),
        (b"--b\r\nA: 1\r\n\r\nx\r\n--b\r\nB: 2", "no end"),
        (b"--b\r\nA: 1\r\n--b--", "end of its headers"),
        (b"--b\r\nA: " + b"x" * MAX_HEADER_BLOCK + b"\r\n\r\n\r\n--b--", "end of its headers"),
        (body_of(*[Part()] * (MAX_PARTS + 200)), "more than 100 parts"),
        (b"\n--bx" * (MAX_LOOK_ALIKES + 1), "only look like"),
        (b"--b" * 10_000, "does not occur"),
    ],
)
def test_broken_multiparts_are_refused(data: bytes, reason: str) -> None:
    with pytest.raises(CannotRead, match=reason):
        parse(related("b"), data)


@pytest.mark.parametrize("boundary", ["", "   ", "x" * 300])
def test_a_missing_or_endless_boundary_is_refused(boundary: str) -> None:
    with pytest.raises(CannotRead, match="no usable boundary"):
        parse(related(boundary), b"--x--")


def test_a_boundary_of_characters_that_no_one_can_send_is_refused() -> None:
    with pytest.raises(CannotRead, match="does not occur"):
        parse(related("\ud800"), b"--x--")


def nested(depth: int, leaf: bytes = b"leaf") -> Part:
    part = Part(body=leaf)
    for level in range(depth):
        headers = (("Content-Type", f"multipart/mixed; boundary=n{level}"),)
        part = Part(headers=headers, body=body_of(part, part, boundary=f"n{level}"))
    return part


def test_nested_multiparts_are_flattened() -> None:
    assert [leaf.body for leaf in leaves(nested(2))] == [b"leaf"] * 4


def test_multiparts_nested_too_deep_are_refused() -> None:
    with pytest.raises(CannotRead, match="nested deeper"):
        leaves(nested(3))


def test_many_parts_over_several_levels_are_refused() -> None:
    inner = Part(
        headers=(("Content-Type", "multipart/mixed; boundary=i"),), body=body_of(*[Part()] * 60, boundary="i")
    )
    outer = Part(
        headers=(("Content-Type", "multipart/mixed; boundary=o"),), body=body_of(inner, inner, boundary="o")
    )
    with pytest.raises(CannotRead, match="more than 100 parts"):
        leaves(outer)


@pytest.mark.parametrize(
    ("value", "mime", "parameters"),
    [
        (
            'Multipart/Related; Boundary="a;b\\"c"; type=text/xml',
            "multipart/related",
            {"boundary": 'a;b"c', "type": "text/xml"},
        ),
        ("text/xml;charset=utf-8;charset=other", "text/xml", {"charset": "utf-8"}),
        ('text/xml; name="half', "text/xml", {"name": '"half'}),
        ("", "", {}),
        (";;; = ;", "", {}),
    ],
)
def test_content_types_are_read_leniently(value: str, mime: str, parameters: dict[str, str]) -> None:
    assert parse_content_type(value) == ContentType(mime=mime, parameters=parameters)
