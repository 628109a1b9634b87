"""Reports over HTTP: each is taken in once, whenever it comes, and none is lost."""

import asyncio
import contextlib

import pytest

from mmsgate.carriers.profile import CarrierProfile, Reporting
from mmsgate.carriers.record import profile_json
from mmsgate.clock import DAY, SystemClock
from mmsgate.domain.account import PostbackSettings
from mmsgate.domain.change import CarrierId, Change, Why, move
from mmsgate.domain.message import Message
from mmsgate.domain.state import Happening, State
from mmsgate.http import Answered
from mmsgate.mm7.address import Address, AddressKind
from mmsgate.mm7.report import DeliveryReportReq, MMStatus, encode_delivery_report
from mmsgate.store import Decide, Snapshot
from mmsgate.store.queries import Statement
from tests.integration.api.conftest import Api
from tests.integration.store.test_messages import acceptance, numbered

H = Happening
PHONE = "12065550100"


def step(happening: Happening, carrier_id: str = "") -> Decide:
    def decide(snapshot: Snapshot) -> Change:
        now = SystemClock().now()
        ids = (CarrierId(connection="dead", verbatim=carrier_id),)
        return move(snapshot.message, happening, Why.of(happening), at=now, due_at=now + DAY, carrier_ids=ids)

    return decide


async def accepted(api: Api, number: int = 1, **changes: object) -> Message:
    """A message that is not due for a while, so that nobody but the test moves it."""
    await api.change(postback=PostbackSettings(url="http://127.0.0.1:9/"))
    now = SystemClock().now()
    message = numbered(
        number, account_id=api.account.id, connection="dead", accepted_at=now, due_at=now + DAY,
        expires_at=now + 3 * DAY, updated_at=now, **changes,
    )  # fmt: skip
    await api.gateway.store.messages.accept(acceptance(message))
    return message


async def submitting(api: Api, number: int = 1, **changes: object) -> Message:
    message = await accepted(api, number, **changes)
    return (await api.gateway.ledger.record(message, step(H.SUBMIT))).message


async def sent(api: Api, carrier_id: str, number: int = 1, **changes: object) -> Message:
    message = await submitting(api, number, **changes)
    return (await api.gateway.ledger.record(message, step(H.TAKEN, carrier_id))).message


def a_report(message_id: str, status: MMStatus = MMStatus.RETRIEVED, *, to: str = PHONE, **more: str) -> bytes:
    return encode_delivery_report(
        DeliveryReportReq(
            transaction_id="t1", message_id=message_id, status=status, recipient=Address(value=to),
            sender=Address(value="28444", kind=AddressKind.SHORT_CODE), **more,  # type: ignore[arg-type]
        )
    )  # fmt: skip


async def report(api: Api, message_id: str, status: MMStatus = MMStatus.RETRIEVED, **more: str) -> None:
    answered = await api.post(a_report(message_id, status, **more), "/mm7/dead", Content_Type="text/xml")
    assert_taken(answered)


def assert_taken(answered: Answered) -> None:
    assert answered.status == 200
    assert b"<StatusCode>1000<" in answered.body, answered.body


async def now(api: Api, message: Message) -> Message:
    found = await api.gateway.store.messages.by_tracking(message.tracking_id)
    assert found is not None
    return found


async def told(api: Api, message: Message) -> list[str]:
    return [each.code for each in await api.gateway.store.postbacks.of_message(message.id)]


async def events(api: Api, message: Message) -> list[tuple[str, bool]]:
    """What reports did: their status, and whether it moved the message."""
    timeline = await api.gateway.store.messages.timeline(message.id)
    return [(str(event.data["status"]), event.changed) for event in timeline if "matched_by" in event.data]


