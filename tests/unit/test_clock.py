"""Times for people and for the wire, and identifiers that grow or cannot be guessed."""

import itertools
import string
import time
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmsgate.clock import (
    DAY,
    ENTROPY_STOCK,
    HOUR,
    MINUTE,
    SECOND,
    Entropy,
    Ids,
    ManualClock,
    Millis,
    iso,
    iso_z,
    jittered,
    parse_iso,
    read_span,
    spoken,
    write_span,
)

EPOCH_2025 = 1_735_689_600_000
NINE_THIRTY = 1_767_346_247_000  # 2026-01-02T09:30:47Z


# -- lengths of time


@pytest.mark.parametrize(
    ("length", "words"),
    [
        (0, "0 s"),
        (900, "0.9 s"),
        (1 * SECOND, "1 s"),
        (2 * MINUTE - SECOND, "119 s"),
        (2 * MINUTE, "2 minutes"),
        (15 * MINUTE, "15 minutes"),
        (2 * HOUR - MINUTE, "119 minutes"),
        (2 * HOUR, "2 hours"),
        (36 * HOUR, "36 hours"),
        (2 * DAY - HOUR, "47 hours"),
        (3 * DAY, "3 days"),
        (365 * DAY, "365 days"),
        (90 * MINUTE + 30 * SECOND, "90.5 minutes"),
    ],
)
def test_a_length_of_time_is_spoken_in_the_unit_that_suits_it(length: Millis, words: str) -> None:
    assert spoken(length) == words


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("500 ms", 500), ("1.5 s", 1500), ("15 min", 15 * MINUTE), ("15min", 15 * MINUTE), ("1 hour", HOUR),
        ("36 Hours", 36 * HOUR), ("3 days", 3 * DAY), ("1 d", DAY), (" 2 m ", 2 * MINUTE), ("0 s", 0),
        ("", None), ("15", None), ("min", None), ("-1 s", None), ("1 fortnight", None), ("1 s 2 ms", None),
        ("1e3 s", None), ("١ s", None),
    ],
)  # fmt: skip
def test_a_length_of_time_is_read_with_its_unit(text: str, length: Millis | None) -> None:
    assert read_span(text) == length


@given(st.integers(0, 400 * DAY))
def test_a_written_length_of_time_is_read_as_exactly_that(length: Millis) -> None:
    assert read_span(write_span(length)) == length


@pytest.mark.parametrize(
    ("length", "text"),
    [(0, "0 s"), (1, "1 ms"), (1500, "1500 ms"), (90 * SECOND, "90 s"), (MINUTE, "1 min"), (DAY, "1 day"),
     (HOUR, "1 hour"), (3 * DAY, "3 days"), (36 * HOUR, "36 hours")],
)  # fmt: skip
def test_a_length_of_time_is_written_in_the_largest_whole_unit(length: Millis, text: str) -> None:
    assert write_span(length) == text


@pytest.mark.parametrize(("roll", "expected"), [(0.0, 800), (0.25, 900), (0.5, 1000), (1.0, 1200)])
def test_a_delay_is_spread_by_a_fifth_to_both_sides(roll: float, expected: Millis) -> None:
    assert jittered(1000, roll=lambda: roll) == expected


def test_the_spread_is_a_share_of_the_delay() -> None:
    assert jittered(HOUR, 0.5, roll=lambda: 0.0) == HOUR // 2
    assert jittered(0, roll=lambda: 1.0) == 0


def test_delays_that_nobody_rolls_differ() -> None:
    assert len({jittered(DAY) for _ in range(20)}) > 1


# -- instants


def test_the_apis_timestamp_has_an_offset_and_whole_seconds() -> None:
    assert iso(NINE_THIRTY + 999) == "2026-01-02T09:30:47+00:00"


