"""Inbound messages and parts of SMS in the store: once, whole, or as far as they came."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from mmsgate.clock import DAY, HOUR
from mmsgate.domain.account import Account, Block, BlockOrigin
from mmsgate.domain.gsm import encode_gsm
from mmsgate.domain.inbound import Inbound, InboundFile, InboundKind
from mmsgate.domain.message import Event
from mmsgate.domain.optout import Intent
from mmsgate.domain.state import State
from mmsgate.store import Arrival, PostbackRow, Store
from mmsgate.store.inbound import Reply
from mmsgate.store.parts import PART_REPEATED, SmsPartKey, SmsPiece
from tests.unit.builders import NOW, a_fallback, a_message

PHONE = "12065550199"
KEY = SmsPartKey(connection="smsc", sender=PHONE, recipient="28444", reference=7, total=3)


def an_arrival(number: int = 1, **changes: Any) -> Arrival:
    file = InboundFile(number=1, extension="jpg", mime="image/jpeg", blob="ab", size=3, attach=False, note="n")
    inbound = Inbound(
        id=number, tracking_id=f"mo-{number}", kind=InboundKind.MMS, connection="sim", reference="r", account_id=1,
        sender=PHONE, recipient="28444", copy_to=("17745550002",), operator="31003", subject="s", text="t",
        keyword="k", token="t" * 21 + str(number), sent_at=NOW, received_at=NOW, expires_at=NOW + DAY,
        files=(file,),
    )  # fmt: skip
    inbound = replace(inbound, **{name: changes.pop(name) for name in list(changes) if hasattr(inbound, name)})
    return Arrival(inbound=inbound, **{"digest": "d", "horizon": NOW - HOUR, "note": "noted", **changes})


def stop(number: int = 1, intent: Intent = Intent.OPT_OUT) -> Arrival:
    block = Block(account_id=1, sender="28444", number=PHONE, reason="STOP", origin=BlockOrigin.PHONE)
    answer = a_message(
        id=100 + number, tracking_id=f"reply-{number}", mms_id=0, content_id=0, state=State.FALLBACK,
        fallback=a_fallback(link=False, token=""),
    )  # fmt: skip
    event = Event(at=NOW, happening=None, state=State.FALLBACK, reason="answers")
    reply = Reply(message=answer, event=event)
    return an_arrival(number, digest=f"d{number}", intent=intent, blocks=(block,), reply=reply)


def gsm(text: str) -> SmsPiece:
    return SmsPiece(text=text, payload=encode_gsm(text), data_coding=0)


def whole(texts: list[tuple[str, str]]) -> Any:
    """What a desk makes of a text; `texts` collects them."""

    def made(text: str, note: str) -> Sequence[Arrival]:
        texts.append((text, note))
        return [an_arrival(len(texts), digest=text + str(len(texts)), text=text)]

    return made


@pytest.fixture
async def account(store: Store) -> int:
    return await store.accounts.create("acme", Account(id=0, name="acme"), at=NOW)


async def test_what_is_kept_is_what_came(store: Store) -> None:
    arrival = an_arrival()
    (taken,) = await store.inbound.record([arrival])
    assert not taken.repeated
    row = await store.inbound.by_tracking("mo-1")
    assert row is not None
    assert (row.inbound, row.reply, row.note) == (arrival.inbound, "", "noted")
    assert await store.inbound.by_token(arrival.inbound.token) == arrival.inbound
    assert [each.inbound.id for each in await store.inbound.newest(5)] == [1]


async def test_a_repetition_is_one_until_its_horizon(store: Store) -> None:
    await store.inbound.record([an_arrival(1)])
    (again,) = await store.inbound.record([an_arrival(2)])
    (later,) = await store.inbound.record([an_arrival(3, horizon=NOW + 1)])
    assert (again.repeated, later.repeated) == (True, False)


async def test_without_an_id_only_the_phone_s_last_message_can_be_repeated(store: Store) -> None:
    """STOP, START, STOP within a minute: the phone wants nothing."""
    found = [
        (await store.inbound.record([an_arrival(number, digest=digest, reference=reference)]))[0].repeated
        for number, (digest, reference) in enumerate(
            [("stop", ""), ("stop", ""), ("start", ""), ("stop", ""), ("x", "r"), ("y", "r"), ("x", "r")], 1
        )
    ]
    assert found == [False, True, False, False, False, False, True]


async def test_two_in_one_transaction_are_compared_too(store: Store) -> None:
    first, second = await store.inbound.record([an_arrival(1), an_arrival(2)])
    assert (first.repeated, second.repeated) == (False, True)


@pytest.mark.usefixtures("account")
async def test_stop_is_answered_once_and_start_takes_off_only_what_stop_put_there(store: Store) -> None:
    (first,) = await store.inbound.record([stop(1)])
    (second,) = await store.inbound.record([stop(2)])
    assert (first.reply is not None, second.reply) == (True, None)
    assert await store.messages.by_tracking("reply-1") is not None
    assert await store.messages.by_tracking("reply-2") is None
    (block,) = await store.accounts.blocks(1)
    assert (block.origin, block.since) == (BlockOrigin.PHONE, NOW)
    (start,) = await store.inbound.record([stop(3, Intent.OPT_IN)])
    (again,) = await store.inbound.record([stop(4, Intent.OPT_IN)])
    assert (start.reply is not None, again.reply) == (True, None)
    assert await store.accounts.blocks(1) == []


@pytest.mark.usefixtures("account")
async def test_start_leaves_an_operator_s_entry(store: Store) -> None:
    manual = Block(account_id=1, sender="28444", number=PHONE, reason="fraud")
    await store.accounts.block(manual, at=NOW)
    (stopped,) = await store.inbound.record([stop(1)])
    (started,) = await store.inbound.record([stop(2, Intent.OPT_IN)])
    assert (stopped.reply, started.reply) == (None, None)
    assert [block.reason for block in await store.accounts.blocks(1)] == ["fraud"]


@pytest.mark.usefixtures("account")
async def test_start_also_takes_off_what_a_carrier_s_refusal_put_there(store: Store) -> None:
    block = Block(account_id=1, sender="28444", number=PHONE, origin=BlockOrigin.CARRIER)
    revision = await store.accounts.revision()
    assert await store.accounts.opt_out(block, at=NOW) == 1
    assert await store.accounts.opt_out(block, at=NOW) == 0
    assert await store.accounts.revision() == revision  # the picture of the accounts has not changed
    await store.inbound.record([stop(1, Intent.OPT_IN)])
    assert await store.accounts.blocks(1) == []


async def test_one_postback_is_due_at_once(store: Store) -> None:
    row = PostbackRow(receiver="1 x", url="x", code="N401", content_type="text/xml", body=b"<a/>")
    await store.inbound.record([an_arrival(postback=row)])
    (due,) = await store.postbacks.claim("1 x", now=NOW, lease=NOW + 1, owner="me", limit=5)
    assert (due.message_id, due.sequence, due.code) == (1, 1, "N401")


async def test_nobody_s_message_is_adopted_once(store: Store) -> None:
    await store.inbound.record([an_arrival(account_id=None)])
    assert await store.inbound.count_homeless() == 1
    assert await store.inbound.adopt(an_arrival(account_id=1)) is not None
    assert await store.inbound.adopt(an_arrival(account_id=2)) is None
    assert await store.inbound.claimable() == []
    row = await store.inbound.by_tracking("mo-1")
    assert row is not None
    assert row.inbound.account_id == 1


async def test_what_has_had_its_time_goes_with_all_that_belongs_to_it(store: Store) -> None:
    row = PostbackRow(receiver="1 x", url="x", code="N401", content_type="text/xml", body=b"<a/>")
    await store.inbound.record([an_arrival(1, postback=row), an_arrival(2, digest="e", expires_at=NOW + 2 * DAY)])
    assert await store.inbound.expire(now=NOW + DAY, parts_before=NOW) == 1
    assert [each.inbound.id for each in await store.inbound.newest(5)] == [2]
    assert await store.postbacks.of_message(1) == []
    assert await store.media.unneeded(["ab"]) == []
    assert await store.inbound.expire(now=NOW + 2 * DAY, parts_before=NOW) == 1
    assert await store.media.unneeded(["ab"]) == ["ab"]


# -- parts


async def test_the_last_part_makes_it_whole_in_whatever_order(store: Store) -> None:
    texts: list[tuple[str, str]] = []
    for number, text in ((2, "b"), (3, "c"), (1, "a")):
        taken = await store.inbound.record_part(replace(KEY, number=number), gsm(text), whole(texts), at=NOW)
        assert taken is not None
        assert len(taken) == (1 if number == 1 else 0)
    assert texts == [("abc", "")]


async def test_a_repeated_part_changes_nothing_before_and_after_the_last(store: Store) -> None:
    texts: list[tuple[str, str]] = []
    for number, text in ((1, "a"), (1, "a"), (2, "b"), (3, "c"), (3, "c"), (1, "a")):
        await store.inbound.record_part(replace(KEY, number=number), gsm(text), whole(texts), at=NOW)
    assert texts == [("abc", "")]


@pytest.mark.parametrize(("later", "times"), [(PART_REPEATED, 1), (PART_REPEATED + 1, 2)])
async def test_the_same_parts_are_another_sms_once_an_smsc_repeats_them_no_more(
    store: Store, later: int, times: int
) -> None:
    texts: list[tuple[str, str]] = []
    for at in (NOW, NOW + later):
        for number, text in ((1, "a"), (2, "b"), (3, "c")):
            taken = await store.inbound.record_part(replace(KEY, number=number), gsm(text), whole(texts), at=at)
            assert (taken is None) is (at > NOW and times == 1)
    assert texts == [("abc", "")] * times


async def test_a_part_that_came_early_is_remembered_as_long_as_the_last_one(store: Store) -> None:
    texts: list[tuple[str, str]] = []
    for number, at in ((1, NOW), (2, NOW + HOUR), (3, NOW + HOUR)):
        await store.inbound.record_part(replace(KEY, number=number), gsm("x"), whole(texts), at=at)
    await store.inbound.expire(now=NOW, parts_before=NOW + HOUR)
    assert await store.inbound.record_part(replace(KEY, number=1), gsm("x"), whole(texts), at=NOW + HOUR) is None


async def test_another_text_under_the_same_reference_is_another_sms(store: Store) -> None:
    texts: list[tuple[str, str]] = []
    for number, text in ((1, "a"), (2, "b"), (3, "c"), (1, "x"), (2, "y"), (3, "z")):
        await store.inbound.record_part(replace(KEY, number=number), gsm(text), whole(texts), at=NOW)
    assert texts == [("abc", ""), ("xyz", "")]


async def test_one_that_is_overtaken_is_taken_as_far_as_it_came(store: Store) -> None:
    texts: list[tuple[str, str]] = []
    for number, text in ((1, "a"), (1, "x"), (2, "y"), (3, "z")):
        await store.inbound.record_part(replace(KEY, number=number), gsm(text), whole(texts), at=NOW)
    assert texts == [("a[…][…]", "2 of its 3 parts never came"), ("xyz", "")]


async def test_missing_parts_are_not_waited_for_for_ever(store: Store) -> None:
    texts: list[tuple[str, str]] = []
    await store.inbound.record_part(replace(KEY, number=2), gsm("b"), whole(texts), at=NOW)
    assert await store.inbound.stale_parts(before=NOW) == []
    (key,) = await store.inbound.stale_parts(before=NOW + 1)
    await store.inbound.flush_parts(key, whole(texts))
    assert texts == [("[…]b[…]", "2 of its 3 parts never came")]
    assert await store.inbound.stale_parts(before=NOW + 1) == []


async def test_an_emoji_that_is_split_over_two_parts_is_whole_again(store: Store) -> None:
    texts: list[tuple[str, str]] = []
    octets = "Hi 🙂!".encode("utf-16-be")
    for number, payload in ((1, octets[:8]), (2, octets[8:])):
        piece = SmsPiece(text="?", payload=payload, data_coding=8)
        await store.inbound.record_part(replace(KEY, total=2, number=number), piece, whole(texts), at=NOW)
    assert texts == [("Hi 🙂!", "")]


async def test_parts_in_two_alphabets_are_read_each_in_its_own(store: Store) -> None:
    texts: list[tuple[str, str]] = []
    for number, piece in (
        (1, gsm("a[")),
        (3, SmsPiece(text="?", payload="ж".encode("utf-16-be"), data_coding=0x18)),
    ):
        await store.inbound.record_part(replace(KEY, number=number), piece, whole(texts), at=NOW)
    await store.inbound.flush_parts(KEY, whole(texts))
    assert texts == [("a[[…]ж", "1 of its 3 parts never came")]


async def test_parts_of_two_phones_are_kept_apart(store: Store) -> None:
    texts: list[tuple[str, str]] = []
    for sender in (PHONE, "12065550198"):
        for number in (1, 2):
            key = replace(KEY, sender=sender, number=number)
            await store.inbound.record_part(key, gsm(str(number)), whole(texts), at=NOW)
    assert texts == []


async def test_parts_that_were_joined_are_forgotten_after_a_while(store: Store) -> None:
    texts: list[tuple[str, str]] = []
    for number in (1, 2, 3):
        await store.inbound.record_part(replace(KEY, number=number), gsm("x"), whole(texts), at=NOW)
    await store.inbound.expire(now=NOW, parts_before=NOW + 1)
    for number in (1, 2, 3):
        await store.inbound.record_part(replace(KEY, number=number), gsm("x"), whole(texts), at=NOW)
    assert len(texts) == 2
