"""The alphabets of SMS (3GPP TS 23.038) and the header of its parts (23.040)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmsgate.domain.gsm import (
    Alphabet,
    Concatenation,
    alphabet_for,
    concatenation,
    decode,
    decode_gsm,
    encode_gsm,
    is_gsm,
    split_header,
)

EXTENSION = "\f^{}\\[~]|€"


@pytest.mark.parametrize(
    ("text", "septets"),
    [
        ("@", "00"),
        ("£$¥", "010203"),
        ("ÇØøÅå", "090b0c0e0f"),
        ("Δ_ΦΓΛΩΠΨΣΘΞ", "101112131415161718191a"),
        ("ÆæßÉ", "1c1d1e1f"),
        ("¤¡ÄÖÑÜ§", "24405b5c5d5e5f"),
        ("¿äöñüà", "607b7c7d7e7f"),
        ("aA0\r\n ", "6141300d0a20"),
        ("€", "1b65"),
        ("{}[]\\^~|\f", "1b281b291b3c1b3e1b2f1b141b3d1b401b0a"),
    ],
)
def test_characters_have_the_septets_of_23_038(text: str, septets: str) -> None:
    assert encode_gsm(text).hex() == septets
    assert decode_gsm(bytes.fromhex(septets)) == text


def test_the_default_alphabet_has_127_characters_and_the_extension_ten() -> None:
    known = [chr(code) for code in range(0x2100) if is_gsm(chr(code))]
    double = {char for char in known if len(encode_gsm(char)) == 2}
    assert double == set(EXTENSION)
    assert len(known) == 127 + len(double)


@pytest.mark.parametrize("text", ["ç", "`", "\x1b", "ő", "“", "👍", "\t"])
def test_other_characters_are_refused(text: str) -> None:
    assert not is_gsm(text)
    assert alphabet_for(f"ok {text}") is Alphabet.UCS2
    with pytest.raises(UnicodeEncodeError, match="GSM default alphabet"):
        encode_gsm(f"ok {text}")


def test_units_are_septets_or_code_units() -> None:
    assert Alphabet.GSM7.length("a€") == 3
    assert Alphabet.UCS2.length("ç👍") == 3


@pytest.mark.parametrize(
    ("septets", "text"),
    [
        (b"\x1b", " "),  # nothing follows the escape
        (b"a\x1b\x1bb", "a b"),  # the escape to a table that nobody has
        (b"\x1bA", "A"),  # not in the extension table
        (b"\xc1", "A"),  # the eighth bit
    ],
)
def test_a_receiver_shows_something_for_every_septet(septets: bytes, text: str) -> None:
    assert decode_gsm(septets) == text


@pytest.mark.parametrize(
    ("payload", "data_coding", "text"),
    [
        (b"\x00\x1be", 0x00, "@€"),
        (b"hi_", 0x01, "hi_"),
        (b"\xe9", 0x03, "é"),
        (b"\xe9", 0x04, "é"),
        (b"\x04\x16\xd8\x3d\xdc\x4d", 0x08, "Ж👍"),
        (b"\x04\x16", 0x18, "Ж"),  # UCS-2 with a message class
        (b"\x00", 0xF0, "@"),
        (b"\xe9", 0xF4, "é"),
        (b"\x04", 0x08, "\ufffd"),  # half a code unit
    ],
)
def test_every_data_coding_is_read(payload: bytes, data_coding: int, text: str) -> None:
    assert decode(payload, data_coding) == text


def test_the_header_is_taken_away_before_decoding() -> None:
    part = Concatenation(reference=7, total=3, number=2)
    assert part.header() == bytes.fromhex("050003070302")
    assert decode(part.header() + b"hej", 0, has_header=True) == "hej"


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("050003070302", Concatenation(reference=7, total=3, number=2)),
        ("06080401020302", Concatenation(reference=0x102, total=3, number=2)),
        ("0b05040b8423f0000307 0302", Concatenation(reference=7, total=3, number=2)),  # ports before it
        ("0605040b8423f0", None),  # ports alone
        ("050003070304", None),  # the fourth of three
        ("050003070300", None),  # parts are counted from one
        ("0500", None),
        ("", None),
    ],
)
def test_parts_are_recognised_by_their_header(header: str, expected: Concatenation | None) -> None:
    assert concatenation(bytes.fromhex(header)) == expected


@given(st.binary(max_size=160), st.integers(0, 255), st.booleans())
def test_no_payload_breaks_the_decoder(payload: bytes, data_coding: int, has_header: bool) -> None:
    decode(payload, data_coding, has_header=has_header)
    header, rest = split_header(payload)
    assert header + rest == payload
    concatenation(header)


@given(st.text(st.sampled_from([chr(c) for c in range(0x2100) if is_gsm(chr(c))])))
def test_gsm_text_comes_back(text: str) -> None:
    assert decode_gsm(encode_gsm(text)) == text
