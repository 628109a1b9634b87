"""The SMSC: takes submit_sm, joins the parts of a long SMS, and sends receipts as the recipient's row says.

It also brings what phones send. A deliver_sm that no client has acknowledged is kept and sent again after the next
bind, as a real SMSC does.
"""

from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import smpp34

from mmsgate.clock import SECOND, Clock, Ids, Millis
from mmsgate.domain.gsm import Alphabet, Concatenation, concatenation
from mmsgate.domain.number import normalise
from mmsgate.simulator.attempts import Attempts
from mmsgate.simulator.behaviour import SmsBehaviour, behaviour_of
from mmsgate.simulator.box import Box
from mmsgate.simulator.deliver_sms import Deliver
from mmsgate.simulator.message import Kind, Message
from mmsgate.simulator.schedule import Scheduler
from mmsgate.simulator.smpp import Session
from mmsgate.simulator.smsc_mode import USUAL, SmscMode, Status, user_data

_INCOMPLETE = 500  # long messages that wait for parts; the oldest is given up
_RETRY: Millis = 2 * SECOND  # after a client refused a receipt

_IS_RECEIPT = 0x04  # esm_class
_WANTS_RECEIPT = {0x01: True, 0x02: False}  # registered_delivery: always; only on failure

# Optional parameters (SMPP 3.4, 5.3.2); the library has these names too, but keeps them from the type checker.
_RECEIPTED_MESSAGE_ID, _MESSAGE_STATE = 0x001E, 0x0427
_SAR_TAGS = (0x020C, 0x020E, 0x020F)  # reference, total, number

_STATES = {"DELIVRD": 2, "EXPIRED": 3, "DELETED": 4, "UNDELIV": 5, "ACCEPTD": 6, "UNKNOWN": 7, "REJECTD": 8}


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """One submit_sm: which part of which SMS, and its own text."""

    sender: str
    number: str
    text: str = field(repr=False)
    place: Concatenation

    @property
    def key(self) -> tuple[str, str, int, int]:
        """What the parts of one SMS have in common."""
        return self.sender, self.number, self.place.reference, self.place.total


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What one deliver_sm will say of one submit_sm."""

    message_id: str
    state: str
    submit: smpp34.SubmitSm
    submitted: Millis
    done: Millis
    with_text: bool
    with_tlvs: bool


def _nobody(_: int) -> None:
    """Nobody is told how a receipt was answered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Brought:
    """A deliver_sm on its way to the client; `answered` is told the command status of each answer."""

    make: Deliver
    answered: Callable[[int], None] = _nobody


