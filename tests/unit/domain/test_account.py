"""Accounts: from where they may call, what blocks a number, how a switch is read, which limit a file has."""

from dataclasses import fields

import pytest

from mmsgate.domain.account import (
    MIB,
    STRICT_LIMITS,
    Account,
    Block,
    Compat,
    PostbackSettings,
    SourceLimits,
    Switches,
    hash_key,
)
from mmsgate.domain.media import MediaKind
from mmsgate.domain.request import WireDialect
from tests.unit.builders import an_account

# -- from where


@pytest.mark.parametrize("address", ["192.0.2.7", "2001:db8::1", "", "unknown"])
def test_without_a_list_calls_come_from_anywhere(address: str) -> None:
    assert an_account().admits(address)


@pytest.mark.parametrize(
    ("networks", "address", "admitted"),
    [
        (("192.0.2.0/24",), "192.0.2.255", True),
        (("192.0.2.0/24",), "192.0.3.0", False),
        (("192.0.2.7",), "192.0.2.7", True),
        (("192.0.2.7",), "192.0.2.8", False),
        (("192.0.2.7/24",), "192.0.2.200", True),
        (("198.51.100.0/24", "192.0.2.0/24"), "192.0.2.7", True),
        (("2001:db8::/32",), "2001:db8:ffff::1", True),
        (("2001:db8::/32",), "2001:db9::1", False),
        (("2001:db8::/32",), "192.0.2.7", False),
        (("192.0.2.0/24",), "2001:db8::1", False),
        (("192.0.2.0/24",), "::ffff:192.0.2.7", True),
        (("192.0.2.0/24",), "::ffff:192.0.3.7", False),
        (("0.0.0.0/0",), "203.0.113.9", True),
        (("0.0.0.0/0",), "2001:db8::1", False),
        (("192.0.2.0/24",), "", False),
        (("192.0.2.0/24",), "unknown", False),
        (("192.0.2.0/24",), "192.0.2.7:443", False),
    ],
)
def test_a_list_admits_its_networks_and_nothing_else(
    networks: tuple[str, ...], address: str, admitted: bool
) -> None:
    assert an_account(ip_allow=networks).admits(address) is admitted


@pytest.mark.parametrize("network", ["192.0.2.0/33", "here", "192.0.2"])
def test_an_account_with_what_is_no_network_cannot_be_made(network: str) -> None:
    with pytest.raises(ValueError, match=network):
        an_account(ip_allow=("192.0.2.0/24", network))


# -- block list


@pytest.mark.parametrize(
    ("pattern", "recipient", "blocked"),
    [
        ("12065550100", "12065550100", True),
        ("12065550100", "12065550101", False),
        ("12065550100", "120655501001", False),
        ("1900*", "19005550100", True),
        ("1900*", "1900", True),
        ("1900*", "11900", False),
        ("*0114", "12065550114", True),
        ("*0114", "12065550115", False),
        ("1*0114", "12065550114", True),
        ("*", "12065550100", True),
    ],
)
def test_an_entry_blocks_what_its_pattern_matches_as_a_whole(pattern: str, recipient: str, blocked: bool) -> None:
    assert Block(account_id=1, sender="", number=pattern).matches("28444", recipient) is blocked


@pytest.mark.parametrize(
    ("sender", "of_message", "blocked"), [("", "28444", True), ("28444", "28444", True), ("28444", "28445", False)]
)
def test_an_entry_blocks_for_its_sender_or_for_all(sender: str, of_message: str, blocked: bool) -> None:
    assert Block(account_id=1, sender=sender, number="1206*").matches(of_message, "12065550100") is blocked


@pytest.mark.parametrize(("number", "expected"), [("12065550100", False), ("1900*", True), ("*", True)])
def test_only_an_entry_with_an_asterisk_is_a_pattern(number: str, expected: bool) -> None:
    assert Block(account_id=1, sender="", number=number).is_pattern is expected


# -- switches


@pytest.mark.parametrize(
    ("compat", "switch", "better", "literal"),
    [
        (Compat.BETTER, None, True, False),
        (Compat.BETTER, True, True, True),
        (Compat.BETTER, False, False, False),
        (Compat.STRICT, None, False, True),
        (Compat.STRICT, True, True, True),
        (Compat.STRICT, False, False, False),
    ],
)
def test_a_switch_that_was_set_counts_and_any_other_is_as_compat_says(
    compat: Compat, switch: bool | None, better: bool, literal: bool
) -> None:
    switches = Switches(compat=compat)
    assert (switches.better(switch), switches.literal(switch)) == (better, literal)


@pytest.mark.parametrize("code", ["", "N102", "N202"])
def test_the_code_of_a_delivered_fallback_is_one_of_two_or_left_open(code: str) -> None:
    assert Switches(fallback_dlr_code=code).fallback_dlr_code == code


@pytest.mark.parametrize("code", ["n102", "N101", "E202", "yes"])
def test_any_other_code_of_a_delivered_fallback_is_refused_by_name(code: str) -> None:
    with pytest.raises(ValueError, match=code):
        Switches(fallback_dlr_code=code)


@pytest.mark.parametrize("dialect", [None, *WireDialect])
def test_postbacks_are_written_in_any_dialect(dialect: WireDialect | None) -> None:
    assert PostbackSettings(dialect=dialect).dialect is dialect


# -- limits

DISTINCT = SourceLimits(image=1, gif=2, audio=3, video=4, object=5, jpeg_pixels=6, pixels=7, frames=8)


@pytest.mark.parametrize(
    ("kind", "limit"),
    [
        (MediaKind.IMAGE, 1),
        (MediaKind.AUDIO, 3),
        (MediaKind.VIDEO, 4),
        (MediaKind.VCARD, 5),
        (MediaKind.ICAL, 5),
        (MediaKind.PDF, 5),
        (MediaKind.PASSBOOK, 5),
    ],
)
def test_each_kind_of_file_has_its_limit(kind: MediaKind, limit: int) -> None:
    assert DISTINCT.of(kind) == limit


def test_what_a_picture_may_unpack_to_comes_from_the_same_limits() -> None:
    pictures = DISTINCT.pictures
    assert (pictures.jpeg_pixels, pictures.pixels, pictures.frames) == (6, 7, 8)
    assert (pictures.pixels_of("image/jpeg"), pictures.pixels_of("image/gif")) == (6, 7)


def test_the_usual_limits_are_the_rulings() -> None:
    """R-30."""
    usual = SourceLimits()
    assert (usual.image, usual.audio, usual.video, usual.object) == (10 * MIB, 10 * MIB, 50 * MIB, 2 * MIB)
    assert (usual.jpeg_pixels, usual.pixels, usual.frames) == (50_000_000, 20_000_000, 300)


def test_the_strict_limits_are_the_original_services() -> None:
    sizes = {field.name: getattr(STRICT_LIMITS, field.name) // 1024 for field in fields(STRICT_LIMITS)}
    assert [sizes[name] for name in ("image", "gif", "audio", "video", "object")] == [
        3000,
        1024,
        10000,
        50000,
        2048,
    ]


# -- secrets


def test_a_key_is_kept_as_its_sha_256() -> None:
    assert hash_key("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_no_postback_secret_shows_in_a_repr() -> None:
    account = Account(id=1, name="test", postback=PostbackSettings(secrets=("whsec_AAAA",)))
    assert "whsec" not in repr(account)
