"""The inbox: what it keeps, whom it wakes, and how it closes."""

import asyncio
from typing import TypeVar

import pytest

from mmsgate.clock import SECOND, ManualClock
from mmsgate.demo.entry import LONGEST_VALUE
from mmsgate.demo.inbox import Inbox
from mmsgate.demo.routes import changes
from mmsgate.demo.signature import Signature
from mmsgate.postbacks.signature import new_secret, sign

T = TypeVar("T")


def body(tracking_id: str, code: str = "N101") -> bytes:
    return f"<postback><code>{code}</code><tracking-id>{tracking_id}</tracking-id></postback>".encode()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def inbox(clock: ManualClock) -> Inbox:
    return Inbox(clock=clock)


async def begun(waiting: asyncio.Future[T]) -> None:
    """Let `waiting` run until it waits."""
    for _ in range(3):
        await asyncio.sleep(0)
    assert not waiting.done()


def test_it_keeps_what_came_and_when_the_oldest_first(inbox: Inbox, clock: ManualClock) -> None:
    first = inbox.receive(body("a"), {"x-sequence": "1", "cookie": "secret", "x-event-time": "now"})
    clock.advance(SECOND)
    second = inbox.receive(body("b"), {})
    assert inbox.entries() == [first, second]
    assert second.received_at == first.received_at + SECOND
    assert first.headers == {"x-sequence": "1", "x-event-time": "now"}
    assert first.id < second.id
    assert inbox.entries("b") == [second]
    assert inbox.entries("c") == []


def test_the_oldest_make_room(clock: ManualClock) -> None:
    inbox = Inbox(clock=clock, capacity=2)
    for name in "abc":
        inbox.receive(body(name), {})
    assert [entry.tracking_id for entry in inbox.entries()] == ["b", "c"]


def test_a_long_header_is_cut_after_the_signature_was_checked(inbox: Inbox, clock: ManualClock) -> None:
    secret = inbox.secret = new_secret()
    right = sign([secret], identifier="i", timestamp=clock.now() // SECOND, body=b"x")
    signed = {"webhook-id": "i", "webhook-timestamp": str(clock.now() // SECOND)}
    entry = inbox.receive(b"x", signed | {"webhook-signature": "v1,AAAA " * 100 + right})
    assert entry.signature is Signature.OK
    assert len(entry.headers["webhook-signature"]) == LONGEST_VALUE


def test_the_secret_can_be_set_and_is_not_given_out(inbox: Inbox) -> None:
    assert inbox.secret == ""
    assert inbox.receive(b"", {}).signature is Signature.UNCHECKED
    secret = new_secret()
    inbox.secret = secret
    assert inbox.receive(b"", {}).signature is Signature.MISSING
    assert secret not in inbox.secret + repr(inbox)
    with pytest.raises(ValueError, match="base64"):
        inbox.secret = "whsec_?"


async def test_who_waits_gets_the_first_of_its_message_only(inbox: Inbox) -> None:
    waiting = asyncio.create_task(inbox.wait_for_entries("b"))
    await begun(waiting)
    inbox.receive(body("a"), {})
    await begun(waiting)
    expected = inbox.receive(body("b"), {})
    assert await waiting == [expected]
    assert await inbox.wait_for_entries("b") == [expected]


async def test_closing_lets_everybody_go_and_can_be_repeated(inbox: Inbox) -> None:
    waiting = [asyncio.create_task(inbox.wait_for_entries()) for _ in range(3)]
    for one in waiting:
        await begun(one)
    inbox.close()
    inbox.close()
    assert await asyncio.gather(*waiting) == [[], [], []]
    assert await inbox.wait_for_entries() == []
    assert [event async for event in changes(inbox, "")] == []


async def test_clearing_is_a_change(inbox: Inbox) -> None:
    inbox.receive(body("a"), {})
    waiting = asyncio.create_task(inbox.wait(inbox.revision))
    await begun(waiting)
    inbox.clear()
    await waiting
    assert inbox.entries() == []


async def test_a_page_hears_of_each_change_once_and_of_none_that_it_shows(inbox: Inbox) -> None:
    inbox.receive(body("a"), {})
    stream = changes(inbox, str(inbox.revision))
    news = asyncio.ensure_future(anext(stream))
    await begun(news)
    inbox.receive(body("b"), {})
    inbox.receive(body("c"), {})
    revision = inbox.revision
    assert await news == f"id: {revision}\nevent: change\ndata: {revision}\n\n"
    more = asyncio.ensure_future(anext(stream))
    await begun(more)
    inbox.close()
    with pytest.raises(StopAsyncIteration):
        await more


async def test_a_page_of_an_inbox_before_a_restart_is_told_at_once(clock: ManualClock) -> None:
    before = Inbox(clock=clock)
    clock.advance(SECOND)
    after = Inbox(clock=clock)
    assert "event: change" in await anext(changes(after, str(before.revision)))


async def test_a_silent_page_is_kept_alive(inbox: Inbox) -> None:
    stream = changes(inbox, str(inbox.revision), keep_alive=0.001)
    assert await anext(stream) == ": still here\n\n"
