"""Whom a message is for and from: each check, its code, and the order of the checks (contract 6.1)."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from mmsgate.accept.addressing import (
    Address,
    BlockReason,
    Wanted,
    check_address,
    check_campaign,
    check_mask,
    check_not_blocked,
    check_operator,
    check_recipient,
    check_sender,
    check_service,
    local_sender,
)
from mmsgate.domain.account import Account, Compat, Sender, Switches
from mmsgate.domain.number import SenderType
from mmsgate.domain.operators import BUILT_IN
from mmsgate.domain.request import WireDialect
from mmsgate.errors import Refusal
from tests.unit.builders import an_account

KEBAB, SKYCORE = WireDialect.KEBAB, WireDialect.SKYCORE
STRICT = Compat.STRICT


def with_switches(**switches: Any) -> Account:
    return an_account(switches=Switches(**switches))


async def nobody_blocked(_account_id: int, _sender: str, _recipient: str) -> str | None:
    return None


def blocked_if(is_blocked: Callable[[str, str], bool]) -> BlockReason:
    """Blocks those pairs of sender and recipient."""

    async def reason(_account_id: int, sender: str, recipient: str) -> str | None:
        return "stop" if is_blocked(sender, recipient) else None

    return reason


# -- recipient


@pytest.mark.parametrize("to", ["12065550100", "12399471613", "4915123456789", "12345678", "123456789012345"])
@pytest.mark.parametrize("compat", Compat)
def test_digits_of_an_international_number_are_a_recipient(to: str, compat: Compat) -> None:
    assert check_recipient(to, with_switches(compat=compat)) == to


@pytest.mark.parametrize("to", ["+12065550100", "1 206 555 0100", "1-206-555-0100", "+1 (206) 555.0100"])
def test_a_decorated_number_is_normalised_unless_the_account_is_strict(to: str) -> None:
    assert check_recipient(to, an_account()) == "12065550100"
    with pytest.raises(Refusal, match="E110"):
        check_recipient(to, with_switches(compat=STRICT))


def test_the_switch_for_numbers_comes_before_strict_and_better() -> None:
    assert check_recipient("+12065550100", with_switches(compat=STRICT, normalise_numbers=True)) == "12065550100"
    with pytest.raises(Refusal, match="E110"):
        check_recipient("+12065550100", with_switches(normalise_numbers=False))


@pytest.mark.parametrize("to", [None, ""])
def test_without_a_recipient_it_is_e201(to: str | None) -> None:
    with pytest.raises(Refusal, match="E201"):
        check_recipient(to, an_account())


@pytest.mark.parametrize(
    "to",
    [
        "1234567",
        "1234567890123456",
        "0012065550100",
        "012065550100",
        "12065550100,12065550101",
        "12065550100;12065550101",
        "++12065550100",
        "tel:12065550100",
        "a@example.com",
        "١٢٠٦٥٥٥٠١٠٠",
        "+",
        "-",
    ],
)
def test_what_is_no_single_international_number_is_e110(to: str) -> None:
    with pytest.raises(Refusal, match="E110"):
        check_recipient(to, an_account())


# -- block list


async def test_a_blocked_recipient_is_e114_with_the_reason() -> None:
    asked: list[tuple[int, str, str]] = []

    async def blocked(account_id: int, sender: str, recipient: str) -> str:
        asked.append((account_id, sender, recipient))
        return "said STOP"

    with pytest.raises(Refusal, match="E114") as caught:
        await check_not_blocked("12065550100", "28444", an_account(), blocked)
    assert caught.value.detail == "the recipient is blocked: said STOP"
    assert asked == [(1, "28444", "12065550100")]


async def test_who_is_not_blocked_passes() -> None:
    await check_not_blocked("12065550100", "28444", an_account(), nobody_blocked)


# -- sender


LONG_CODE = {"12065550100": Sender(number="12065550100", type=SenderType.LONG_CODE)}


def test_a_provisioned_number_may_send() -> None:
    assert check_sender("28444", an_account()).number == "28444"
    assert check_sender("28444", with_switches(compat=STRICT)).number == "28444"


@pytest.mark.parametrize("number", ["+12065550100", "1-206-555-0100", "+1 (206) 555.0100"])
def test_a_decorated_sender_is_normalised_unless_the_account_is_strict(number: str) -> None:
    """R-17 speaks of numbers, not of recipients alone."""
    assert check_sender(number, an_account(senders=LONG_CODE)).number == "12065550100"
    with pytest.raises(Refusal, match="E111"):
        check_sender(number, replace(with_switches(compat=STRICT), senders=LONG_CODE))


@pytest.mark.parametrize("number", ["+28444", "28-444"])
def test_a_decorated_short_code_is_normalised_too(number: str) -> None:
    assert check_sender(number, an_account()).number == "28444"
    with pytest.raises(Refusal, match="E111"):
        check_sender(number, with_switches(compat=STRICT))


@pytest.mark.parametrize("number", [None, "", "+", "28445", "2844", "284440", "++28444"])
def test_any_other_sender_is_e111(number: str | None) -> None:
    with pytest.raises(Refusal, match="E111"):
        check_sender(number, an_account())


# -- mask

ABROAD, USA = "4915123456789", "12065550100"


@pytest.mark.parametrize("mask", ["A", "ACME", "ACME-4_you", "12345678a90", "-", "_"])
def test_a_mask_of_letters_and_digits_is_used_abroad(mask: str) -> None:
    assert check_mask(mask, ABROAD) == mask


@pytest.mark.parametrize("mask", [None, ""])
def test_no_mask_is_no_mask(mask: str | None) -> None:
    assert check_mask(mask, ABROAD) == ""


def test_a_mask_is_ignored_where_it_is_not_possible() -> None:
    assert check_mask("ACME", USA) == ""


@pytest.mark.parametrize("mask", ["12345", "123456789012", "TWELVECHARS_", "A CME", "ACMÉ", "A.B", "A\n", "Ａ"])
@pytest.mark.parametrize("recipient", [ABROAD, USA])
def test_a_mask_that_cannot_be_used_is_e115_wherever_it_goes(mask: str, recipient: str) -> None:
    with pytest.raises(Refusal, match="E115"):
        check_mask(mask, recipient)


# -- service

SENDER = Sender(number="28444", type=SenderType.SHORT_CODE, services=("32113", "28444mms"))


@pytest.mark.parametrize("dialect", [KEBAB, SKYCORE])
@pytest.mark.parametrize("service_id", ["32113", "28444mms"])
def test_a_service_of_the_sender_may_be_used(service_id: str, dialect: WireDialect) -> None:
    assert check_service(service_id, SENDER, an_account(), dialect) == service_id


@pytest.mark.parametrize("dialect", [KEBAB, SKYCORE])
@pytest.mark.parametrize("service_id", ["32114", "32113 ", "MMS"])
def test_a_service_of_nobody_is_e627(service_id: str, dialect: WireDialect) -> None:
    with pytest.raises(Refusal, match="E627") as caught:
        check_service(service_id, SENDER, with_switches(require_service_id=False), dialect)
    assert service_id in caught.value.detail


def test_the_detail_does_not_repeat_a_service_id_of_any_length() -> None:
    with pytest.raises(Refusal) as caught:
        check_service("x" * 10_000, SENDER, an_account(), KEBAB)
    assert len(caught.value.detail) < 120


@pytest.mark.parametrize("service_id", [None, ""])
@pytest.mark.parametrize(
    ("dialect", "switch", "demanded"),
    [
        (KEBAB, None, True),
        (SKYCORE, None, False),
        (KEBAB, False, False),
        (KEBAB, True, True),
        (SKYCORE, False, False),
    ],
)
def test_a_missing_service_is_e627_where_it_is_demanded(
    dialect: WireDialect, switch: bool | None, demanded: bool, service_id: str | None
) -> None:
    account = with_switches(require_service_id=switch)
    if demanded:
        with pytest.raises(Refusal, match="E627"):
            check_service(service_id, SENDER, account, dialect)
    else:
        assert check_service(service_id, SENDER, account, dialect) == ""


# -- operator


@pytest.mark.parametrize("operator_id", ["31003", "0001890", "000189", "1890", "310012"])
def test_every_number_of_an_operator_means_the_same_one(operator_id: str) -> None:
    assert check_operator(operator_id, an_account(), BUILT_IN) == "31003"


@pytest.mark.parametrize("operator_id", [None, ""])
def test_a_request_that_names_no_operator_leaves_it_to_be_found(operator_id: str | None) -> None:
    assert check_operator(operator_id, an_account(operator="31002"), BUILT_IN) == ""


@pytest.mark.parametrize("operator_id", [None, ""])
def test_a_missing_operator_is_e650_where_it_is_demanded(operator_id: str | None) -> None:
    account = replace(with_switches(require_operator_id=True), operator="31002")
    with pytest.raises(Refusal, match="E650"):
        check_operator(operator_id, account, BUILT_IN)


@pytest.mark.parametrize(
    "operator_id", ["verizon", "31003x", "-31003", "+31003", "31003.0", "3 1003", "٣١٠٠٣", "²"]
)
def test_what_is_no_integer_is_e650(operator_id: str) -> None:
    with pytest.raises(Refusal, match="E650"):
        check_operator(operator_id, an_account(), BUILT_IN)


@pytest.mark.parametrize("operator_id", ["0", "31001", "99999", "9" * 5000])
def test_an_operator_that_nobody_knows_is_e651(operator_id: str) -> None:
    with pytest.raises(Refusal, match="E651"):
        check_operator(operator_id, an_account(), BUILT_IN)


# -- campaign

SUBSCRIBED = {"spring": frozenset({"12065550100"})}


@pytest.mark.parametrize("reference", [None, "", "autumn", "spring"])
def test_the_campaign_does_not_matter_unless_the_account_enforces_it(reference: str | None) -> None:
    check_campaign(reference, "12065550199", an_account(campaigns=SUBSCRIBED))


@pytest.mark.parametrize(
    ("reference", "recipient", "code"),
    [
        ("spring", "12065550100", None),
        ("spring", "12065550199", "E715"),
        ("autumn", "12065550100", "E714"),
        ("Spring", "12065550100", "E714"),
        ("", "12065550100", "E714"),
        (None, "12065550100", "E714"),
    ],
)
def test_an_enforced_campaign_must_be_known_and_the_recipient_subscribed(
    reference: str | None, recipient: str, code: str | None
) -> None:
    account = replace(with_switches(enforce_campaign=True), campaigns=SUBSCRIBED)
    if code is None:
        check_campaign(reference, recipient, account)
    else:
        with pytest.raises(Refusal, match=code):
            check_campaign(reference, recipient, account)


# -- all of them

WANTED = Wanted(
    to=ABROAD, sender="28444", mask="ACME", service_id="32113", operator_id="31002", campaign_ref="spring"
)
DEMANDING = an_account(
    switches=Switches(require_operator_id=True, enforce_campaign=True), campaigns={"spring": frozenset({ABROAD})}
)


async def test_an_address_that_passes_every_check() -> None:
    address = await check_address(WANTED, DEMANDING, KEBAB, nobody_blocked, BUILT_IN)
    assert address == Address(
        recipient=ABROAD, sender=DEMANDING.senders["28444"], mask="ACME", service_id="32113", operator="31002"
    )


#: What is wrong, in the order of the contract: each comes before all that follow.
WRONGS: list[tuple[str, dict[str, Any]]] = [
    ("E201", {"to": ""}),
    ("E110", {"to": "123"}),
    ("E114", {"to": "4915100000000"}),
    ("E111", {"sender": "1"}),
    ("E115", {"mask": "far too long a mask"}),
    ("E627", {"service_id": "0"}),
    ("E650", {"operator_id": "x"}),
    ("E651", {"operator_id": "1"}),
    ("E714", {"campaign_ref": "autumn"}),
]


@pytest.mark.parametrize("first", range(len(WRONGS)))
async def test_the_first_failing_check_answers(first: int) -> None:
    changes: dict[str, Any] = {}
    for _, wrong in reversed(WRONGS[first:]):
        changes |= wrong
    with pytest.raises(Refusal) as caught:
        await check_address(
            replace(WANTED, **changes),
            DEMANDING,
            KEBAB,
            blocked_if(lambda _, to: to == "4915100000000"),
            BUILT_IN,
        )
    assert caught.value.code == WRONGS[first][0]


# -- the sender of the recipient's country (G-40)

LOCAL = {
    "28444": Sender(number="28444", type=SenderType.SHORT_CODE, services=("32113",)),
    "55555": Sender(number="55555", type=SenderType.SHORT_CODE),
    "12065550100": Sender(number="12065550100", type=SenderType.LONG_CODE),
    "18885551234": Sender(number="18885551234", type=SenderType.TOLL_FREE),
}
CANADIAN, GERMAN = "14165550123", "4915123456789"
DEFAULTS = {"US": "28444", "PR": "28444", "CA": "55555", "FR": "77777"}


@pytest.mark.parametrize(
    ("sender", "recipient", "expected"),
    [
        ("28444", USA, "28444"),
        ("28444", "17875550123", "28444"),  # Puerto Rico
        ("28444", CANADIAN, "55555"),
        ("55555", USA, "28444"),
        ("12065550100", USA, "12065550100"),
        ("12065550100", CANADIAN, "55555"),
        ("18885551234", CANADIAN, "18885551234"),  # of all of North America, as far as we know
        ("28444", GERMAN, "E111"),
        ("12065550100", GERMAN, "E111"),
        ("28444", "33612345678", "E111"),  # its default is not the account's
    ],
)
def test_a_sender_of_another_country_is_replaced_by_the_default_of_the_recipients(
    sender: str, recipient: str, expected: str
) -> None:
    account = an_account(senders=LOCAL, default_senders=DEFAULTS)
    if expected == "E111":
        with pytest.raises(Refusal, match="E111"):
            local_sender(LOCAL[sender], recipient, account)
    else:
        assert local_sender(LOCAL[sender], recipient, account) is LOCAL[expected]


@pytest.mark.parametrize(
    ("compat", "sender", "refused"),
    [
        (Compat.BETTER, "12065550100", False),
        (Compat.STRICT, "12065550100", True),
        (Compat.STRICT, "28444", False),  # nobody knows its country
    ],
)
def test_without_default_numbers_only_a_strict_account_is_refused(
    compat: Compat, sender: str, refused: bool
) -> None:
    account = an_account(senders=LOCAL, switches=Switches(compat=compat))
    if refused:
        with pytest.raises(Refusal, match="E111") as caught:
            local_sender(LOCAL[sender], GERMAN, account)
        assert caught.value.detail == "from is of US, and the account has no default number for DE"
    else:
        assert local_sender(LOCAL[sender], GERMAN, account) is LOCAL[sender]


@pytest.mark.parametrize(("localised", "sender"), [(True, "55555"), (False, "28444")])
async def test_only_a_saved_mms_changes_its_sender_and_its_service_is_checked_with_the_one_asked_for(
    localised: bool, sender: str
) -> None:
    account = an_account(senders=LOCAL, default_senders=DEFAULTS)
    wanted = replace(WANTED, to=CANADIAN, localised=localised)
    address = await check_address(wanted, account, KEBAB, nobody_blocked, BUILT_IN)
    assert (address.sender.number, address.service_id) == (sender, "32113")


async def test_whoever_blocked_the_number_that_takes_the_place_gets_nothing() -> None:
    account = an_account(senders=LOCAL, default_senders=DEFAULTS)
    wanted = replace(WANTED, to=CANADIAN, localised=True)
    with pytest.raises(Refusal, match="E114"):
        await check_address(wanted, account, KEBAB, blocked_if(lambda sender, _: sender == "55555"), BUILT_IN)


@pytest.mark.parametrize("sender", ["+28444", "28-444"])
async def test_the_block_list_is_asked_for_the_sender_as_it_is_provisioned(sender: str) -> None:
    asked: list[str] = []

    async def block_reason(_account_id: int, sender: str, _recipient: str) -> None:
        asked.append(sender)

    await check_address(replace(WANTED, sender=sender), DEMANDING, KEBAB, block_reason, BUILT_IN)
    assert asked == ["28444"]
