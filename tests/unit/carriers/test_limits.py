"""How large a message may be, for whom, and what the data file must be like."""

import datetime
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mmsgate.carriers.limits import DEFAULT, carrier_limit, published_limits, read_limits
from mmsgate.carriers.profile import CarrierProfile, Limits
from mmsgate.domain.number import SenderType
from mmsgate.domain.operators import OPERATORS
from mmsgate.domain.rendition import Limit, Measure

HUB = CarrierProfile(name="hub", endpoints=("http://mmsc.example/",))
ATT, SHORT, LONG, TOLL_FREE = "31002", SenderType.SHORT_CODE, SenderType.LONG_CODE, SenderType.TOLL_FREE
ROW = {
    "operator": ATT, "sender_type": "short-code", "bytes": 5, "measure": "wire", "source": "a page",
    "date": datetime.date(2026, 1, 2),
}  # fmt: skip


@pytest.mark.parametrize(
    ("operator", "sender_type", "label", "limit"),
    [
        (ATT, SHORT, "AT&T/short-code", 1_050_000),
        ("0001470", SHORT, "AT&T/short-code", 1_050_000),
        (ATT, LONG, "AT&T/long-code", 1_530_843),
        (ATT, TOLL_FREE, "AT&T/toll-free", DEFAULT.bytes),
        ("", SHORT, "hub/short-code", DEFAULT.bytes),
    ],
)
def test_the_published_figure_holds_and_what_is_not_listed_has_the_default(
    operator: str, sender_type: SenderType, label: str, limit: int
) -> None:
    found = carrier_limit(HUB, operator, sender_type)
    assert (found.label, found.limit) == (label, Limit(bytes=limit, measure=Measure.DECODED))
    assert found.types == HUB.limits.types
    assert found.source


def test_a_profile_counts_before_the_published_figures() -> None:
    own = replace(HUB, limits=Limits(bytes=700_000, measure=Measure.WIRE, by_sender={LONG: 800_000}))
    assert carrier_limit(own, ATT, SHORT).limit == Limit(bytes=700_000, measure=Measure.WIRE)
    assert carrier_limit(own, ATT, LONG).limit == Limit(bytes=800_000, measure=Measure.WIRE)
    assert carrier_limit(own, ATT, SHORT).source == "the profile of hub"


def test_every_published_figure_has_a_source_and_a_date_that_has_been() -> None:
    rows = published_limits()
    assert len(rows) > 8
    known = {operator.id for operator in OPERATORS}
    for (operator, _), row in rows.items():
        assert operator in known
        assert len(row.source) > 20
        assert datetime.date(2010, 1, 1) < row.date < datetime.date(2026, 12, 31)


def test_types_that_a_carrier_does_not_take_are_left_out() -> None:
    ((_, row),) = read_limits([{**ROW, "types": ["image/jpg", "text/plain"]}]).items()
    assert row.types == frozenset({"image/jpeg", "text/plain"})


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"operator": "999"}, "limit 1: there is no operator '999'"),
        ({"sender_type": "fax"}, "limit 1: 'fax' is not a valid SenderType"),
        ({"bytes": 0}, "limit 1: bytes is a number above 0"),
        ({"bytes": "1 MB"}, "limit 1: bytes is a number above 0"),
        ({"measure": "base64"}, "limit 1: 'base64' is not a valid Measure"),
        ({"date": "2021"}, "date a date"),
        ({"colour": 1}, "limit 1: it has too much or too little: colour"),
        ({"types": ["image/tiff"]}, "limit 1: an MMS can't carry image/tiff"),
        ({"types": "image/jpeg"}, "limit 1: types is a list"),
    ],
)
def test_a_row_that_is_of_no_use_is_named(change: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        read_limits([{**ROW, **change}])


def test_a_row_without_a_source_is_refused() -> None:
    with pytest.raises(ValueError, match="source"):
        read_limits([{name: value for name, value in ROW.items() if name != "source"}])


def test_two_figures_for_the_same_are_refused() -> None:
    with pytest.raises(ValueError, match="limit 2: 31002 has a limit for short-code already"):
        read_limits([ROW, {**ROW, "operator": "0001470"}])


def test_the_reference_page_has_the_same_table() -> None:
    page = (Path(__file__).parents[3] / "docs/reference/limits.md").read_text(encoding="utf-8")
    for (operator, sender_type), row in published_limits().items():
        assert f"| {operator} | " in page
        assert (
            f"| {sender_type} | {row.limit.bytes:,} | {row.limit.measure} | {row.source} | {row.date.year} |"
            in page
        )
    assert page.count("\n| ") == len(published_limits()) + 1
