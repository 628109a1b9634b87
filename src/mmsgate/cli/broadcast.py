"""``mmsgate send --mms-id ID --to-file FILE``: a template to a list of numbers, with a bar; run again, it goes on.

Each row has an Idempotency-Key of its own, made of the template, the number and the row's data: whoever was sent to
is not sent to again within a day, however often the command is repeated (R-07).
"""

import asyncio
import csv
import hashlib
import io
import itertools
import json
import re
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from xml.sax.saxutils import escape

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from mmsgate.cli.gateway import document
from mmsgate.cli.output import console, out, table
from mmsgate.domain.number import parse_msisdn
from mmsgate.errors import Fault, Refusal
from mmsgate.http import Answered, Pool, Timeouts
from mmsgate.wire.document import read_document

AT_ONCE = 32
PATIENCE = Timeouts(connect=5, total=60)
TRIES = 4  # a row whose answer was lost, or that came too fast
MOST_EXAMPLES = 5  # of refused rows, and of bad lines, that are shown
DELIMITERS = ",;\t"  # Excel writes semicolons where the comma is the decimal sign
#: A column's name: both a merge tag (API contract 7) and the name of an XML element.
TAG = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,63}")
#: Refusals of the key, the account or the template: they hold for every row.
FOR_EVERY_ROW = ("E104", "E105", "E112", "E241", "E620", "E626")


class ListFault(Fault):
    """The list can't be used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One recipient: the line of the file, the number, the values of merge tags."""

    line: int
    to: str
    data: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mailing:
    """What every recipient of the list gets, and from whom. `pause` waits seconds before another try of a row."""

    mms_id: str
    sender: str
    service_id: str
    operator_id: str = ""
    fallback_text: str
    api_key: str = field(repr=False)
    url: str
    pool: Pool
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep

    def document(self, row: Row) -> bytes:
        """The sendSavedMMS for one row."""
        given = {
            "action": "sendSavedMMS", "api-key": self.api_key, "mms-id": self.mms_id, "to": row.to,
            "from": self.sender, "service-id": self.service_id, "operator-id": self.operator_id,
            "fallback-sms-text": self.fallback_text,
        }  # fmt: skip
        data = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in row.data.items())
        return document(given, f"<data>{data}</data>")

    def key(self, row: Row) -> str:
        """The Idempotency-Key: the same for the same row, whenever it is sent."""
        what = json.dumps([self.mms_id, self.sender, row.to, sorted(row.data.items())])
        return f"list-{hashlib.sha256(what.encode()).hexdigest()[:32]}"


@dataclass(slots=True)
class Summary:
    """How the rows ended: a code and its text, how many, and which lines for example.

    `stopped` is the outcome of all further rows once one was refused for a reason that holds for every row.
    """

    counts: Counter[str] = field(default_factory=Counter)
    lines: dict[str, list[int]] = field(default_factory=dict)
    stopped: str = ""

    def add(self, outcome: str, row: Row) -> None:
        self.counts[outcome] += 1
        self.lines.setdefault(outcome, []).append(row.line)
        if outcome.startswith(FOR_EVERY_ROW):
            self.stopped = f"not tried: {outcome[:4]} holds for every row"

    @property
    def refused(self) -> int:
        """Rows that were not accepted."""
        return sum(count for outcome, count in self.counts.items() if outcome not in {ACCEPTED, BEFORE, REPEATED})


ACCEPTED, BEFORE = "accepted", "accepted by an earlier run"
REPEATED = "stands twice in the list"  # its first row is sent, and has an outcome of its own


