"""A phone's message through the carriers' endpoint: kept, hosted, told, once."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
import pytest_asyncio
from lxml import etree

from mmsgate.carriers.profile import Reach, Reporting
from mmsgate.clock import DAY
from mmsgate.domain.account import Account, PostbackSettings, Sender
from mmsgate.domain.change import CarrierId, Why, move
from mmsgate.domain.number import SenderType
from mmsgate.domain.request import WireDialect
from mmsgate.domain.state import Happening
from mmsgate.http import Answered
from mmsgate.store import Arrival, InboundRow, Taken
from mmsgate.store.engine import StoreFault
from tests.integration.api.conftest import Api, demo, elements, request
from tests.integration.api.receiver import Receiver, receiving
from tests.unit.builders import NOW
from tests.unit.mm7.deliveries import PHONE, SMIL, PartOf, deliver_req

TEXT = ("text/plain; charset=utf-8", "Grüße from the lake".encode())


@pytest_asyncio.fixture
async def receiver(api: Api) -> AsyncIterator[Receiver]:
    async with receiving() as found:
        await api.change(postback=PostbackSettings(url=f"{found.url}/postbacks"))
        yield found


async def deliver(api: Api, *parts: PartOf, headers: dict[str, str] | None = None, **options: Any) -> Answered:
    content_type, body = deliver_req(*parts, **options)
    return await api.post(body, "/mm7/dead", **{"Content-Type": content_type, **(headers or {})})


def status_of(answered: Answered) -> tuple[str, str]:
    """The operation and the status code of an MM7 answer."""
    root = etree.fromstring(answered.body)
    operation = next(iter(root.iterfind(".//{*}Body/*")))
    return etree.QName(operation).localname, root.findtext(".//{*}StatusCode") or ""


async def inbox(api: Api) -> list[InboundRow]:
    return await api.gateway.store.inbound.newest(100)


def urls(body: bytes) -> list[str]:
    return [found.text or "" for found in etree.fromstring(body).iterfind(".//file")]


async def test_a_picture_with_a_text_becomes_one_n401_with_files(api: Api, receiver: Receiver) -> None:
    photo = demo("small.jpg")
    answered = await deliver(api, SMIL, ("image/jpeg", photo), TEXT, subject="Hello & bye", transaction_id="t-7")
    assert status_of(answered) == ("DeliverRsp", "1000")
    assert b">t-7<" in answered.body
    told = await receiver.next()
    assert told.path == "/postbacks"
    root = etree.fromstring(told.body)
    assert [str(child.tag) for child in root] == [
        "origin", "code", "from", "to", "keyword", "tracking-id", "operator-id", "timestamp", "message-subject",
        "content",
    ]  # fmt: skip
    assert [root.findtext(name) for name in ("origin", "code", "from", "to", "message-subject")] == [
        "MMS_MO", "N401", PHONE, "28444", "Hello & bye",
    ]  # fmt: skip
    first, second = urls(told.body)
    assert first.endswith("/1.jpg")
    assert second.endswith("/2.txt")
    shown = await api.get(first.removeprefix(api.gateway.settings.url))
    assert (shown.status, shown.body, shown.headers["content-type"]) == (200, photo, "image/jpeg")
    assert shown.headers["x-content-type-options"] == "nosniff"
    assert shown.headers["content-disposition"].startswith("inline")
    text = await api.get(second.removeprefix(api.gateway.settings.url))
    assert (text.body, text.headers["content-type"]) == (TEXT[1], "text/plain; charset=utf-8")


async def test_the_message_is_on_disk_before_the_answer(api: Api) -> None:
    await deliver(api, ("image/jpeg", demo("small.jpg")))
    (row,) = await inbox(api)
    assert await api.gateway.blobs.read(row.inbound.files[0].blob) == demo("small.jpg")


async def test_what_cannot_be_stored_is_not_acknowledged(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    async def full(*_: object) -> None:
        raise StoreFault("the disk is full")

    monkeypatch.setattr(api.gateway.store.inbound, "record", full)
    answered = await deliver(api, TEXT)
    assert (answered.status, status_of(answered)) == (500, ("Fault", "3000"))
    monkeypatch.undo()
    assert status_of(await deliver(api, TEXT)) == ("DeliverRsp", "1000")
    assert len(await inbox(api)) == 1


async def test_skycore_has_its_own_order(api: Api, receiver: Receiver) -> None:
    await api.change(postback=replace(api.account.postback, dialect=WireDialect.SKYCORE))
    await deliver(api, ("image/gif", demo("waves.gif")), headers={"X-Skycore-Carrier-Id": "0001570"})
    root = etree.fromstring((await receiver.next()).body)
    assert [str(child.tag) for child in root] == [
        "ORIGIN", "CODE", "FROM", "TO", "KEYWORD", "SUBJECT", "TRACKINGID", "SPID", "TIMESTAMP", "CONTENT",
    ]  # fmt: skip
    assert root.findtext("SPID") == "0001570"
    assert [str(child.tag) for child in root[-1]] == ["FILE"]


async def test_an_account_that_wants_json_gets_its_n401_in_json(api: Api, receiver: Receiver) -> None:
    await api.change(postback=replace(api.account.postback, dialect=WireDialect.JSON))
    await deliver(api, ("image/gif", demo("waves.gif")), subject="Hello & bye")
    told = await receiver.next()
    assert told.headers["content-type"] == "application/json; charset=utf-8"
    said = json.loads(told.body)
    assert (said["code"], said["from"], said["message-subject"]) == ("N401", PHONE, "Hello & bye")
    (file,) = said["content"]
    shown = await api.get(file["file"].removeprefix(api.gateway.settings.url))
    assert (shown.status, shown.body) == (200, demo("waves.gif"))


async def test_the_mo_url_gets_them_and_mo_false_nobody(api: Api, receiver: Receiver) -> None:
    await api.change(postback=replace(api.account.postback, mo_url=f"{receiver.url}/inbound"))
    await deliver(api, TEXT, linked_id="1")
    assert (await receiver.next()).path == "/inbound"
    await api.change(postback=replace(api.account.postback, mo=False))
    await deliver(api, TEXT, linked_id="2")
    newest = (await inbox(api))[0].inbound
    assert await api.gateway.store.postbacks.of_message(newest.id) == []
    assert newest.reference == "2"


async def test_a_strict_account_has_to_ask_for_inbound_postbacks(api: Api, receiver: Receiver) -> None:
    await api.switch(compat="strict")
    await deliver(api, TEXT, linked_id="1")
    assert await api.gateway.store.postbacks.of_message((await inbox(api))[0].inbound.id) == []
    await api.change(postback=replace(api.account.postback, mo=True))
    await deliver(api, TEXT, linked_id="2", copies=("17745550002",))
    root = etree.fromstring((await receiver.next()).body)
    assert root.find("copy-to") is None


@pytest.mark.parametrize(
    ("headers", "operators", "expected"),
    [
        ({"X-Mblox-Carrier-Id": "31003"}, {"*"}, "31003"),
        ({"x-mblox-operator-id": "310012"}, {"*"}, "31003"),
        ({}, {"31002"}, "31002"),
        ({}, {"31002", "31003"}, ""),
        ({"X-Mblox-Carrier-Id": "nonsense"}, {"*"}, ""),
    ],
)
async def test_the_operator_is_the_header_s_or_the_connection_s_only_one(
    api: Api, headers: dict[str, str], operators: set[str], expected: str
) -> None:
    await api.carrier(reach=Reach(operators=frozenset(operators)))
    await deliver(api, TEXT, headers=headers)
    assert (await inbox(api))[0].inbound.operator == expected


@pytest.mark.parametrize(
    ("headers", "told_by"),
    [
        ({"X-Mblox-Carrier-Id": "0001890"}, "the number cache, said by a carrier just now"),
        ({"X-Mblox-Carrier-Id": "nonsense"}, ""),
        ({}, ""),  # that the connection has one operator alone says nothing of the number
    ],
)
async def test_what_the_header_says_of_the_phone_is_known_when_it_is_sent_to(
    api: Api, headers: dict[str, str], told_by: str
) -> None:
    await api.carrier(reach=Reach(operators=frozenset({"31002"})))
    await deliver(api, TEXT, headers=headers)
    detail = (await api.post(request(to=PHONE))).headers["x-error-detail"]
    expected = f"operator 31003 Verizon: from {told_by}" if told_by else "operator unknown"
    assert detail == f"no carrier connection reaches this operator; {expected}"


# -- whose it is


async def test_a_keyword_is_told_as_the_account_writes_it(api: Api, receiver: Receiver) -> None:
    await api.change(keywords={"28444": frozenset({"Lake", "INFO"})})
    await deliver(api, ("text/plain", b"lake, please"), linked_id="1")
    assert etree.fromstring((await receiver.next()).body).findtext("keyword") == "Lake"
    await deliver(api, ("text/plain", b"nothing of it"), subject="INFO please", linked_id="2")
    assert etree.fromstring((await receiver.next()).body).findtext("keyword") == "INFO"


async def test_of_accounts_that_share_a_number_the_keyword_decides_else_the_first(api: Api) -> None:
    store = api.gateway.store
    second = await store.accounts.create(
        "second", Account(id=0, name="second", keywords={"28444": frozenset({"JOIN"})}), at=NOW
    )
    await store.accounts.put_sender(second, Sender(number="28444", type=SenderType.SHORT_CODE))
    await api.gateway.watch.refresh()
    await deliver(api, ("text/plain", b"join"), linked_id="1")
    await deliver(api, ("text/plain", b"hello"), linked_id="2")
    assert [row.inbound.account_id for row in await inbox(api)] == [api.account.id, second]


async def test_a_group_names_the_others(api: Api, receiver: Receiver) -> None:
    await deliver(api, TEXT, to=("12065550100",), copies=("+17745550002", "17745550003"))
    root = etree.fromstring((await receiver.next()).body)
    assert [found.text for found in root.iterfind("copy-to/number")] == ["17745550002", "17745550003"]
    assert root[4].tag == "copy-to"


async def test_two_of_our_numbers_get_one_each(api: Api) -> None:
    await deliver(api, TEXT, to=("28444", "17745550002", "12065550100"))
    found = {row.inbound.recipient: row.inbound.copy_to for row in await inbox(api)}
    assert found == {"28444": ("17745550002", "12065550100"), "12065550100": ("28444", "17745550002")}


async def test_nobody_s_number_is_kept_with_an_alarm_and_told_when_somebody_gets_it(
    api: Api, receiver: Receiver
) -> None:
    answered = await deliver(api, TEXT, to=("99999",))
    assert status_of(answered) == ("DeliverRsp", "1000")
    assert (await inbox(api))[0].inbound.account_id is None
    assert [alarm.subject for alarm in await api.gateway.store.accounts.alarms()] == [
        "dead brings messages for numbers that no account has"
    ]
    sender = Sender(number="99999", type=SenderType.SHORT_CODE)
    await api.gateway.store.accounts.put_sender(api.account.id, sender)
    await api.gateway.watch.refresh()
    await api.gateway.inbound.keep_house()
    assert etree.fromstring((await receiver.next()).body).findtext("to") == "99999"
    assert await api.gateway.store.accounts.alarms() == []
    await api.gateway.inbound.keep_house()
    assert receiver.empty


async def test_one_whose_adoption_fails_does_not_keep_the_next_from_its_owner(
    api: Api, receiver: Receiver, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for linked_id in ("1", "2"):
        await deliver(api, TEXT, to=("99999",), linked_id=linked_id)
    sender = Sender(number="99999", type=SenderType.SHORT_CODE)
    await api.gateway.store.accounts.put_sender(api.account.id, sender)
    await api.gateway.watch.refresh()
    adopt, tried = api.gateway.store.inbound.adopt, []

    async def fails_first(arrival: Arrival) -> Taken | None:
        tried.append(arrival)
        if len(tried) == 1:
            raise OSError("the disk is full")
        return await adopt(arrival)

    monkeypatch.setattr(api.gateway.store.inbound, "adopt", fails_first)
    await api.gateway.inbound.keep_house()
    assert etree.fromstring((await receiver.next()).body).findtext("to") == "99999"
    assert "no owner could be looked for" in caplog.text
    assert await api.gateway.store.inbound.count_homeless() == 1


async def test_without_recipients_it_is_for_the_only_number_of_the_connection(api: Api, receiver: Receiver) -> None:
    await deliver(api, TEXT, to=(), linked_id="1")
    assert (await inbox(api))[0].inbound.recipient == ""
    await api.carrier(reach=Reach(sender_types=frozenset({SenderType.SHORT_CODE})))
    await deliver(api, TEXT, to=(), linked_id="2")
    assert etree.fromstring((await receiver.next()).body).findtext("to") == "28444"


# -- once


async def test_a_repetition_makes_one_n401(api: Api, receiver: Receiver) -> None:
    for transaction in ("t-1", "t-2"):  # an MMSC may count its tries
        assert status_of(await deliver(api, TEXT, transaction_id=transaction)) == ("DeliverRsp", "1000")
    assert len(await inbox(api)) == 1
    await receiver.next()
    await deliver(api, TEXT, linked_id="another")
    await receiver.next()
    assert receiver.empty


async def test_the_same_message_ten_times_at_once_is_taken_once(api: Api) -> None:
    answers = await asyncio.gather(*(deliver(api, TEXT) for _ in range(10)))
    assert {status_of(answer) for answer in answers} == {("DeliverRsp", "1000")}
    assert len(await inbox(api)) == 1


@pytest.mark.parametrize(
    "other",
    [
        {"linked_id": "mo-2"},
        {"sender": "17745550009"},
        {"subject": "another"},
        {"linked_id": "", "transaction_id": "x"},
    ],
)
async def test_what_differs_is_another_message(api: Api, other: dict[str, Any]) -> None:
    await deliver(api, TEXT)
    await deliver(api, TEXT, **other)
    assert len(await inbox(api)) == 2


async def test_an_id_that_comes_again_with_another_content_is_another_message(api: Api) -> None:
    await deliver(api, TEXT, linked_id="", transaction_id="1")
    await deliver(api, ("text/plain", b"something else"), linked_id="", transaction_id="1")
    await deliver(api, ("text/plain", b"something else"), linked_id="", transaction_id="1")
    assert len(await inbox(api)) == 2


async def test_without_any_id_the_same_content_within_minutes_is_a_repetition(api: Api) -> None:
    await deliver(api, TEXT, linked_id="", transaction_id="")
    await deliver(api, TEXT, linked_id="", transaction_id="")
    assert len(await inbox(api)) == 1


# -- bad input


async def test_names_that_climb_reach_no_path(api: Api, receiver: Receiver) -> None:
    named = (
        "Content-ID: <../../x>\r\nContent-Location: ../../x\r\n"
        'Content-Disposition: attachment; filename="../../x"\r\n'
    )
    await deliver(api, ("image/jpeg", demo("small.jpg"), named))
    (url,) = urls((await receiver.next()).body)
    assert url.endswith("/1.jpg")
    assert ".." not in url
    folder = api.gateway.settings.data_dir
    assert not list(folder.parent.glob("x")) + list(folder.rglob("x"))
    base = url.removeprefix(api.gateway.settings.url).rpartition("/")[0]
    for name in ("../../x", "..%2f..%2fx", "1.png", "2.jpg", "x"):
        assert (await api.get(f"{base}/{name}")).status == 404


@pytest.mark.parametrize(
    ("part", "served", "extension"),
    [
        (("text/html", b"<!DOCTYPE html><html><script>alert(1)</script></html>"), "text/html", "html"),
        (("image/jpeg", b"<html><script>alert(1)</script></html>"), "text/html", "html"),
        (("image/svg+xml", b"<svg xmlns='http://www.w3.org/2000/svg' onload='x()'/>"), "image/svg+xml", "svg"),
        (("application/xml", b"<?xml version='1.0'?><order/>"), "application/xml", "xml"),
        (("text/plain", b"<html><script>alert(1)</script></html>"), "text/plain", "txt"),
        (("image/png", b"MZ\x90\x00 a program"), "application/octet-stream", "bin"),
        (("application/zip", b"PK\x03\x04\x14\x00"), "application/octet-stream", "bin"),
        (("text/x-vCard", demo("card.vcf")), "text/vcard", "vcf"),
    ],
)
async def test_what_could_run_is_only_to_be_saved(
    api: Api, receiver: Receiver, part: tuple[str, bytes], served: str, extension: str
) -> None:
    answered = await deliver(api, part, ("image/jpeg", demo("small.jpg")))
    assert status_of(answered) == ("DeliverRsp", "1000")
    bad, good = urls((await receiver.next()).body)
    assert bad.endswith(f"/1.{extension}")
    assert good.endswith("/2.jpg")
    got = await api.get(bad.removeprefix(api.gateway.settings.url))
    assert (got.status, got.body) == (200, part[1])
    assert got.headers["content-type"].partition(";")[0] == served
    assert got.headers["content-disposition"].startswith("attachment")
    assert got.headers["x-content-type-options"] == "nosniff"
    assert got.headers["content-security-policy"].startswith("sandbox; default-src 'none'")


async def test_a_wrong_type_is_put_right_by_the_bytes_and_noted(api: Api) -> None:
    await deliver(api, ("image/gif", demo("small.jpg")))
    (file,) = (await inbox(api))[0].inbound.files
    assert (file.mime, file.extension, file.note) == (
        "image/jpeg",
        "jpg",
        "it was declared as image/gif",
    )


async def test_300_parts_are_refused_with_the_reason_and_the_next_message_is_taken(api: Api) -> None:
    answered = await deliver(api, *[("text/plain", b"x")] * 300)
    assert status_of(answered) == ("Fault", "2007")
    (alarm,) = await api.gateway.store.accounts.alarms()
    assert (alarm.subject, alarm.reason) == (
        "dead sends what can't be read",
        "the multipart has more than 100 parts",
    )
    assert b"more than 100 parts" in answered.body
    assert status_of(await deliver(api, TEXT)) == ("DeliverRsp", "1000")
    assert len(await inbox(api)) == 1


async def test_10_mb_of_xml_are_refused_bare_and_as_a_part(api: Api) -> None:
    xml = b"<DeliverReq>" + b"<a/>" * 2_600_000 + b"</DeliverReq>"
    assert (await api.post(xml, "/mm7/dead", **{"Content-Type": "text/xml"})).status == 413
    whole = b"--b\r\nContent-Type: text/xml\r\n\r\n" + xml + b"\r\n--b--"
    answered = await api.post(whole, "/mm7/dead", **{"Content-Type": 'multipart/related; boundary="b"'})
    assert status_of(answered) == ("Fault", "2007")
    assert b"bytes, 262,144 are read" in answered.body


async def test_a_report_may_not_be_as_large_as_a_message(api: Api) -> None:
    large = b"<DeliveryReportReq>" + b" " * 1_100_000 + b"</DeliveryReportReq>"
    assert (await api.post(large, "/mm7/dead", **{"Content-Type": "text/xml"})).status == 413


async def test_a_message_beyond_the_limit_is_refused(api: Api) -> None:
    answered = await deliver(api, ("image/jpeg", b"\xff\xd8\xff" + bytes(16 * 1024 * 1024)))
    assert answered.status == 413
    assert await inbox(api) == []
    (alarm,) = await api.gateway.store.accounts.alarms()  # the carrier may not send it again
    assert (alarm.subject, alarm.reason) == (
        "dead sends what can't be read",
        "the body has more than 16,777,216 bytes",
    )


async def test_large_messages_beyond_the_room_in_memory_are_asked_to_come_again(api: Api) -> None:
    """Three carriers announce the largest message and send nothing: the memory for it is taken."""
    head = (
        b"POST /mm7/dead HTTP/1.1\r\nHost: gw\r\nContent-Length: 16777216\r\n"
        b"Content-Type: multipart/related; boundary=b\r\n\r\n--b"
    )
    slow = [await asyncio.open_connection("127.0.0.1", api.gateway.settings.port) for _ in range(3)]
    for _, writer in slow:
        writer.write(head)
    large = ("image/jpeg", b"\xff\xd8\xff" + bytes(2_000_000))
    async with asyncio.timeout(30):
        while (answered := await deliver(api, large)).status != 503:
            await asyncio.sleep(0.01)  # until all three have been heard
    assert answered.headers["retry-after"] == "5"
    assert status_of(await deliver(api, TEXT, linked_id="small")) == ("DeliverRsp", "1000")
    for _, writer in slow:
        writer.close()
    async with asyncio.timeout(30):
        while (answered := await deliver(api, large, linked_id="again")).status == 503:
            await asyncio.sleep(0.01)  # until the gateway knows that they hung up
    assert status_of(answered) == ("DeliverRsp", "1000")


async def test_a_message_of_eight_megabytes_arrives_whole(api: Api) -> None:
    film = demo("lake.mp4") + bytes(8 * 1024 * 1024)
    assert status_of(await deliver(api, ("video/mp4", film))) == ("DeliverRsp", "1000")
    (file,) = (await inbox(api))[0].inbound.files
    assert (file.mime, file.size) == ("video/mp4", len(film))


async def test_without_the_carrier_s_password_nothing_is_taken(api: Api) -> None:
    await api.carrier(reports=Reporting(user="mmsc", password="secret"))
    assert (await deliver(api, TEXT)).status == 401
    key = base64.b64encode(b"mmsc:secret").decode()
    assert status_of(await deliver(api, TEXT, headers={"Authorization": f"Basic {key}"})) == ("DeliverRsp", "1000")
    assert len(await inbox(api)) == 1


async def test_a_message_with_nothing_in_it_is_taken(api: Api, receiver: Receiver) -> None:
    await deliver(api, sender="", subject="only this")
    root = etree.fromstring((await receiver.next()).body)
    assert (root.findtext("from"), root.findtext("message-subject"), len(root[-1])) == ("", "only this", 0)


# -- the end of a life


async def test_files_end_with_their_message_and_blobs_are_not_swept_before(
    api: Api, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    await deliver(api, ("image/jpeg", demo("small.jpg")))
    (url,) = urls((await receiver.next()).body)
    (row,) = await inbox(api)
    blob, path = row.inbound.files[0].blob, url.removeprefix(api.gateway.settings.url)
    assert await api.gateway.store.media.unneeded([blob]) == []
    now = api.gateway.clock.now
    monkeypatch.setattr(api.gateway.clock, "now", lambda: now() + 30 * DAY)
    assert (await api.get(path)).status == 410
    await api.gateway.inbound.keep_house()
    assert await inbox(api) == []
    assert (await api.get(path)).status == 404
    assert await api.gateway.store.media.unneeded([blob]) == [blob]
    assert await api.gateway.store.postbacks.of_message(row.inbound.id) == []


async def test_its_postback_may_be_replayed_and_is_recognised_as_the_same(api: Api, receiver: Receiver) -> None:
    await deliver(api, TEXT)
    first = await receiver.next()
    (row,) = await inbox(api)
    async with asyncio.timeout(30):
        while not await api.gateway.store.postbacks.replay(row.inbound.id, now=api.gateway.clock.now()):
            await asyncio.sleep(0.01)  # until the receiver's answer has been recorded
    again = await receiver.next()
    assert (again.body, again.headers["webhook-id"]) == (first.body, f"msg_{row.inbound.id}_1")


async def test_a_message_without_recipients_is_told_once_when_its_number_is_named(
    api: Api, receiver: Receiver
) -> None:
    await deliver(api, TEXT, to=())
    (row,) = await inbox(api)
    assert (row.inbound.account_id, row.inbound.recipient) == (None, "")
    assert await api.gateway.store.inbound.assign(row.inbound.id, "28444")
    await api.gateway.inbound.keep_house()
    root = etree.fromstring((await receiver.next()).body)
    assert (root.findtext("code"), root.findtext("to")) == ("N401", "28444")
    await api.gateway.inbound.keep_house()
    assert len(await api.gateway.store.postbacks.of_message(row.inbound.id)) == 1
    assert not await api.gateway.store.inbound.assign(row.inbound.id, "12065550100")
    assert (await inbox(api))[0].inbound.recipient == "28444"


# -- STOP, and what else is no picture


async def test_stop_blocks_the_number_and_is_confirmed_once(api: Api) -> None:
    await deliver(api, ("text/plain", b" Stop! "), sender="12065550199", linked_id="1")
    assert b"E114" in (await api.post(request(to="12065550199"))).body
    (block,) = await api.gateway.store.accounts.blocks(api.account.id)
    assert (block.number, block.sender, block.reason) == ("12065550199", "28444", "opted out with 'Stop!' by MMS")


def read_reply(message_id: str) -> str:
    return (
        f"<ReadReplyReq><MM7Version>6.8.0</MM7Version><MessageID>{message_id}</MessageID>"
        "<Recipient><Number>12065550100</Number></Recipient><MMStatus>Read</MMStatus></ReadReplyReq>"
    )


async def test_a_read_report_without_a_message_is_kept_and_is_no_inbound_message(api: Api) -> None:
    answered = await api.post(read_reply("never-heard-of"), "/mm7/dead", **{"Content-Type": "text/xml"})
    assert status_of(answered) == ("ReadReplyRsp", "1000")
    assert await api.gateway.store.reports.count_orphans() == 1
    assert await inbox(api) == []


async def test_a_read_report_is_an_event_of_its_message_and_moves_nothing(api: Api) -> None:
    store = api.gateway.store
    accepted = dict(elements((await api.post(request())).body))
    message = await store.messages.by_tracking(accepted["tracking-id"])
    assert message is not None
    known_as = CarrierId(connection="dead", verbatim="m-1")
    await store.messages.record(
        message, lambda held: move(held.message, Happening.OVERTAKEN, Why.of("x"), at=NOW, carrier_ids=(known_as,))
    )
    answered = await api.post(read_reply("M-1"), "/mm7/dead", **{"Content-Type": "text/xml"})
    assert status_of(answered) == ("ReadReplyRsp", "1000")
    (event,) = [each for each in await store.messages.timeline(message.id) if each.happening is Happening.READ]
    assert (event.reason, event.changed) == ("read report Read", False)
