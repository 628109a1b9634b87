"""The dice: what can be set, that a seed decides the same, and what becomes of reports."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from mmsgate.http.outcome import Answered
from mmsgate.mm7.address import Address
from mmsgate.simulator.chaos import (
    ENDINGS,
    NOBODY,
    Chaos,
    ChaosSettings,
    ReportFate,
    RequestFate,
    Switch,
    parse_settings,
    read_settings,
)
from mmsgate.simulator.storm import Storm
from tests.unit.simulator.carrier import Carrier
from tests.unit.simulator.submits import flat

REFERENCE = Path(__file__).parents[3] / "docs" / "reference" / "simulator.md"
TO = "12399471613"
EVERYTHING = read_settings({"all": 0.2, "seed": 7})


def fates(settings: ChaosSettings, count: int = 400) -> list[RequestFate]:
    chaos = Chaos(settings)
    return [chaos.of_request() for _ in range(count)]


def report_fates(settings: ChaosSettings, count: int = 400) -> list[ReportFate]:
    chaos = Chaos(settings)
    return [chaos.of_report() for _ in range(count)]


# -- settings


def test_words_and_json_mean_the_same() -> None:
    words = parse_settings("latency=0.05, cut-body=1,latency-ms=10-20,delay-ms=0-5", seed=7)
    table = {"seed": 7, "latency": 0.05, "cut-body": 1, "latency-ms": [10, 20], "delay-ms": "0-5"}
    assert words == read_settings(table)
    assert words.probabilities == {Switch.LATENCY: 0.05, Switch.CUT_BODY: 1.0}
    assert (words.seed, words.latency, words.delay) == (7, (10, 20), (0, 5))


def test_what_is_shown_can_be_set_again() -> None:
    assert read_settings(EVERYTHING.json()).json() == EVERYTHING.json()


def test_all_sets_every_switch_that_has_no_line_of_its_own() -> None:
    settings = parse_settings("cut-body=0,all=0.05")
    assert settings.probabilities == dict.fromkeys(Switch, 0.05) | {Switch.CUT_BODY: 0.0}


def test_without_a_probability_nothing_is_on() -> None:
    assert not parse_settings("").is_on
    assert not parse_settings("cut-body=0,seed=3").is_on
    assert parse_settings("cut-body=0.001").is_on


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("latncy=0.1", "'latncy' is no switch of chaos: there are seed, all, latency, cut-headers"),
        ("latency=1.01", "latency must be a probability from 0 to 1, not 1.01"),
        ("latency=-0.1", "latency must be a probability from 0 to 1"),
        ("latency=NaN", "latency must be a probability from 0 to 1"),
        ("latency=often", "latency must be a probability from 0 to 1, not 'often'"),
        ("latency=true", "latency must be a probability"),
        ("latency=", "latency must be a probability"),
        ("all=2", "must be a probability from 0 to 1, not 2"),
        ("latency", "'latency' is not like latency=0.05"),
        ("latency=0.1,latency=0.2", "latency is given twice"),
        ("seed=x", "seed must be a whole number, not 'x'"),
        ("seed=1.5", "seed must be a whole number"),
        ("latency-ms=5", "latency-ms must be two numbers of milliseconds, such as 100-500"),
        ("latency-ms=500-100", "latency-ms must be two numbers"),
        ("delay-ms=0-3600001", "at most 3,600,000"),
    ],
)
def test_a_wrong_setting_is_named(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=r"must|is no|is not|twice") as problem:
        parse_settings(text)
    assert words in str(problem.value)


@pytest.mark.parametrize("value", [[1], [1, 2, 3], ["1", "2"], [True, 2], {}, None, [1.5, 2]])
def test_a_range_in_json_is_two_whole_numbers(value: object) -> None:
    with pytest.raises(ValueError, match="latency-ms must be two numbers"):
        read_settings({"latency-ms": value})


def test_the_reference_lists_every_switch_in_its_order() -> None:
    section = REFERENCE.read_text().partition("## Chaos")[2].partition("\n## ")[0]
    rows = [line.split("`")[1] for line in section.splitlines() if line.startswith("| `") and "sim/" not in line]
    assert rows == list(Switch)


# -- the dice


def test_the_same_seed_decides_the_same() -> None:
    assert fates(EVERYTHING) == fates(EVERYTHING)
    assert report_fates(EVERYTHING) == report_fates(EVERYTHING)


def test_another_seed_decides_otherwise() -> None:
    assert fates(EVERYTHING) != fates(replace(EVERYTHING, seed=8))
    assert report_fates(EVERYTHING) != report_fates(replace(EVERYTHING, seed=8))


def test_beginning_anew_rolls_the_same_dice_and_counts_from_nothing() -> None:
    chaos = Chaos(EVERYTHING)
    first = [chaos.of_request() for _ in range(50)]
    chaos.did(Switch.LATENCY)
    chaos.begin(EVERYTHING)
    assert (chaos.requests, chaos.done.total()) == (0, 0)
    assert [chaos.of_request() for _ in range(50)] == first


def test_reports_in_between_change_nothing_for_requests() -> None:
    chaos = Chaos(EVERYTHING)
    mixed = []
    for _ in range(100):
        chaos.of_report()
        mixed.append(chaos.of_request())
    assert mixed == fates(EVERYTHING, 100)


def test_one_switch_decides_nothing_for_another() -> None:
    alone = fates(read_settings({"seed": 7, "cut-headers": 0.2}))
    together = fates(EVERYTHING)
    cut = [[fate.ending is Switch.CUT_HEADERS for fate in some] for some in (alone, together)]
    assert cut[0] == cut[1]
    assert any(cut[0])


def test_each_ending_comes_about_as_often_as_it_is_set() -> None:
    for switch in ENDINGS:
        met = [fate.ending for fate in fates(read_settings({switch: 0.25, "seed": 1}), 4000)]
        assert set(met) == {None, switch}
        assert 900 < met.count(switch) < 1100


def test_of_several_endings_the_first_counts() -> None:
    assert {fate.ending for fate in fates(read_settings({"all": 1}))} == {Switch.CUT_HEADERS}
    rest = read_settings({"all": 1, "cut-headers": 0, "http-5xx": 0, "cut-body": 0})
    assert {fate.ending for fate in fates(rest)} == {Switch.CUT_ANSWER}


def test_latency_and_delay_lie_in_their_ranges() -> None:
    settings = read_settings({"all": 1, "latency-ms": [5, 9], "delay-ms": [1, 3]})
    assert {fate.latency for fate in fates(settings)} == {5, 6, 7, 8, 9}
    assert {fate.delay for fate in report_fates(settings)} == {1, 2, 3}


def test_every_5xx_comes() -> None:
    assert {fate.status for fate in fates(EVERYTHING)} == {500, 502, 503, 504}


def test_without_chaos_nothing_is_drawn() -> None:
    chaos = Chaos()
    assert chaos.of_request().is_kind
    assert chaos.of_report() == ReportFate()
    assert (chaos.requests, chaos.reports) == (0, 0)


@pytest.mark.parametrize(
    ("fate", "altered"),
    [
        (ReportFate(altered=True, swaps_case=True), "A1B"),
        (ReportFate(altered=True), "0a1b"),
        (ReportFate(), "a1b"),
    ],
)
def test_an_altered_id_is_the_same_once_it_is_normalised(fate: ReportFate, altered: str) -> None:
    assert fate.alter("a1b") == altered
    assert altered.lower().lstrip("0") == "a1b"
    assert fate.alter("") == ""


def test_an_id_without_letters_gets_a_zero() -> None:
    assert ReportFate(altered=True, swaps_case=True).alter("123") == "0123"


async def test_an_answer_waits_for_its_latency_and_the_message_does_not() -> None:
    carrier = Carrier()
    chaos = Chaos(read_settings({"latency": 1, "latency-ms": [1500, 1500]}))
    carrier.app = Storm(carrier.mmsc, chaos, carrier.scheduler)
    answering = asyncio.create_task(carrier.submit("12399470127"))
    while not carrier.scheduler.jobs:
        await asyncio.sleep(0)
    assert len(carrier.box.after()) == 1
    assert not answering.done()
    begun = carrier.clock.now()
    await carrier.scheduler.run()
    assert (await answering).mm7.status_code == 1000
    assert carrier.clock.now() - begun == 1500
    assert chaos.done == {Switch.LATENCY: 1}


# -- what becomes of reports


def stormy(plays: str = "3gpp", user: str = "u", **switches: float | list[int]) -> tuple[Carrier, Chaos]:
    chaos = Chaos(read_settings({name.replace("_", "-"): value for name, value in switches.items()}))
    return Carrier(plays, user=user, chaos=chaos), chaos


async def test_a_report_is_late() -> None:
    carrier, chaos = stormy(report_delay=1, delay_ms=[3000, 3000])
    await carrier.submit(TO)
    assert await carrier.statuses() == [(3000, "Retrieved")]
    assert chaos.done == {Switch.REPORT_DELAY: 1}


async def test_a_report_comes_twice() -> None:
    carrier, chaos = stormy(report_duplicate=1)
    await carrier.submit(TO)
    assert await carrier.statuses() == [(0, "Retrieved")] * 2
    assert carrier.poster.reported[0].body == carrier.poster.reported[1].body
    assert chaos.done == {Switch.REPORT_DUPLICATE: 1}


async def test_a_report_is_overtaken_by_the_next_one() -> None:
    carrier, chaos = stormy(report_reorder=1)
    await carrier.submit(TO)
    await carrier.scheduler.jobs.pop(0)[2]()
    assert carrier.poster.reported == []
    chaos.begin(ChaosSettings())
    await carrier.submit("12399471614", transaction="43")
    assert [at for at, _ in await carrier.statuses()] == [0, 0]
    ids = [one.report.message_id for one in carrier.poster.reported]
    assert ids == [message.message_id for message in reversed(carrier.box.after())]


async def test_a_report_that_nothing_overtakes_is_sent_in_the_end() -> None:
    carrier, chaos = stormy(report_reorder=1)
    await carrier.submit(TO)
    assert await carrier.statuses() == [(10_000, "Retrieved")]
    assert chaos.done == {Switch.REPORT_REORDER: 1}


async def test_a_report_bears_an_altered_id() -> None:
    carrier, chaos = stormy(report_alter=1)
    answer = await carrier.submit(TO)
    await carrier.scheduler.run()
    (reported,) = carrier.poster.reported
    assert reported.report.message_id != answer.mm7.message_id
    assert reported.report.message_id.lower().lstrip("0") == answer.mm7.message_id
    assert chaos.done == {Switch.REPORT_ALTER: 1}


async def test_a_report_without_an_id_has_none_to_alter() -> None:
    carrier, chaos = stormy(report_alter=1)
    await carrier.submit("12399470121")
    await carrier.scheduler.run()
    assert carrier.poster.reported[0].report.message_id == ""
    assert not chaos.done


@pytest.mark.parametrize("plays", ["3gpp", "mbuni"])
async def test_an_orphan_is_of_no_message_and_no_phone(plays: str) -> None:
    carrier, chaos = stormy(plays, report_orphan=1)
    answer = await carrier.submit(TO)
    await carrier.scheduler.run()
    orphan, real = (one.report for one in carrier.poster.reported)
    assert orphan.message_id.startswith("orphan")
    assert orphan.handset == Address(value=orphan.message_id.removeprefix("orphan"))
    assert orphan.handset.value.startswith(NOBODY)
    assert (real.message_id, real.handset) == (answer.mm7.message_id, Address(value=TO))
    assert chaos.done == {Switch.REPORT_ORPHAN: 1}


async def test_a_report_with_every_chaos_is_lost_by_none_of_it() -> None:
    carrier, chaos = stormy("vectorcore", user="v", all=1)
    await carrier.post(flat())
    await carrier.scheduler.run()
    ids = {one.report.message_id.lower().lstrip("0") for one in carrier.poster.reported}
    (message,) = carrier.box.after()
    assert message.message_id in ids
    assert chaos.reports == 1


async def test_what_is_sent_again_after_a_failure_meets_no_further_chaos() -> None:
    carrier, chaos = stormy(report_duplicate=1)
    carrier.poster.outcomes = [Answered(status=500, headers={}, body=b"")] * 2
    await carrier.submit(TO)
    await carrier.scheduler.run()
    assert len(carrier.poster.reported) == 4
    assert (chaos.reports, chaos.done) == (1, {Switch.REPORT_DUPLICATE: 1})
