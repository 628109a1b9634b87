"""Preparations over a real store: templates become ready or dead, messages go on or end, also after a restart."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from mmsgate.carriers.profile import CarrierProfile
from mmsgate.clock import DAY, HOUR, MINUTE, ManualClock
from mmsgate.delivery.preparer import MOST_ATTEMPTS, Preparer, terms_in_use
from mmsgate.delivery.versions import Versions
from mmsgate.domain.account import Account, PostbackSettings, Sender
from mmsgate.domain.change import Change, Why, move
from mmsgate.domain.media import MediaKind
from mmsgate.domain.message import Content, Event, Message
from mmsgate.domain.number import SenderType
from mmsgate.domain.rendition import (
    PAGE,
    PREPARE_WITHIN,
    BrokenMedium,
    Misfit,
    Preparation,
    Terms,
    Version,
)
from mmsgate.domain.request import WireDialect
from mmsgate.domain.slide import Medium, Slide
from mmsgate.domain.state import Happening, State
from mmsgate.domain.template import Template, TemplateState
from mmsgate.media.cage import CageError
from mmsgate.media.probe import AvBroken
from mmsgate.postbacks.ledger import Ledger
from mmsgate.store import Acceptance, Directory, Kept, Snapshot, Store, StoreFault, migrate
from tests.unit.builders import NOW, a_message, altered, an_account
from tests.unit.delivery.fakes import FakeAdapter

FILM = Medium(
    kind=MediaKind.VIDEO, blob="ab" * 32, mime="video/mp4", size=900_000, source="https://media.example/v.mp4"
)
SMALL = replace(FILM, blob="cd" * 32, size=300_000, duration=4_200)
SLIDES = (Slide(text="look", media=(FILM,)),)
MADE = Version(
    slides=(replace(SLIDES[0], media=(SMALL,), duration=5),), notes=("slide 1: MP4 900,000 → 300,000 bytes",)
)
BROKEN = BrokenMedium(slide=1, medium=FILM, reason="it is cut short")
TERMS = Terms(room=600_000, types=frozenset({"video/mp4"}))
SIM = CarrierProfile(name="sim", endpoints=("http://mmsc.example/",))
SENDERS = {
    "28444": Sender(number="28444", type=SenderType.SHORT_CODE),
    "12065550100": Sender(number="12065550100", type=SenderType.LONG_CODE),
}


def content(content_id: int) -> Content:
    return Content(id=content_id, account_id=1, name="n", subject="s", slides=SLIDES, created_at=NOW)


class Kitchen:
    """A preparer over a store in which nothing but the adapter is pretended. `happened` wakes whoever waits."""

    def __init__(self, store: Store) -> None:
        self.store, self.clock = store, ManualClock()
        self.account = an_account(
            senders=SENDERS, postback=PostbackSettings(url="http://customer.example/", dialect=WireDialect.KEBAB)
        )
        self.profiles = [SIM]
        self.adapter = FakeAdapter(MADE)
        self.happened = asyncio.Event()
        directory = Directory(revision=1, accounts={1: self.account}, by_key={}, patterns=(), profiles={})
        self.ledger = Ledger(store, lambda: directory)
        store.render_with(self.ledger.render)
        self.ledger.on_due = lambda _: self.happened.set()
        self.ledger.on_postbacks = lambda _: self.happened.set()
        self.preparer = self.another()
        self._finish, store.preparations.finish = store.preparations.finish, self.finish  # type: ignore[method-assign]

    async def finish(self, preparation: Preparation) -> bool:
        """The store's, after which there may be something to see."""
        finished = await self._finish(preparation)
        self.happened.set()
        return finished

    def another(self) -> Preparer:
        """A preparer as a new process would have it."""
        versions = Versions(self.store.renditions, self.adapter.as_adapter, self.clock)
        return Preparer(
            store=self.store, versions=versions, ledger=self.ledger, profiles=lambda: self.profiles,
            accounts=lambda account: self.account if account == 1 else None, clock=self.clock, owner="me",
        )  # fmt: skip

    async def save(self, template_id: int = 50) -> None:
        template = Template(
            id=template_id, account_id=1, state=TemplateState.PREPARING, size=9, created_at=self.clock.now()
        )
        await self.store.templates.save(
            template, content(template_id), notices=(),
            kept=Kept(idempotency_key="", response=b"", response_expires=0),
            preparation=self.preparation(template_id, None),
        )  # fmt: skip

    def preparation(self, content_id: int, terms: Terms | None) -> Preparation:
        return Preparation(content_id=content_id, account_id=1, dialect=WireDialect.KEBAB, terms=terms)

    async def claim(self, *, owner: str = "me", limit: int = 8, each: int = 8) -> list[Preparation]:
        now = self.clock.now()
        return await self.store.preparations.claim(now=now, lease=now + MINUTE, owner=owner, limit=limit, each=each)

    async def accept(
        self, number: int = 7, mms_id: int = 60, *, stored: bool = False, terms: Terms = TERMS, content_id: int = 0,
        slides: tuple[Slide, ...] = SLIDES,
    ) -> Message:  # fmt: skip
        """A message that waits for its version, as sendMMS leaves it."""
        message = a_message(
            id=number, mms_id=mms_id, content_id=content_id or mms_id, tracking_id=f"tracking{number:014}",
            state=State.PREPARING, awaits=terms.key, due_at=NOW + DAY,
            fallback=replace(a_message().fallback, token=f"token{number:017}"),
        )  # fmt: skip
        await self.store.messages.accept(
            Acceptance(
                message=message, content=None if stored else replace(content(content_id or mms_id), slides=slides),
                event=Event(at=NOW, happening=None, state=State.PREPARING, reason="accepted"),
                preparation=self.preparation(mms_id, terms),
            )
        )  # fmt: skip
        return message

    async def until(self, done: Callable[[], Awaitable[bool]]) -> None:
        """Work until that is so, and nothing is left to do."""
        self.preparer.start()
        self.preparer.wake()
        async with asyncio.timeout(20):
            self.happened.clear()
            while not await done():
                await self.happened.wait()
                self.happened.clear()
        await self.preparer.stop()

    async def until_messages(self, state: State, *messages: Message) -> None:
        """Work until all of them are in that state."""

        async def done() -> bool:
            return all([(await self.shown(message)).state is state for message in messages])

        await self.until(done)

    async def until_template(self, state: TemplateState, template_id: int = 50) -> None:
        """Work until it is in that state."""

        async def done() -> bool:
            return await self.state(template_id) is state

        await self.until(done)

    async def until_nothing_is_left(self) -> None:
        """Work until there is no preparation."""

        async def done() -> bool:
            return await self.store.preparations.count() == 0

        await self.until(done)

    async def step(self, message: Message, happening: Happening, terms: Terms | None = None) -> None:
        """What somebody else does to a message."""

        def decide(snapshot: Snapshot) -> Change:
            return move(snapshot.message, happening, Why.of("because"), at=NOW, due_at=NOW, terms=terms)

        await self.store.messages.record(message, decide)

    async def state(self, template_id: int = 50) -> TemplateState | None:
        template = await self.store.templates.get(template_id, 1)
        return template.state if template else None

    async def shown(self, message: Message) -> Message:
        found = await self.store.messages.by_tracking(message.tracking_id)
        assert found is not None
        return found

    async def codes(self, message_id: int) -> list[str]:
        return [postback.code for postback in await self.store.postbacks.of_message(message_id)]


