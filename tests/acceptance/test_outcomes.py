"""One test for each number of the simulator's table: what the customer is told, and where the message ends."""

from dataclasses import dataclass

import pytest

from tests.acceptance.gateway import Customer, Sent, values

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(180)]

MMS, SMS = "MMS", "SMS"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """`told` are the postbacks in order, `state` where the message ends, `says` what its timeline must mention.

    `handset` is the phone that the customer is told of with the last postback.
    """

    told: tuple[tuple[str, str], ...]
    state: str
    says: tuple[str, ...] = ()
    handset: str = ""


def outcome(state: str, *told: str, says: tuple[str, ...] = (), handset: str = "") -> Outcome:
    pairs = tuple((code, way) for code, _, way in (each.partition(" ") for each in told))
    return Outcome(told=pairs, state=state, says=says, handset=handset)


# fmt: off
TABLE = {
    "0000": outcome("delivered", "N101 MMS", "N102 MMS"),
    "0100": outcome("delivered", "N101 MMS", "N102 MMS"),
    "0101": outcome("delivered", "N101 MMS", "N102 MMS"),
    "0102": outcome("sent", "N101 MMS", says=("report Forwarded",)),
    "0103": outcome("failed", "E101 ", says=("2002",)),
    "0104": outcome("undelivered", "N101 MMS", "E102 ", says=("Expired",)),
    "0105": outcome("delivered", "N101 MMS", "N101 SMS", "N102 SMS", says=("NotSupported",)),
    "0107": outcome("delivered", "N101 MMS", "N102 MMS", says=("temporary failure", "attempt 3")),
    "0108": outcome("delivered", "N101 MMS", "N102 MMS", says=("outcome unknown",)),
    "0109": outcome("delivered", "N101 MMS", "N102 MMS"),
    "0110": outcome("delivered", "N101 MMS", "N102 MMS"),
    "0111": outcome("delivered", "N101 MMS", "N102 MMS"),
    "0112": outcome("delivered", "N101 MMS", "N102 MMS", says=("3510",)),
    # What the profile's on_unknown makes of it comes after 15 minutes: tests/unit/delivery/test_mms.py.
    "0115": outcome("unknown", says=("empty answer",)),
    "0116": outcome("failed", "E101 ", says=("4007",)),
    "0117": outcome("delivered", "N101 MMS", "N102 MMS", says=("paused",)),
    "0119": outcome("failed", "E101 ", says=("4004",)),
    "0120": outcome("delivered", "N101 MMS", "N102 MMS", says=("1100",)),
    "0121": outcome("delivered", "N101 MMS", "N102 MMS", says=("without a MessageID",)),
    "0122": outcome("unknown", says=("outcome unknown",)),  # as 0115
    "0123": outcome("undelivered", "N101 MMS", "E102 ", says=("Rejected",)),
    "0124": outcome("delivered", "N101 MMS", "N101 SMS", "N102 SMS", says=("Unrecognised",)),
    "0125": outcome("delivered", "N101 MMS", "N102 MMS", says=("Deferred", "Forwarded")),
    "0126": outcome("sent", "N101 MMS", says=("Indeterminate",)),
    "0127": outcome("sent", "N101 MMS"),
    "0128": outcome("delivered", "N101 MMS", "N102 MMS", handset="Nokia6630"),
    "0130": outcome("undelivered", "N101 SMS", "E202 SMS", says=("UNDELIV",)),
    "0131": outcome("undelivered", "N101 SMS", "E202 SMS"),
    "0132": outcome("delivered", "N101 SMS", "N102 SMS"),
    "0133": outcome("delivered", "N101 SMS", "N102 SMS"),
    "0134": outcome("delivered", "N101 SMS", "N102 SMS", says=("throttled",)),
    "0135": outcome("failed", "E101 "),
    "0140": outcome("delivered", "N101 MMS", "N102 MMS"),
    "0141": outcome("delivered", "N101 MMS", "N102 MMS"),
}
# fmt: on

LONG = "A text long enough to need more than one SMS part, because each part has its own receipt. " * 2


async def sent_to(customer: Customer, digits: str) -> Sent:
    more = f"<fallback-sms-text>{LONG}</fallback-sms-text>" if digits in {"0131", "0132"} else ""
    document = customer.document(f"1206555{digits}")
    if more:
        document = document.replace("<fallback-sms-text>You have a message:</fallback-sms-text>", more)
    response = values((await customer.post(document)).body)
    assert response["status"] == "Success", response
    return Sent(
        customer=customer, to=f"1206555{digits}", tracking_id=response["tracking-id"], mms_id=response["mms-id"]
    )


@pytest.mark.parametrize("digits", TABLE)
async def test_outcome_of(digits: str, customer: Customer) -> None:
    expected = TABLE[digits]
    sent = await sent_to(customer, digits)
    told = await sent.told(count=len(expected.told)) if expected.told else []
    shown = await sent.until(expected.state, says=expected.says)
    assert shown["handset"] == expected.handset
    assert [(each["code"], values(each["body"].encode()).get("sent-as", "")) for each in told] == list(
        expected.told
    )
    assert [each["sequence"] for each in told] == list(range(1, len(told) + 1))
    assert all(each["signature"] == "ok" for each in told)
    if told:
        assert values(told[-1]["body"].encode()).get("handset", "") == expected.handset
    if ("N102", MMS) in expected.told:
        assert [each["copies"] for each in await sent.phone(kind="MMS")] == [1]
