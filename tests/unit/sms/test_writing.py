"""A text as each kind of SMSC wants it, octet for octet."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmsgate.domain.gsm import Alphabet, Concatenation, decode
from mmsgate.sms.plain import plain
from mmsgate.sms.segments import NotSegmentable, Segment, Segmented, segment
from mmsgate.sms.writing import LongSms, Writing

GSM7, ASCII, LATIN1, UCS2 = Alphabet.GSM7, Alphabet.ASCII, Alphabet.LATIN1, Alphabet.UCS2


def written(text: str, **writing: object) -> tuple[Segment, ...]:
    sms = segment(text, reference=7, writing=Writing(**writing))  # type: ignore[arg-type]  # names are Writing's
    assert isinstance(sms, Segmented)
    return sms.segments


# -- the alphabet


@pytest.mark.parametrize(
    ("writing", "text", "data_coding", "octets"),
    [
        ({}, "Hi_é@€", 0, "48691105001b65"),  # the default alphabet and its extension
        ({}, "Hi ç", 8, "00480069002000e7"),
        ({"data_coding": 0xF1}, "Hi_", 0xF1, "486911"),  # class 1, default alphabet
        ({"alphabet": LATIN1}, "Hi_é@ç", 3, "48695fe940e7"),
        ({"alphabet": LATIN1, "data_coding": 0}, "Hi_é@ç", 0, "48695fe940e7"),
        ({"alphabet": LATIN1, "data_coding": 0}, "€", 8, "20ac"),
        ({"alphabet": ASCII}, "Hi_{@`", 1, "48695f7b4060"),
        ({"alphabet": ASCII, "data_coding": 0}, "Hi_{@", 0, "48695f7b40"),
        ({"alphabet": ASCII}, "é", 8, "00e9"),
        ({"alphabet": UCS2}, "Hi", 8, "00480069"),
        ({"alphabet": UCS2, "data_coding": 24}, "👍", 24, "d83ddc4d"),
    ],
)
def test_a_text_is_written_in_the_alphabet_of_the_smsc(
    writing: dict[str, object], text: str, data_coding: int, octets: str
) -> None:
    (part,) = written(text, **writing)
    assert (part.data_coding, part.user_data.hex()) == (data_coding, octets)


@pytest.mark.parametrize(
    ("alphabet", "text", "parts"),
    [
        (GSM7, "a" * 160, [160]),
        (LATIN1, "é" * 140, [140]),
        (LATIN1, "é" * 141, [134, 7]),
        (ASCII, "a" * 160, [160]),
        (ASCII, "a" * 161, [153, 8]),
        (ASCII, "{" * 80, [80]),  # two septets each on the air
        (ASCII, "{" * 81, [76, 5]),
        (UCS2, "a" * 71, [134, 8]),
    ],
)
def test_parts_have_the_room_of_their_alphabet(alphabet: Alphabet, text: str, parts: list[int]) -> None:
    assert [len(part.payload) for part in written(text, alphabet=alphabet)] == parts


@pytest.mark.parametrize(
    ("alphabet", "text", "octets"),
    [
        (GSM7, "“Très” – çool… 👍🏽", '"Tr\x04s" - cool... ??'),
        (GSM7, "Œuvre ŁÓDŹ €5", "OEuvre LODZ \x1be5"),
        (ASCII, "Très ç £5 €6", "Tres c GBP5 EUR6"),
        (ASCII, "zero\u200dwidth e\u0301", "zerowidth e"),
        (LATIN1, "é ő ’", "\xe9 o '"),
        (ASCII, "Ж", "?"),
    ],
)
def test_an_smsc_without_unicode_gets_what_looks_alike(alphabet: Alphabet, text: str, octets: str) -> None:
    (part,) = written(text, alphabet=alphabet, unicode=False)
    assert part.data_coding == alphabet.data_coding
    assert part.payload == octets.encode("latin-1")


@given(st.text(max_size=80), st.sampled_from([GSM7, ASCII, LATIN1]))
def test_what_looks_alike_is_in_the_alphabet(text: str, alphabet: Alphabet) -> None:
    assert alphabet.has(plain(text, alphabet))
    assert not alphabet.has(text) or plain(text, alphabet) == text


@given(st.text(max_size=200), st.sampled_from(list(Alphabet)), st.sampled_from([-1, 0]))
def test_what_an_smsc_is_sent_it_reads_as_it_was(text: str, alphabet: Alphabet, data_coding: int) -> None:
    writing = Writing(alphabet=alphabet, data_coding=data_coding)
    sms = segment(text, reference=7, writing=writing)
    assert isinstance(sms, Segmented)
    read = [
        decode(part.user_data, part.data_coding, has_header=bool(part.udh), default=writing.default)
        for part in sms.segments
    ]
    assert "".join(read) == text.encode("utf-16", "replace").decode("utf-16")
    limit = sms.alphabet.single if len(read) == 1 else sms.alphabet.part
    assert all(sms.alphabet.length(part) <= limit for part in read)


def test_octets_that_mean_nothing_in_an_alphabet_are_replaced() -> None:
    assert [alphabet.decode(b"a\xff\xd8") for alphabet in (ASCII, LATIN1, UCS2)] == ["a��", "aÿØ", "懿�"]


# -- long ones


def test_long_parts_carry_a_user_data_header() -> None:
    parts = written("a" * 161)
    assert [part.user_data[:7].hex() for part in parts] == ["05000307020161", "05000307020261"]
    assert all(part.sar is None and not part.in_payload for part in parts)


def test_long_parts_carry_sar_parameters_instead_where_the_smsc_wants_them() -> None:
    parts = written("a" * 161, long=LongSms.SAR)
    assert [part.user_data for part in parts] == [b"a" * 153, b"a" * 8]
    assert [part.sar for part in parts] == [Concatenation(reference=7, total=2, number=number) for number in (1, 2)]


def test_a_long_text_goes_whole_where_the_smsc_cuts_it() -> None:
    (part,) = written("a" * 161, long=LongSms.PAYLOAD)
    assert (part.user_data, part.in_payload, part.number, part.total) == (b"a" * 161, True, 1, 1)


def test_a_text_that_the_smsc_would_cut_into_too_many_parts_is_not_sent() -> None:
    writing = Writing(long=LongSms.PAYLOAD, most_parts=2)
    assert segment("a" * 307, reference=7, writing=writing) == NotSegmentable(
        reason="the SMS has 307 characters, 2 parts are allowed"
    )


@pytest.mark.parametrize("long", list(LongSms))
def test_a_short_text_is_the_same_for_every_smsc(long: LongSms) -> None:
    (part,) = written("a" * 160, long=long)
    assert (part.user_data, part.sar, part.in_payload) == (b"a" * 160, None, False)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [({"data_coding": 256}, "data_coding is one octet"), ({"most_parts": 0}, "most_parts is 1 to 255")],
)
def test_what_no_smsc_can_mean_is_refused(wrong: dict[str, int], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Writing(**wrong)  # type: ignore[arg-type]  # the names are Writing's