@pytest.mark.parametrize(
    ("given", "named", "matched_by"),
    [
        ("00aB7", "00aB7", "message id"),
        ("00aB7", "AB7", "message id, normalised"),
        ("ab7", "000AB7", "message id, normalised"),
        ("", "whatever", "recipient"),
        ("", "", "recipient"),
    ],
)
async def test_how_a_report_found_its_message_stands_in_the_timeline(
    given: str, named: str, matched_by: str, api: Api
) -> None:
    message = await sent(api, given)
    await report(api, named)
    assert ((await now(api, message)).state, await told(api, message)) == (State.DELIVERED, ["N101", "N102"])
    assert (await api.gateway.store.messages.timeline(message.id))[-1].data["matched_by"] == matched_by


async def test_the_same_report_twice_is_told_once(api: Api) -> None:
    message = await sent(api, "a1")
    await report(api, "a1")
    await report(api, "a1")
    assert await told(api, message) == ["N101", "N102"]
    assert await events(api, message) == [("Retrieved", True), ("Retrieved", False)]


async def test_reports_in_the_wrong_order_do_not_move_a_message_back(api: Api) -> None:
    message = await sent(api, "a1")
    for status in (MMStatus.RETRIEVED, MMStatus.FORWARDED, MMStatus.DEFERRED, MMStatus.EXPIRED):
        await report(api, "a1", status)
    assert ((await now(api, message)).state, await told(api, message)) == (State.DELIVERED, ["N101", "N102"])
    assert [changed for _, changed in await events(api, message)] == [True, False, False, False]


async def test_a_report_before_the_answer_waits_for_it(api: Api) -> None:
    message = await submitting(api)
    await report(api, "0A1")
    assert ((await now(api, message)).state, await told(api, message)) == (State.SUBMITTING, [])
    await api.gateway.ledger.record(message, step(H.TAKEN, "a1"))
    assert ((await now(api, message)).state, await told(api, message)) == (State.DELIVERED, ["N101", "N102"])
    assert await api.gateway.store.reports.count_orphans() == 0


@pytest.mark.parametrize(
    ("ending", "codes"), [((H.NEVER_REPORTED,), ["N101"]), ((H.REPORTED_UNDELIVERED,), ["N101", "E102"])]
)
async def test_a_report_after_the_end_is_recorded_and_told_to_nobody(
    ending: tuple[Happening, ...], codes: list[str], api: Api
) -> None:
    message = await sent(api, "a1")
    for happening in ending:
        await api.gateway.ledger.record(await now(api, message), step(happening))
    ended = await now(api, message)
    await report(api, "a1")
    assert (await now(api, message), await told(api, message)) == (ended, codes)
    assert await events(api, message) == [("Retrieved", False)]


async def test_a_report_about_a_message_of_another_connection_is_kept(api: Api) -> None:
    other = CarrierProfile(name="other", endpoints=("http://127.0.0.1:9/mm7",))
    await api.gateway.store.accounts.put_carrier("other", profile_json(other))
    await api.gateway.watch.refresh()
    message = await sent(api, "a1")
    assert_taken(await api.post(a_report("a1"), "/mm7/other", Content_Type="text/xml"))
    assert ((await now(api, message)).state, await told(api, message)) == (State.SENT, ["N101"])
    (orphan,) = await api.gateway.store.reports.open_orphans(since=0)
    assert orphan.connection == "other"


async def test_a_report_that_names_two_messages_people_is_kept_until_one_is_left(api: Api) -> None:
    """R-38, R-21."""
    first, second = await sent(api, "", 1), await sent(api, "", 2)
    await report(api, "")
    assert await api.gateway.reports.rematch() == 0
    assert await api.gateway.store.reports.count_orphans() == 1
    await api.gateway.ledger.record(first, step(H.REPORTED_UNDELIVERED))
    assert await api.gateway.reports.rematch() == 1
    assert (await now(api, second)).state is State.DELIVERED
    assert await api.gateway.reports.rematch() == 0


