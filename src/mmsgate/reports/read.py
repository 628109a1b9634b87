"""Read reports: a carrier's ReadReplyReq in our words."""

from mmsgate.mm7.address import Address, AddressKind
from mmsgate.mm7.answer import MAX_ID
from mmsgate.mm7.report import ReadReplyReq
from mmsgate.reports.reports import LONGEST_TEXT, Report


def from_read_reply(connection: str, report: ReadReplyReq, *, swapped: bool = False) -> Report:
    """A carrier's ReadReplyReq; `swapped` is what its profile says of sender and recipient."""
    phone, ours = _people(report, swapped=swapped)
    return Report(
        kind="read",
        connection=connection,
        ids=(report.message_id[:MAX_ID],),
        status=report.status.value,
        text=report.status_text[:LONGEST_TEXT],
        recipient=phone.value if phone else "",
        sender=ours.value if ours else "",
    )


def _people(report: ReadReplyReq, *, swapped: bool) -> tuple[Address | None, Address | None]:
    """The phone's address and ours. A short code is no phone, wherever it stands."""
    if report.recipient is not None and report.sender is not None:
        recipient, sender = (each.kind is AddressKind.SHORT_CODE for each in (report.recipient, report.sender))
        swapped = recipient if recipient is not sender else swapped
    return (report.sender, report.recipient) if swapped else (report.recipient, report.sender)
