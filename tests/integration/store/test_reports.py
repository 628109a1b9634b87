"""Reports in the store: each finds its message or is kept, and says what phone it was."""

from dataclasses import replace

import pytest

from mmsgate.clock import DAY, ManualClock, Millis
from mmsgate.domain.change import CarrierId, Change
from mmsgate.domain.message import Message, SmsPart
from mmsgate.domain.state import Happening, State
from mmsgate.reports.handsets import Handsets
from mmsgate.store import Handset, Match, MatchedBy, Orphan, Snapshot, Sought, Store
from mmsgate.store.matching import SQL
from mmsgate.store.queries import Statement
from tests.integration.store.test_messages import accepted, numbered, step
from tests.unit.builders import NOW

PEOPLE = ("12065550100", "28444")


async def sent(store: Store, number: int, carrier_id: str, **changes: object) -> Message:
    message = await accepted(store, number, **changes)
    await store.messages.record(message, step(Happening.SUBMIT))
    await store.messages.record(message, step(Happening.TAKEN, CarrierId(connection="sim", verbatim=carrier_id)))
    return message


def sought(*ids: str, connection: str = "sim", people: tuple[str, str] = ("", ""), came: Millis = NOW) -> Sought:
    return Sought(connection=connection, ids=ids, recipient=people[0], sender=people[1], came=came)


async def report(
    store: Store, *ids: str, connection: str = "sim", people: tuple[str, str] = ("", ""), handset: str = "",
    came: Millis = NOW, orphan: Orphan | None = None,
) -> tuple[int, MatchedBy, int] | None:  # fmt: skip
    """Which message the report found, how, and which part of it."""
    found: list[tuple[int, MatchedBy, int]] = []

    def decide(snapshot: Snapshot, match: Match) -> Change:
        found.append((match.message.id, match.matched_by, match.part))
        return step(Happening.REPORTED_DELIVERED)(snapshot)  # type: ignore[no-any-return]

    meant = sought(*ids, connection=connection, people=people, came=came)
    await store.reports.record(meant, decide, report=lambda: "{}", handset=handset, orphan=orphan)
    return found[0] if found else None


async def test_a_report_finds_its_message(store: Store) -> None:
    await sent(store, 1, "Ab01")
    await sent(store, 2, "aB1x")
    assert await report(store, "Ab01") == (1, MatchedBy.ID, 0)
    assert await report(store, "000AB1X") == (2, MatchedBy.NORMALISED, 0)
    assert await report(store, "Ab01", connection="other") is None
    assert [orphan.connection for orphan in await store.reports.open_orphans(since=0)] == ["other"]


async def test_a_report_that_names_only_people_needs_exactly_one_candidate(store: Store) -> None:
    """R-38."""
    await sent(store, 1, "")
    assert await report(store, people=PEOPLE) == (1, MatchedBy.RECIPIENT, 0)
    await sent(store, 2, "", sender="99999")
    await sent(store, 3, "")
    assert await report(store, people=PEOPLE) == (3, MatchedBy.RECIPIENT, 0)
    await sent(store, 4, "")
    await sent(store, 5, "")
    assert await report(store, people=PEOPLE) is None
    assert await report(store, people=("12065550199", "")) is None


async def test_a_report_before_its_id_is_not_taken_for_another_message_to_the_same_phone(store: Store) -> None:
    await sent(store, 1, "a1")
    second = await accepted(store, 2)
    await store.messages.record(second, step(Happening.SUBMIT))
    assert await report(store, "b2", people=PEOPLE) is None
    given = CarrierId(connection="sim", verbatim="b2")
    recorded = await store.messages.record(second, step(Happening.TAKEN, given))
    assert len(recorded.orphans) == 1


@pytest.mark.parametrize("people", [PEOPLE, ("", ""), ("12065550199", "")])
@pytest.mark.parametrize("named", ["1234", "01234"])
async def test_an_id_is_not_believed_of_a_message_that_is_newer_than_the_report(
    named: str, people: tuple[str, str], store: Store
) -> None:
    """Carriers use their ids again. Whom the report names says nothing against its id."""
    await sent(store, 1, "1234")
    assert await report(store, named, people=people, came=NOW - 1) is None
    assert await report(store, named, people=people) is not None


