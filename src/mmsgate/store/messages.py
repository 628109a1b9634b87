"""Messages in the store: acceptance, claims, steps, and everything that is found by an id."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from mmsgate.clock import Millis
from mmsgate.domain.change import CarrierId, Change
from mmsgate.domain.discovery import follow, meaning
from mmsgate.domain.message import Content, Event, Message, SmsPart
from mmsgate.domain.postback import SentAs
from mmsgate.domain.rendition import Preparation
from mmsgate.domain.state import Happening
from mmsgate.recent import Recent
from mmsgate.store import rows
from mmsgate.store.engine import Engine, Row, Transaction
from mmsgate.store.keys import finish_key
from mmsgate.store.orphans import Orphan, early_reports, remember_doubt
from mmsgate.store.preparations import insert_preparation
from mmsgate.store.queries import queries

SQL = queries("messages", message=rows.MESSAGE, mutable=rows.MESSAGE_MUTABLE)
POSTBACK_INSERT = queries("postbacks")["insert"]
TEMPLATE_SENT, TEMPLATE_THERE = (queries("templates")[name] for name in ("sent", "there"))


CONTENTS_REMEMBERED = 256


class TemplateGone(Exception):  # noqa: N818  nobody's fault
    """The template of a message was deleted between the look at it and the commit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PostbackRow:
    """A postback as it is kept: rendered, addressed, not yet sent.

    If `ordered`, it waits for the earlier ones of its message (R-09).
    """

    receiver: str
    url: str
    code: str
    content_type: str
    body: bytes
    ordered: bool = True