@pytest.fixture
async def kitchen(tmp_path: Path) -> AsyncIterator[Kitchen]:
    path = tmp_path / "mmsgate.db"
    migrate(path)
    store = Store(path)
    await store.start()
    made = Kitchen(store)
    yield made
    await made.preparer.stop()
    await store.stop()


# -- templates


async def test_a_template_is_ready_when_its_versions_are_made(kitchen: Kitchen) -> None:
    await kitchen.save()
    assert await kitchen.state() is TemplateState.PREPARING
    await kitchen.until_template(TemplateState.READY)
    assert await kitchen.codes(50) == ["N003"]
    (terms,) = terms_in_use([SIM], kitchen.account, content(50))
    assert await kitchen.store.renditions.get(50, terms.key) == MADE
    assert await kitchen.store.preparations.count() == 0


async def test_a_version_that_cannot_fit_leaves_the_template_ready(kitchen: Kitchen) -> None:
    kitchen.adapter.outcome = Misfit(reason="too long")
    await kitchen.save()
    await kitchen.until_template(TemplateState.READY)
    assert await kitchen.codes(50) == ["N003"]


async def test_a_broken_file_ends_the_template_and_is_named(kitchen: Kitchen) -> None:
    kitchen.adapter.outcome = BROKEN
    await kitchen.save()
    await kitchen.until_template(TemplateState.DEAD)
    assert await kitchen.codes(50) == ["E003"]
    dead = await kitchen.store.templates.get(50, 1)
    assert dead is not None
    assert dead.reason == "slide 1: Video: it is cut short"
    due = await kitchen.store.postbacks.claim(
        "1 http://customer.example/", now=NOW + MINUTE, lease=NOW + 2 * MINUTE, owner="x", limit=5
    )
    assert b"<video-name>https://media.example/v.mp4</video-name>" in due[0].body