@pytest.mark.parametrize(("came", "handed_out"), [(NOW - 1, False), (NOW, True)])
async def test_an_orphan_with_an_id_used_again_is_not_handed_out_with_it(
    came: Millis, handed_out: bool, store: Store
) -> None:
    message = await accepted(store)
    assert await report(store, "1234", people=PEOPLE, came=came) is None
    await store.messages.record(message, step(Happening.SUBMIT))
    given = CarrierId(connection="sim", verbatim="1234")
    recorded = await store.messages.record(message, step(Happening.TAKEN, given))
    assert bool(recorded.orphans) is handed_out


async def test_a_report_with_another_id_is_not_believed_to_mean_a_message_that_has_its_own(store: Store) -> None:
    await sent(store, 1, "a1")
    assert await report(store, "foreign", people=PEOPLE) is None
    await sent(store, 2, "", sender="99999")
    assert await report(store, "foreign", people=("12065550100", "99999")) == (2, MatchedBy.RECIPIENT, 0)


async def test_an_old_orphan_does_not_match_a_newer_message(store: Store) -> None:
    await sent(store, 1, "")
    orphan = Orphan(id=1, connection="sim", report="{}", received_at=NOW - DAY)
    assert await report(store, people=("12065550100", ""), came=NOW - DAY, orphan=orphan) is None


async def test_a_receipt_with_an_unknown_id_settles_the_one_part_in_doubt(store: Store) -> None:
    """R-19: its submit_sm_resp was lost, so nobody knows its id."""
    message = await accepted(store)
    for happening in (Happening.FELL_BACK, Happening.SUBMIT):
        await store.messages.record(message, step(happening))
    doubtful = (SmsPart(number=1, state="sent", smsc_id="1"), SmsPart(number=2, state="unknown"))
    await store.messages.record(message, step(Happening.IN_DOUBT, parts=doubtful))
    assert await report(store, "77", people=PEOPLE) == (message.id, MatchedBy.RECIPIENT, 2)


async def test_a_report_with_an_id_that_got_lost_means_the_message_that_was_in_doubt(store: Store) -> None:
    """R-19: also when it is final by now, and also the second time."""
    message = await accepted(store)
    for happening in (Happening.SUBMIT, Happening.IN_DOUBT, Happening.GAVE_UP):
        await store.messages.record(message, step(happening))
    assert await report(store, "b2", people=("12065550199", "28444")) is None
    assert await report(store, "b2", people=("12065550100", "99999")) is None
    assert await report(store, "b2", connection="other", people=PEOPLE) is None
    assert await report(store, "b2", people=PEOPLE) == (message.id, MatchedBy.RECIPIENT, 0)
    assert await report(store, "b2", people=PEOPLE) == (message.id, MatchedBy.RECIPIENT, 0)
    kept = await store.messages.by_tracking(message.tracking_id)
    assert kept is not None
    assert kept.state is State.FAILED


async def test_a_report_with_an_id_that_got_lost_means_the_first_copy_of_what_was_sent_again(store: Store) -> None:
    message = await accepted(store)
    for happening in (Happening.SUBMIT, Happening.IN_DOUBT, Happening.POSTPONED, Happening.SUBMIT):
        await store.messages.record(message, step(happening))
    await store.messages.record(message, step(Happening.TAKEN, CarrierId(connection="sim", verbatim="a1")))
    await sent(store, 2, "c3")
    assert await report(store, "b2", people=PEOPLE) == (message.id, MatchedBy.RECIPIENT, 0)


async def test_reports_that_came_before_the_doubt_are_handed_out_with_it(store: Store) -> None:
    message = await accepted(store)
    await store.messages.record(message, step(Happening.SUBMIT))
    assert await report(store, "b2", people=PEOPLE) is None
    assert await report(store, "b2", people=("12065550199", "28444")) is None
    recorded = await store.messages.record(message, step(Happening.IN_DOUBT))
    (orphan,) = recorded.orphans
    assert await report(store, "b2", people=PEOPLE, orphan=orphan) == (message.id, MatchedBy.RECIPIENT, 0)