def test_mm7s_timestamp_ends_in_z_and_has_whole_seconds() -> None:
    assert iso_z(NINE_THIRTY + 999) == "2026-01-02T09:30:47Z"


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-02T09:30:47+00:00",
        "2026-01-02T09:30:47Z",
        "2026-01-02T09:30:47",
        "2026-01-02 09:30:47",
        " 2026-01-02T09:30:47Z\n",
        "2026-01-02T04:30:47-05:00",
        "2026-01-03T00:00:47+14:30",
        "20260102T093047Z",
    ],
)
def test_every_spelling_of_an_instant_is_the_same_instant(text: str) -> None:
    assert parse_iso(text) == NINE_THIRTY


@pytest.fixture
def in_new_york(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine whose own zone is not UTC."""
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "America/New_York")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.usefixtures("in_new_york")
def test_the_zone_of_the_machine_does_not_matter() -> None:
    assert parse_iso("2026-01-02T09:30:47") == NINE_THIRTY
    assert iso(NINE_THIRTY) == "2026-01-02T09:30:47+00:00"
    assert iso_z(NINE_THIRTY) == "2026-01-02T09:30:47Z"


def test_a_fraction_of_a_second_is_kept_to_the_millisecond() -> None:
    assert parse_iso("2026-01-02T09:30:47.250Z") == NINE_THIRTY + 250


def test_a_date_alone_is_its_midnight_in_utc() -> None:
    assert parse_iso("2026-01-02") == NINE_THIRTY - 9 * HOUR - 30 * MINUTE - 47 * SECOND


@pytest.mark.parametrize(
    "text", ["", " ", "soon", "2026-02-30", "2026-13-01T00:00:00Z", "1767346247", "2026-01-02T25:00"]
)
def test_what_is_no_instant_is_none(text: str) -> None:
    assert parse_iso(text) is None


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_the_ends_of_the_calendar_can_be_read(text: str) -> None:
    assert isinstance(parse_iso(text), int)


@pytest.mark.parametrize("moment", [0, NINE_THIRTY, EPOCH_2025])
def test_what_is_written_can_be_read_back(moment: Millis) -> None:
    assert parse_iso(iso(moment)) == parse_iso(iso_z(moment)) == moment


# -- numbers


def drawn(ids: Ids, count: int) -> list[int]:
    return [ids.number() for _ in range(count)]


def grow(numbers: list[int]) -> bool:
    return all(before < after for before, after in itertools.pairwise(numbers))


def test_a_number_holds_the_time_the_node_and_a_sequence() -> None:
    number = Ids(ManualClock(NINE_THIRTY), node=5).number()
    assert (number >> 22, number >> 12 & 0x3FF, number & 0xFFF) == (NINE_THIRTY - EPOCH_2025, 5, 0)


def test_numbers_grow_while_the_clock_stands_still() -> None:
    assert grow(drawn(Ids(ManualClock()), 100))


def test_more_numbers_than_one_millisecond_holds_borrow_from_the_next() -> None:
    clock = ManualClock()
    ids = Ids(clock)
    numbers = drawn(ids, 4096 * 2 + 1)
    assert grow(numbers)
    assert numbers[-1] >> 22 == clock.now() - EPOCH_2025 + 2


def test_numbers_grow_when_the_clock_reaches_a_borrowed_millisecond() -> None:
    clock = ManualClock()
    ids = Ids(clock)
    numbers = drawn(ids, 4097)
    for _ in range(3):
        clock.advance(1)
        numbers += drawn(ids, 3)
    assert grow(numbers)
    assert numbers[-1] >> 22 == clock.now() - EPOCH_2025


def test_numbers_grow_when_the_clock_goes_back() -> None:
    clock = ManualClock()
    ids = Ids(clock)
    numbers = drawn(ids, 3)
    clock.advance(-HOUR)
    numbers += drawn(ids, 5000)
    clock.advance(2 * HOUR)
    assert grow([*numbers, ids.number()])


def test_the_sequence_begins_anew_with_each_millisecond() -> None:
    clock = ManualClock()
    ids = Ids(clock)
    drawn(ids, 3)
    clock.advance(1)
    assert ids.number() & 0xFFF == 0


def test_two_nodes_never_draw_the_same_number() -> None:
    clock = ManualClock()
    assert not set(drawn(Ids(clock, node=1), 5000)) & set(drawn(Ids(clock, node=2), 5000))


def test_a_node_beyond_ten_bits_does_not_reach_into_the_time() -> None:
    assert Ids(ManualClock(), node=1024).number() == Ids(ManualClock(), node=0).number()


@pytest.mark.parametrize("moment", [0, EPOCH_2025, NINE_THIRTY, EPOCH_2025 + 69 * 365 * DAY])
def test_a_number_is_positive_and_has_63_bits(moment: Millis) -> None:
    assert 0 < Ids(ManualClock(moment + 1)).number() < 1 << 63


# -- what cannot be guessed

URL_SAFE = set(string.ascii_letters + string.digits + "-_")
ALPHANUMERIC = set(string.ascii_letters + string.digits)


def test_a_tracking_id_is_128_bits_in_22_url_safe_characters() -> None:
    ids = Ids(ManualClock(), entropy=lambda count: bytes(range(256 - count, 256)))
    assert ids.tracking() == "8PHy8_T19vf4-fr7_P3-_w"


def test_tracking_ids_differ_and_need_no_padding() -> None:
    ids = Ids(ManualClock())
    drawn_ids = {ids.tracking() for _ in range(100)}
    assert len(drawn_ids) == 100
    assert all(len(each) == 22 and set(each) <= URL_SAFE for each in drawn_ids)


def test_a_token_is_22_letters_and_digits() -> None:
    ids = Ids(ManualClock())
    tokens = {ids.token() for _ in range(100)}
    assert len(tokens) == 100
    assert all(len(each) == 22 and set(each) <= ALPHANUMERIC for each in tokens)


@pytest.mark.parametrize("fill", [b"\x00", b"\xff"])
def test_a_token_has_its_full_length_whatever_is_drawn(fill: bytes) -> None:
    token = Ids(ManualClock(), entropy=lambda count: fill * count).token()
    assert (len(token), set(token) <= ALPHANUMERIC) == (22, True)


def test_tokens_use_at_least_128_random_bits() -> None:
    asked: list[int] = []

    def entropy(count: int) -> bytes:
        asked.append(count)
        return bytes(count)

    ids = Ids(ManualClock(), entropy=entropy)
    ids.token()
    ids.tracking()
    assert min(asked) >= 16


def test_entropy_gives_no_byte_twice_and_leaves_none_of_a_request_out() -> None:
    drawn = itertools.count()
    entropy = Entropy(source=lambda count: b"".join(next(drawn).to_bytes(2) for _ in range(count // 2)))
    given = [entropy(count) for count in (16, 18, ENTROPY_STOCK - 40, 8, 2 * ENTROPY_STOCK, 16)]
    assert [len(each) for each in given] == [16, 18, ENTROPY_STOCK - 40, 8, 2 * ENTROPY_STOCK, 16]
    words = [each[at : at + 2] for each in given for at in range(0, len(each), 2)]
    assert len(set(words)) == len(words)


@pytest.mark.parametrize("position", range(18))
def test_every_byte_of_entropy_changes_the_token(position: int) -> None:
    def flipped(count: int) -> bytes:
        return bytes(1 if index == position else 0 for index in range(count))

    assert Ids(ManualClock(), entropy=flipped).token() != Ids(ManualClock(), entropy=bytes).token()


def test_a_tracking_id_begins_with_no_dash() -> None:
    """A shell's commands would take it for an option."""
    drawn = iter([b"\xf8" + bytes(15), b"\xfb" + bytes(15), b"\x04" + bytes(15)])
    ids = Ids(ManualClock(), entropy=lambda _: next(drawn))
    assert ids.tracking() == "BA" + "A" * 20
