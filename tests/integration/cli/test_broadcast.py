"""The list of ``mmsgate send --to-file``, read, and sent to a gateway."""

import asyncio
import os
import signal
import sqlite3
import sys
from collections import Counter
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from mmsgate.accept.saved import SendSavedMmsWorkflow
from mmsgate.cli.broadcast import ACCEPTED, BEFORE, REPEATED, ListFault, Mailing, Row, Summary, broadcast, read_rows
from mmsgate.http import Pool, PostOutcome
from mmsgate.wire.document import read_document
from tests.integration.api.conftest import KEY, Api
from tests.integration.api.test_templates import saved

#: Runs a command that takes Ctrl-C, also where whoever started the tests has it ignored.
INTERRUPTIBLE = (
    "import runpy, signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
    "runpy.run_module('mmsgate', run_name='__main__')"
)


def rows_of(tmp_path: Path, text: str) -> list[Row]:
    path = tmp_path / "numbers.csv"
    path.write_text(text, encoding="utf-8")
    return read_rows(path)


def mailing() -> Mailing:
    return Mailing(
        mms_id="5", sender="28444", service_id="32113", fallback_text="", api_key="k", url="http://x",
        pool=cast("Pool", None),
    )  # fmt: skip


def test_numbers_alone_need_no_header(tmp_path: Path) -> None:
    rows = rows_of(tmp_path, "12065550100\n\n+1 206-555-0101\n")
    assert [(row.line, row.to, dict(row.data)) for row in rows] == [(1, "12065550100", {}), (3, "12065550101", {})]