async def test_a_template_deleted_in_preparation_is_told_of_no_more(kitchen: Kitchen) -> None:
    await kitchen.save()
    await kitchen.save(51)
    assert await kitchen.store.templates.delete(50, 1, at=NOW)
    await kitchen.until_template(TemplateState.READY, 51)
    assert await kitchen.codes(50) == []
    assert await kitchen.store.preparations.count() == 0


async def test_every_connection_and_sender_in_use_counts_once(kitchen: Kitchen) -> None:
    profiles = [
        SIM,
        replace(SIM, name="same"),
        altered(replace(SIM, name="att"), reach={"operators": frozenset({"31002"})}),
        altered(
            replace(SIM, name="no-long"),
            limits={"bytes": 200_000},
            reach={"sender_types": frozenset({SenderType.SHORT_CODE})},
        ),
    ]
    rooms = [terms.room for terms in terms_in_use(profiles, kitchen.account, content(50))]
    assert len(set(rooms)) == len(rooms) == 4  # of sim, AT&T's two, the small one
    no_senders = replace(kitchen.account, senders={})
    assert terms_in_use(profiles, no_senders, content(50)) == []


# -- messages


async def test_a_message_goes_on_when_its_version_is_made_and_the_customer_is_told(kitchen: Kitchen) -> None:
    message = await kitchen.accept()
    await kitchen.until_messages(State.ACCEPTED, message)
    assert await kitchen.codes(message.id) == ["N013"]
    shown = await kitchen.shown(message)
    assert (shown.told, shown.due_at) == (False, kitchen.clock.now())
    assert (await kitchen.store.messages.timeline(message.id))[-1].reason == (
        "prepared; slide 1: MP4 900,000 → 300,000 bytes"
    )
    assert await kitchen.store.renditions.get(60, TERMS.key) == MADE


async def test_a_message_with_a_broken_file_is_not_sent(kitchen: Kitchen) -> None:
    kitchen.adapter.outcome = BROKEN
    message = await kitchen.accept()
    await kitchen.until_messages(State.FAILED, message)
    assert await kitchen.codes(message.id) == ["E013"]
    assert (await kitchen.shown(message)).details == "slide 1: Video: it is cut short"


async def test_all_messages_of_a_template_go_on_at_once_without_n013(kitchen: Kitchen) -> None:
    await kitchen.save()
    await kitchen.until_template(TemplateState.READY)
    messages = [await kitchen.accept(number, 50, stored=True) for number in range(100, 130)]
    await kitchen.until_messages(State.ACCEPTED, *messages)
    assert [await kitchen.codes(each.id) for each in messages] == [[]] * 30
    assert len(kitchen.adapter.asked) == 2  # the template's, and these messages'


async def test_a_message_that_needs_it_while_it_is_being_finished_is_not_forgotten(kitchen: Kitchen) -> None:
    """Whoever comes between the last look and the end makes `finish` say no."""
    first = await kitchen.accept()
    (preparation,) = await kitchen.claim()
    assert not await kitchen.store.preparations.finish(preparation)
    await kitchen.step(first, Happening.PREPARED)
    assert await kitchen.store.preparations.finish(preparation)


OTHER = replace(TERMS, room=300_000)


async def test_one_preparation_s_end_leaves_those_alone_who_wait_for_another(kitchen: Kitchen) -> None:
    await kitchen.save()
    await kitchen.until_template(TemplateState.READY)
    large, small = (
        await kitchen.accept(100, 50, stored=True),
        await kitchen.accept(101, 50, stored=True, terms=OTHER),
    )
    claimed = {each.terms: each for each in await kitchen.claim()}
    kitchen.adapter.outcome = BROKEN
    await kitchen.preparer._work(claimed[TERMS])
    assert (await kitchen.shown(large)).state is State.FAILED
    assert ((await kitchen.shown(small)).state, (await kitchen.shown(small)).awaits) == (State.PREPARING, OTHER.key)
    kitchen.adapter.outcome = MADE
    await kitchen.preparer._work(claimed[OTHER])
    assert (await kitchen.shown(small)).state is State.ACCEPTED
    assert await kitchen.store.preparations.count() == 0


async def test_n013_is_told_once_however_often_a_message_is_prepared(kitchen: Kitchen) -> None:
    message = await kitchen.accept()
    await kitchen.until_messages(State.ACCEPTED, message)
    await kitchen.step(message, Happening.PREPARE, terms=OTHER)
    await kitchen.until_messages(State.ACCEPTED, message)
    assert await kitchen.codes(message.id) == ["N013"]


