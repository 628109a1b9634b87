"""``mmsgate reports``: what matched nothing, and why."""

from collections.abc import Sequence

from mmsgate.domain.change import Change
from mmsgate.domain.message import Message
from mmsgate.domain.state import Happening
from mmsgate.reports.reports import Report
from mmsgate.store import Match, Snapshot, Store
from tests.integration.cli.conftest import Shell
from tests.integration.store.test_messages import accepted, step
from tests.unit.builders import NOW

PHONE, MASKED = "12065550100", "12•••••0100"


def kept(shell: Shell, *reports: Report) -> Sequence[int]:
    """The ids under which they are kept, the newest first."""

    async def keep(store: Store) -> Sequence[int]:
        for report in reports:
            await store.reports.record(report.sought(NOW), _never, report=report.to_json)
        return [orphan.id for orphan in await store.reports.newest_orphans(100)]

    return shell.store(keep)


def _never(snapshot: Snapshot, match: Match) -> Change:
    raise AssertionError((snapshot, match))


def a_report(**changes: object) -> Report:
    fields = {
        "kind": "mm7", "connection": "acme", "ids": ("A[1]",), "status": "Rejected", "text": "spam",
        "recipient": PHONE, "sender": "28444", "handset": "Pixel7", **changes,
    }  # fmt: skip
    return Report(**fields)  # type: ignore[arg-type]


def test_the_list_has_the_newest_first_and_no_whole_number(shell: Shell) -> None:
    kept(shell, a_report(), a_report(status="Expired", ids=("",)))
    said = shell.succeeds("reports", "orphans").splitlines()
    assert said[0].split() == ["id", "came", "connection", "kind", "status", "message", "id", "to", "from"]
    assert [line.split()[4] for line in said[1:]] == ["Expired", "Rejected"]
    assert "A[1]" in said[2]
    assert all(MASKED in line and PHONE not in line for line in said[1:])
    assert "… and 1 older ones" in shell.succeeds("reports", "orphans", "--limit", "1")


def test_a_report_is_shown_with_all_it_says_why_it_matched_nothing_and_what_comes_nearest(shell: Shell) -> None:
    async def a_sent_message(store: Store) -> Message:
        message = await accepted(store, 1, connection="acme")
        for happening in (Happening.SUBMIT, Happening.TAKEN):
            await store.messages.record(message, step(happening))
        return await accepted(store, 2, connection="acme")

    shell.store(a_sent_message)
    (number,) = kept(shell, a_report(sender="99999"))
    said = shell.succeeds("reports", "show", str(number))
    for line in (
        "connection: acme", "message id: A[1]", "status: Rejected (spam)", f"to: {MASKED}", "from: 99999",
        "handset: Pixel7", "no match: no message of acme has the id 'A[1]'",
        "no match: no message to that recipient that could be meant waits for a report",
        "candidate tracking00000000000001, sent, accepted ",
    ):  # fmt: skip
        assert line in said, line
    assert "it has another sender" in said
    assert "tracking00000000000002" not in said  # it waits for no report
    assert PHONE not in said


def test_one_that_has_matched_meanwhile_says_so(shell: Shell) -> None:
    (number,) = kept(shell, a_report())

    async def match(store: Store) -> None:
        message = await accepted(store, 1, connection="acme")
        (orphan,) = await store.reports.newest_orphans(1)
        for happening in (Happening.SUBMIT, Happening.TAKEN):
            await store.messages.record(message, step(happening))
        sought = a_report(ids=()).sought(NOW)
        await store.reports.record(
            sought, lambda snapshot, _: step(Happening.UNDER_WAY)(snapshot), report=lambda: "", orphan=orphan
        )

    shell.store(match)
    assert "it has found its message since" in shell.succeeds("reports", "show", str(number))
    assert len(shell.succeeds("reports", "orphans").splitlines()) == 1


def test_a_report_that_is_not_kept_is_named(shell: Shell) -> None:
    assert "no report 17 is kept" in shell.fails("reports", "show", "17")
