"""The fallback SMS, one attempt: what each state, each part and each answer of the SMSC leads to."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import pytest

from mmsgate.carriers.profile import Gives, OnUnknown
from mmsgate.carriers.smsc import NetworkNumber, Numbers, NumberType, Receipts, SmscAnswers, SmscPace, SmscProfile
from mmsgate.clock import DAY, MINUTE, SECOND, Millis
from mmsgate.delivery.alarms import Alarms
from mmsgate.delivery.link import Link
from mmsgate.delivery.mms import LONG_WAIT
from mmsgate.delivery.sms import SmsDelivery
from mmsgate.domain.message import Message, SmsPart
from mmsgate.domain.number import SenderType
from mmsgate.domain.postback import PostbackCode, SentAs
from mmsgate.domain.state import Happening, State
from mmsgate.sms.message import OutboundSms
from mmsgate.sms.outcome import SmsAccepted, SmsNotSent, SmsOutcome, SmsRefused, SmsThrottled, SmsUnknown
from mmsgate.sms.segments import fallback_text
from mmsgate.sms.writing import LongSms, Writing
from tests.unit.builders import NOW, a_fallback, a_message
from tests.unit.delivery.fakes import Bench

TAKES = 200  # milliseconds until the SMSC answers
LINK = "https://gw.example/m/" + "t" * 22
H = Happening

SMSC = SmscProfile(name="sim-sms", host="127.0.0.1", port=2775)
RESENDING = replace(SMSC, answers=SmscAnswers(on_unknown=OnUnknown.RESEND))
LONG_TEXT = "Look: " + "0123456789" * 25  # two parts with the link

THROTTLED = SmsThrottled(status=0x58, name="ESME_RTHROTTLED")
REFUSED = SmsRefused(status=0x0B, name="ESME_RINVDSTADR", permanent=True)
LATER = SmsRefused(status=0x08, name="ESME_RSYSERR", permanent=False)
NOT_SENT = SmsNotSent(reason="held back")
UNKNOWN = SmsUnknown(reason="no answer within 10 s")


def taken(number: int) -> SmsAccepted:
    return SmsAccepted(message_id=f"s{number}")


def a_fallen_message(**changes: Any) -> Message:
    """A message that waits for its SMS."""
    usual = {"state": State.FALLBACK, "sent_as": SentAs.SMS, "connection": "sim-sms", "details": "too large"}
    return a_message(**usual | changes)


def in_two_parts(**changes: Any) -> Message:
    return a_fallen_message(fallback=a_fallback(text=LONG_TEXT), **changes)


class SmsBench(Bench):
    """An SMS delivery and its SMSC, which answers each part by `outcomes` (part number → outcome).

    `bound` says whether the connection stands, `has_turn` whether a message gets its turn.
    """

    def __init__(
        self,
        outcomes: Mapping[int, SmsOutcome] | None = None,
        *,
        message: Message | None = None,
        parts: tuple[SmsPart, ...] = (),
        blocked: str = "",
        profile: SmscProfile = SMSC,
    ) -> None:
        super().__init__(message or a_fallen_message(), parts=parts, blocked=blocked)
        self.outcomes = dict(outcomes or {})
        self.sent: list[OutboundSms] = []
        self.turns: list[int] = []
        self.bound = self.has_turn = True
        self.problem = "the SMSC is away"
        self.while_under_way: Callable[[], None] = lambda: None
        self.changed: list[str] = []
        self.link = Link(
            profile, rows=self.store.as_store.queue, alarms=Alarms(self.store.as_store, self.clock),
            clock=self.clock, on_change=self.changed.append,
        )  # fmt: skip
        self.link.connection = self
        self.delivery = SmsDelivery(
            profile, smsc=self, store=self.store.as_store, ledger=self.ledger, page_url=lambda _: LINK,
            block_reason=self.blocks, link=self.link, clock=self.clock,
        )  # fmt: skip

    async def turn(self, parts: int, *, within: float) -> bool:
        assert within
        self.turns.append(parts)
        return self.has_turn

    async def submit(self, sms: OutboundSms) -> SmsOutcome:
        self.sent.append(sms)
        self.clock.time = NOW + TAKES
        self.while_under_way()
        return self.outcomes[sms.segment.number]

    async def deliver(self) -> Message:
        """One turn of the message; how it stands after it."""
        await self.delivery.deliver(self.message)
        return self.message

    @property
    def parts(self) -> dict[int, tuple[str, str]]:
        """State and error of each part."""
        return {number: (part.state, part.error) for number, part in self.store.messages.parts.items()}

    @property
    def sent_numbers(self) -> list[int]:
        return [sms.segment.number for sms in self.sent]


# -- one part


class Leads(NamedTuple):
    """What an outcome has to lead to; `due_in` counts from the answer, give or take a fifth, None is never."""

    happening: Happening
    state: State
    due_in: Millis | None
    reason: str
    told: list[str]
    part: tuple[str, str]


@pytest.mark.parametrize(
    ("outcome", "to"),
    [
        (
            taken(1),
            Leads(H.TAKEN, State.SMS_SENT, 3 * DAY, "sim-sms accepted every part", ["N101"], ("sent", "")),
        ),
        (
            THROTTLED,
            Leads(
                H.POSTPONED, State.FALLBACK, SECOND, "not taken yet: part 1: throttled (ESME_RTHROTTLED)", [],
                ("pending", "throttled (ESME_RTHROTTLED)"),
            ),
        ),
        (
            LATER,
            Leads(
                H.POSTPONED, State.FALLBACK, SECOND, "not taken yet: part 1: ESME_RSYSERR", [],
                ("pending", "ESME_RSYSERR"),
            ),
        ),
        (
            NOT_SENT,
            Leads(
                H.POSTPONED, State.FALLBACK, 0, "not sent: part 1: held back", [],
                ("pending", "held back"),
            ),
        ),
        (
            REFUSED,
            Leads(
                H.GAVE_UP, State.FAILED, None, "the SMSC refused part 1: ESME_RINVDSTADR", ["E101"],
                ("failed", "ESME_RINVDSTADR"),
            ),
        ),
        (
            UNKNOWN,
            Leads(
                H.IN_DOUBT, State.SMS_UNKNOWN, 15 * MINUTE,
                "outcome unknown: part 1: no answer within 10 s; waiting 15 minutes for a receipt", [],
                ("unknown", "no answer within 10 s"),
            ),
        ),
    ],
    ids=lambda each: type(each).__name__,
)  # fmt: skip
async def test_what_each_outcome_leads_to(outcome: SmsOutcome, to: Leads) -> None:
    bench = SmsBench({1: outcome})
    message = await bench.deliver()
    assert [change.event.happening for change in bench.changes] == [H.SUBMIT, to.happening]
    assert (message.state, bench.told, bench.parts) == (to.state, to.told, {1: to.part})
    assert bench.event.reason.startswith(to.reason)
    if to.due_in is None:
        assert message.due_at is None
    else:
        assert message.due_at is not None
        assert 0.8 * to.due_in <= message.due_at - (NOW + TAKES) <= 1.2 * to.due_in


async def test_after_an_mms_that_was_told_a_refused_sms_is_e202() -> None:
    bench = SmsBench({1: REFUSED}, message=a_fallen_message(told=True, postbacks=1))
    await bench.deliver()
    assert bench.told == [PostbackCode.E202]


async def test_the_smscs_id_is_remembered_with_part_and_spellings() -> None:
    bench = SmsBench({1: SmsAccepted(message_id="0010")})
    assert (await bench.deliver()).carrier_message_id == "0010"
    (carrier_id,) = bench.changes[-1].carrier_ids
    assert (carrier_id.connection, carrier_id.verbatim, carrier_id.part) == ("sim-sms", "0010", 1)
    assert {"10", "a", "16"} <= set(carrier_id.aliases)


async def test_a_part_that_was_taken_without_an_id_is_sent_and_has_none_to_remember() -> None:
    bench = SmsBench({1: SmsAccepted(message_id="")})
    assert (await bench.deliver()).state is State.SMS_SENT
    assert bench.changes[-1].carrier_ids == ()


# -- what the SMS holds


async def test_the_phone_gets_the_text_and_the_link() -> None:
    bench = SmsBench({1: taken(1)})
    await bench.deliver()
    (sms,) = bench.sent
    assert sms.segment.payload.decode() == fallback_text("Look:", LINK)
    assert (sms.destination, sms.reference) == ("12065550100", bench.message.tracking_id)


async def test_without_a_link_the_phone_gets_the_text_alone() -> None:
    bench = SmsBench({1: taken(1)}, message=a_fallen_message(fallback=a_fallback(link=False)))
    await bench.deliver()
    assert bench.sent[0].segment.payload == b"Look:"


@pytest.mark.parametrize(
    ("sender", "kind", "mask", "source"),
    [
        ("28444", SenderType.SHORT_CODE, "", ("28444", 3, 0)),
        ("12065550100", SenderType.LONG_CODE, "", ("12065550100", 1, 1)),
        ("18885551234", SenderType.TOLL_FREE, "", ("18885551234", 1, 1)),
        ("28444", SenderType.SHORT_CODE, "ACME", ("ACME", 5, 0)),
    ],
)
async def test_the_source_is_written_as_its_kind_of_number(
    sender: str, kind: SenderType, mask: str, source: tuple[str, int, int]
) -> None:
    bench = SmsBench({1: taken(1)}, message=a_fallen_message(sender=sender, sender_type=kind, sender_mask=mask))
    await bench.deliver()
    (sms,) = bench.sent
    assert (sms.source, sms.source_ton, sms.source_npi) == source


async def test_an_sms_that_cannot_be_split_is_the_end() -> None:
    bench = SmsBench(message=a_fallen_message(fallback=a_fallback(text="x" * 5000)))
    assert (await bench.deliver()).state is State.FAILED
    assert bench.event.reason.startswith("the fallback SMS can't be sent: the SMS has ")
    assert (bench.sent, bench.told) == ([], [PostbackCode.E101])


# -- several parts


async def test_the_parts_that_may_be_leaving_are_committed_before_they_leave() -> None:
    bench = SmsBench({1: taken(1), 2: taken(2)}, message=in_two_parts())
    states: list[tuple[State, dict[int, tuple[str, str]]]] = []
    bench.while_under_way = lambda: states.append((bench.message.state, bench.parts))
    await bench.deliver()
    leaving = {1: ("submitting", ""), 2: ("submitting", "")}
    assert states == [(State.SMS_SUBMITTING, leaving)] * 2
    first = bench.changes[0]
    assert (first.message.attempts, first.message.due_at) == (1, NOW + bench.delivery.lease)
    assert first.event.reason == "attempt 1 to sim-sms: 2 of 2 SMS parts from 28444"


async def test_all_parts_are_taken_and_every_id_is_remembered() -> None:
    bench = SmsBench({1: taken(1), 2: taken(2)}, message=in_two_parts())
    assert (await bench.deliver()).state is State.SMS_SENT
    assert [(each.part, each.verbatim) for each in bench.changes[-1].carrier_ids] == [(1, "s1"), (2, "s2")]


@pytest.mark.parametrize(
    ("outcomes", "state", "parts"),
    [
        ({1: taken(1), 2: THROTTLED}, State.FALLBACK, ("sent", "pending")),
        ({1: taken(1), 2: NOT_SENT}, State.FALLBACK, ("sent", "pending")),
        ({1: taken(1), 2: UNKNOWN}, State.SMS_UNKNOWN, ("sent", "unknown")),
        ({1: UNKNOWN, 2: THROTTLED}, State.SMS_UNKNOWN, ("unknown", "pending")),
        ({1: taken(1), 2: REFUSED}, State.FAILED, ("sent", "failed")),
        ({1: UNKNOWN, 2: REFUSED}, State.FAILED, ("unknown", "failed")),
        ({1: UNKNOWN, 2: taken(2)}, State.SMS_UNKNOWN, ("unknown", "sent")),
    ],
)
async def test_the_worst_part_decides(
    outcomes: dict[int, SmsOutcome], state: State, parts: tuple[str, str]
) -> None:
    bench = SmsBench(outcomes, message=in_two_parts())
    message = await bench.deliver()
    assert message.state is state
    assert tuple(bench.parts[number][0] for number in (1, 2)) == parts


async def test_the_id_of_a_part_that_was_taken_is_kept_although_the_message_waits() -> None:
    bench = SmsBench({1: taken(1), 2: THROTTLED}, message=in_two_parts())
    await bench.deliver()
    assert [each.verbatim for each in bench.changes[-1].carrier_ids] == ["s1"]


async def test_a_retry_sends_only_the_pending_parts() -> None:
    bench = SmsBench({1: taken(1), 2: THROTTLED}, message=in_two_parts())
    await bench.deliver()
    bench.outcomes[2] = taken(2)
    message = await bench.deliver()
    assert bench.sent_numbers == [1, 2, 2]
    assert (message.state, message.attempts) == (State.SMS_SENT, 2)
    assert bench.parts == {1: ("sent", ""), 2: ("sent", "")}
    assert bench.changes[-2].event.reason == "attempt 2 to sim-sms: 1 of 2 SMS parts from 28444"
    assert bench.told == [PostbackCode.N101]


@pytest.mark.parametrize("state", ["sent", "delivered", "submitting", "unknown", "failed"])
async def test_no_part_but_a_pending_one_is_ever_sent_again(state: str) -> None:
    parts = (SmsPart(number=1, state=state, smsc_id="s1"), SmsPart(number=2, state="pending"))
    bench = SmsBench({2: taken(2)}, message=in_two_parts(attempts=1), parts=parts)
    await bench.deliver()
    assert bench.sent_numbers == [2]
    assert bench.parts[1] == (state, "")


async def test_a_repeated_part_has_the_same_reference() -> None:
    bench = SmsBench({1: UNKNOWN, 2: THROTTLED}, message=in_two_parts(), profile=RESENDING)
    for _ in range(3):  # submit, the timer, submit again
        await bench.deliver()
    headers = [sms.segment.udh for sms in bench.sent]
    assert headers[:2] == headers[2:]
    assert len(set(headers)) == 2


@pytest.mark.parametrize("outcome", [THROTTLED, LATER, NOT_SENT, REFUSED], ids=lambda each: type(each).__name__)
async def test_the_other_parts_stay_here_when_the_first_was_not_taken(outcome: SmsOutcome) -> None:
    bench = SmsBench({1: outcome}, message=in_two_parts())
    await bench.deliver()
    assert bench.sent_numbers == [1]
    assert bench.parts[2] == ("pending", "")


# -- the connection's trouble


@pytest.mark.parametrize("parts", [1, 2])
async def test_a_message_waits_for_the_turn_of_all_its_parts_before_anything_is_committed(parts: int) -> None:
    bench = SmsBench(message=in_two_parts() if parts == 2 else a_fallen_message())
    bench.has_turn = False
    message = await bench.deliver()
    assert (bench.turns, bench.sent, message.state, message.attempts) == ([parts], [], State.FALLBACK, 0)
    assert (message.due_at, bench.event.reason) == (NOW, "not sent: sim-sms is busy, its turn has not come")


async def test_without_a_bind_messages_wait_behind_the_gate_until_it_stands() -> None:
    bench = SmsBench()
    bench.bound = False
    message = await bench.deliver()
    assert (bench.sent, bench.turns, message.state, message.attempts) == ([], [], State.FALLBACK, 0)
    assert (message.due_at, bench.event.reason) == (NOW, "not sent: the SMSC is away")
    assert bench.link.gate.closed
    await bench.link.told(bench, "")
    assert not bench.link.gate.closed


async def test_a_bind_lost_before_the_part_left_costs_no_attempt() -> None:
    bench = SmsBench({1: NOT_SENT}, message=a_fallen_message(attempts=3))
    bench.while_under_way = lambda: setattr(bench, "bound", False)
    message = await bench.deliver()
    assert (message.state, message.attempts, message.due_at) == (State.FALLBACK, 3, NOW + TAKES)
    assert bench.link.gate.closed


async def test_what_the_smsc_refused_for_now_counts_although_other_parts_were_not_sent() -> None:
    bench = SmsBench({1: taken(1), 2: THROTTLED}, message=in_two_parts())
    assert (await bench.deliver()).attempts == 1


async def test_a_missing_bind_raises_an_alarm_and_the_bind_clears_it() -> None:
    bench = SmsBench()
    await bench.link.told(bench, "the bind was refused: ESME_RINVPASWD")
    assert bench.store.accounts.alarms == {
        "sim-sms has no bind": "the bind was refused: ESME_RINVPASWD; its SMS wait"
    }
    await bench.link.told(bench, "")
    assert bench.store.accounts.alarms == {}


async def test_a_closed_gate_opens_now_and_then_so_that_timers_are_seen() -> None:
    bench = SmsBench(message=a_fallen_message(state=State.SMS_SENT))
    bench.link.gate.close()
    assert bench.link.gate.opens_at <= NOW + 5 * MINUTE
    assert (await bench.deliver()).state is State.UNREPORTED


# -- what the profile says


async def test_the_profile_says_how_numbers_are_announced_and_of_what_service_they_are() -> None:
    numbers = Numbers(short_code=NetworkNumber(ton=6, npi=9), recipient=NumberType(ton=2, npi=8))
    bench = SmsBench({1: taken(1)}, profile=replace(SMSC, numbers=numbers, service_type="CMT"))
    await bench.deliver()
    (sms,) = bench.sent
    assert (sms.source_ton, sms.source_npi, sms.destination_ton, sms.destination_npi) == (6, 9, 2, 8)
    assert (sms.service_type, sms.registered_delivery) == ("CMT", 1)


async def test_the_profile_says_how_a_long_text_is_submitted() -> None:
    whole = replace(SMSC, text=Writing(long=LongSms.PAYLOAD))
    bench = SmsBench({1: taken(1)}, message=in_two_parts(), profile=whole)
    assert (await bench.deliver()).state is State.SMS_SENT
    assert [sms.segment.in_payload for sms in bench.sent] == [True]


async def test_an_smsc_without_receipts_is_asked_for_none_and_waited_for_no_longer() -> None:
    silent = replace(SMSC, receipts=Receipts(gives=Gives.NONE))
    bench = SmsBench({1: taken(1)}, profile=silent)
    message = await bench.deliver()
    assert (bench.sent[0].registered_delivery, message.state, message.due_at) == (0, State.SMS_SENT, NOW + TAKES)
    assert (await bench.deliver()).state is State.UNREPORTED
    assert (bench.event.reason, bench.told) == ("sim-sms gives no receipts", [PostbackCode.N101])


async def test_doubtful_parts_are_sent_again_where_the_profile_says_so_and_the_others_are_not() -> None:
    bench = SmsBench({1: taken(1), 2: UNKNOWN}, message=in_two_parts(), profile=RESENDING)
    assert (await bench.deliver()).state is State.SMS_UNKNOWN
    message = await bench.deliver()
    assert (message.state, message.due_at) == (State.FALLBACK, bench.clock.now())
    assert bench.event.reason.endswith("on_unknown is resend, so the doubtful parts are sent again")
    bench.outcomes[2] = taken(2)
    assert (await bench.deliver()).state is State.SMS_SENT
    assert bench.sent_numbers == [1, 2, 2]


async def test_parts_behind_a_doubtful_one_follow_when_a_receipt_has_settled_it() -> None:
    parts = (SmsPart(number=1, state="delivered", smsc_id="s1"), SmsPart(number=2, state="pending"))
    bench = SmsBench({2: taken(2)}, message=in_two_parts(state=State.SMS_UNKNOWN), parts=parts)
    assert (await bench.deliver()).state is State.FALLBACK
    assert (await bench.deliver()).state is State.SMS_SENT
    assert bench.sent_numbers == [2]


@pytest.mark.parametrize("profile", [SMSC, RESENDING], ids=lambda each: each.answers.on_unknown)
async def test_a_message_whose_doubtful_part_was_settled_waits_for_the_receipts_of_the_others(
    profile: SmscProfile,
) -> None:
    parts = (SmsPart(number=1, state="sent", smsc_id="s1"), SmsPart(number=2, state="delivered"))
    message = in_two_parts(state=State.SMS_UNKNOWN, attempts=1)
    bench = SmsBench(message=message, parts=parts, profile=profile)
    after = await bench.deliver()
    assert (after.state, after.due_at) == (State.SMS_SENT, NOW + 3 * DAY)
    assert (bench.event.happening, bench.told, bench.sent) == (H.TAKEN, [PostbackCode.N101], [])


@pytest.mark.parametrize(
    ("profile", "after", "sent"),
    [(SMSC, State.FAILED, []), (RESENDING, State.SMS_SENT, [2])],
    ids=["fail", "resend"],
)
async def test_a_part_that_an_error_of_ours_left_under_way_is_in_doubt(
    profile: SmscProfile, after: State, sent: list[int]
) -> None:
    parts = (SmsPart(number=1, state="sent", smsc_id="s1"), SmsPart(number=2, state="submitting"))
    message = in_two_parts(state=State.SMS_UNKNOWN, attempts=1)
    bench = SmsBench({2: taken(2)}, message=message, parts=parts, profile=profile)
    await bench.deliver()
    assert (await bench.deliver() if profile is RESENDING else bench.message).state is after
    assert bench.sent_numbers == sent


async def test_a_message_whose_last_part_was_settled_in_the_queue_is_sent_without_another_submit() -> None:
    parts = (SmsPart(number=1, state="sent", smsc_id="s1"), SmsPart(number=2, state="delivered"))
    bench = SmsBench(message=in_two_parts(attempts=1), parts=parts, profile=RESENDING)
    assert (await bench.deliver()).state is State.SMS_SENT
    assert bench.sent == []


@pytest.mark.parametrize(("attempts", "usual"), [(0, SECOND), (2, 30 * SECOND), (50, 60 * MINUTE)])
async def test_each_retry_waits_longer(attempts: int, usual: Millis) -> None:
    bench = SmsBench({1: THROTTLED}, message=a_fallen_message(attempts=attempts))
    message = await bench.deliver()
    assert message.due_at is not None
    assert 0.8 * usual <= message.due_at - (NOW + TAKES) <= 1.2 * usual


@pytest.mark.parametrize(
    ("expires_in", "due_in", "words"), [(500, 500, "0.3 s"), (TAKES, TAKES, "0 s"), (1, TAKES, "0 s")]
)
async def test_a_retry_is_never_later_than_the_end_of_the_message_nor_in_the_past(
    expires_in: Millis, due_in: Millis, words: str
) -> None:
    bench = SmsBench({1: THROTTLED}, message=a_fallen_message(expires_at=NOW + expires_in))
    assert (await bench.deliver()).due_at == NOW + due_in
    assert bench.event.reason.endswith(f"next attempt in {words}")


# -- before the submit


async def test_a_message_that_has_expired_is_not_sent() -> None:
    bench = SmsBench(message=a_fallen_message(expires_at=NOW))
    assert (await bench.deliver()).state is State.FAILED
    assert (bench.event.reason, bench.sent) == ("expired before the SMSC took it", [])


async def test_a_recipient_who_was_blocked_meanwhile_gets_no_sms() -> None:
    bench = SmsBench(blocked="said STOP")
    assert (await bench.deliver()).state is State.FAILED
    assert bench.event.reason == "E114: the recipient is blocked: said STOP"
    assert (bench.sent, bench.blocks.asked) == ([], [(1, "28444", "12065550100")])


async def test_who_says_stop_while_the_sms_waits_for_its_turn_gets_it_no_more() -> None:
    bench = SmsBench()
    bench.blocks.while_asked = lambda: bench.clock.advance(LONG_WAIT)
    bench.blocks.reasons = ["", "said STOP"]
    assert ((await bench.deliver()).state, bench.sent) == (State.FAILED, [])


async def test_a_message_that_is_settled_when_its_turn_comes_is_not_sent() -> None:
    bench = SmsBench(message=a_fallen_message(state=State.UNDELIVERED))
    await bench.delivery.deliver(a_fallen_message())
    assert (bench.sent, bench.message.state) == ([], State.UNDELIVERED)


# -- timers and lost leases


async def test_a_lost_lease_leaves_what_was_leaving_in_doubt_and_sends_nothing() -> None:
    parts = (SmsPart(number=1, state="sent", smsc_id="s1"), SmsPart(number=2, state="submitting"))
    bench = SmsBench(message=in_two_parts(state=State.SMS_SUBMITTING, attempts=1), parts=parts)
    message = await bench.deliver()
    assert (message.state, message.due_at) == (State.SMS_UNKNOWN, NOW + 15 * MINUTE)
    assert (bench.parts, bench.sent) == ({1: ("sent", ""), 2: ("unknown", "")}, [])
    assert bench.event.reason.startswith("outcome unknown: the gateway stopped while parts")


@pytest.mark.parametrize(
    ("state", "after", "reason", "told"),
    [
        (
            State.SMS_UNKNOWN, State.FAILED,
            "the SMS's outcome stayed unknown: no receipt within 15 minutes; on_unknown is fail", ["E101"],
        ),
        (State.SMS_SENT, State.UNREPORTED, "no receipt for every part within 3 days", []),
    ],
)  # fmt: skip
async def test_what_becomes_of_an_sms_without_its_receipts(
    state: State, after: State, reason: str, told: list[str]
) -> None:
    part = SmsPart(number=1, state="unknown" if state is State.SMS_UNKNOWN else "sent")
    bench = SmsBench(message=a_fallen_message(state=state, expires_at=NOW), parts=(part,), blocked="said STOP")
    message = await bench.deliver()
    assert (message.state, message.due_at) == (after, None)
    assert (bench.event.reason, bench.told, bench.sent) == (reason, told, [])


async def test_a_receipt_before_the_answer_wins_and_the_id_is_remembered_all_the_same() -> None:
    bench = SmsBench({1: taken(1)})

    def delivered() -> None:
        bench.message = a_fallen_message(state=State.DELIVERED, due_at=None)

    bench.while_under_way = delivered
    assert (await bench.deliver()).state is State.DELIVERED
    assert [each.verbatim for each in bench.changes[-1].carrier_ids] == ["s1"]


async def test_an_sms_that_has_been_moved_to_another_smsc_meanwhile_is_not_sent_here() -> None:
    bench = SmsBench({1: taken(1)})
    here = bench.message
    bench.message = a_fallen_message(connection="spare")
    await bench.delivery.deliver(here)
    assert bench.sent == []
    assert (bench.message.state, bench.message.connection) == (State.FALLBACK, "spare")
    assert not bench.event.changed


# -- the day of a sender

DAILY = replace(SMSC, pace=SmscPace(sender_daily=1))


async def test_beyond_its_day_a_sender_waits_for_the_next_and_takes_nobodys_turn() -> None:
    bench = SmsBench({1: taken(1)}, profile=DAILY)
    await bench.deliver()
    bench.message = a_fallen_message()
    bench.store.messages.parts.clear()
    message = await bench.deliver()
    tomorrow = (bench.clock.now() // DAY + 1) * DAY
    assert (message.state, message.attempts, message.due_at) == (State.FALLBACK, 0, tomorrow)
    assert bench.event.reason == (
        "28444 has given sim-sms 1 message today, which is all it may: its turn comes after 00:00 UTC"
    )
    assert (len(bench.sent), bench.turns) == (1, [1])


@pytest.mark.parametrize(
    ("outcome", "counts"),
    [(taken(1), 1), (UNKNOWN, 1), (THROTTLED, 0), (NOT_SENT, 0), (REFUSED, 0)],
    ids=lambda each: type(each).__name__,
)
async def test_only_what_the_smsc_has_or_may_have_counts_for_the_day(outcome: SmsOutcome, counts: int) -> None:
    bench = SmsBench({1: outcome}, profile=DAILY)
    await bench.deliver()
    assert bench.store.queue.days.total() == counts
    assert await bench.link.caps.full("28444") is (counts == 1)


async def test_an_sms_of_several_parts_is_one_of_the_day_however_often_its_parts_are_tried() -> None:
    bench = SmsBench({1: taken(1), 2: THROTTLED}, message=in_two_parts(), profile=DAILY)
    await bench.deliver()
    bench.outcomes[2] = taken(2)
    message = await bench.deliver()
    assert (message.state, bench.store.queue.days.total()) == (State.SMS_SENT, 1)


async def test_the_gateways_own_answers_leave_on_a_full_day_and_count_for_none() -> None:
    bench = SmsBench({1: taken(1)}, message=a_fallen_message(mms_id=0), profile=DAILY)
    await bench.link.caps.take("28444")
    assert await bench.link.caps.full("28444")
    assert (await bench.deliver()).state is State.SMS_SENT
    assert bench.store.queue.days.total() == 1


# -- the gateway's own answers to STOP and HELP


def an_answer(**changes: Any) -> Message:
    return a_fallen_message(
        mms_id=0, content_id=0, fallback=a_fallback(text="Bye", link=False, token=""), **changes
    )


async def test_an_answer_to_stop_goes_out_although_its_number_is_blocked() -> None:
    bench = SmsBench({1: taken(1)}, message=an_answer(), blocked="said STOP")
    assert (await bench.deliver()).state is State.SMS_SENT
    assert [sms.segment.payload for sms in bench.sent] == [b"Bye"]


@pytest.mark.parametrize("outcome", [taken(1), REFUSED, THROTTLED, UNKNOWN])
async def test_nobody_is_told_of_an_answer(outcome: SmsOutcome) -> None:
    bench = SmsBench({1: outcome}, message=an_answer())
    await bench.deliver()
    assert (bench.told, bench.message.postbacks) == ([], 0)


async def test_an_answer_that_was_not_taken_is_tried_again() -> None:
    bench = SmsBench({1: THROTTLED}, message=an_answer())
    message = await bench.deliver()
    assert message.state is State.FALLBACK
    assert message.due_at is not None