async def test_a_page_s_version_is_made_though_nobody_waits(kitchen: Kitchen) -> None:
    message = await kitchen.accept()
    await kitchen.until_messages(State.ACCEPTED, message)
    await kitchen.step(message, Happening.FELL_BACK)
    assert await kitchen.store.preparations.count() == 1
    await kitchen.until_nothing_is_left()
    assert await kitchen.store.renditions.get(60, PAGE.key) == MADE


async def test_a_page_s_version_that_is_there_is_not_asked_for_again(kitchen: Kitchen) -> None:
    await kitchen.store.renditions.put(60, PAGE.key, MADE, at=NOW)
    message = await kitchen.accept()
    await kitchen.store.renditions.put(60, PAGE.key, MADE, at=NOW)
    await kitchen.until_messages(State.ACCEPTED, message)
    await kitchen.step(message, Happening.FELL_BACK)
    assert await kitchen.store.preparations.count() == 0


async def test_a_page_of_pictures_that_cannot_be_made_waits_for_nobody(kitchen: Kitchen) -> None:
    """There is no sound or video that the end could be told of."""
    picture = replace(FILM, kind=MediaKind.IMAGE, mime="image/heic")
    message = await kitchen.accept(slides=(replace(SLIDES[0], media=(picture,)),))
    await kitchen.until_messages(State.ACCEPTED, message)
    kitchen.adapter.outcome = CageError("the image cage is not running")
    await kitchen.step(message, Happening.FELL_BACK)
    (preparation,) = await kitchen.claim()
    await kitchen.preparer._work(replace(preparation, deadline=NOW + 1))
    assert await kitchen.store.preparations.count() == 0


async def test_a_page_holds_its_template_s_version_also_where_it_is_personal(kitchen: Kitchen) -> None:
    """R-24: a deleted template's versions stay until the last page that shows them has expired."""
    await kitchen.save()
    await kitchen.until_template(TemplateState.READY)
    await kitchen.store.renditions.put(50, PAGE.key, MADE, at=NOW)
    await kitchen.accept(7, 50, content_id=61)
    await kitchen.store.templates.delete(50, 1, at=NOW)
    page = await kitchen.store.messages.page(f"token{7:017}")
    assert page is not None
    assert (page.content.id, page.base_id) == (61, 50)
    expiry = page.expires_at
    assert await kitchen.store.templates.free_unneeded(now=expiry - HOUR) == 0
    assert await kitchen.store.renditions.get(50, PAGE.key) == MADE
    assert await kitchen.store.templates.free_unneeded(now=expiry + HOUR) == 1
    assert await kitchen.store.renditions.get(50, PAGE.key) is None


# -- trouble


async def test_a_restart_takes_up_what_was_under_way(kitchen: Kitchen) -> None:
    message = await kitchen.accept()
    (preparation,) = await kitchen.claim(owner="dead")
    assert preparation.content_id == 60
    assert await kitchen.store.preparations.recover(now=NOW) == 1
    await kitchen.until_messages(State.ACCEPTED, message)


async def test_a_stop_leaves_what_is_under_way_to_the_next_start(kitchen: Kitchen) -> None:
    message = await kitchen.accept()
    begun = asyncio.Event()

    async def hang(slides: tuple[Slide, ...], terms: Terms, *, owner: str = "") -> Version:
        begun.set()
        await asyncio.Event().wait()
        return MADE

    kitchen.adapter.adapt = hang  # type: ignore[method-assign]
    kitchen.preparer.start()
    await begun.wait()
    await kitchen.preparer.stop()
    assert await kitchen.store.preparations.recover(now=kitchen.clock.now()) == 0  # nothing was cut off
    (again,) = await kitchen.claim(owner="next")
    assert again.attempts == 0
    assert (await kitchen.shown(message)).state is State.PREPARING


async def test_neither_waiting_nor_a_stop_of_the_gateway_counts_towards_the_deadline(kitchen: Kitchen) -> None:
    message = await kitchen.accept()
    kitchen.clock.advance(2 * HOUR)
    (preparation,) = await kitchen.claim(owner="dead")
    assert preparation.deadline == kitchen.clock.now() + PREPARE_WITHIN
    kitchen.clock.advance(3 * HOUR)
    await kitchen.store.preparations.recover(now=kitchen.clock.now())
    await kitchen.until_messages(State.ACCEPTED, message)


