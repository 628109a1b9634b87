"""Which connections take a number, in which order (E619, E628)."""

from collections.abc import Iterable, Sequence

import pytest

from mmsgate.carriers.profile import CarrierProfile, Reach
from mmsgate.carriers.routing import NoRoute, Route, first_up, route, sms_after, sms_route
from mmsgate.domain.number import SenderType

SHORT, LONG, TOLL_FREE = SenderType.SHORT_CODE, SenderType.LONG_CODE, SenderType.TOLL_FREE


NUMBER = "12065550123"


def a_profile(
    name: str, *operators: str, types: Iterable[SenderType] = SenderType, prefixes: Iterable[str] = (),
    priority: int = 0, sms: Sequence[str] = ("sms",),
) -> CarrierProfile:  # fmt: skip
    return CarrierProfile(
        name=name,
        endpoints=("http://mmsc.example/",),
        reach=Reach(
            operators=frozenset(operators), sender_types=frozenset(types), prefixes=frozenset(prefixes),
            priority=priority, sms=tuple(sms),
        ),
    )  # fmt: skip


def names(found: Sequence[Route] | NoRoute) -> list[str]:
    assert not isinstance(found, NoRoute)
    return [each.profile.name for each in found]


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
    assert names(route(profiles, operator=operator, recipient=NUMBER, sender_type=sender_type))[0] == expected


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
    assert route(profiles, operator=operator, recipient=NUMBER, sender_type=sender_type) is expected


UK = a_profile("uk", "*", prefixes=["44"])
UK_MOBILE = a_profile("uk-mobile", prefixes=["447", "4477"])
UK_SPARE = a_profile("uk-spare", "*", prefixes=["44"], priority=5)
SPARE = a_profile("a-spare", "*", priority=9)
VODAFONE = a_profile("vodafone", "23415", prefixes=["44"])


@pytest.mark.parametrize(
    ("operator", "recipient", "expected"),
    [
        ("31002", NUMBER, ["att", "att-long", "all", "a-spare"]),
        ("31003", NUMBER, ["verizon", "all", "a-spare"]),
        ("", NUMBER, ["all", "a-spare"]),
        ("", "447712345678", ["uk-mobile", "uk", "vodafone", "uk-spare", "all", "a-spare"]),
        ("", "441632960001", ["uk", "vodafone", "uk-spare", "all", "a-spare"]),
        ("23415", "447712345678", ["vodafone", "uk", "uk-spare", "all", "a-spare"]),
        ("23410", "447712345678", ["uk", "uk-spare", "all", "a-spare"]),
    ],
)
def test_a_named_operator_then_the_longest_prefix_then_the_priority_then_the_name(
    operator: str, recipient: str, expected: list[str]
) -> None:
    profiles = [SPARE, UK_SPARE, ALL, VODAFONE, VERIZON, UK_MOBILE, UK, ATT, ATT_LONG]
    for given in (profiles, profiles[::-1]):
        assert names(route(given, operator=operator, recipient=recipient, sender_type=LONG)) == expected


def test_a_connection_for_certain_numbers_takes_no_other() -> None:
    assert route([UK, UK_MOBILE], operator="", recipient=NUMBER, sender_type=SHORT) is NoRoute.NO_CARRIER


def test_a_prefix_reaches_no_number_that_is_known_to_be_another_operators() -> None:
    ported = route([VODAFONE], operator="23410", recipient="447712345678", sender_type=SHORT)
    assert ported is NoRoute.NO_CARRIER


def test_connections_for_certain_numbers_count_where_the_number_may_be_any() -> None:
    assert names(route([UK], operator="", recipient="", sender_type=SHORT)) == ["uk"]


def test_those_that_are_not_provisioned_are_left_out_of_the_order() -> None:
    assert names(route([ATT_LONG, ALL, ATT], operator="31002", recipient=NUMBER, sender_type=SHORT)) == [
        "att",
        "all",
    ]


def test_of_two_equals_the_first_by_name_is_taken_in_whatever_order_they_come() -> None:
    pair = [a_profile("b", "31002"), a_profile("a", "31002")]
    for profiles in (pair, pair[::-1]):
        assert names(route(profiles, operator="31002", recipient=NUMBER, sender_type=SHORT)) == ["a", "b"]


@pytest.mark.parametrize(
    ("down", "expected"), [(set(), "att"), ({"att"}, "all"), ({"att", "all"}, "att"), ({"all"}, "att")]
)
def test_the_first_that_is_up_is_taken_and_the_first_of_all_where_none_is(down: set[str], expected: str) -> None:
    routes = route([ALL, ATT], operator="31002", recipient=NUMBER, sender_type=SHORT)
    assert not isinstance(routes, NoRoute)
    assert first_up(routes, lambda name: name not in down).profile.name == expected


@pytest.mark.parametrize(
    ("profile", "operator", "reason"),
    [
        (ALL, "31002", "all serves operator 31002"),
        (ALL, "", "all serves an unknown operator"),
        (UK, "", "uk serves an unknown operator for numbers that begin with 44"),
    ],
)
def test_a_route_says_why(profile: CarrierProfile, operator: str, reason: str) -> None:
    found = route([profile], operator=operator, recipient="447712345678", sender_type=SHORT)
    assert not isinstance(found, NoRoute)
    assert found[0].reason == reason


@pytest.mark.parametrize(
    ("there", "up", "expected"),
    [
        ({"one", "two"}, {"one", "two"}, "one"),
        ({"one", "two"}, {"two"}, "two"),
        ({"one", "two"}, set(), "one"),
        ({"two"}, set(), "two"),
        ({"other"}, {"other"}, ""),
    ],
)
def test_an_sms_goes_to_the_first_smsc_that_is_up_else_to_the_first_that_there_is(
    there: set[str], up: set[str], expected: str
) -> None:
    assert sms_route(("one", "two"), has_connection=there.__contains__, is_up=up.__contains__) == expected


WITH_TWO = a_profile("att", "31002", sms=("one", "two", "three"))
WITH_OTHERS = a_profile("all", "*", sms=("one", "four"), priority=-1)


@pytest.mark.parametrize(
    ("connection", "operator", "expected"),
    [
        ("one", "31002", ("two", "three")),
        ("two", "31002", ("one", "three")),
        ("one", "31003", ("four",)),
        ("three", "31003", ("one", "two")),  # nobody who takes the number names it
        ("five", "31002", ()),
    ],
)
def test_the_successors_of_an_smsc_are_those_of_the_mmsc_that_takes_the_number(
    connection: str, operator: str, expected: tuple[str, ...]
) -> None:
    profiles = (WITH_OTHERS, WITH_TWO)
    found = sms_after(profiles, connection, operator=operator, recipient=NUMBER, sender_type=SHORT)
    assert found == expected