def read_rows(path: Path) -> list[Row]:
    """The recipients of a CSV file.

    The first column is the number. With a header line, the other columns are values of merge tags by their names.
    The first line is a header if its first cell holds no digit: a mistyped number is none. Columns end at a comma,
    a semicolon or a tab. Raises `ListFault` that names the bad lines.
    """
    text = _text(path)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text))
    try:
        rows = [(number, row) for number, row in enumerate(reader, 1) if any(map(str.strip, row))]
    except csv.Error as error:
        raise ListFault(f"{path}, line {reader.line_num}: {error}") from error
    if not rows:
        raise ListFault(f"{path} is empty")
    names: list[str] = []
    if not any(map(str.isdigit, rows[0][1][0])):
        names = [name.strip() for name in rows.pop(0)[1][1:]]
    return _recipients(path, rows, names)


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise ListFault(f"{path} can't be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ListFault(f"{path} is no text in UTF-8") from error


def _delimiter(text: str) -> str:
    """The one that is most frequent in the first line, outside quotes."""
    first = re.sub(r'"[^"]*"', "", text.lstrip("\r\n").partition("\n")[0])
    return max(DELIMITERS, key=first.count)


def _recipients(path: Path, rows: list[tuple[int, list[str]]], names: list[str]) -> list[Row]:
    if not rows:
        raise ListFault(f"{path} has no numbers")
    bad = next((name for name in names if not TAG.fullmatch(name)), None)
    if bad is not None:
        raise ListFault(f"{path}: {bad!r} can be no merge tag: only a to z, digits and _ . -")
    found, wrong = [], []
    for line, row in rows:
        to = parse_msisdn(row[0], strict=False)
        if to is None:
            wrong.append(f"line {line}: {row[0]!r} is no number")
        elif names and any(map(str.strip, row[len(names) + 1 :])):
            wrong.append(f"line {line}: it has more cells than the header, is a comma not in quotes?")
        else:
            data = dict(zip(names, (value.strip() for value in row[1:]), strict=False))
            found.append(Row(line=line, to=to, data=data))
    if wrong:
        more = [f"and {len(wrong) - MOST_EXAMPLES:,} more"] if len(wrong) > MOST_EXAMPLES else []
        raise ListFault(f"{path}: {'; '.join(wrong[:MOST_EXAMPLES] + more)}")
    return found


async def broadcast(mailing: Mailing, rows: list[Row], summary: Summary | None = None) -> Summary:
    """Send to every row, many at once, and of equal rows to the first; a bar shows how far it is.

    The first row goes alone: what holds for every row is known before the others are posted. `summary` is filled
    as it goes, for whoever stops it.
    """
    summary = summary or Summary()
    first = {mailing.key(row): row for row in reversed(rows)}
    for row in rows:
        if first[mailing.key(row)] is not row:
            summary.add(REPEATED, row)
    waiting = iter(sorted(first.values(), key=lambda row: row.line))
    columns = (TextColumn("sending"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("", total=len(first))

        async def work(rows: Iterable[Row]) -> None:
            for row in rows:
                summary.add(summary.stopped or await _send(mailing, row), row)
                progress.advance(task)

        await work(itertools.islice(waiting, 1))
        await asyncio.gather(*(work(waiting) for _ in range(min(AT_ONCE, len(first)))))
    return summary


async def _send(mailing: Mailing, row: Row) -> str:
    """What became of a row, in words."""
    outcome = ""
    for attempt in range(TRIES):
        if attempt:
            await mailing.pause(attempt)
        posted = await mailing.pool.post(
            f"{mailing.url}/ep/v1/", buffers=(mailing.document(row),), timeouts=PATIENCE,
            headers={"Content-Type": "text/xml; charset=utf-8", "Idempotency-Key": mailing.key(row)},
        )  # fmt: skip
        if not isinstance(posted, Answered):
            outcome = f"no answer: {posted.reason}"
            continue
        outcome = _read(posted)
        if not outcome.startswith(("E106", "E113")) and not _still_running(posted):
            break
    return outcome


def _still_running(answered: Answered) -> bool:
    """Whether an earlier try of the row is still at work (R-07); any other conflict stays one."""
    return answered.status == 409 and "retry-after" in answered.headers


def _read(answered: Answered) -> str:
    try:
        values = {child.tag: child.text or "" for child in read_document(answered.body)}
    except Refusal:
        return f"HTTP {answered.status} with something that is no XML"
    if values.get("status") == "Success":
        return BEFORE if answered.headers.get("idempotent-replayed") else ACCEPTED
    if answered.status == 409 and not _still_running(answered):
        return f"sent before with other values or another fallback text: {values.get('error-info')}"
    return f"{values.get('error-code')} {values.get('error-info')}"


def show(summary: Summary) -> None:
    """The summary as a table, the most frequent outcome first."""
    shown = table("messages", "outcome", "lines")
    for outcome, count in summary.counts.most_common():
        lines = summary.lines[outcome]
        examples = ", ".join(map(str, lines[:MOST_EXAMPLES])) + (" …" if len(lines) > MOST_EXAMPLES else "")
        shown.add_row(f"{count:,}", outcome, "" if outcome in {ACCEPTED, BEFORE} else examples)
    out.print(shown)
