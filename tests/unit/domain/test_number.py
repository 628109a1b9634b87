"""Telephone numbers: how they are read, and how a log shows them (R-17, design promise 8)."""

import pytest

from mmsgate.domain.number import mask, mask_numbers, normalise, parse_msisdn, undecorated


@pytest.mark.parametrize(
    "written", ["12065550100", "+12065550100", "1 206 555 0100", "+1 (206) 555-0100", "1.206.555.0100"]
)
def test_decoration_is_taken_away_unless_strict(written: str) -> None:
    assert parse_msisdn(written) == undecorated(written) == "12065550100"
    assert parse_msisdn(written, strict=True) == ("12065550100" if written.isdigit() else None)


@pytest.mark.parametrize(
    "written",
    [
        "12065550100,12065550101",
        "12065550100 12065550101",
        "12065550100;12065550101",
        "0012065550100",
        "1206555",
        "x",
    ],
)
@pytest.mark.parametrize("strict", [False, True])
def test_lists_prefixes_and_other_lengths_are_no_number(written: str, strict: bool) -> None:
    assert parse_msisdn(written, strict=strict) is None


def test_numbers_as_carriers_write_them() -> None:
    assert normalise(" +12065550100/TYPE=PLMN ") == "12065550100"
    assert normalise("bob@example.com") == "bob@example.com"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("to +12065550100.", "to +12•••••0100."),
        ("12065550100/TYPE=PLMN and 4915123456789", "12•••••0100/TYPE=PLMN and 49•••••••6789"),
        ("id 1234567", "id 12•4567"),
        ("from 28444: 361,204 bytes, code 2004, 123456", "from 28444: 361,204 bytes, code 2004, 123456"),
        ("", ""),
    ],
)
def test_a_text_for_the_log_shows_no_number(text: str, shown: str) -> None:
    assert mask_numbers(text) == shown


def test_a_short_code_is_public() -> None:
    assert (mask("28444"), mask("12065550100")) == ("28444", "12•••••0100")
