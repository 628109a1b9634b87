"""The connection to an SMSC over a real socket: outcomes, receipts, reconnecting, ending."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace

import pytest

from mmsgate.domain.gsm import Concatenation
from mmsgate.sms.client import SmscConnection
from mmsgate.sms.outcome import (
    SmsAccepted,
    SmsNotSent,
    SmsOutcome,
    SmsRefused,
    SmsUnknown,
)
from mmsgate.sms.receipt import ReceiptState
from mmsgate.sms.settings import SmscSettings
from tests.integration.sms.conftest import Desk, bound, parts, submitting
from tests.integration.sms.smsc import DELIVER_SM, GENERIC_NACK, RESPONSE, SUBMIT_SM, Link, Smsc

RX_T_APPN, RX_R_APPN, RTHROTTLED, RINVCMDID = 0x64, 0x66, 0x58, 0x03


# --- submit_sm ------------------------------------------------------------------------------------


async def test_a_submit_is_answered_with_the_message_id(connection: SmscConnection, smsc: Smsc) -> None:
    link = await bound(connection, smsc)
    answer = submitting(connection)
    submit = await link.submit()
    link.accept(submit, "0A1b")
    assert await answer == SmsAccepted(message_id="0A1b")
    assert link.credentials == ("mmsgate", "s3cret")
    assert (submit.source_addr, submit.source_addr_ton, submit.source_addr_npi) == ("12345", 3, 0)
    assert (submit.destination_addr, submit.dest_addr_ton, submit.dest_addr_npi) == ("15550000100", 1, 1)
    assert (submit.esm_class, submit.data_coding, submit.registered_delivery) == (0, 0, 1)
    assert submit.short_message == b"Look: https://mms.example/p/abc"


@pytest.mark.parametrize(("text", "data_coding"), [("{€}" * 80, 0), ("ж👍" * 80, 8)])
async def test_parts_leave_octet_for_octet(
    connection: SmscConnection, smsc: Smsc, text: str, data_coding: int
) -> None:
    link = await bound(connection, smsc)
    outbound = parts(text)
    assert len(outbound) > 2
    for sms in outbound:
        answer = asyncio.create_task(connection.submit(sms))
        submit = await link.submit()
        link.accept(submit, "1")
        assert await answer == SmsAccepted(message_id="1")
        assert (submit.esm_class, submit.data_coding) == (0x40, data_coding)
        assert submit.short_message == sms.segment.udh + sms.segment.payload
        assert submit.tlvs == []


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (0x08, SmsRefused(status=0x08, name="ESME_RSYSERR", permanent=False)),
        (0x0B, SmsRefused(status=0x0B, name="ESME_RINVDSTADR", permanent=True)),
        (0x0412, SmsRefused(status=0x0412, name="0x00000412", permanent=True)),  # a vendor's own
    ],
)
async def test_a_refusal_is_a_value_and_the_link_stays(
    connection: SmscConnection, smsc: Smsc, status: int, outcome: SmsOutcome
) -> None:
    link = await bound(connection, smsc)
    for _ in range(2):
        answer = submitting(connection)
        link.refuse(await link.submit(), status)
        assert await answer == outcome
    assert connection.bound


async def test_generic_nack_refuses_the_submit_it_names(connection: SmscConnection, smsc: Smsc) -> None:
    link = await bound(connection, smsc)
    answer = submitting(connection)
    link.write(GENERIC_NACK, (await link.submit()).sequence_number, status=0x02)
    assert await answer == SmsRefused(status=0x02, name="ESME_RINVCMDLEN", permanent=True)


async def test_answers_find_their_submits_in_any_order(connection: SmscConnection, smsc: Smsc) -> None:
    link = await bound(connection, smsc)
    answers = [submitting(connection) for _ in range(3)]
    submits = [await link.submit() for _ in answers]
    for submit, message_id in reversed(list(zip(submits, "abc", strict=True))):
        link.accept(submit, message_id)
    assert [await answer for answer in answers] == [SmsAccepted(message_id=letter) for letter in "abc"]


async def test_before_the_bind_nothing_is_sent(connection: SmscConnection, smsc: Smsc) -> None:
    (sms,) = parts()
    assert await connection.submit(sms) == SmsNotSent(reason="not bound to the SMSC: stopped")
    smsc.binding = lambda _link, _sequence: None  # never answered
    await connection.start()
    await smsc.link()
    assert not connection.bound
    assert isinstance(await connection.submit(sms), SmsNotSent)


async def test_a_link_lost_after_submit_sm_is_unknown(connection: SmscConnection, smsc: Smsc) -> None:
    link = await bound(connection, smsc)
    answer = submitting(connection)
    await link.submit()
    link.cut()
    outcome = await answer
    assert isinstance(outcome, SmsUnknown)
    assert "submit_sm was written, then the connection was lost" in outcome.reason


async def test_no_answer_in_time_is_unknown_and_a_late_one_harms_nothing(
    settings: SmscSettings, smsc: Smsc, desk: Desk
) -> None:
    settings = replace(settings, request_timeout=0.05)
    connection = SmscConnection(settings, on_receipt=desk.on_receipt, on_inbound=desk.on_inbound)
    try:
        link = await bound(connection, smsc)
        answer = submitting(connection)
        submit = await link.submit()
        assert await answer == SmsUnknown(reason="no answer to submit_sm within 0.05 s")
        link.accept(submit, "late")
        link.deliver(b"id:1 stat:DELIVRD")
        assert await link.answer() == (DELIVER_SM, 0, 1)
        assert connection.bound
    finally:
        await connection.stop()


async def test_the_window_bounds_what_is_unanswered(settings: SmscSettings, smsc: Smsc, desk: Desk) -> None:
    settings = replace(settings, window=3)
    connection = SmscConnection(settings, on_receipt=desk.on_receipt, on_inbound=desk.on_inbound)
    try:
        link = await bound(connection, smsc)
        answers = [submitting(connection) for _ in range(8)]
        submits = [await link.submit() for _ in range(3)]
        link.deliver(b"id:1 stat:DELIVRD")  # its answer comes behind anything that was written before
        await link.answer()
        assert link.submits.empty()
        for number in range(8):
            link.accept(submits[number], str(number))
            if number < 5:
                submits.append(await link.submit())
                assert link.submits.empty()
        assert {await answer for answer in answers} == {SmsAccepted(message_id=str(n)) for n in range(8)}
    finally:
        await connection.stop()


async def test_a_full_window_that_nobody_answers_sends_nothing_more(
    settings: SmscSettings, smsc: Smsc, desk: Desk
) -> None:
    settings = replace(settings, window=1, request_timeout=0.2)
    connection = SmscConnection(settings, on_receipt=desk.on_receipt, on_inbound=desk.on_inbound)
    try:
        link = await bound(connection, smsc)
        first = submitting(connection)
        await link.submit()
        second = submitting(connection)
        assert isinstance(await first, SmsUnknown)
        assert isinstance(await second, SmsNotSent | SmsUnknown)
    finally:
        await connection.stop()


async def test_a_caller_that_gives_up_frees_its_place(settings: SmscSettings, smsc: Smsc, desk: Desk) -> None:
    settings = replace(settings, window=1)
    connection = SmscConnection(settings, on_receipt=desk.on_receipt, on_inbound=desk.on_inbound)
    try:
        link = await bound(connection, smsc)
        first = submitting(connection)
        await link.submit()
        first.cancel()
        second = submitting(connection)
        link.accept(await link.submit(), "2")
        assert await second == SmsAccepted(message_id="2")
    finally:
        await connection.stop()


# --- deliver_sm -----------------------------------------------------------------------------------


async def test_a_receipt_may_come_before_the_submit_response(
    connection: SmscConnection, smsc: Smsc, desk: Desk
) -> None:
    link = await bound(connection, smsc)
    answer = submitting(connection)
    submit = await link.submit()
    link.deliver(b"id:77 sub:001 dlvrd:001 stat:DELIVRD err:000 text:Look")
    assert await link.answer() == (DELIVER_SM, 0, 1)
    receipt, source, destination = desk.receipts.get_nowait()
    assert (receipt.message_id, receipt.state) == ("77", ReceiptState.DELIVRD)
    assert (source, destination) == ("15550000100", "12345")
    assert not answer.done()
    link.accept(submit, "77")
    assert await answer == SmsAccepted(message_id="77")


async def test_a_receipt_is_stored_before_it_is_acknowledged_and_holds_up_nothing(
    connection: SmscConnection, smsc: Smsc, desk: Desk
) -> None:
    link = await bound(connection, smsc)
    desk.gate.clear()
    slow = link.deliver(b"id:77 stat:DELIVRD")
    await desk.storing.get()
    answer = submitting(connection)
    link.accept(await link.submit(), "78")
    assert await answer == SmsAccepted(message_id="78")
    assert link.answers.empty()
    desk.gate.set()
    assert await link.answer() == (DELIVER_SM, 0, slow)
    assert desk.receipts.qsize() == 1


async def test_a_receipt_that_cannot_be_stored_is_refused_until_it_can(
    connection: SmscConnection, smsc: Smsc, desk: Desk
) -> None:
    link = await bound(connection, smsc)
    desk.broken = True
    link.deliver(b"id:77 stat:DELIVRD")
    assert await link.answer() == (DELIVER_SM, RX_T_APPN, 1)
    desk.broken = False
    link.deliver(b"id:77 stat:DELIVRD")
    assert await link.answer() == (DELIVER_SM, 0, 2)
    assert desk.receipts.qsize() == 1
    assert connection.bound


@pytest.mark.parametrize(
    ("text", "header", "tlvs", "expected"),  # header: esm_class, data_coding
    [
        (b"", (0x04, 0), {0x1E: b"00ff\0", 0x427: b"\x05"}, ("00ff", "UNDELIV")),  # no text at all
        (b"", (0x00, 0), {0x1E: b"00ff\0", 0x427: b"\x02"}, ("00ff", "DELIVRD")),  # only the TLV says what it is
        (b"id:7 done date:260102093112 stat:UNDELIV err:12f", (0x04, 0), {}, ("7", "UNDELIV")),
        (b"id:a_b stat:DELIVRD text:\xe9\xff", (0x04, 0), {}, ("a_b", "DELIVRD")),
        ("id:7 stat:DELIVRD".encode("utf-16-be"), (0x04, 8), {}, ("7", "DELIVRD")),
        (b"id:7 stat:ENROUTE", (0x20, 0xF7), {0x1403: b"\xff"}, ("7", "ENROUTE")),
        (b"", (0x04, 0), {0x424: b"id:7 stat:EXPIRED"}, ("7", "EXPIRED")),
        (b"what is this", (0x04, 0), {}, ("", "UNKNOWN")),
    ],
)
async def test_receipts_of_every_kind_are_taken(
    connection: SmscConnection,
    smsc: Smsc,
    desk: Desk,
    *,
    text: bytes,
    header: tuple[int, int],
    tlvs: dict[int, bytes],
    expected: tuple[str, str],
) -> None:
    link = await bound(connection, smsc)
    link.deliver(text, esm_class=header[0], data_coding=header[1], tlvs=tlvs)
    assert await link.answer() == (DELIVER_SM, 0, 1)
    receipt, _, _ = desk.receipts.get_nowait()
    assert (receipt.message_id, receipt.state) == expected


async def test_an_sms_from_a_phone_is_no_receipt_whatever_it_says(
    connection: SmscConnection, smsc: Smsc, desk: Desk
) -> None:
    link = await bound(connection, smsc)
    link.deliver(b"id:77 stat:DELIVRD", esm_class=0)
    assert await link.answer() == (DELIVER_SM, 0, 1)
    sms = desk.inbound.get_nowait()
    assert (sms.source, sms.destination, sms.text, sms.part) == ("15550000100", "12345", "id:77 stat:DELIVRD", None)
    assert desk.receipts.empty()


async def test_parts_of_an_sms_say_which_they_are(connection: SmscConnection, smsc: Smsc, desk: Desk) -> None:
    link = await bound(connection, smsc)
    second = Concatenation(reference=9, total=2, number=2)
    link.deliver(second.header() + "СТОП".encode("utf-16-be"), esm_class=0x40, data_coding=8)
    link.deliver(b"STOP", esm_class=0, tlvs={0x20C: b"\0\x09", 0x20E: b"\x02", 0x20F: b"\x02"})
    await link.answer()
    await link.answer()
    texts = {sms.text: sms.part for sms in (desk.inbound.get_nowait(), desk.inbound.get_nowait())}
    assert texts == {"СТОП": second, "STOP": second}


async def test_an_unreadable_deliver_sm_is_refused_for_good(connection: SmscConnection, smsc: Smsc) -> None:
    link = await bound(connection, smsc)
    link.write(DELIVER_SM, 5, body=b"\0\1\1nonsense")
    assert await link.answer() == (DELIVER_SM, RX_R_APPN, 5)
    assert connection.bound


async def test_somebody_is_told_of_an_unreadable_deliver_sm_before_it_is_refused(
    settings: SmscSettings, smsc: Smsc, desk: Desk
) -> None:
    told: list[tuple[str, bytes]] = []

    async def on_unreadable(reason: str, pdu: bytes) -> None:
        told.append((reason, pdu))
        if len(told) == 1:
            raise OSError("the disk is full")

    connection = SmscConnection(
        settings, on_receipt=desk.on_receipt, on_inbound=desk.on_inbound, on_unreadable=on_unreadable
    )
    try:
        link = await bound(connection, smsc)
        for sequence, status in ((5, RX_T_APPN), (6, RX_R_APPN)):
            link.write(DELIVER_SM, sequence, body=b"\0\1\1nonsense")
            assert await link.answer() == (DELIVER_SM, status, sequence)
        assert all(reason and pdu.endswith(b"nonsense") for reason, pdu in told)
    finally:
        await connection.stop()


async def test_more_than_can_be_stored_at_once_is_sent_away(settings: SmscSettings, smsc: Smsc, desk: Desk) -> None:
    settings = replace(settings, inbound_limit=2)
    connection = SmscConnection(settings, on_receipt=desk.on_receipt, on_inbound=desk.on_inbound)
    try:
        link = await bound(connection, smsc)
        desk.gate.clear()
        for _ in range(3):
            link.deliver(b"id:1 stat:DELIVRD")
        assert await link.answer() == (DELIVER_SM, RTHROTTLED, 3)
        desk.gate.set()
        assert {await link.answer(), await link.answer()} == {(DELIVER_SM, 0, 1), (DELIVER_SM, 0, 2)}
    finally:
        await connection.stop()


async def test_a_receipt_is_not_acknowledged_on_a_later_connection(
    connection: SmscConnection, smsc: Smsc, desk: Desk
) -> None:
    link = await bound(connection, smsc)
    desk.gate.clear()
    link.deliver(b"id:77 stat:DELIVRD")
    await desk.storing.get()
    link.cut()
    again = await smsc.link()
    assert await connection.wait_bound(10)
    desk.gate.set()
    await desk.receipts.get()  # stored all the same
    again.deliver(b"id:77 stat:DELIVRD")
    again.deliver(b"id:78 stat:DELIVRD")
    assert sorted([await again.answer(), await again.answer()]) == [(DELIVER_SM, 0, 1), (DELIVER_SM, 0, 2)]
    assert again.answers.empty()


# --- the link -------------------------------------------------------------------------------------


async def test_other_commands_are_refused_and_the_link_stays(connection: SmscConnection, smsc: Smsc) -> None:
    link = await bound(connection, smsc)
    link.write(0x0103, 1)  # data_sm: the library knows it, we don't serve it
    link.write(0x0999, 2)  # nobody knows it
    link.write(0x0999 | RESPONSE, 3)  # an answer is never answered
    link.write(SUBMIT_SM | RESPONSE, 999, body=b"1\0")  # to nothing that was asked
    link.write(0x0015, 4)  # enquire_link
    answers = [await link.answer() for _ in range(3)]
    assert answers == [(0, RINVCMDID, 1), (0, RINVCMDID, 2), (0x15, 0, 4)]
    assert connection.bound


async def test_a_pdu_of_absurd_length_ends_the_link(connection: SmscConnection, smsc: Smsc) -> None:
    link = await bound(connection, smsc)
    link.raw(b"\x7f\xff\xff\xff" + b"\0" * 12)
    await asyncio.wait_for(link.closed.wait(), 10)
    await smsc.link()
    assert await connection.wait_bound(10)


async def test_it_comes_back_after_the_smsc_was_restarted(connection: SmscConnection, smsc: Smsc) -> None:
    await bound(connection, smsc)
    await smsc.stop()
    await smsc.start()
    link = await smsc.link()
    assert await connection.wait_bound(10)
    answer = submitting(connection)
    link.accept(await link.submit(), "1")
    assert await answer == SmsAccepted(message_id="1")


async def test_it_comes_back_after_the_smsc_unbound(connection: SmscConnection, smsc: Smsc) -> None:
    link = await bound(connection, smsc)
    link.write(0x06, 9)
    assert await link.answer() == (0x06, 0, 9)
    await asyncio.wait_for(link.closed.wait(), 10)
    await smsc.link()
    assert await connection.wait_bound(10)


async def test_a_silent_link_is_asked_for_a_sign_of_life_and_given_up(
    settings: SmscSettings, smsc: Smsc, desk: Desk
) -> None:
    settings = replace(settings, enquire_link_interval=0.02, socket_timeout=1.0)
    connection = SmscConnection(settings, on_receipt=desk.on_receipt, on_inbound=desk.on_inbound)
    try:
        link = await bound(connection, smsc)
        await asyncio.wait_for(link.enquired.wait(), 10)
        link.enquired.clear()
        await asyncio.wait_for(link.enquired.wait(), 10)  # the first one was answered, so it asks again
        smsc.alive = False
        await asyncio.wait_for(link.closed.wait(), 10)
        smsc.alive = True
        await smsc.link()
        assert await connection.wait_bound(10)
    finally:
        await connection.stop()


async def test_a_wrong_password_is_named_and_tried_again_slowly(
    settings: SmscSettings, smsc: Smsc, desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    smsc.password = "other"
    settings = replace(settings, reconnect_longest=60_000)
    connection = SmscConnection(settings, on_receipt=desk.on_receipt, on_inbound=desk.on_inbound)
    try:
        await connection.start()
        link = await smsc.link()
        await asyncio.wait_for(link.closed.wait(), 10)
        assert not connection.bound
        assert connection.problem == "the bind was refused: ESME_RINVPASWD"
        assert not await connection.wait_bound(0.1)  # the next try is a minute away
        assert "s3cret" not in caplog.text
    finally:
        await asyncio.wait_for(connection.stop(), 10)


async def test_a_vendors_refusal_of_the_bind_is_tried_again(connection: SmscConnection, smsc: Smsc) -> None:
    def refuse_once(link: Link, sequence: int) -> None:
        link.write(0x09 | RESPONSE, sequence, status=0x0401)
        smsc.binding = smsc.answer_bind

    smsc.binding = refuse_once
    await connection.start()
    await smsc.link()
    await smsc.link()
    assert await connection.wait_bound(10)


async def test_nobody_listens_then_somebody_does(connection: SmscConnection, smsc: Smsc) -> None:
    await smsc.stop()
    await connection.start()
    assert not await connection.wait_bound(0.05)
    await smsc.start()
    await smsc.link()
    assert await connection.wait_bound(10)
    assert connection.problem == ""


# --- start and stop -------------------------------------------------------------------------------


async def test_start_and_stop_in_any_order(connection: SmscConnection, smsc: Smsc) -> None:
    await connection.stop()
    assert not await connection.wait_bound(0.01)
    await connection.start()
    await connection.start()
    first = await smsc.link()
    assert await connection.wait_bound(10)
    await connection.stop()
    await connection.stop()
    assert first.unbound.is_set()
    assert not connection.bound
    second = await bound(connection, smsc)
    answer = submitting(connection)
    second.accept(await second.submit(), "1")
    assert await answer == SmsAccepted(message_id="1")


@pytest.mark.parametrize("binding", ["answered", "ignored", "refused"])
async def test_a_stop_at_any_moment_of_the_start_leaves_nothing_behind(
    connection: SmscConnection, smsc: Smsc, binding: str
) -> None:
    answers: dict[str, Callable[[Link, int], None]] = {
        "answered": smsc.answer_bind,
        "ignored": lambda _link, _sequence: None,
        "refused": lambda link, sequence: link.write(0x09 | RESPONSE, sequence, status=0x0D),
    }
    smsc.binding = answers[binding]
    tasks = asyncio.all_tasks()
    for turns in range(12):
        await connection.start()
        for _ in range(turns):
            await asyncio.sleep(0)  # one turn of the loop further into connecting and binding
        await asyncio.wait_for(connection.stop(), 10)
        assert {task for task in asyncio.all_tasks() - tasks if not _is_smsc(task)} == set()


def _is_smsc(task: asyncio.Task[object]) -> bool:
    return "Link.serve" in repr(task.get_coro())


async def test_a_stop_lets_what_is_under_way_end(connection: SmscConnection, smsc: Smsc, desk: Desk) -> None:
    link = await bound(connection, smsc)
    desk.gate.clear()
    link.deliver(b"id:1 stat:DELIVRD")
    await desk.storing.get()
    answer = submitting(connection)
    submit = await link.submit()
    stopping = asyncio.create_task(connection.stop())
    link.accept(submit, "1")
    assert await answer == SmsAccepted(message_id="1")
    assert not stopping.done()
    desk.gate.set()
    assert await link.answer() == (DELIVER_SM, 0, 1)
    await asyncio.wait_for(stopping, 10)
    assert link.unbound.is_set()


async def test_a_stop_does_not_wait_for_ever(settings: SmscSettings, smsc: Smsc, desk: Desk) -> None:
    settings = replace(settings, stop_grace=0.05)
    connection = SmscConnection(settings, on_receipt=desk.on_receipt, on_inbound=desk.on_inbound)
    link = await bound(connection, smsc)
    desk.gate.clear()
    link.deliver(b"id:1 stat:DELIVRD")
    await desk.storing.get()
    answer = submitting(connection)
    await link.submit()
    await asyncio.wait_for(connection.stop(), 10)
    assert isinstance(await answer, SmsUnknown)
    assert link.answers.empty()
    assert desk.receipts.empty()


async def test_nothing_secret_is_logged(
    connection: SmscConnection, smsc: Smsc, desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, logger="mmsgate.sms")
    link = await bound(connection, smsc)
    answer = submitting(connection)
    link.accept(await link.submit(), "1")
    await answer
    desk.broken = True
    link.deliver(b"id:1 stat:DELIVRD text:private words")
    link.deliver(b"private words", esm_class=0)
    await link.answer()
    await link.answer()
    link.cut()
    await smsc.link()
    assert await connection.wait_bound(10)
    assert "bound" in caplog.text
    assert "15•••••0100" in caplog.text
    for secret in ("s3cret", "15550000100", "private", "mms.example"):
        assert secret not in caplog.text


async def test_the_settings_refuse_what_smpp_cannot_carry(settings: SmscSettings) -> None:
    with pytest.raises(ValueError, match="password must be ASCII, 8 characters at most"):
        replace(settings, password="123456789")
    with pytest.raises(ValueError, match="window"):
        replace(settings, window=0)
    assert "s3cret" not in repr(settings)
    (sms,) = parts()
    with pytest.raises(ValueError, match="no SMPP address"):
        replace(sms, destination="1" * 21)
    assert "15550000100" not in repr(sms)
