"""What a delivery works with, in memory: a store of one message, its blobs, a directory of one account."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import cast

from mmsgate.clock import ManualClock, Millis
from mmsgate.delivery.encoder import Encoder
from mmsgate.delivery.rendition import FindContent, Renditions
from mmsgate.delivery.versions import Versions
from mmsgate.domain.account import Block
from mmsgate.domain.change import Change
from mmsgate.domain.message import Content, Event, Message, SmsPart
from mmsgate.domain.postback import PostbackCode
from mmsgate.domain.rendition import BrokenMedium, Misfit, Terms, Version
from mmsgate.domain.slide import Medium, Slide
from mmsgate.media.adapter import Adapter
from mmsgate.media.probe import AvBroken, AvFacts
from mmsgate.media.storage import BlobMissingError
from mmsgate.postbacks.ledger import Ledger
from mmsgate.store import Decide, Directory, EncodedRow, Recorded, Snapshot, Store, StoreFault
from tests.unit.builders import an_account
from tests.unit.mm7.samples import BLOBS, HELLO


def a_content(mms_id: int = 5, *, slides: tuple[Slide, ...] = HELLO, subject: str = "Hello") -> Content:
    return Content(id=mms_id, account_id=1, name="test", subject=subject, slides=slides)


class FakeBlobs:
    """Bytes by name, and which of them were read."""

    def __init__(self, blobs: dict[str, bytes] = BLOBS) -> None:
        self._blobs = blobs
        self.read_names: list[str] = []

    async def read(self, blob: str) -> bytes:
        self.read_names.append(blob)
        if blob not in self._blobs:
            raise BlobMissingError(blob)
        return self._blobs[blob]

    async def put_bytes(self, data: bytes) -> str:
        name = f"put-{len(self._blobs)}"
        self._blobs[name] = data
        return name


class FakeRenditions:
    """The store's renditions in memory. `templates` are the ids of contents that are templates."""

    def __init__(self, templates: frozenset[int] = frozenset()) -> None:
        self._templates = templates
        self.kept: dict[tuple[int, str], Version | Misfit] = {}
        self.rows: dict[tuple[int, str, str], EncodedRow] = {}

    async def get(self, content_id: int, key: str) -> Version | Misfit | None:
        return self.kept.get((content_id, key))

    async def put(self, content_id: int, key: str, made: Version | Misfit, *, at: Millis) -> None:
        assert at
        self.kept[content_id, key] = made

    async def is_template(self, content_id: int) -> bool:
        return content_id in self._templates

    async def encoded(self, content_id: int, key: str, dialect: str) -> EncodedRow | None:
        return self.rows.get((content_id, key, dialect))

    async def put_encoded(self, content_id: int, key: str, dialect: str, encoded: EncodedRow) -> None:
        self.rows[content_id, key, dialect] = encoded


class FakeAdapter:
    """Adapts nothing unless a test says what comes of it. `asked` are the terms it was asked for."""

    def __init__(self, outcome: Version | Misfit | BrokenMedium | Exception | None = None) -> None:
        self.outcome = outcome
        self.header: AvBroken | None = None
        self.asked: list[Terms] = []

    async def adapt(
        self, slides: tuple[Slide, ...], terms: Terms, *, owner: str = ""
    ) -> Version | Misfit | BrokenMedium:
        assert owner
        self.asked.append(terms)
        if isinstance(self.outcome, Exception):
            raise self.outcome
        if self.outcome is not None:
            return self.outcome
        suits = terms.take(medium for slide in slides for medium in slide.media)
        return Version(slides=slides) if suits else Misfit(reason="nothing helps")

    async def inspect(self, _: Medium, *, owner: str) -> AvFacts | AvBroken:
        """Its header says that all is well, or what a test says."""
        assert owner
        return self.header or AvFacts(seconds=4.2, estimated=False, video=None, audio=None)

    @property
    def as_adapter(self) -> Adapter:
        return cast("Adapter", self)


def looks_up(contents: Mapping[int, Content]) -> FindContent:
    """Looks contents up as they stand then."""

    async def find(content_id: int) -> Content | None:
        return contents.get(content_id)

    return find


def fake_renditions(
    contents: dict[int, Content], *, blobs: FakeBlobs | None = None, adapter: FakeAdapter | None = None,
    kept: FakeRenditions | None = None,
) -> Renditions:  # fmt: skip
    """Renditions over contents and blobs in memory."""
    rows = kept or FakeRenditions()
    versions = Versions(rows, (adapter or FakeAdapter()).as_adapter, ManualClock())
    return Renditions(looks_up(contents), versions, Encoder(blobs or FakeBlobs(), rows))