def test_a_header_names_the_merge_tags(tmp_path: Path) -> None:
    (row,) = rows_of(tmp_path, '\ufeffnumber,first_name,seat\n12065550100, Ada ,"7,A"\n')
    assert (row.to, dict(row.data)) == ("12065550100", {"first_name": "Ada", "seat": "7,A"})


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is empty"), ("number,first name\n12065550100,Ada\n", "'first name' can be no merge tag"),
        ("number,näme\n12065550100,Ada\n", "'näme' can be no merge tag"), ("number,name\n", "has no numbers"),
        ("number,name\n12065550100,Eve, Countess\n", "line 2: it has more cells than the header"),
        ("12065550100\nAda\n", "line 2: 'Ada' is no number"),
        ("1206555O100\n12065550101\n", "line 1: '1206555O100' is no number"),
        ("\n+1 206 55,Ada\n12065550101,Bob\n", "line 2: '\\+1 206 55' is no number"),
    ],
)  # fmt: skip
def test_a_list_that_is_of_no_use_names_its_line(text: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(ListFault, match=words):
        rows_of(tmp_path, text)


def test_all_bad_lines_are_named_at_once_up_to_five(tmp_path: Path) -> None:
    bad = "".join(f"x{letter}\n" for letter in "abcdefg")
    with pytest.raises(ListFault) as caught:
        rows_of(tmp_path, f"12065550100\n{bad}12065550101\n")
    named = "; ".join(f"line {line}: 'x{letter}' is no number" for line, letter in enumerate("abcde", 2))
    assert str(caught.value).endswith(f"numbers.csv: {named}; and 2 more")


@pytest.mark.parametrize(
    "text",
    [
        'number;first_name;seat\r\n12065550100;Ada;"7;A,b"\r\n',
        "number\tfirst_name\tseat\n12065550100\tAda\t7;A,b\n",
        '\n"number,;;;",first_name,seat\n12065550100,Ada,"7;A,b"\n',
    ],
)  # fmt: skip
def test_columns_end_at_what_is_most_frequent_in_the_first_line(text: str, tmp_path: Path) -> None:
    (row,) = rows_of(tmp_path, text)
    assert (row.to, dict(row.data)) == ("12065550100", {"first_name": "Ada", "seat": "7;A,b"})


def test_a_file_that_is_no_text_in_utf_8_is_called_so(tmp_path: Path) -> None:
    path = tmp_path / "numbers.csv"
    path.write_bytes("number;name\n12065550100;Jürgen\n".encode("latin-1"))
    with pytest.raises(ListFault) as caught:
        read_rows(path)
    assert str(caught.value) == f"{path} is no text in UTF-8"


def test_a_document_carries_any_data() -> None:
    root = read_document(mailing().document(Row(line=1, to="12065550100", data={"name": "<Ada> & co"})))
    assert (root.findtext("mms-id"), root.findtext("data/name")) == ("5", "<Ada> & co")


def test_the_same_row_has_the_same_key_and_another_has_another() -> None:
    row = Row(line=1, to="12065550100", data={"a": "1", "b": "2"})
    assert mailing().key(row) == mailing().key(Row(line=9, to="12065550100", data={"b": "2", "a": "1"}))
    assert mailing().key(row) != mailing().key(Row(line=1, to="12065550100", data={"a": "2", "b": "1"}))


# -- sent


async def mailing_of(api: Api, **changes: Any) -> Mailing:
    """A template's mailing to the running gateway, which never waits before it tries again."""

    async def pause(_: float) -> None:
        raise AssertionError("nothing is to be tried again")

    whole = Mailing(
        mms_id=await saved(api), sender="28444", service_id="32113", fallback_text="", api_key=KEY,
        url=api.gateway.settings.url, pool=api.pool, pause=pause,
    )  # fmt: skip
    return replace(whole, **changes)


def people(number: int) -> list[Row]:
    return [Row(line=line, to=str(12065550100 + line), data={"first_name": f"P{line}"}) for line in range(number)]


def reached(api: Api) -> Counter[str]:
    """How many messages each recipient has."""
    with closing(sqlite3.connect(api.gateway.settings.database)) as database:
        return Counter(recipient for (recipient,) in database.execute("SELECT recipient FROM message"))


def told(summary: Summary) -> dict[str, list[int]]:
    return {outcome: sorted(lines) for outcome, lines in summary.lines.items()}


async def test_of_equal_rows_the_first_is_sent_and_the_others_are_told_apart(api: Api) -> None:
    rows = [*people(3), *(replace(row, line=row.line + 10) for row in people(2))]
    other = replace(rows[0], line=20, data={"first_name": "another"})
    mailing = await mailing_of(api)
    summary = await broadcast(mailing, [*rows, other])
    assert told(summary) == {ACCEPTED: [0, 1, 2, 20], REPEATED: [10, 11]}
    assert summary.refused == 0
    assert reached(api) == {rows[0].to: 2, rows[1].to: 1, rows[2].to: 1}
    assert told(await broadcast(mailing, [*rows, other])) == {BEFORE: [0, 1, 2, 20], REPEATED: [10, 11]}


async def test_a_row_that_was_sent_with_another_fallback_text_is_told_so_and_not_tried_again(api: Api) -> None:
    mailing = await mailing_of(api)
    await broadcast(mailing, people(1))
    summary = await broadcast(replace(mailing, fallback_text="Another:"), people(2))
    words = (
        "sent before with other values or another fallback text: "
        "This Idempotency-Key was used with another request."
    )
    assert told(summary) == {words: [0], ACCEPTED: [1]}
    assert summary.refused == 1
    assert set(reached(api).values()) == {1}


async def test_a_list_that_is_stopped_tells_how_far_it_came(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    summary, hanging = Summary(), asyncio.Event()
    post = Pool.post

    async def one_answer(*given: Any, **more: Any) -> PostOutcome:
        if summary.counts:
            hanging.set()
            await asyncio.Event().wait()
        return await post(*given, **more)

    mailing = await mailing_of(api)
    monkeypatch.setattr(Pool, "post", one_answer)
    running = asyncio.create_task(broadcast(mailing, people(60), summary))
    await hanging.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert told(summary) == {ACCEPTED: [0]}


@pytest.mark.parametrize(("changes", "code"), [({"mms_id": "5"}, "E241"), ({"api_key": "mg_wrong"}, "E104")])
async def test_what_holds_for_every_row_is_asked_once_and_the_others_are_not_tried(
    changes: dict[str, str], code: str, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    posts = 0
    post = Pool.post

    async def counted(*given: Any, **more: Any) -> PostOutcome:
        nonlocal posts
        posts += 1
        return await post(*given, **more)

    mailing = await mailing_of(api, **changes)
    monkeypatch.setattr(Pool, "post", counted)
    summary = await broadcast(mailing, people(60))
    (first, lines), (rest, others) = told(summary).items()
    assert (first[:5], lines) == (f"{code} ", [0])
    assert (rest, others) == (f"not tried: {code} holds for every row", list(range(1, 60)))
    assert (posts, summary.refused) == (1, 60)


async def test_a_refusal_of_one_row_does_not_stop_the_others(api: Api) -> None:
    rows = people(3)
    rows[0] = replace(rows[0], to="1206555")
    summary = await broadcast(await mailing_of(api), rows)
    assert told(summary)[ACCEPTED] == [1, 2]
    assert summary.refused == 1


async def test_a_row_whose_earlier_try_still_runs_is_tried_again(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    running, go_on = asyncio.Event(), asyncio.Event()
    run = SendSavedMmsWorkflow.run

    async def slow(*given: Any) -> bytes:
        running.set()
        await go_on.wait()
        return await run(*given)

    monkeypatch.setattr(SendSavedMmsWorkflow, "run", slow)
    mailing = await mailing_of(api)
    first = asyncio.create_task(broadcast(mailing, people(1)))
    await running.wait()

    async def pause(_: float) -> None:
        go_on.set()
        await first

    second = await broadcast(replace(mailing, pause=pause), people(1))
    assert (told(await first), told(second)) == ({ACCEPTED: [0]}, {BEFORE: [0]})
    assert set(reached(api).values()) == {1}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_run_that_is_interrupted_and_run_again_reaches_everybody_once(
    number: signal.Signals, api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    middle, ended = asyncio.Event(), asyncio.Event()
    begun = 0
    run = SendSavedMmsWorkflow.run

    async def held(*given: Any) -> bytes:
        """From the middle on, requests are only worked when the command that sent them has ended."""
        nonlocal begun
        begun += 1
        if begun > 40:
            middle.set()
            await ended.wait()
        return await run(*given)

    monkeypatch.setattr(SendSavedMmsWorkflow, "run", held)
    numbers, mms_id = tmp_path / "numbers.csv", await saved(api)
    lines = "".join(f"{row.to},{row.data['first_name']}\n" for row in people(100))
    numbers.write_text(f"number,first_name\n{lines}", encoding="utf-8")

    async def start() -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            sys.executable, "-c", INTERRUPTIBLE, "send", "--mms-id", mms_id, "--to-file", str(numbers),
            "--url", api.gateway.settings.url, "--api-key", KEY, stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT, env={**os.environ, "COLUMNS": "200"},
        )  # fmt: skip

    first = await start()
    await middle.wait()
    first.send_signal(number)
    await first.communicate()
    assert first.returncode != 0
    assert 0 < reached(api).total() < 100
    ended.set()
    second = await start()
    said, _ = await second.communicate()
    assert second.returncode == 0, said.decode()
    assert BEFORE in said.decode()
    assert reached(api) == {row.to: 1 for row in people(100)}
