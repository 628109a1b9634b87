"""``mmsgate reports``: delivery reports that matched no message, and why."""

import click
from rich.markup import escape

from mmsgate.cli.output import data_dir_option, out, table, with_store
from mmsgate.clock import iso
from mmsgate.domain.number import mask
from mmsgate.reports.reports import ORPHAN_LIFE, Report
from mmsgate.store import Orphan, Store


@click.group()
def reports() -> None:
    """Delivery reports and receipts that matched no message (R-21)."""


@reports.command()
@click.option("--limit", type=click.IntRange(min=1), default=100, show_default=True, help="How many at most.")
@data_dir_option
def orphans(limit: int, data_dir: str | None) -> None:
    """The reports that have found no message, the newest first. Phone numbers are masked."""

    async def work(store: Store) -> None:
        rows = table("id", "came", "connection", "kind", "status", "message id", "to", "from")
        for orphan in await store.reports.newest_orphans(limit):
            report = Report.from_json(orphan.report)
            rows.add_row(
                str(orphan.id), iso(orphan.received_at), orphan.connection, report.kind, escape(report.status),
                escape(_first(report)), escape(mask(report.recipient)), escape(mask(report.sender)),
            )  # fmt: skip
        out.print(rows)
        shown, all_of_them = rows.row_count, await store.reports.count_orphans()
        if all_of_them > shown:
            out.print(f"… and {all_of_them - shown:,} older ones")

    with_store(data_dir, work)


@reports.command()
@click.argument("orphan_id", metavar="ID", type=int)
@data_dir_option
def show(orphan_id: int, data_dir: str | None) -> None:
    """All that a report says, why it matches no message, and the messages that come nearest. Numbers are masked."""

    async def work(store: Store) -> None:
        orphan = await store.reports.orphan(orphan_id)
        if orphan is None:
            raise click.ClickException(f"no report {orphan_id} is kept: it never was, or it matched its message")
        report = Report.from_json(orphan.report)
        for name, value in _fields(orphan, report):
            out.print(f"{name}: {escape(value)}", highlight=False, soft_wrap=True)
        if orphan.matched is None:
            await _explain(store, orphan, report)
        else:
            out.print("it has found its message since")

    with_store(data_dir, work)


def _fields(orphan: Orphan, report: Report) -> list[tuple[str, str]]:
    return [
        ("connection", orphan.connection),
        ("came", iso(orphan.received_at)),
        ("matched again until", iso(orphan.received_at + ORPHAN_LIFE)),
        ("kind", report.kind),
        ("message id", ", also read as ".join(filter(None, report.ids)) or "none"),
        ("status", report.status + (f" ({report.text})" if report.text else "")),
        ("to", mask(report.recipient) or "nobody"),
        ("from", mask(report.sender) or "nobody"),
        ("handset", report.handset or "not named"),
    ]


async def _explain(store: Store, orphan: Orphan, report: Report) -> None:
    sought = report.sought(orphan.received_at)
    connections = (await store.accounts.directory()).profiles
    for reason in await store.reports.why_unmatched(sought, connections):
        out.print(f"no match: {escape(reason)}", highlight=False, soft_wrap=True)
    for each in await store.reports.candidates(sought):
        known_as = f", id {each.carrier_id}" if each.carrier_id else ""
        against = f": {each.against}" if each.against else ": nothing against it"
        line = f"candidate {each.tracking_id}, {each.state}, accepted {iso(each.accepted_at)}{known_as}{against}"
        out.print(escape(line), highlight=False, soft_wrap=True)


def _first(report: Report) -> str:
    return next(filter(None, report.ids), "")
