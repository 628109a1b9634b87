"""Who is the phone in a delivery report, whichever way round the carrier writes it."""

import pytest

from mmsgate.mm7.address import Address, AddressKind
from mmsgate.mm7.report import DeliveryReportReq, MMStatus
from mmsgate.reports.reports import from_mm7

PHONE, LONG = Address(value="15550001111"), Address(value="12065550100")
CODE = Address(value="28444", kind=AddressKind.SHORT_CODE)


@pytest.mark.parametrize("swapped", [False, True])
@pytest.mark.parametrize(("recipient", "sender"), [(PHONE, CODE), (CODE, PHONE)])
def test_a_short_code_tells_whatever_the_profile_says(recipient: Address, sender: Address, swapped: bool) -> None:
    assert parties(recipient, sender, swapped=swapped) == (PHONE.value, CODE.value)


@pytest.mark.parametrize(
    ("recipient", "sender", "swapped", "expected"),
    [
        (PHONE, LONG, False, (PHONE, LONG)),
        (LONG, PHONE, True, (PHONE, LONG)),
        (PHONE, None, False, (PHONE, None)),
        (PHONE, None, True, (PHONE, None)),
        (CODE, None, True, (CODE, None)),
        (None, PHONE, True, (PHONE, None)),
        (None, None, True, (None, None)),
    ],
)
def test_between_two_numbers_the_profile_tells(
    recipient: Address | None, sender: Address | None, swapped: bool, expected: tuple[Address | None, ...]
) -> None:
    assert parties(recipient, sender, swapped=swapped) == tuple(each.value if each else "" for each in expected)


def parties(recipient: Address | None, sender: Address | None, *, swapped: bool) -> tuple[str, str]:
    report = DeliveryReportReq(
        transaction_id="1", message_id="m", status=MMStatus.RETRIEVED, recipient=recipient, sender=sender
    )
    found = from_mm7("acme", report, swapped=swapped)
    return found.recipient, found.sender