async def test_a_doubt_is_forgotten_with_the_orphans_of_its_time(store: Store) -> None:
    message = await accepted(store)
    for happening in (Happening.SUBMIT, Happening.IN_DOUBT, Happening.GAVE_UP):
        await store.messages.record(message, step(happening))
    await store.reports.forget_matched_orphans(before=NOW + DAY)
    assert await report(store, "b2", people=PEOPLE) is None


async def test_a_guessed_spelling_is_believed_only_for_the_same_recipient(store: Store) -> None:
    await sent(store, 1, "1a")
    assert await report(store, "26", "1a", people=("12065550199", "")) is None
    assert await report(store, "26", "1a", people=("12065550100", "")) == (1, MatchedBy.ID, 0)


async def test_a_report_that_came_before_its_id_is_handed_out_with_it(store: Store) -> None:
    message = await accepted(store)
    assert await report(store, "0Xy") is None
    await store.messages.record(message, step(Happening.SUBMIT))
    given = CarrierId(connection="sim", verbatim="xy")
    recorded = await store.messages.record(message, step(Happening.TAKEN, given))
    assert [orphan.report for orphan in recorded.orphans] == ["{}"]
    assert await report(store, "0Xy", orphan=recorded.orphans[0]) == (message.id, MatchedBy.NORMALISED, 0)
    assert await store.reports.open_orphans(since=0) == []
    kept = await store.messages.by_tracking(message.tracking_id)
    assert kept is not None
    assert kept.state is State.DELIVERED


async def test_an_orphan_that_has_found_its_message_makes_no_second_step(store: Store) -> None:
    assert await report(store, "a1") is None
    (orphan,) = await store.reports.open_orphans(since=0)
    message = await sent(store, 1, "a1")
    assert await report(store, "a1", orphan=orphan) == (1, MatchedBy.ID, 0)
    assert await report(store, "a1", orphan=orphan) is None
    assert [event.happening for event in await store.messages.timeline(message.id)].count(
        Happening.REPORTED_DELIVERED
    ) == 1
    assert await store.reports.orphan(orphan.id) == replace(orphan, matched=message.id)


async def test_an_orphan_for_ever_is_kept_for_ever_and_one_that_matched_is_not(store: Store) -> None:
    """R-21: never dropped."""
    assert await report(store, "nobody's") is None
    assert await report(store, "a1") is None
    first, second = await store.reports.open_orphans(since=0)
    await sent(store, 1, "a1")
    await report(store, "a1", orphan=second)
    assert await store.reports.forget_matched_orphans(before=NOW + 1) == 1
    assert [first] == await store.reports.newest_orphans(10)
    assert await store.reports.orphan(second.id) is None
    assert await store.reports.count_orphans() == 1


async def test_ids_that_differ_only_in_case_are_told_apart_and_not_guessed_between(store: Store) -> None:
    await sent(store, 1, "ab1")
    await sent(store, 2, "AB1")
    assert await report(store, "AB1") == (2, MatchedBy.ID, 0)
    assert await report(store, "Ab1") is None


@pytest.mark.parametrize(
    ("meant", "reasons"),
    [
        (sought(), ["it names no message id", "it names no recipient"]),
        (sought("x"), ["no message of sim has the id 'x'", "it names no recipient"]),
        (
            sought("0A1", connection="other"),
            ["the id '0A1' is that of a message of sim, and the report came over other", "it names no recipient"],
        ),
        (sought("Ab"), ["several messages of sim have the id 'Ab', letter case and leading zeros apart",
                        "it names no recipient"]),
        (
            sought(people=("12065550100", "")),
            ["it names no message id",
             "2 messages to that recipient wait for a report, any of them might be meant (R-38)"],
        ),
        (
            sought("x", people=("12065550100", "28444")),
            ["no message of sim has the id 'x'",
             "no message to that recipient that could be meant waits for a report"],
        ),
        (
            sought("a1", came=NOW - 1),
            ["the message of sim with the id 'a1' was accepted after the report had come", "it names no recipient"],
        ),
    ],
)  # fmt: skip
async def test_a_person_is_told_why_a_report_matched_nothing(
    meant: Sought, reasons: list[str], store: Store
) -> None:
    for number, carrier_id in enumerate(("a1", "ab", "AB"), 1):
        await sent(store, number, carrier_id, recipient="12065550111")
    await sent(store, 4, "")
    await sent(store, 5, "")
    if meant.ids and meant.recipient:  # these have ids of their own
        await sent(store, 6, "c", sender="1")
        for number in (4, 5):
            await report_delivered(store, number)
    assert not await store.reports.would_match(meant)
    assert await store.reports.why_unmatched(meant, ("sim", "other")) == reasons