async def test_a_kept_report_that_breaks_something_does_not_keep_the_next_from_its_message(
    api: Api, caplog: pytest.LogCaptureFixture
) -> None:
    for named in ("a1", "a2"):
        await report(api, named)
    broken, _ = await api.gateway.store.reports.open_orphans(since=0)
    spoil = Statement("UPDATE orphan SET report = '{' WHERE id = ?")
    await api.gateway.store._engine.run(spoil, (broken.id,))
    message = await sent(api, "")
    given = Statement("INSERT INTO carrier_id VALUES ('dead', 'a2', 'a2', ?, 0)")
    await api.gateway.store._engine.run(given, (message.id,))
    ago = Statement("UPDATE message SET accepted_at = accepted_at - 60000")  # before the reports
    await api.gateway.store._engine.run(ago)
    assert await api.gateway.reports.rematch() == 1
    assert (await now(api, message)).state is State.DELIVERED
    assert f"dead: the kept report {broken.id} could not be tried again" in caplog.text


HUGE = a_report("a1").replace(b"<MMStatus>", b"<StatusText>" + b"x" * 10_000_000 + b"</StatusText><MMStatus>")


async def test_ten_megabytes_of_xml_are_refused_and_nothing_is_lost(api: Api) -> None:
    message = await sent(api, "a1")
    answered = await api.post(HUGE, "/mm7/dead", Content_Type="text/xml")
    assert answered.status == 413 or b"RSErrorRsp" in answered.body
    await assert_only_a_real_report_counts(api, message)


async def test_ten_megabytes_that_do_not_say_so_are_read_only_to_the_limit(api: Api) -> None:
    message = await sent(api, "a1")
    reader, writer = await asyncio.open_connection("127.0.0.1", api.gateway.settings.port)
    writer.write(b"POST /mm7/dead HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
    status = b""  # hanging up is a refusal too
    with contextlib.suppress(ConnectionError):
        for start in range(0, len(HUGE), 100_000):
            piece = HUGE[start : start + 100_000]
            writer.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            await writer.drain()
        writer.write(b"0\r\n\r\n")
    with contextlib.suppress(ConnectionError):
        status = await reader.readline()
    writer.close()
    assert not status or b" 413 " in status or b" 200 " in status, status
    await assert_only_a_real_report_counts(api, message)


async def assert_only_a_real_report_counts(api: Api, message: Message) -> None:
    assert ((await now(api, message)).state, await events(api, message)) == (State.SENT, [])
    assert await api.gateway.store.reports.count_orphans() == 0
    await report(api, "a1")
    assert (await now(api, message)).state is State.DELIVERED


async def test_a_carrier_that_swaps_sender_and_recipient_is_understood_if_its_profile_says_so(api: Api) -> None:
    await api.carrier(reports=Reporting(swapped=True))
    message = await sent(api, "", sender="18885551234")
    swapped = encode_delivery_report(
        DeliveryReportReq(
            transaction_id="t1", message_id="", status=MMStatus.RETRIEVED,
            recipient=Address(value="18885551234"), sender=Address(value=f"+{PHONE}/TYPE=PLMN"),
        )
    )  # fmt: skip
    assert_taken(await api.post(swapped, "/mm7/dead", Content_Type="text/xml"))
    assert (await now(api, message)).state is State.DELIVERED


async def test_the_handset_that_a_report_names_is_remembered_for_its_number(api: Api) -> None:
    message = await sent(api, "a1")
    await report(api, "a1", ua_prof="http://ua.example/phones/Pixel7.xml")
    assert (await now(api, message)).handset == "Pixel7"
    known = await api.gateway.store.handsets.get(PHONE, since=message.accepted_at)
    assert known is not None
    assert (known.name, known.connection) == ("Pixel7", "dead")


async def test_a_report_without_a_handset_tells_none_though_one_is_remembered(api: Api) -> None:
    """N102 has what its own report says."""
    await sent(api, "a1", 1)
    await report(api, "a1", ua_prof="Pixel7")
    second = await sent(api, "a2", 2)
    await report(api, "a2")
    assert ((await now(api, second)).state, (await now(api, second)).handset) == (State.DELIVERED, "")


async def test_a_report_with_wrong_people_still_means_the_message_of_its_id(api: Api) -> None:
    message = await sent(api, "a1")
    await report(api, "a1", to="12065550199")
    assert (await now(api, message)).state is State.DELIVERED
