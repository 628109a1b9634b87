"""Which connection takes a number (E619, E628)."""

from collections.abc import Iterable

import pytest

from mmsgate.carriers.profile import CarrierProfile, Reach
from mmsgate.carriers.routing import NoRoute, Route, route
from mmsgate.domain.number import SenderType

SHORT, LONG, TOLL_FREE = SenderType.SHORT_CODE, SenderType.LONG_CODE, SenderType.TOLL_FREE


def a_profile(name: str, *operators: str, types: Iterable[SenderType] = SenderType) -> CarrierProfile:
    return CarrierProfile(
        name=name,
        endpoints=("http://mmsc.example/",),
        reach=Reach(operators=frozenset(operators), sender_types=frozenset(types)),
    )


ATT = a_profile("att", "31002")
ATT_LONG = a_profile("att-long", "31002", types=[LONG])
VERIZON = a_profile("verizon", "31003", "31004")
ALL = a_profile("all", "*")
ALL_SHORT = a_profile("all-short", "*", types=[SHORT])


@pytest.mark.parametrize(
    ("profiles", "operator", "sender_type", "expected"),
    [
        ([ATT], "31002", SHORT, "att"),
        ([VERIZON, ATT], "31002", SHORT, "att"),
        ([VERIZON, ATT], "31004", SHORT, "verizon"),
        ([ALL], "31002", SHORT, "all"),
        ([ALL], "", SHORT, "all"),
        ([ALL, VERIZON], "31003", SHORT, "verizon"),
        ([ALL, VERIZON], "31002", SHORT, "all"),
        ([ALL, VERIZON], "", SHORT, "all"),
        ([ATT_LONG, ALL], "31002", SHORT, "all"),
        ([ATT_LONG, ALL], "31002", LONG, "att-long"),
        ([ALL_SHORT, ALL], "31002", TOLL_FREE, "all"),
    ],
)
def test_the_connection_that_takes_a_number(
    profiles: list[CarrierProfile], operator: str, sender_type: SenderType, expected: str
) -> None:
    found = route(profiles, operator=operator, sender_type=sender_type)
    assert isinstance(found, Route)
    assert found.profile.name == expected


@pytest.mark.parametrize(
    ("profiles", "operator", "sender_type", "expected"),
    [
        ([], "31002", SHORT, NoRoute.NO_CARRIER),
        ([VERIZON], "31002", SHORT, NoRoute.NO_CARRIER),
        ([VERIZON], "", SHORT, NoRoute.NO_CARRIER),
        ([a_profile("shut")], "31002", SHORT, NoRoute.NO_CARRIER),
        ([ATT_LONG], "31002", SHORT, NoRoute.NOT_PROVISIONED),
        ([ALL_SHORT, ATT_LONG], "31002", TOLL_FREE, NoRoute.NOT_PROVISIONED),
        ([ALL_SHORT, VERIZON], "31002", LONG, NoRoute.NOT_PROVISIONED),
    ],
)
def test_why_no_connection_takes_a_number(
    profiles: list[CarrierProfile], operator: str, sender_type: SenderType, expected: NoRoute
) -> None:
    assert route(profiles, operator=operator, sender_type=sender_type) is expected


def test_of_two_equals_the_first_by_name_is_taken_in_whatever_order_they_come() -> None:
    pair = [a_profile("b", "31002"), a_profile("a", "31002")]
    for profiles in (pair, pair[::-1]):
        found = route(profiles, operator="31002", sender_type=SHORT)
        assert isinstance(found, Route)
        assert found.profile.name == "a"


@pytest.mark.parametrize(
    ("operator", "reason"), [("31002", "all serves operator 31002"), ("", "all serves an unknown operator")]
)
def test_a_route_says_why(operator: str, reason: str) -> None:
    found = route([ALL], operator=operator, sender_type=SHORT)
    assert isinstance(found, Route)
    assert found.reason == reason