async def test_what_kills_the_gateway_each_time_ends(kitchen: Kitchen) -> None:
    message = await kitchen.accept()
    for _ in range(MOST_ATTEMPTS):
        await kitchen.claim(owner="dead")
        await kitchen.store.preparations.recover(now=kitchen.clock.now())
    kitchen.adapter.outcome = CageError("it died again")
    await kitchen.until_messages(State.FAILED, message)
    assert "it died again" in (await kitchen.shown(message)).details


async def test_a_fault_of_ours_is_tried_again(kitchen: Kitchen) -> None:
    kitchen.adapter.outcome = CageError("more than 256 images wait")
    await kitchen.save()
    (preparation,) = await kitchen.claim()
    await kitchen.preparer._work(preparation)
    due = await kitchen.store.preparations.next_due(default=0)
    assert NOW < due < NOW + 2_000
    kitchen.adapter.outcome = MADE
    kitchen.clock.advance(due - NOW)
    await kitchen.until_template(TemplateState.READY)


async def test_a_fault_while_the_end_is_written_is_tried_again(kitchen: Kitchen) -> None:
    await kitchen.save()
    (preparation,) = await kitchen.claim()

    async def full(*_: object, **__: object) -> bool:
        raise StoreFault("the disk is full")

    prepared, kitchen.store.templates.prepared = kitchen.store.templates.prepared, full  # type: ignore[method-assign]
    await kitchen.preparer._work(preparation)
    assert await kitchen.state() is TemplateState.PREPARING
    kitchen.store.templates.prepared = prepared  # type: ignore[method-assign]
    kitchen.clock.advance(MINUTE)
    await kitchen.until_template(TemplateState.READY)
    assert len(kitchen.adapter.asked) == 1  # what had been made is still there


async def test_the_deadline_ends_what_fails_again_and_again(kitchen: Kitchen) -> None:
    kitchen.adapter.outcome = CageError("the ffmpeg cage is not running")
    message = await kitchen.accept()
    (preparation,) = await kitchen.claim()
    kitchen.clock.advance(PREPARE_WITHIN - 500)
    await kitchen.preparer._work(preparation)
    assert (await kitchen.shown(message)).state is State.FAILED
    assert await kitchen.codes(message.id) == ["E013"]
    assert "the ffmpeg cage is not running" in (await kitchen.shown(message)).details


async def test_the_deadline_ends_what_hangs(kitchen: Kitchen) -> None:
    message = await kitchen.accept()
    (preparation,) = await kitchen.claim()
    kitchen.clock.advance(PREPARE_WITHIN + 1)
    await kitchen.preparer._work(preparation)
    assert (await kitchen.shown(message)).details == "slide 1: Video: it could not be prepared within 30 minutes"


async def test_a_version_that_may_fit_another_time_is_not_kept(kitchen: Kitchen) -> None:
    kitchen.adapter.outcome = Misfit(reason="it took longer than 40 s", passing=True)
    message = await kitchen.accept()
    await kitchen.until_messages(State.ACCEPTED, message)
    assert await kitchen.store.renditions.get(60, TERMS.key) is None


async def test_a_header_that_says_enough_ends_a_template_that_no_carrier_wants(kitchen: Kitchen) -> None:
    kitchen.profiles = []
    kitchen.adapter.header = AvBroken(reason="it holds nothing that can be decoded")
    await kitchen.save()
    await kitchen.until_template(TemplateState.DEAD)
    assert kitchen.adapter.asked == []


async def test_accounts_have_turns_and_a_part_of_the_places_each(kitchen: Kitchen) -> None:
    for number in range(5):
        await kitchen.save(50 + number)
        kitchen.clock.advance(1)
    other = replace(content(70), account_id=2)
    template = Template(id=70, account_id=2, state=TemplateState.PREPARING, size=9, created_at=kitchen.clock.now())
    await kitchen.store.templates.save(
        template, other, notices=(), kept=Kept(idempotency_key="", response=b"", response_expires=0),
        preparation=replace(kitchen.preparation(70, None), account_id=2),
    )  # fmt: skip
    assert sorted(each.content_id for each in await kitchen.claim(limit=2)) == [50, 70]
    assert sorted(each.content_id for each in await kitchen.claim(each=3)) == [51, 52]
    assert await kitchen.claim(each=3) == []


async def test_an_account_that_is_gone_has_its_template_ready_without_versions(kitchen: Kitchen) -> None:
    gone: Account | None = None
    kitchen.preparer._accounts = lambda _: gone
    await kitchen.save()
    await kitchen.accept(7, 60)
    await kitchen.until_nothing_is_left()
    assert await kitchen.state() is TemplateState.READY
    assert await kitchen.codes(50) == []
