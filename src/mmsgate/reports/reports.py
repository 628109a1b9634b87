"""From a report to a step of its message's life.

A report is matched, judged and written in one transaction; one without a message is kept as an orphan (R-21) and
tried again when its message's id becomes known, and every minute for seven days.
"""

import asyncio
import json
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Self

from mmsgate.carriers.profile import CarrierProfile
from mmsgate.carriers.routing import SmsRoute
from mmsgate.clock import DAY, SECOND, Clock, Millis
from mmsgate.domain.change import Change, Why, move
from mmsgate.domain.message import Message, SmsPart
from mmsgate.domain.number import normalise
from mmsgate.domain.postback import SentAs, Undelivered
from mmsgate.domain.state import Happening, State
from mmsgate.mm7.answer import MAX_ID
from mmsgate.mm7.report import DeliveryReportReq, MMStatus
from mmsgate.observe import Observe, Work, unobserved
from mmsgate.postbacks.ledger import Ledger
from mmsgate.sms.receipt import Receipt, ReceiptState
from mmsgate.store import Match, MatchedBy, Orphan, Snapshot, Sought, Store
from mmsgate.trail import Trail, about

log = logging.getLogger("mmsgate.reports")

#: By what a report found its message that has found none.
ORPHAN = "orphan"

#: How long an orphan may still find its message (R-21).
ORPHAN_LIFE: Millis = 7 * DAY

#: How far each look goes back for reports and ids that crossed between two processes (`rematch_crossed`).
LOOK_BACK: Millis = 15 * SECOND

#: Kept reports that are looked at before anybody else has a turn: some two milliseconds of reading.
ORPHANS_AT_ONCE = 50

#: What is kept of a carrier's words and of a handset's name: more would be no name, and customers are told it.
LONGEST_TEXT, LONGEST_HANDSET = 300, 100