#: Renders the postbacks of a step for the account's receiver; none where the account wants none.
Render = Callable[[Change], Sequence[PostbackRow]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """What a decision is made on, read in the transaction that writes its outcome."""

    message: Message
    sms_parts: tuple[SmsPart, ...]


Decide = Callable[[Snapshot], Change]


@dataclass(frozen=True, slots=True, kw_only=True)
class Acceptance:
    """All that one accepted request writes: one transaction.

    `content` is None where it is a template's own, which is in the store already. `preparation` is what the message
    waits for, or `ahead` the device discovery.
    """

    message: Message
    content: Content | None
    event: Event
    idempotency_key: str = ""
    response: bytes = b""
    response_expires: Millis = 0
    preparation: Preparation | None = None
    ahead: "Acceptance | None" = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """What a step wrote: the change, and reports that were waiting for one of its carrier ids.

    `followed` is the step that a device discovery's step made the message make that waits for it.
    """

    change: Change
    followed: Change | None = None
    orphans: tuple[Orphan, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PageRow:
    """A fallback page: what it shows, and until when. `base_id` is the content whose versions it may show."""

    content: Content
    base_id: int
    message_id: int
    created_at: Millis
    expires_at: Millis


class Messages:
    """Statements about messages. `render` turns the postbacks of a step into rows, in the same transaction."""

    def __init__(self, engine: Engine, *, render: Render) -> None:
        self._engine = engine
        self.render = render
        self._contents: Recent[int, Content] = Recent(CONTENTS_REMEMBERED)

    # -- acceptance

    async def accept(self, acceptance: Acceptance) -> None:
        """Message, content, page and first event, durably. Returns when they are on stable storage.

        Raises `TemplateGone` if the message is of a template that does not exist any more.
        """
        await self._engine.write(lambda tx: _accept(tx, acceptance))

    # -- steps

    async def record(self, held: Message, decide: Decide) -> Recorded:
        """Let `decide` (a pure function) choose the message's step, and write all of it: one transaction.

        It is decided on the message as the caller holds it, and anew on its row if it has moved since.
        """

        async def work(tx: Transaction) -> Recorded:
            return await self._step_held(tx, held, decide) or await self.step(tx, held.id, decide)

        return await self._engine.write(work)

    async def _step_held(self, tx: Transaction, held: Message, decide: Decide) -> Recorded | None:
        """The step without a look at the row; None if it needs one."""
        if held.sent_as is SentAs.SMS:
            return None  # its parts are rows of their own
        await tx.alone(held.id)
        change = decide(Snapshot(message=held, sms_parts=()))
        if not (change.event.changed and await _update(tx, held, change.message)):
            return None
        return await self._write(tx, change)

    async def step(self, tx: Transaction, message_id: int, decide: Decide) -> Recorded:
        """The step that is decided on the message's row, in a transaction of the caller's."""
        await tx.alone(message_id)
        return await self.step_of(tx, await _locked(tx, message_id), decide)

    async def step_of(self, tx: Transaction, message: Message, decide: Decide) -> Recorded:
        """The same of a message as it was read in that transaction, or as it is if it has moved since."""
        await tx.alone(message.id)
        while True:
            if message.sent_as is SentAs.SMS:
                message = await _locked(tx, message.id)
            parts = await _sms_parts(tx, message.id) if message.sent_as is SentAs.SMS else ()
            change = decide(Snapshot(message=message, sms_parts=parts))
            if not change.event.changed or await _update(tx, message, change.message):
                return await self._write(tx, change)
            message = await _locked(tx, message.id)

    async def _write(self, tx: Transaction, change: Change) -> Recorded:
        """All of a step but the message's own row."""
        after = change.message
        await tx.run(SQL["insert_event"], rows.event_row(after.id, change.event))
        for part in change.sms_parts:
            await tx.run(
                SQL["upsert_sms_part"], (after.id, part.number, part.state, part.smsc_id, part.error)
            )  # fmt: skip
        orphans = await _remember_ids(tx, after, change.carrier_ids)
        if change.event.happening is Happening.IN_DOUBT and after.sent_as is SentAs.MMS:
            orphans = tuple(await remember_doubt(tx, after, change.event.at))
        followed = None
        if after.discovers:
            followed = await self._follow(tx, change)
        else:
            await self._insert_postbacks(tx, change)
        if change.preparation is not None:
            await insert_preparation(tx, change.preparation, due_at=change.event.at)
        return Recorded(change=change, followed=followed, orphans=orphans)

    async def _follow(self, tx: Transaction, discovery: Change) -> Change | None:
        """The step of the message that waits for a discovery, which tells what the discovery has to tell."""
        happening = meaning(discovery)
        if happening is None:
            return None
        waiting = discovery.message.discovers
        return (
            await self.step(tx, waiting, lambda snapshot: follow(discovery, happening, snapshot.message))
        ).change

    async def _insert_postbacks(self, tx: Transaction, change: Change) -> None:
        if not change.postbacks:
            return
        after = change.message
        first = after.postbacks - len(change.postbacks) + 1
        for sequence, row in enumerate(self.render(change), first):
            await tx.run(
                POSTBACK_INSERT,
                (after.id, sequence, after.account_id, row.receiver, row.url, row.code, row.content_type, row.body,
                 change.event.at, row.ordered and sequence > 1),
            )  # fmt: skip

    async def note_once(self, token: str, reason: str, *, at: Millis) -> None:
        """Write into the timeline of a page's message what does not move it; once, however often it happens."""
        parameters = (at, reason, token, reason)
        await self._engine.run(SQL["note_once"], parameters)

    # -- look-ups

    async def content(self, mms_id: int) -> Content | None:
        """The slides behind an mms-id. They never change, so those used last are remembered."""
        known = self._contents.get(mms_id)
        if known is not None:
            return known
        content = await self._read_content(mms_id)
        return content and self._contents.put(mms_id, content)

    def forget_contents(self, ids: Iterable[int]) -> None:
        """Those have been freed: they are no longer remembered."""
        for content_id in ids:
            self._contents.drop(content_id)

    async def _read_content(self, mms_id: int) -> Content | None:
        found = await self._engine.read(SQL["content"], (mms_id,))
        return rows.to_content(found[0]) if found else None

    async def by_tracking(self, tracking_id: str) -> Message | None:
        """The message of a tracking id."""
        found = await self._engine.read(SQL["message_by_tracking"], (tracking_id,))
        return rows.to_message(found[0]) if found else None

    async def discovery_of(self, message_id: int) -> Message | None:
        """The device discovery that went ahead of a message."""
        found = await self._engine.read(SQL["discovery_of"], (message_id,))
        return rows.to_message(found[0]) if found else None

    async def latest(self) -> Message | None:
        """The newest message of all accounts: for the operator, not for a customer."""
        found = await self._engine.read(SQL["latest_message"])
        return rows.to_message(found[0]) if found else None

    async def timeline(self, message_id: int) -> list[Event]:
        """Everything that happened to a message, in order."""
        return [rows.to_event(row) for row in await self._engine.read(SQL["events"], (message_id,))]

    async def sms_parts(self, message_id: int) -> tuple[SmsPart, ...]:
        """The parts of the message's fallback SMS, if one was begun."""
        return tuple(_to_part(row) for row in await self._engine.read(SQL["sms_parts"], (message_id,)))

    async def page(self, token: str) -> PageRow | None:
        """What a fallback link shows."""
        found = await self._engine.read(SQL["page"], (token,))
        if not found:
            return None
        content_id, base_id, message_id, created_at, expires_at = found[0]
        content = await self._read_content(content_id)  # a page must not outlive its content
        if content is None:
            return None
        return PageRow(
            content=content, base_id=base_id, message_id=message_id, created_at=created_at, expires_at=expires_at
        )

    async def counts(self) -> dict[str, int]:
        """How many messages are in which state."""
        return {row[0]: row[1] for row in await self._engine.read(SQL["states"])}


async def _accept(tx: Transaction, acceptance: Acceptance) -> None:
    message, content = acceptance.message, acceptance.content
    if content is None or content.id != message.mms_id:
        await _note_sent(tx, message)
    if acceptance.ahead is not None:
        await _accept(tx, acceptance.ahead)
    if content is not None:
        await insert_content(tx, content)
    await insert_message(tx, message, acceptance.event)
    if message.fallback.token:
        await tx.run(
            SQL["insert_page"],
            (message.fallback.token, message.id, message.mms_id, message.account_id, message.accepted_at,
             message.fallback.expires_at),
        )  # fmt: skip
    if acceptance.preparation is not None:
        await insert_preparation(tx, acceptance.preparation, due_at=message.accepted_at)
    if acceptance.idempotency_key:
        await finish_key(
            tx, message.account_id, acceptance.idempotency_key, acceptance.response, acceptance.response_expires
        )


async def insert_message(tx: Transaction, message: Message, event: Event) -> None:
    """A message as it begins its life."""
    await tx.run(SQL["insert_message"], rows.message_row(message))
    if not message.discovers:  # a discovery is known by the tracking id of the message that waits for it
        await tx.run(SQL["insert_tracking"], (message.tracking_id, message.id))
    await tx.run(SQL["insert_event"], rows.event_row(message.id, event))


async def _locked(tx: Transaction, message_id: int) -> Message:
    """The message as it is, and as it stays until the end of the transaction."""
    [row] = await tx.rows(SQL["lock"], (message_id,))
    return rows.to_message(row)


async def _update(tx: Transaction, before: Message, after: Message) -> bool:
    """Whether the message still stood as `before`; then it stands as `after` now."""
    row = (*rows.message_mutable(after), after.id, before.updated_at)
    return await tx.run(SQL["update_message"], row) == 1


async def _note_sent(tx: Transaction, message: Message) -> None:
    """A template that is being sent must still be there, and is needed for a while."""
    if await tx.run(TEMPLATE_SENT, (message.accepted_at, message.mms_id)):
        return
    if not await tx.rows(TEMPLATE_THERE, (message.mms_id,)):
        raise TemplateGone


async def insert_content(tx: Transaction, content: Content) -> None:
    """Content and its claim on its files."""
    await tx.run(
        SQL["insert_content"],
        (content.id, content.account_id, content.name, content.subject, rows.slides_json(content.slides),
         content.created_at),
    )  # fmt: skip
    for medium in content.media:
        await keep_blob(tx, medium.blob, content.id)


async def keep_blob(tx: Transaction, blob: str, content_id: int) -> None:
    """A content's claim on a blob: as long as there is one it is not removed."""
    await tx.run(SQL["insert_content_blob"], (blob, content_id))


def _to_part(row: Row) -> SmsPart:
    return SmsPart(number=row[0], state=row[1], smsc_id=row[2], error=row[3])


async def _sms_parts(tx: Transaction, message_id: int) -> tuple[SmsPart, ...]:
    return tuple(_to_part(row) for row in await tx.rows(SQL["sms_parts"], (message_id,)))


async def _remember_ids(tx: Transaction, message: Message, ids: Sequence[CarrierId]) -> tuple[Orphan, ...]:
    """Keep the ids that a carrier gave, and find the reports that came before them."""
    early: dict[int, Orphan] = {}
    for given in ids:
        if not given.verbatim:
            continue
        row = (given.connection, given.normalised, given.verbatim, message.id, given.part)
        await tx.run(SQL["insert_carrier_id"], row)
        early |= {orphan.id: orphan for orphan in await early_reports(tx, message, given)}
    return tuple(early[key] for key in sorted(early))
