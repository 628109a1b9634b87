"""The box: ids, copies, bounds, waiting."""

import asyncio

import pytest

from mmsgate.simulator.box import Box
from mmsgate.simulator.message import Kind, Message, Note


def sms(to: str = "1", *, text: str = "hi", size: int = 2) -> Message:
    return Message(kind=Kind.SMS, to=to, sender="28444", text=text, received_at=0, size=size)


def mms(to: str = "1", transaction: str = "t") -> Message:
    return Message(kind=Kind.MMS, to=to, sender="28444", received_at=0, transaction_id=transaction, size=10)


def test_ids_grow_over_all_phones_and_since_is_exclusive() -> None:
    box = Box()
    first, second, third = (box.add(sms(to)) for to in ("1", "2", "+1"))
    assert (first.id, second.id, third.id) == (1, 2, 3)
    assert [one.id for one in box.after(1)] == [2, 3]
    assert [one.id for one in box.after(0, to="1/TYPE=PLMN")] == [1, 3]
    assert box.after(3) == []


def test_a_copy_keeps_its_id_and_counts() -> None:
    box = Box()
    box.add(mms())
    again = box.add(mms())
    box.add(mms(to="2"))
    box.add(mms(transaction=""))
    box.add(mms(transaction=""))
    assert (again.id, again.copies) == (1, 2)
    assert [one.copies for one in box.after()] == [2, 1, 1, 1]
    assert box.bytes == 40


def test_two_equal_texts_are_two_messages() -> None:
    box = Box()
    box.add(sms())
    box.add(sms())
    assert len(box.after()) == 2


def test_the_oldest_make_room_by_count() -> None:
    box = Box(max_messages=2)
    for _ in range(5):
        box.add(sms())
    assert [one.id for one in box.after()] == [4, 5]
    assert (box.dropped, box.bytes) == (3, 4)


def test_the_oldest_make_room_by_bytes_but_the_newest_always_stays() -> None:
    box = Box(max_bytes=100)
    box.add(sms(size=60))
    box.add(sms(size=60))
    box.add(sms(size=500))
    assert [one.size for one in box.after()] == [500]
    assert box.bytes == 500


def test_a_message_that_was_dropped_is_no_first_copy() -> None:
    box = Box(max_messages=1)
    box.add(mms())
    box.add(sms())
    assert box.add(mms()).copies == 1


def test_phones_are_listed_newest_first_with_what_is_unread() -> None:
    box = Box()
    for to in ("1", "2", "1"):
        box.add(sms(to))
    box.read("1")
    box.add(sms("1"))
    assert [(phone.number, phone.count, phone.unread) for phone in box.phones()] == [("1", 3, 1), ("2", 1, 1)]
    assert box.phones()[0].last.id == 4


def test_changes_come_in_order_and_a_copy_is_a_change() -> None:
    box = Box()
    box.add(mms())
    seen = box.revision
    box.note("1", "told", at=5)
    box.add(mms())
    box.note("2", "elsewhere", at=5)
    changes = box.changes(seen, to="1")
    assert [type(change) for change in changes] == [Note, Message]
    assert len(box.changes(seen)) == 3
    assert box.changes(box.revision) == []


async def test_waiting_ends_with_the_first_message_for_that_phone() -> None:
    box = Box()
    waiting = asyncio.create_task(box.wait_for_message(0, to="2"))
    await asyncio.sleep(0)
    box.add(sms("1"))
    await asyncio.sleep(0)
    assert not waiting.done()
    box.add(sms("2"))
    assert [one.to for one in await waiting] == ["2"]


async def test_closing_lets_everybody_go_and_may_happen_twice() -> None:
    box = Box()
    waiting = [asyncio.create_task(box.wait_for_message(0)) for _ in range(3)]
    await asyncio.sleep(0)
    box.close()
    box.close()
    assert await asyncio.gather(*waiting) == [[], [], []]
    await box.wait(10_000)
    box.open()
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(box.wait_for_message(0), 0.001)


def test_clearing_empties_all_and_begins_another_epoch_but_ids_go_on() -> None:
    box = Box()
    box.add(mms())
    box.note("1", "told", at=0)
    epoch = box.epoch
    box.clear()
    assert (box.after(), box.notes("1"), box.phones(), box.bytes) == ([], [], [], 0)
    assert box.epoch != epoch
    assert box.add(mms()).id == 2
