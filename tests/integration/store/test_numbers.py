"""The number cache, the prefixes, and operators of a gateway's own, in the store."""

import sqlite3
from pathlib import Path

import pytest

from mmsgate.clock import DAY, HOUR, SECOND
from mmsgate.domain.operators import Operator
from mmsgate.store import KnownNumber, NumberSource, Store
from mmsgate.store import numbers as numbers_module
from mmsgate.store.numbers import SQL
from tests.unit.builders import NOW

MIGRATION = Path(numbers_module.__file__).with_name("migrations") / "sqlite" / "0004_routing.sql"

NUMBER, OTHER = "12065550100", "12065550101"
LOOKUP, CARRIER = NumberSource.LOOKUP, NumberSource.CARRIER


async def test_what_was_learnt_of_a_number_is_known_until_it_expires(store: Store) -> None:
    await store.numbers.learn(NUMBER, "31002", source=LOOKUP, at=NOW, expires_at=NOW + DAY, mms=False)
    known = KnownNumber(operator="31002", mms=False, source=LOOKUP, learnt_at=NOW, expires_at=NOW + DAY)
    assert await store.numbers.get(NUMBER, now=NOW + DAY - 1) == known
    assert await store.numbers.get(NUMBER, now=NOW + DAY) is None
    assert await store.numbers.get(OTHER, now=NOW) is None


async def test_the_last_one_to_tell_counts(store: Store) -> None:
    await store.numbers.learn(NUMBER, "31002", source=LOOKUP, at=NOW, expires_at=NOW + DAY)
    await store.numbers.learn(NUMBER, "31004", source=CARRIER, at=NOW + 1, expires_at=NOW + DAY)
    known = await store.numbers.get(NUMBER, now=NOW + 2)
    assert known
    assert (known.operator, known.source, known.learnt_at) == ("31004", CARRIER, NOW + 1)


@pytest.mark.parametrize(
    ("later", "operator", "mms", "written"),
    [
        (1 * SECOND, "31002", True, False),
        (11 * HOUR, "31002", True, False),
        (13 * HOUR, "31002", True, True),
        (1 * SECOND, "31003", True, True),
        (1 * SECOND, "31002", False, True),
        (25 * HOUR, "31002", True, True),
    ],
)
async def test_what_is_known_anyway_is_written_anew_in_the_second_half_of_its_life(
    store: Store, later: int, operator: str, mms: bool, written: bool
) -> None:
    await store.numbers.learn(NUMBER, "31002", source=CARRIER, at=NOW, expires_at=NOW + DAY)
    commits, at = store.commits, NOW + later
    await store.numbers.learn(NUMBER, operator, source=CARRIER, at=at, expires_at=at + DAY, mms=mms)
    assert (store.commits > commits) is written


async def test_a_number_is_forgotten_alone(store: Store) -> None:
    for number in (NUMBER, OTHER):
        await store.numbers.learn(number, "31002", source=LOOKUP, at=NOW, expires_at=NOW + DAY)
    assert await store.numbers.forget(NUMBER) == 1
    assert await store.numbers.forget(NUMBER) == 0
    assert await store.numbers.get(NUMBER, now=NOW) is None
    assert await store.numbers.count() == 1


async def test_numbers_that_nobody_knew_are_forgotten_together(store: Store) -> None:
    await store.numbers.learn(NUMBER, "31002", source=LOOKUP, at=NOW, expires_at=NOW + DAY)
    await store.numbers.learn(OTHER, "", source=LOOKUP, at=NOW, expires_at=NOW + DAY)
    assert await store.numbers.forget_unknown() == 1
    assert await store.numbers.get(NUMBER, now=NOW)


async def test_what_has_expired_is_swept(store: Store) -> None:
    await store.numbers.learn(NUMBER, "31002", source=LOOKUP, at=NOW, expires_at=NOW + 1)
    await store.numbers.learn(OTHER, "31002", source=LOOKUP, at=NOW, expires_at=NOW + 2)
    assert await store.numbers.expire(now=NOW + 1) == 1
    assert await store.numbers.count() == 1


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        ("12065550100", ("1206555", "31004")),
        ("12065560100", ("1206", "31003")),
        ("12075550100", ("1", "31002")),
        ("447712345678", None),
        ("120655501001234", ("120655501001234", "31062")),
    ],
)
async def test_the_longest_prefix_wins(store: Store, number: str, expected: tuple[str, str] | None) -> None:
    await store.numbers.replace_prefixes(
        {"1": "31002", "1206": "31003", "1206555": "31004", "120655501001234": "31062", "4477": "23415"}
        if number.startswith("1")
        else {"448": "23415"}
    )
    assert await store.numbers.prefix(number) == expected


async def test_new_prefixes_take_the_place_of_the_old(store: Store) -> None:
    await store.numbers.replace_prefixes({"1206": "31003", "1207": "31003"})
    await store.numbers.replace_prefixes({"1208": "31004"})
    assert await store.numbers.prefix_counts() == {"31004": 1}
    assert (await store.accounts.directory()).has_prefixes
    await store.numbers.replace_prefixes({})
    assert await store.numbers.prefix("12085550100") is None
    assert not (await store.accounts.directory()).has_prefixes


async def test_the_longest_of_a_hundred_thousand_prefixes_is_found_by_keys_alone(store: Store) -> None:
    """Not timed: the plan of the query says that it looks keys up and reads no table through."""
    await store.numbers.replace_prefixes({str(number): "31002" for number in range(1_000_000, 1_100_000)})
    assert await store.numbers.prefix("105000012345") == ("1050000", "31002")
    assert await store.numbers.prefix("110000012345") is None
    plan = sqlite3.connect(":memory:")
    plan.executescript(MIGRATION.read_text(encoding="utf-8"))
    steps = plan.execute(f"EXPLAIN QUERY PLAN {SQL['prefix']}", ["1"] * 15).fetchall()
    plan.close()
    assert "SEARCH prefix USING PRIMARY KEY (prefix=?)" in [step[-1] for step in steps]


async def test_operators_are_part_of_the_picture_of_the_accounts(store: Store) -> None:
    vodafone = Operator(id="23415", name="Vodafone", country="GB", spid="0044150", aliases=("2341", "23491"))
    before = await store.accounts.directory()
    await store.operators.put(vodafone)
    after = await store.accounts.directory()
    assert after.revision > before.revision
    assert (before.operators.find("23491"), after.operators.find("23491")) == (None, vodafone)
    assert await store.operators.remove("23415") == 1
    assert (await store.accounts.directory()).operators.find("23415") is None
    assert await store.accounts.revision() > after.revision


async def test_a_built_in_operator_cannot_be_removed(store: Store) -> None:
    assert await store.operators.remove("31002") == 0
    assert (await store.operators.table()).find("31002")
