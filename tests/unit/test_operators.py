"""Carriers' numbers: every way to write them leads to the same carrier."""

import pytest

from mmsgate.domain.operators import OPERATORS, find_operator, spid


@pytest.mark.parametrize("number", ["31003", "0001890", "000189", "1890", "189", "310012", " 31003\n"])
def test_every_spelling_of_verizon(number: str) -> None:
    operator = find_operator(number)
    assert operator
    assert (operator.id, operator.name, operator.spid) == ("31003", "Verizon", "0001890")


@pytest.mark.parametrize("number", ["", "0", "31001", "verizon", "18900", "-189", "١٨٩"])
def test_no_carrier(number: str) -> None:
    assert find_operator(number) is None
    assert spid(number) == ""


def test_metropcs_has_two_old_numbers_and_one_that_we_send() -> None:
    assert find_operator("0001190") is find_operator("0001770") is find_operator("31062")
    assert spid("0001190") == "0001770"


def test_a_carrier_without_a_new_number_goes_by_its_old_one() -> None:
    cellular = find_operator("184")
    assert cellular
    assert (cellular.id, cellular.country) == ("0001840", "US")


def test_no_number_means_two_carriers() -> None:
    spellings = [spelling.lstrip("0") for operator in OPERATORS for spelling in set(operator.spellings)]
    assert len(spellings) == len(set(spellings))


def test_old_numbers_have_seven_digits() -> None:
    numbers = [operator.spid for operator in OPERATORS]
    assert [number for number in numbers if len(number) != 7 or not number.isdigit()] == []