async def report_delivered(store: Store, number: int) -> None:
    await store.messages.record(numbered(number), step(Happening.REPORTED_DELIVERED))


async def test_the_candidates_say_what_speaks_against_each(store: Store) -> None:
    await sent(store, 1, "a1")
    await sent(store, 2, "", sender="99999")
    await sent(store, 3, "", accepted_at=NOW + 1)
    submitting = await accepted(store, 4)
    await store.messages.record(submitting, step(Happening.SUBMIT))
    await sent(store, 5, "")
    await sent(store, 6, "", recipient="12065550111")
    against = [each.against for each in await store.reports.candidates(sought("x", people=PEOPLE))]
    assert against == [
        "", "it is just being submitted", "it was accepted after the report had come", "it has another sender",
        "it has another id",
    ]  # fmt: skip
    elsewhere = await store.reports.candidates(sought("x", connection="other", people=PEOPLE))
    assert {each.against for each in elsewhere} == {"it went to sim"}


@pytest.mark.parametrize("where", ["sqlite"], indirect=True)
async def test_matching_by_recipient_reads_an_index_and_not_every_message(store: Store) -> None:
    for name in ("find_by_recipient", "find_doubtful_part", "waiting_for"):
        parameters = ("1", "2", "3", NOW)[: 4 if name != "waiting_for" else 1]
        plan = await store._engine.read(Statement(f"EXPLAIN QUERY PLAN {SQL[name]}"), parameters)
        assert "USING INDEX message_waiting" in plan[0][3], (name, plan)
        assert not [row for row in plan if row[3].startswith("SCAN message")]


# -- handsets


async def test_a_report_teaches_the_handset_of_its_messages_recipient(store: Store) -> None:
    await sent(store, 1, "a1")
    await report(store, "a1", handset="Pixel7")
    assert await store.handsets.get("12065550100", since=NOW) == Handset(
        name="Pixel7", connection="sim", seen_at=NOW
    )
    assert await store.handsets.get("12065550100", since=NOW + 1) is None
    assert await store.handsets.get("12065550111", since=0) is None
    assert await report(store, "nobody's", handset="Other", people=("12065550111", "")) is None
    assert await store.handsets.count() == 1


async def test_the_handset_seen_last_counts_whatever_the_order_of_reports(store: Store) -> None:
    await sent(store, 1, "a1")
    for name, came in (("new", NOW), ("old", NOW - 1), ("newer", NOW + 1), ("newer", NOW + 2)):
        await report(store, "a1", handset=name, came=came)
    known = await store.handsets.get("12065550100", since=0)
    assert known == Handset(name="newer", connection="sim", seen_at=NOW + 1)  # not written anew within a day
    await report(store, "a1", handset="newer", came=NOW + 1 + DAY)
    assert await store.handsets.get("12065550100", since=NOW + 1 + DAY) is not None


async def test_handsets_not_seen_for_long_are_forgotten(store: Store) -> None:
    for number, came in ((1, NOW - DAY), (2, NOW)):
        await sent(store, number, f"a{number}", recipient=f"1206555011{number}", accepted_at=came)
        await report(store, f"a{number}", handset="Pixel7", came=came)
    assert await store.handsets.forget(before=NOW) == 1
    assert await store.handsets.get("12065550111", since=0) is None
    assert await store.handsets.get("12065550112", since=0) is not None


async def test_a_handset_is_known_for_as_many_days_as_are_set(store: Store) -> None:
    clock = ManualClock()
    await sent(store, 1, "a1")
    await report(store, "a1", handset="Pixel7", came=clock.now())
    none, two = (Handsets(store, clock, days=days) for days in (0, 2))
    assert (await none.known("12065550100"), await two.known("12065550100") is not None) == (None, True)
    clock.advance(2 * DAY - 1)
    assert await two.forget() == 0
    assert await two.known("12065550100") is not None
    clock.advance(1)
    assert await two.known("12065550100") is None
    assert await two.forget() == 1