class Smsc:
    """What the SMPP server does with its sessions: a `Handler`. `mode` is whom it plays."""

    def __init__(
        self,
        *,
        box: Box,
        attempts: Attempts,
        scheduler: Scheduler,
        clock: Clock,
        ids: Ids,
        mode: SmscMode = USUAL,
    ) -> None:
        self._box = box
        self._attempts = attempts
        self._scheduler = scheduler
        self._clock = clock
        self._ids = ids
        self._mode = mode
        self._taken: deque[Millis] = deque()  # when, within the last second; only if the mode has a rate
        self._queued = 0  # SMS that wait to be delivered
        self._sessions: list[Session] = []
        self._waiting: deque[Brought] = deque()
        self._unanswered: dict[tuple[Session, int], Brought] = {}
        self._parts: OrderedDict[tuple[str, str, int, int], dict[int, Segment]] = OrderedDict()

    def bound(self, session: Session) -> None:
        """A client has bound: what waited for one leaves now."""
        self._sessions.append(session)
        self._flush()

    def unbound(self, session: Session) -> None:
        """What the client has not acknowledged waits for the next one."""
        self._sessions.remove(session)
        for key in [key for key in self._unanswered if key[0] is session]:
            self._waiting.append(self._unanswered.pop(key))
        self._flush()

    def delivered(self, session: Session, sequence: int, status: int) -> None:
        """The client acknowledged a deliver_sm, or refused it: then it comes again."""
        brought = self._unanswered.pop((session, sequence), None)
        if brought is None:
            return
        brought.answered(status)
        if status == 0:
            return

        async def again() -> None:
            self._send(brought)

        self._scheduler.later(_RETRY, again)

    @property
    def reaches_somebody(self) -> bool:
        """Whether a client is bound that takes deliver_sm."""
        return any(session.receives for session in self._sessions)

    @property
    def default(self) -> Alphabet:
        """What data_coding 0 means to it."""
        return self._mode.default

    def bring(self, parts: Sequence[Brought]) -> None:
        """Send what a phone has sent, in order; each part until it is acknowledged."""
        for part in parts:
            self._send(part)

    def submitted(self, session: Session, submit: smpp34.SubmitSm) -> None:
        """Answer one submit_sm as its recipient's row says."""
        segment = read_segment(submit, self._mode)
        row = behaviour_of(segment.number).sms
        place = f"{segment.place.number}/{segment.place.total}"
        refused = self._refusal(submit, row, segment.number)
        if refused:
            self._note(segment.number, f"submit_sm {place} → command status 0x{refused:08X}")
            session.answer(submit, status=refused)
            return
        number = self._ids.number()
        message_id = f"{number:x}" if row.decimal_receipt or self._mode.hex_ids else str(number)
        self._note(segment.number, f"submit_sm {place} → message_id {message_id}")
        receipt = self._receipt(submit, segment, row, f"{number:0{self._mode.padded}d}")
        if row.receipt_first:
            self._deliver_receipt(receipt)
            session.answer(submit, message_id=message_id)
        else:
            session.answer(submit, message_id=message_id)
            self._later(row.receipt_after, receipt)
        if receipt.state == "DELIVRD":
            self._collect(segment)

    def _refusal(self, submit: smpp34.SubmitSm, row: SmsBehaviour, number: str) -> int:
        """The command_status, 0 for none: the mode's for a wrong submit, the row's, the mode's for too many."""
        wrong = self._mode.refusal(submit)
        if wrong:
            return wrong
        if row.refuses(self._attempts.elapsed(number)):
            return row.refuse
        if self._mode.queue and self._queued >= self._mode.queue:
            return Status.ESME_RMSGQFUL
        return self._throttled()

    def _throttled(self) -> int:
        """ESME_RTHROTTLED if as many as the mode's rate were taken within the last second; else one more is."""
        if not self._mode.rate:
            return 0
        now = self._clock.now()
        while self._taken and self._taken[0] <= now - SECOND:
            self._taken.popleft()
        if len(self._taken) >= self._mode.rate:
            return Status.ESME_RTHROTTLED
        self._taken.append(now)
        return 0

    def forget(self) -> None:
        """Drop incomplete messages and receipts that wait."""
        self._parts.clear()
        self._waiting.clear()

    def _receipt(self, submit: smpp34.SubmitSm, segment: Segment, row: SmsBehaviour, message_id: str) -> Receipt:
        now = self._clock.now()
        return Receipt(
            message_id=message_id,
            state=row.state_of(segment.place.number, segment.place.total),
            submit=submit,
            submitted=now,
            done=now,
            with_text=self._mode.receipt_text,
            # with row 0132's text they would give away what it is about
            with_tlvs=self._mode.receipt_tlvs and not (row.decimal_receipt and self._mode.receipt_text),
        )

    def _later(self, delay: Millis, receipt: Receipt) -> None:
        async def due() -> None:
            self._queued -= 1
            self._deliver_receipt(receipt)

        self._queued += 1
        self._scheduler.later(delay, due)

    def _deliver_receipt(self, receipt: Receipt) -> None:
        wanted = _WANTS_RECEIPT.get(receipt.submit.registered_delivery & 0x03)
        if wanted or (wanted is False and receipt.state != "DELIVRD"):
            self._note(receipt.submit.destination_addr, f"receipt {receipt.message_id} {receipt.state}")
            self._send(Brought(make=_deliver_sm(receipt)))

    def _send(self, brought: Brought) -> None:
        session = next((one for one in self._sessions if one.receives), None)
        if session is None:
            self._waiting.append(brought)
        else:
            sequence = session.deliver(brought.make)
            self._unanswered[session, sequence] = brought

    def _flush(self) -> None:
        waiting, self._waiting = self._waiting, deque()
        for brought in waiting:
            self._send(brought)

    def _collect(self, segment: Segment) -> None:
        """Keep the part; put the SMS on the phone once all are there."""
        parts = self._parts.setdefault(segment.key, {})
        parts[segment.place.number] = segment
        if len(parts) < segment.place.total:
            while len(self._parts) > _INCOMPLETE:
                self._parts.popitem(last=False)
            return
        del self._parts[segment.key]
        text = "".join(parts[place].text for place in sorted(parts))
        self._box.add(
            Message(
                kind=Kind.SMS,
                to=segment.number,
                sender=segment.sender,
                text=text,
                received_at=self._clock.now(),
                size=len(text.encode("utf-8", "replace")),
                segments=segment.place.total,
            )
        )

    def _note(self, number: str, text: str) -> None:
        self._box.note(number, text, at=self._clock.now())


def read_segment(submit: smpp34.SubmitSm, mode: SmscMode = USUAL) -> Segment:
    """Text and place of one submit_sm: joined by a user data header, by SAR parameters, or alone."""
    header, _ = user_data(submit)
    place = concatenation(header) if header else _sar({tlv.tag: tlv.value for tlv in submit.tlvs})
    return Segment(
        sender=submit.source_addr,
        number=normalise(submit.destination_addr),
        text=mode.text(submit),
        place=place or Concatenation(reference=0, total=1, number=1),
    )


def _sar(tlvs: dict[int, bytes]) -> Concatenation | None:
    reference, total, number = (int.from_bytes(tlvs.get(tag, b"")) for tag in _SAR_TAGS)
    return Concatenation(reference=reference, total=total, number=number) if 1 <= number <= total else None


def _deliver_sm(receipt: Receipt) -> Deliver:
    """The receipt from the recipient to the sender, for a sequence number that the session gives."""
    submit = receipt.submit
    tlvs = [
        smpp34.Tlv(_RECEIPTED_MESSAGE_ID, receipt.message_id.encode() + b"\0"),
        smpp34.Tlv(_MESSAGE_STATE, bytes([_STATES[receipt.state]])),
    ]
    return lambda sequence: smpp34.DeliverSm(
        submit.destination_addr,
        submit.source_addr,
        receipt_text(receipt).encode("ascii", "replace") if receipt.with_text else b"",
        source_addr_ton=submit.dest_addr_ton,
        source_addr_npi=submit.dest_addr_npi,
        dest_addr_ton=submit.source_addr_ton,
        dest_addr_npi=submit.source_addr_npi,
        esm_class=_IS_RECEIPT,
        tlvs=tlvs if receipt.with_tlvs else [],
        sequence_number=sequence,
    )


def receipt_text(receipt: Receipt) -> str:
    """The receipt in the words of SMPP 3.4, appendix B."""
    arrived = receipt.state == "DELIVRD"
    return (
        f"id:{receipt.message_id} sub:001 dlvrd:{'001' if arrived else '000'}"
        f" submit date:{_minute(receipt.submitted)} done date:{_minute(receipt.done)}"
        f" stat:{receipt.state} err:{'000' if arrived else '001'} text:"
    )


def _minute(moment: Millis) -> str:
    return datetime.fromtimestamp(moment // 1000, UTC).strftime("%y%m%d%H%M")
