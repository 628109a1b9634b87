"""Whose an inbound message is, and the keyword it begins with."""

from dataclasses import replace

import pytest

from mmsgate.domain.account import Account
from mmsgate.domain.inbound import keyword_of, owner_of
from tests.unit.builders import an_account

CLUB = an_account(keywords={"28444": frozenset({"Lake", "WIN 1"}), "12065550100": frozenset({"OTHER"})})


@pytest.mark.parametrize(
    ("texts", "keyword"),
    [
        (["lake"], "Lake"),
        (["LAKE, please!"], "Lake"),
        (["  “lake” house"], "Lake"),
        (["", "lake"], "Lake"),
        (["hello", "lake"], "Lake"),
        (["the lake"], ""),
        (["lakes"], ""),
        (["other"], ""),
        ([], ""),
    ],
)
def test_the_keyword_is_the_first_word_as_the_account_writes_it(texts: list[str], keyword: str) -> None:
    assert keyword_of(CLUB, "28444", texts) == keyword


def test_of_a_shared_number_the_keyword_s_account_is_the_owner_else_the_first() -> None:
    first, second = an_account(id=1), replace(CLUB, id=2)
    both: list[Account] = [first, second]
    assert owner_of(both, "28444", ["lake"]) is second
    assert owner_of(both, "28444", ["hello"]) is first
    assert owner_of([], "28444", ["lake"]) is None
