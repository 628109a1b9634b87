"""Messages in the store: what is accepted comes back, claims are exclusive, steps are whole."""

from dataclasses import replace

import pytest

from mmsgate.clock import DAY, MINUTE
from mmsgate.domain.change import CarrierId, Change, Why, move
from mmsgate.domain.media import MediaKind
from mmsgate.domain.message import Content, Event, Message, SmsPart
from mmsgate.domain.slide import Medium, Slide
from mmsgate.domain.state import Happening, State
from mmsgate.store import Acceptance, Idempotency, PostbackRow, Snapshot, Store
from tests.unit.builders import NOW, a_fallback, a_message

SLIDES = (
    Slide(text="Boats ☀", duration=5, media=(
        Medium(kind=MediaKind.IMAGE, blob="ab" * 32, mime="image/jpeg", size=31_000, source="http://x/y.jpg",
               width=640, height=480),
    )),
    Slide(text="second"),
)  # fmt: skip


def acceptance(message: Message, **more: object) -> Acceptance:
    content = Content(
        id=message.mms_id, account_id=message.account_id, name="n", subject="s", slides=SLIDES, created_at=NOW
    )
    event = Event(at=NOW, happening=None, state=State.ACCEPTED, reason="accepted", data={"bytes": 31_000})
    return Acceptance(message=message, content=content, event=event, **more)  # type: ignore[arg-type]


def numbered(number: int, **changes: object) -> Message:
    """Message number so-and-so, with ids of its own."""
    return a_message(
        id=number, mms_id=1000 + number, content_id=1000 + number, tracking_id=f"tracking{number:014}",
        fallback=a_fallback(token=f"token{number:017}"), **changes,
    )  # fmt: skip


async def accepted(store: Store, number: int = 1, **changes: object) -> Message:
    message = numbered(number, **changes)
    await store.messages.accept(acceptance(message))
    return message


def step(happening: Happening, *ids: CarrierId, parts: tuple[SmsPart, ...] = ()):  # type: ignore[no-untyped-def]  # a Decide
    def decide(snapshot: Snapshot) -> Change:
        return move(
            snapshot.message, happening, Why.of(happening.value, code=1000), at=NOW + 1, due_at=NOW + MINUTE,
            carrier_ids=ids, sms_parts=parts,
        )  # fmt: skip

    return decide


async def test_what_was_accepted_comes_back(store: Store) -> None:
    message = await accepted(store)
    assert await store.messages.by_tracking(message.tracking_id) == message
    assert await store.messages.latest() == message
    assert await store.messages.by_tracking("latest") is None
    assert await store.messages.by_tracking("nobody's") is None
    content = await store.messages.content(message.mms_id)
    assert content is not None
    assert content.slides == SLIDES
    (event,) = await store.messages.timeline(message.id)
    assert (event.reason, event.data, event.happening) == ("accepted", {"bytes": 31_000}, None)
    page = await store.messages.page(message.fallback.token)
    assert page is not None
    assert (page.content, page.expires_at) == (content, message.fallback.expires_at)
    assert await store.messages.page("nobody's") is None
    assert await store.messages.counts() == {"accepted": 1}


async def test_a_step_writes_message_event_and_postbacks_at_once(store: Store) -> None:
    message = await accepted(store)
    store.render_with(
        lambda change: [
            PostbackRow(receiver="r", url="http://u", code=p.code.value, content_type="t", body=b"<x/>")
            for p in change.postbacks
        ]
    )
    await store.messages.record(message, step(Happening.SUBMIT))
    recorded = await store.messages.record(
        message, step(Happening.TAKEN, CarrierId(connection="sim", verbatim="A1"))
    )
    kept = await store.messages.by_tracking(message.tracking_id)
    assert kept == recorded.change.message
    assert kept.state is State.SENT
    assert [(p.sequence, p.code, p.state) for p in await store.postbacks.of_message(message.id)] == [
        (1, "N101", "pending")
    ]
    assert [event.happening for event in await store.messages.timeline(message.id)] == [
        None, Happening.SUBMIT, Happening.TAKEN,
    ]  # fmt: skip


async def test_a_step_of_a_message_that_has_moved_meanwhile_is_decided_on_how_it_stands(store: Store) -> None:
    held = await accepted(store)
    submitting = (await store.messages.record(held, step(Happening.SUBMIT))).change.message
    taken = await store.messages.record(submitting, step(Happening.TAKEN))
    late = await store.messages.record(held, step(Happening.SUBMIT))
    assert (late.change.event.changed, late.change.message) == (False, taken.change.message)
    assert await store.messages.by_tracking(held.tracking_id) == taken.change.message


async def test_two_steps_of_one_millisecond_make_two_versions(store: Store) -> None:
    held = await accepted(store)
    once = (await store.messages.record(held, step(Happening.POSTPONED))).change.message
    again = (await store.messages.record(held, step(Happening.POSTPONED))).change.message
    assert held.updated_at < once.updated_at < again.updated_at
    assert await store.messages.by_tracking(held.tracking_id) == again


async def test_a_no_op_is_recorded_and_changes_nothing(store: Store) -> None:
    message = await accepted(store)
    await store.messages.record(message, step(Happening.TAKEN))
    assert await store.messages.by_tracking(message.tracking_id) == message
    assert [event.changed for event in await store.messages.timeline(message.id)] == [True, False]


async def test_sms_parts_are_kept_with_their_step(store: Store) -> None:
    message = await accepted(store)
    part = SmsPart(number=1, state="sent", smsc_id="9")
    await store.messages.record(message, step(Happening.FELL_BACK, parts=(part,)))
    await store.messages.record(message, step(Happening.SUBMIT, parts=(replace(part, state="delivered"),)))
    assert await store.messages.sms_parts(message.id) == (replace(part, state="delivered"),)


async def test_idempotency_keys(store: Store) -> None:
    """R-07, R-33."""
    begin = store.keys.begin
    span = {"now": NOW, "until": NOW + MINUTE}
    assert await begin(1, "k", "digest", **span) is Idempotency.NEW
    assert await begin(1, "k", "digest", **span) is Idempotency.RUNNING
    assert await begin(1, "k", "another", **span) is Idempotency.OTHER_REQUEST
    assert await begin(2, "k", "another", **span) is Idempotency.NEW
    await store.keys.abandon(1, "k")
    assert await begin(1, "k", "another", **span) is Idempotency.NEW
    finished = acceptance(numbered(1), idempotency_key="k", response=b"<ok/>", response_expires=NOW + DAY)
    await store.messages.accept(finished)
    assert await begin(1, "k", "another", now=NOW + DAY - 1, until=NOW + 2 * DAY) == b"<ok/>"
    await store.keys.abandon(1, "k")
    assert await begin(1, "k", "another", now=NOW, until=NOW) == b"<ok/>"
    assert await begin(1, "k", "third", now=NOW + DAY, until=NOW + 2 * DAY) is Idempotency.NEW
    assert await store.keys.expire(now=NOW + 3 * DAY) == 2


async def test_a_tracking_id_is_unique(store: Store) -> None:
    await accepted(store, 1)
    with pytest.raises(Exception, match=r"(?i)unique"):
        await store.messages.accept(acceptance(replace(numbered(2), tracking_id=numbered(1).tracking_id)))
    assert await store.messages.counts() == {"accepted": 1}
