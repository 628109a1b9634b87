"""Links in texts, and how sizes and days are written."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmsgate.clock import parse_iso
from mmsgate.pages.text import day_label, pieces, size_label


def links(text: str) -> list[str]:
    return [piece.href for piece in pieces(text) if piece.href]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("see https://example.com/a?b=c&d=e#f now", ["https://example.com/a?b=c&d=e#f"]),
        ("http://example.com", ["http://example.com"]),
        ("HTTPS://EXAMPLE.COM/A", ["HTTPS://EXAMPLE.COM/A"]),
        (
            "http://192.0.2.1:8080/x and https://[2001:db8::1]/y",
            ["http://192.0.2.1:8080/x", "https://[2001:db8::1]/y"],
        ),
        ("https://bücher.example/straße", ["https://bücher.example/straße"]),
        ("Call tel:+1-555-0100.", ["tel:+1-555-0100"]),
        ("tel:(not a number", []),
        ("Really? https://example.com/x?!", ["https://example.com/x"]),
        ("(https://example.com/x)", ["https://example.com/x"]),
        ("https://example.com/a_(b)", ["https://example.com/a_(b)"]),
        ("(see https://example.com/a_(b)).", ["https://example.com/a_(b)"]),
        ("https://a.example,https://b.example", ["https://a.example,https://b.example"]),
        ("https://a.example\nhttps://b.example", ["https://a.example", "https://b.example"]),
        ("javascript:alert(1) data:text/html,x file:///etc/passwd ftp://a.example", []),
        ("xhttps://example.com", []),
        ("https:// and http://. and https://?", []),
        ('https://example.com/"onmouseover=alert(1)', ["https://example.com/"]),
        ("https://example.com/<script>", ["https://example.com/"]),
        ("https://example.com/\u202egpj.exe", ["https://example.com/"]),
        ("https://example.com/\u200bx", ["https://example.com/"]),
        ("nothing here", []),
        ("", []),
    ],
)
def test_links_are_http_https_and_tel_and_end_where_a_person_would_end_them(text: str, found: list[str]) -> None:
    assert links(text) == found


@given(st.text(alphabet=st.sampled_from("htps:/el.+19 a()[],!?\n\"<&'"), max_size=200))
def test_pieces_joined_are_the_text(text: str) -> None:
    assert "".join(piece.text for piece in pieces(text)) == text


@given(st.text(max_size=100))
def test_a_link_is_nothing_but_its_own_text_under_a_safe_scheme(text: str) -> None:
    for piece in pieces(f"https://example.com/{text} tel:+15550100{text}"):
        assert piece.href in {"", piece.text}
        assert not piece.href or piece.href.startswith(("https://", "http://", "tel:"))


@pytest.mark.parametrize(
    "text", ["https://" * 625, "tel:" * 1250, "https://a" + "(" * 4990, "https://a" + ")" * 4990, "." * 5000]
)
def test_a_hostile_text_costs_no_more_than_a_long_one(text: str) -> None:
    started = time.process_time()
    pieces(text)
    assert time.process_time() - started < 0.5  # a quadratic search would take seconds


@pytest.mark.parametrize(
    ("size", "label"),
    [
        (0, "0 bytes"), (1, "1 byte"), (999, "999 bytes"), (1000, "1 KB"), (213_600, "214 KB"), (999_499, "999 KB"),
        (999_500, "1.0 MB"), (1_250_000, "1.2 MB"), (50_000_000, "50.0 MB"),
    ],
)  # fmt: skip
def test_sizes_are_decimal(size: int, label: str) -> None:
    assert size_label(size) == label


def test_days_are_those_of_utc() -> None:
    moment = parse_iso("2027-01-02T23:59:59Z")
    assert moment is not None
    assert day_label(moment) == "2 January 2027"
    assert day_label(moment + 1000) == "3 January 2027"
