"""Carriers' numbers: every way to write them leads to the same carrier."""

import re
from dataclasses import replace
from typing import Any

import pytest

from mmsgate.domain.operators import BUILT_IN, OPERATORS, Operator, Operators, check_addition


@pytest.mark.parametrize("number", ["31003", "0001890", "000189", "1890", "189", "310012", " 31003\n"])
def test_every_spelling_of_verizon(number: str) -> None:
    operator = BUILT_IN.find(number)
    assert operator
    assert (operator.id, operator.name, operator.spid) == ("31003", "Verizon", "0001890")


@pytest.mark.parametrize("number", ["", "0", "31001", "verizon", "18900", "-189", "١٨٩"])
def test_no_carrier(number: str) -> None:
    assert BUILT_IN.find(number) is None
    assert BUILT_IN.spid(number) == ""


def test_metropcs_has_two_old_numbers_and_one_that_we_send() -> None:
    assert BUILT_IN.find("0001190") is BUILT_IN.find("0001770") is BUILT_IN.find("31062")
    assert BUILT_IN.spid("0001190") == "0001770"


def test_a_carrier_without_a_new_number_goes_by_its_old_one() -> None:
    cellular = BUILT_IN.find("184")
    assert cellular
    assert (cellular.id, cellular.country) == ("0001840", "US")


def test_no_number_means_two_carriers() -> None:
    spellings = [spelling.lstrip("0") for operator in OPERATORS for spelling in set(operator.spellings)]
    assert len(spellings) == len(set(spellings))


def test_old_numbers_have_seven_digits() -> None:
    numbers = [operator.spid for operator in OPERATORS]
    assert [number for number in numbers if len(number) != 7 or not number.isdigit()] == []


# -- operators of a gateway's own

VODAFONE = Operator(id="23415", name="Vodafone", country="GB", spid="0044150", aliases=("2341",))


def test_an_operator_that_was_added_is_found_by_every_spelling() -> None:
    table = Operators([VODAFONE])
    assert [table.find(number) for number in ("23415", "0044150", "004415", "44150", "2341")] == [VODAFONE] * 5
    assert table.find("31002") is BUILT_IN.find("31002")
    assert [each.id for each in table][-1] == "23415"


def test_the_built_in_table_knows_nothing_of_what_was_added() -> None:
    Operators([VODAFONE])
    assert BUILT_IN.find("23415") is None


def test_an_operator_without_an_old_number_goes_by_its_id_in_the_old_dialect() -> None:
    table = Operators([VODAFONE, Operator(id="26201", name="Telekom", country="DE")])
    assert [table.spid(number) for number in ("23415", "26201", "31002", "26202")] == [
        "0044150", "26201", "0001470", "",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"id": "vodafone"}, "'vodafone' is no operator id: it has 1 to 15 digits, not all of them 0"),
        ({"id": "000"}, "'000' is no operator id"),
        ({"id": "٢٣٤١٥"}, "is no operator id"),
        ({"id": "1" * 16}, "is no operator id"),
        ({"aliases": ("x",)}, "'x' is no operator id"),
        ({"spid": "44150"}, "a SPID has 7 digits, '44150' has 5"),
        ({"country": "UK1"}, "'UK1' is no country: it is two letters (ISO 3166), like US"),
        ({"country": ""}, "'' is no country"),
        ({"name": " "}, "an operator needs a name"),
        ({"id": "31002"}, "31002 is AT&T's already"),
        ({"aliases": ("310012",)}, "310012 is Verizon's already"),
        ({"spid": "0001890"}, "0001890 is Verizon's already"),
        ({"id": "189"}, "189 is Verizon's already"),
    ],
)
def test_what_cannot_be_added(change: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValueError, match=re.escape(complaint)):
        check_addition(replace(VODAFONE, **change), BUILT_IN)


def test_what_was_added_can_be_changed_but_not_taken_by_another() -> None:
    table = Operators([VODAFONE])
    check_addition(replace(VODAFONE, name="Vodafone UK"), table)
    with pytest.raises(ValueError, match="2341 is Vodafone's already"):
        check_addition(Operator(id="2341", name="Three", country="GB"), table)