class FakeMessages:
    """Messages; decisions are made on them as the store makes them, and their steps are kept.
    `fresh` says of each step whether the caller held the message as it stood.

    `parts` are the SMS parts of any one of them: no test has two messages with parts.
    """

    def __init__(self, messages: Iterable[Message], parts: Iterable[SmsPart] = ()) -> None:
        self.by_id = {message.id: message for message in messages}
        self.parts = {part.number: part for part in parts}
        self.changes: list[Change] = []
        self.fresh: list[bool] = []

    async def record(self, held: Message, decide: Decide) -> Recorded:
        self.fresh.append(held == self.by_id[held.id])
        change = decide(Snapshot(message=self.by_id[held.id], sms_parts=tuple(self.parts.values())))
        self.by_id[held.id] = change.message
        self.parts |= {part.number: part for part in change.sms_parts}
        self.changes.append(change)
        return Recorded(change=change)

    async def sms_parts(self, message_id: int) -> tuple[SmsPart, ...]:
        assert message_id in self.by_id
        return tuple(self.parts.values())


class FakeQueue:
    """The days of senders, by (connection, sender, day), and how often the message was in doubt."""

    def __init__(self) -> None:
        self.doubts = 1
        self.fault: StoreFault | None = None
        self.days: Counter[tuple[str, str, int]] = Counter()

    async def sent(self, connection: str, sender: str, day: int) -> int:
        return self.days[connection, sender, day]

    async def times_in_doubt(self, _: int) -> int:
        return self.doubts

    async def count_sent(self, connection: str, sender: str, day: int, *, most: int) -> bool:
        if self.days[connection, sender, day] >= most:
            return False
        self.days[connection, sender, day] += 1
        return True

    async def uncount_sent(self, connection: str, sender: str, day: int) -> None:
        if self.fault is not None:
            raise self.fault
        self.days[connection, sender, day] -= 1


class FakeAccounts:
    """The alarms that are open, and which were cleared."""

    def __init__(self) -> None:
        self.alarms: dict[str, str] = {}
        self.cleared: list[str] = []
        self.while_raising: Callable[[], None] = lambda: None
        self.opted_out: list[Block] = []

    async def opt_out(self, block: Block, *, at: Millis) -> int:
        assert at
        self.opted_out.append(block)
        return 1

    async def raise_alarm(self, subject: str, reason: str, *, at: Millis) -> None:
        assert at
        self.while_raising()
        self.alarms[subject] = reason

    async def clear_alarm(self, subject: str, *, at: Millis) -> int:
        assert at
        self.cleared.append(subject)
        return 0 if self.alarms.pop(subject, None) is None else 1


class FakeStore:
    """As much of the store as a delivery needs."""

    def __init__(self, messages: Iterable[Message], parts: Iterable[SmsPart] = ()) -> None:
        self.messages = FakeMessages(messages, parts)
        self.accounts = FakeAccounts()
        self.queue = FakeQueue()

    @property
    def as_store(self) -> Store:
        return cast("Store", self)


class FakeBlockList:
    """Why nobody may be sent to; empty: everybody may. `asked` are (account, sender, recipient).

    `reasons` are what it says each time it is asked, the last one from then on.
    """

    def __init__(self, reason: str = "") -> None:
        self.reasons = [reason]
        self.asked: list[tuple[int, str, str]] = []
        self.while_asked: Callable[[], object] = lambda: None

    async def __call__(self, account_id: int, sender: str, recipient: str) -> str | None:
        self.asked.append((account_id, sender, recipient))
        self.while_asked()
        return self.reasons[min(len(self.asked), len(self.reasons)) - 1] or None


class Bench:
    """What stands around every delivery, and how it went: `message` is the first one as it stands now."""

    def __init__(self, *messages: Message, parts: Iterable[SmsPart] = (), blocked: str = "") -> None:
        self.clock = ManualClock()
        self.store = FakeStore(messages, parts)
        self.blocks = FakeBlockList(blocked)
        self._first = messages[0].id
        directory = Directory(revision=1, accounts={1: an_account()}, by_key={}, patterns=(), profiles={})
        self.ledger = Ledger(self.store.as_store, lambda: directory)

    @property
    def message(self) -> Message:
        return self.store.messages.by_id[self._first]

    @message.setter
    def message(self, message: Message) -> None:
        self.store.messages.by_id[self._first] = message

    @property
    def changes(self) -> list[Change]:
        return self.store.messages.changes

    @property
    def event(self) -> Event:
        """The last step."""
        return self.changes[-1].event

    @property
    def told(self) -> list[PostbackCode]:
        """What the customer was told, in order."""
        return [postback.code for change in self.changes for postback in change.postbacks]
