"""Inbound messages in the store: taken once, with all that follows from them in the same transaction."""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from mmsgate.clock import Millis
from mmsgate.domain.account import Block
from mmsgate.domain.inbound import Inbound, InboundFile, InboundKind
from mmsgate.domain.message import Event, Message
from mmsgate.domain.optout import Intent
from mmsgate.store.accounts import delete_opt_out, insert_block
from mmsgate.store.engine import Engine, Row, Transaction, key_of
from mmsgate.store.messages import POSTBACK_INSERT, PostbackRow, insert_message
from mmsgate.store.parts import SmsPartKey, SmsPiece, add_part, flush_parts, forget_parts, stale_sets
from mmsgate.store.queries import queries

_INBOUND = (
    "id, tracking_id, kind, connection, reference, account_id, sender, recipient, copy_to, operator, subject, "
    "text, keyword, intent, token, sent_at, received_at, expires_at, reply, note"
)
_FILE = "number, extension, mime, blob, size, attach, declared, note"
SQL = queries("inbound", inbound=_INBOUND, file=_FILE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """The SMS that answers an inbound message, as it begins its life."""

    message: Message
    event: Event


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """All that one inbound message writes.

    `digest` is the same for a repetition, which is one if the earlier came at `horizon` or after it, and if it was
    the phone's last where the carrier gave no id, or where it is STOP. `blocks` are
    the entries that STOP makes, or that START takes off. A `reply` to these goes only where that changed something;
    `note` says in words what was made of the message.
    """

    inbound: Inbound
    digest: str
    horizon: Millis
    blocks: tuple[Block, ...] = ()
    reply: Reply | None = None
    postback: PostbackRow | None = None
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What became of an arrival: whether it had been taken before, and the answer that was made."""

    arrival: Arrival
    repeated: bool = False
    reply: Message | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InboundRow:
    """An inbound message as it is kept: `reply` is the tracking id of the SMS that answered it, or empty."""

    inbound: Inbound
    reply: str
    note: str


#: From the whole text of an SMS, and what is wrong with it in words, to what it writes. It must be repeatable.
Whole = Callable[[str, str], Sequence[Arrival]]


class InboundRows:
    """Statements about inbound messages."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def record(self, arrivals: Sequence[Arrival]) -> list[Taken]:
        """Take messages in, durably, each once."""
        return await self._engine.write(lambda tx: _take_all(tx, arrivals))

    async def record_part(
        self, key: SmsPartKey, piece: SmsPiece, whole: Whole, *, at: Millis
    ) -> list[Taken] | None:
        """Keep one part of an SMS; with the last one all of it is taken in. None: it is a repetition."""

        async def work(tx: Transaction) -> list[Taken] | None:
            found = await add_part(tx, key, piece, at=at)
            if found is None:
                return None
            return [await _take(tx, arrival) for text, note in found for arrival in whole(text, note)]

        return await self._engine.write(work)

    async def stale_parts(self, *, before: Millis) -> list[SmsPartKey]:
        """SMS of which no part has come since then, and some are missing; each by one of its parts."""
        return await stale_sets(self._engine, before=before)

    async def flush_parts(self, key: SmsPartKey, whole: Whole) -> list[Taken]:
        """Take in what there is of an SMS."""

        async def work(tx: Transaction) -> list[Taken]:
            await tx.alone(key_of(key.whole), everywhere=True)
            return [
                await _take(tx, arrival)
                for text, note in await flush_parts(tx, key)
                for arrival in whole(text, note)
            ]

        return await self._engine.write(work)

    async def adopt(self, arrival: Arrival) -> Taken | None:
        """Give a message that was nobody's to the account it is for now; None if it has one already."""
        return await self._engine.write(lambda tx: _adopt(tx, arrival))

    async def assign(self, inbound_id: int, number: str) -> bool:
        """Say which number a message that is nobody's was for; False if it has an account already."""
        return bool(await self._engine.run(SQL["assign"], (number, inbound_id)))

    async def expire(self, *, now: Millis, parts_before: Millis) -> int:
        """Drop what has had its time, with its files' rows and its postbacks; how many messages."""

        async def work(tx: Transaction) -> int:
            await forget_parts(tx, before=parts_before)
            ids = [row[0] for row in await tx.rows(SQL["expired"], (now,))]
            for inbound_id in ids:
                for name in ("delete_files", "delete_postbacks", "delete"):
                    await tx.run(SQL[name], (inbound_id,))
            return len(ids)

        return await self._engine.write(work)

    # -- look-ups

    async def by_tracking(self, tracking_id: str) -> InboundRow | None:
        """The inbound message of a tracking id."""
        return next(iter(await self._read("by_tracking", tracking_id)), None)

    async def by_token(self, token: str) -> Inbound | None:
        """The inbound message whose files a token names."""
        return next((row.inbound for row in await self._read("by_token", token)), None)

    async def newest(self, limit: int, *, before: int = 2**63 - 1) -> list[InboundRow]:
        """The newest of all accounts, behind the id `before`: for the operator."""
        return await self._read("newest", before, limit)

    async def claimable(self, *, after: int = 0, limit: int = 100) -> list[InboundRow]:
        """Those for numbers that nobody had and somebody has now, behind the id `after`, oldest first."""
        return await self._read("claimable", after, limit)

    async def count_homeless(self) -> int:
        """How many are for numbers that nobody has."""
        return int((await self._engine.read(SQL["count_homeless"]))[0][0])

    async def _read(self, name: str, *parameters: object) -> list[InboundRow]:
        return [await self._whole(row) for row in await self._engine.read(SQL[name], parameters)]

    async def _whole(self, row: Row) -> InboundRow:
        files = tuple(_to_file(file) for file in await self._engine.read(SQL["files"], (row[0],)))
        return InboundRow(inbound=replace(_to_inbound(row), files=files), reply=row[18], note=row[19])


async def _take_all(tx: Transaction, arrivals: Iterable[Arrival]) -> list[Taken]:
    return [await _take(tx, arrival) for arrival in arrivals]


async def _take(tx: Transaction, arrival: Arrival) -> Taken:
    inbound = arrival.inbound
    # Carriers use an id again, and a STOP too many harms nobody: without its id only the phone's last is repeated.
    reference = "" if inbound.intent is Intent.OPT_OUT else inbound.reference
    seen = (
        inbound.connection, inbound.sender, arrival.digest, arrival.horizon, reference, inbound.recipient,
    )  # fmt: skip
    await tx.alone(key_of(inbound.connection, inbound.sender), everywhere=True)
    if await tx.rows(SQL["repeated"], seen):
        return Taken(arrival=arrival, repeated=True)
    reply = await _follow(tx, arrival)
    await tx.run(SQL["insert"], (*_from_inbound(inbound), _tracking(reply), arrival.note, arrival.digest))
    await tx.run_many(SQL["insert_file"], [(inbound.id, *_from_file(file)) for file in inbound.files])
    return Taken(arrival=arrival, reply=reply)


async def _adopt(tx: Transaction, arrival: Arrival) -> Taken | None:
    inbound = arrival.inbound
    row = (
        inbound.account_id, inbound.recipient, inbound.keyword, inbound.intent, "", arrival.note, inbound.id,
    )  # fmt: skip
    if not await tx.run(SQL["adopt"], row):
        return None
    reply = await _follow(tx, arrival)
    await tx.run(SQL["answer"], (_tracking(reply), inbound.id))
    return Taken(arrival=arrival, reply=reply)


def _tracking(reply: Message | None) -> str:
    return reply.tracking_id if reply else ""


async def _follow(tx: Transaction, arrival: Arrival) -> Message | None:
    """What follows from a message that is taken in: block lists, the reply, the postback."""
    at = arrival.inbound.received_at
    changed = await _change_blocks(tx, arrival, at)
    reply = arrival.reply if changed or not arrival.blocks else None
    if reply is not None:
        await insert_message(tx, reply.message, reply.event)
    if arrival.postback is not None:
        await _insert_postback(tx, arrival.inbound, arrival.postback, at)
    return reply.message if reply is not None else None


async def _change_blocks(tx: Transaction, arrival: Arrival, at: Millis) -> int:
    if arrival.inbound.intent is Intent.OPT_IN:
        return sum([await delete_opt_out(tx, each.account_id, each.number, each.sender) for each in arrival.blocks])
    return sum([await insert_block(tx, block, at=at) for block in arrival.blocks])


async def _insert_postback(tx: Transaction, inbound: Inbound, row: PostbackRow, at: Millis) -> None:
    """An inbound message has one postback, in a lane by itself: nothing comes before it."""
    await tx.run(
        POSTBACK_INSERT,
        (inbound.id, 1, inbound.account_id, row.receiver, row.url, row.code, row.content_type, row.body, at, False),
    )


def _from_inbound(inbound: Inbound) -> Row:
    return (
        inbound.id, inbound.tracking_id, inbound.kind.value, inbound.connection, inbound.reference,
        inbound.account_id, inbound.sender, inbound.recipient, json.dumps(inbound.copy_to), inbound.operator,
        inbound.subject, inbound.text, inbound.keyword, inbound.intent, inbound.token, inbound.sent_at,
        inbound.received_at, inbound.expires_at,
    )  # fmt: skip


def _to_inbound(row: Row) -> Inbound:
    return Inbound(
        id=row[0], tracking_id=row[1], kind=InboundKind(row[2]), connection=row[3], reference=row[4],
        account_id=row[5], sender=row[6], recipient=row[7], copy_to=tuple(json.loads(row[8])), operator=row[9],
        subject=row[10], text=row[11], keyword=row[12], intent=Intent(row[13]) if row[13] else None, token=row[14],
        sent_at=row[15], received_at=row[16], expires_at=row[17],
    )  # fmt: skip


def _from_file(file: InboundFile) -> Row:
    return (
        file.number, file.extension, file.mime, file.blob, file.size, file.attach, file.declared, file.note,
    )  # fmt: skip


def _to_file(row: Row) -> InboundFile:
    return InboundFile(
        number=row[0], extension=row[1], mime=row[2], blob=row[3], size=row[4], attach=bool(row[5]),
        declared=row[6], note=row[7],
    )  # fmt: skip