Profiles = Callable[[str], CarrierProfile | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A report or receipt in our words. `kind` is ``mm7``, ``sms``, or ``read`` for a read report.

    `ids` are the spellings of the carrier's id, the likeliest first; `recipient` and `sender` are empty where
    the carrier named none.
    """

    kind: str
    connection: str
    ids: tuple[str, ...]
    status: str
    text: str = ""
    recipient: str = ""
    sender: str = ""
    handset: str = ""

    def to_json(self) -> str:
        """As it is kept."""
        fields = {name: getattr(self, name) for name in self.__slots__}
        return json.dumps(fields, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """As it was kept."""
        fields = json.loads(text)
        return cls(**{**fields, "ids": tuple(fields["ids"])})

    def sought(self, came: Millis) -> Sought:
        """What it says of its message; `came` is when it came."""
        return Sought(
            connection=self.connection, ids=self.ids, recipient=self.recipient, sender=self.sender, came=came
        )


def from_mm7(connection: str, report: DeliveryReportReq, *, swapped: bool = False) -> Report:
    """A carrier's DeliveryReportReq; `swapped` is what its profile says of sender and recipient."""
    phone, other = report.parties(swapped=swapped)
    return Report(
        kind="mm7",
        connection=connection,
        ids=(report.message_id[:MAX_ID],),
        status=report.status.value,
        text=_words(report),
        recipient=phone.value if phone else "",
        sender=other.value if other else "",
        handset=report.handset_name[:LONGEST_HANDSET],
    )


def _words(report: DeliveryReportReq) -> str:
    """What the carrier says beside the status: extension, text, and as it is written a status that nobody knows."""
    status = report.status.value.lower()
    unknown = report.raw_status if report.status is MMStatus.INDETERMINATE else ""
    said = (unknown, report.status_extension, report.status_text)
    distinct = dict.fromkeys(words for words in said if words and words.lower() != status)
    return ", ".join(distinct)[:LONGEST_TEXT]


def from_receipt(connection: str, receipt: Receipt, recipient: str, sender: str = "") -> Report:
    """An SMSC's receipt for one part; `recipient` is the phone it speaks of, `sender` our number."""
    return Report(
        kind="sms",
        connection=connection,
        ids=receipt.candidate_ids,
        status=receipt.state.value,
        text=f"error {receipt.error}" if receipt.error else "",
        recipient=normalise(recipient),
        sender=normalise(sender) if sender.lstrip("+").isdigit() else sender,
    )


class Reports:
    """Takes reports in.

    `profile` gives a carrier's profile by its connection's name; `sms_route` says which SMSC carries an SMS.
    """

    def __init__(
        self, store: Store, ledger: Ledger, profile: Profiles, clock: Clock, *,
        sms_route: SmsRoute,
    ) -> None:  # fmt: skip
        self._store, self._ledger, self._profile, self._clock = store, ledger, profile, clock
        self._sms_route = sms_route
        self.observe: Observe = unobserved

    async def receive(self, report: Report, *, orphan: Orphan | None = None) -> bool:
        """Record a report durably; whether it found its message. Safe to call again with the same report."""
        now, began = self._clock.now(), time.perf_counter()
        recorded = await self._store.reports.record(
            report.sought(now if orphan is None else orphan.received_at),
            lambda snapshot, match: self._decide(report, snapshot, match, now),
            report=report.to_json,
            handset=report.handset,
            orphan=orphan,
        )
        if recorded is None:
            if orphan is None:
                self.observe(Work.REPORT, report.connection, ORPHAN, time.perf_counter() - began)
                log.info("%s: a report %s matches no message yet, kept", report.connection, report.status)
            return False
        change = recorded.change
        about(change.message.tracking_id)
        matched_by = MatchedBy(str(change.event.data["matched_by"])).name.lower()
        took = time.perf_counter() - began
        self.observe(Work.REPORT, report.connection, matched_by, took, change.message.tracking_id)
        await self._ledger.follow_up(recorded)
        return True

    async def receive_orphan(self, orphan: Orphan) -> None:
        """Try once more to match a report that was kept."""
        await self.receive(Report.from_json(orphan.report), orphan=orphan)

    async def rematch(self) -> int:
        """Try the orphans of the last seven days once more; how many found their message."""
        since = self._clock.now() - ORPHAN_LIFE
        await self._store.reports.forget_matched_orphans(before=since)
        return await self._rematch_all(since)

    async def rematch_crossed(self) -> int:
        """Try the orphans of the last seconds once more; how many found their message.

        Of two processes one may write a message's id while the other keeps the report that names it: neither sees
        what the other does. In one process that can't happen.
        """
        return await self._rematch_all(self._clock.now() - LOOK_BACK) if self._store.is_shared else 0

    async def _rematch_all(self, since: Millis) -> int:
        found = last = 0
        while page := await self._store.reports.open_orphans(since=since, after=last, limit=ORPHANS_AT_ONCE):
            for orphan in page:
                found += await self._rematch(orphan)
            last = page[-1].id
            await asyncio.sleep(0)
        return found

    async def _rematch(self, orphan: Orphan) -> bool:
        """Nearly all find nothing again, which costs them no transaction."""
        try:
            report = Report.from_json(orphan.report)
            would = await self._store.reports.would_match(report.sought(orphan.received_at))
            with Trail():
                return would and await self.receive(report, orphan=orphan)
        except Exception:  # it must not keep those behind it from being tried
            log.exception("%s: the kept report %d could not be tried again", orphan.connection, orphan.id)
            return False

    def _decide(self, report: Report, snapshot: Snapshot, match: Match, now: Millis) -> Change:
        if report.kind == "sms":
            return self._decide_receipt(report, snapshot, match, now)
        if report.kind == "read":
            return self._move(report, snapshot.message, match, judge_read(report), at=now)
        profile = self._profile(report.connection)
        step = judge_mm7(report, snapshot.message, profile)
        if step.happening is Happening.FELL_BACK and not (profile and self._sms_route(profile.reach.sms)):
            reason = f"{step.reason}; there is no SMS connection"
            step = Step(happening=Happening.REPORTED_UNDELIVERED, reason=reason, undelivered=step.undelivered)
        return self._move(report, snapshot.message, match, step, at=now)

    def _decide_receipt(self, report: Report, snapshot: Snapshot, match: Match, now: Millis) -> Change:
        """One part's receipt; the message is delivered when all its parts are."""
        parts = {part.number: part for part in snapshot.sms_parts}
        part = _received(parts.get(match.part), match.part, report)
        parts[match.part] = part
        step = judge_sms(list(parts.values()), part, report)
        return self._move(report, snapshot.message, match, step, at=now, sms_parts=(part,))

    def _move(
        self, report: Report, message: Message, match: Match, step: "Step", *, at: Millis,
        sms_parts: tuple[SmsPart, ...] = (),
    ) -> Change:  # fmt: skip
        profile = self._profile(report.connection)
        falls_back = step.happening is Happening.FELL_BACK
        due_at = at if falls_back else message.due_at
        if step.happening is Happening.UNDER_WAY and message.state is State.UNKNOWN and profile:
            due_at = at + profile.reports.patience  # it has been taken: now the report is waited for
        why = Why(
            reason=step.reason,
            data={"status": report.status, "text": report.text, "matched_by": match.matched_by.value},
            undelivered=step.undelivered,
        )
        return move(
            message,
            step.happening,
            why,
            at=at,
            due_at=due_at,
            attempts=0 if falls_back else None,
            connection=self._sms_route(profile.reach.sms) if falls_back and profile else None,
            sms_parts=sms_parts,
            handset=report.handset,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What a report means for its message."""

    happening: Happening
    reason: str
    undelivered: Undelivered = Undelivered.FAILED


_NOT_ARRIVED = {
    MMStatus.EXPIRED: Undelivered.EXPIRED,
    MMStatus.REJECTED: Undelivered.REJECTED,
    MMStatus.NOT_SUPPORTED: Undelivered.NOT_SUPPORTED,
    MMStatus.UNRECOGNISED: Undelivered.UNRECOGNISED,
    MMStatus.UNREACHABLE: Undelivered.UNREACHABLE,
    MMStatus.DELIVERY_CONDITION_NOT_MET: Undelivered.REJECTED,
    MMStatus.INDETERMINATE: Undelivered.INDETERMINATE,
}


def judge_mm7(report: Report, message: Message, profile: CarrierProfile | None) -> Step:
    """The postback contract's map from network reports (section 8), with R-12's fallback."""
    status = MMStatus.read(report.status)
    said = f"report {report.status}" + (f": {report.text}" if report.text else "")
    if message.sent_as is SentAs.SMS:
        return Step(happening=Happening.OVERTAKEN, reason=f"about the MMS, the SMS goes on: {said}")
    if not _is_final(status, profile):
        return Step(happening=Happening.UNDER_WAY, reason=f"under way: {said}")
    if status is MMStatus.RETRIEVED:
        return Step(happening=Happening.REPORTED_DELIVERED, reason=f"delivered: {said}")
    cannot_show = status in {MMStatus.NOT_SUPPORTED, MMStatus.UNRECOGNISED}
    falls_back = cannot_show or (status is MMStatus.REJECTED and profile and profile.reports.rejected_falls_back)
    fallback = message.fallback
    if falls_back and fallback.enabled and (fallback.text or fallback.link):
        reason = f"SMS instead: the phone can't have the MMS ({said})"
        return Step(happening=Happening.FELL_BACK, reason=reason, undelivered=_NOT_ARRIVED[status])
    return Step(
        happening=Happening.REPORTED_UNDELIVERED, reason=f"not delivered: {said}", undelivered=_NOT_ARRIVED[status]
    )


def _is_final(status: MMStatus, profile: CarrierProfile | None) -> bool:
    """Whether another report is to be expected; of two statuses the carrier's profile says it."""
    if status is MMStatus.RETRIEVED:
        return profile is None or profile.reports.retrieved_is_final
    if status is MMStatus.INDETERMINATE:
        return profile is not None and profile.reports.indeterminate_is_final
    return status not in {MMStatus.FORWARDED, MMStatus.DEFERRED}


def judge_read(report: Report) -> Step:
    """A read report moves nothing: whether a message arrived, the delivery report says."""
    said = f"read report {report.status}" + (f": {report.text}" if report.text else "")
    return Step(happening=Happening.READ, reason=said)


_RECEIPT_WHY = {
    ReceiptState.EXPIRED: Undelivered.EXPIRED,
    ReceiptState.REJECTD: Undelivered.REJECTED,
}


def _received(part: SmsPart | None, number: int, report: Report) -> SmsPart:
    """The part after its receipt. A final state stays (R-20)."""
    before = part or SmsPart(number=number, state="sent")
    state = ReceiptState(report.status)
    if before.state in {"delivered", "failed"} or not state.is_final:
        return before
    return SmsPart(
        number=number, state="delivered" if state.is_delivered else "failed", smsc_id=before.smsc_id,
        error="" if state.is_delivered else f"{report.status} {report.text}".strip(),
    )  # fmt: skip


def judge_sms(parts: Sequence[SmsPart], received: SmsPart, report: Report) -> Step:
    """One receipt in the light of all parts."""
    said = f"receipt {report.status} for part {received.number} of {len(parts)}"
    failed = next((part for part in parts if part.state == "failed"), None)
    if failed is not None:
        reason = f"the SMS was not delivered: {said}" + (f", {report.text}" if report.text else "")
        why = _RECEIPT_WHY.get(ReceiptState(report.status), Undelivered.FAILED)
        return Step(happening=Happening.REPORTED_UNDELIVERED, reason=reason, undelivered=why)
    if all(part.state == "delivered" for part in parts):
        return Step(happening=Happening.REPORTED_DELIVERED, reason=f"the SMS was delivered: {said}")
    return Step(happening=Happening.UNDER_WAY, reason=said)
