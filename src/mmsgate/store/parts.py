"""Parts of inbound SMS, kept until the rest has come.

A sender's reference comes again after 255 others, or by chance. So what has another content under a number that is
there already is another SMS; the earlier one is taken in as far as it came. So is the same content that comes later
than an SMSC repeats a part of an SMS that has been taken in.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from mmsgate.clock import MINUTE, Millis
from mmsgate.domain.gsm import decode
from mmsgate.domain.number import mask
from mmsgate.store.engine import Engine, Transaction, key_of
from mmsgate.store.queries import queries

SQL = queries("inbound")
#: data_coding of UCS-2.
UCS2 = 0x08
#: What stands where a part is missing.
GAP = "[…]"
#: How long an SMSC may repeat a part of an SMS that has been taken in, from the last part on.
PART_REPEATED: Millis = 5 * MINUTE

#: A whole text, and in words what is wrong with it.
Text = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class SmsPartKey:
    """Which part of which SMS: `number` of `total`, held together by its people and the sender's `reference`."""

    connection: str
    sender: str
    recipient: str
    reference: int
    total: int
    number: int = 0

    @property
    def whole(self) -> tuple[str, str, str, int, int]:
        """What the parts of one SMS have in common."""
        return self.connection, self.sender, self.recipient, self.reference, self.total

    def __str__(self) -> str:
        people = f"from {mask(self.sender)} to {mask(self.recipient)}"
        return f"part {self.number} of {self.total} of SMS {self.reference} {people}"


@dataclass(frozen=True, slots=True, kw_only=True)
class SmsPiece:
    """What one part holds, without its header: `payload` in SMPP's `data_coding`, and its `text`."""

    text: str
    payload: bytes
    data_coding: int

    @property
    def is_ucs2(self) -> bool:
        """Whether it is written in UCS-2 (23.038 section 4): phones split an emoji over two such parts."""
        return self.data_coding & 0xCC == UCS2


async def add_part(tx: Transaction, key: SmsPartKey, piece: SmsPiece, *, at: Millis) -> list[Text] | None:
    """Keep a part; the texts that are whole with it, or will never be. None: it is a repetition."""
    await tx.alone(key_of(key.whole), everywhere=True)
    kept, joined_at = await _pieces(tx, key)
    if kept.get(key.number) == piece and (joined_at is None or joined_at >= at - PART_REPEATED):
        return None  # the SMSC did not hear our answer
    found: list[Text] = []
    if key.number in kept or joined_at is not None:
        found = await flush_parts(tx, key)
        await tx.run(SQL["delete_parts"], key.whole)
        kept = {}
    await tx.run(SQL["insert_part"], (*key.whole, key.number, piece.text, piece.payload, piece.data_coding, at))
    if len(kept) + 1 == key.total:
        found += await flush_parts(tx, key)
    return found


async def flush_parts(tx: Transaction, key: SmsPartKey) -> list[Text]:
    """What there is of an SMS, unless it has been taken in before."""
    kept, joined_at = await _pieces(tx, key)
    if joined_at is not None or not kept:
        return []
    await tx.run(SQL["join_parts"], key.whole)
    missing = key.total - len(kept)
    note = f"{missing} of its {key.total} parts never came" if missing else ""
    return [(_text([kept.get(number) for number in range(1, key.total + 1)]), note)]


def _text(pieces: Sequence[SmsPiece | None]) -> str:
    """The text of pieces in their order; in UCS-2 those that follow one another are decoded as one."""
    text = ""
    for ucs2, run in groupby(pieces, key=lambda piece: piece is not None and piece.is_ucs2):
        held = list(run)
        if ucs2:
            text += decode(b"".join(piece.payload for piece in held if piece is not None), UCS2)
        else:
            text += "".join(GAP if piece is None else piece.text for piece in held)
    return text


async def stale_sets(engine: Engine, *, before: Millis) -> list[SmsPartKey]:
    """SMS with missing parts, of which none has come since then."""
    return [
        SmsPartKey(connection=row[0], sender=row[1], recipient=row[2], reference=row[3], total=row[4])
        for row in await engine.read(SQL["stale_sets"], (before,))
    ]


async def forget_parts(tx: Transaction, *, before: Millis) -> None:
    """Drop the parts of SMS that have been taken in and came whole before that time."""
    await tx.run(SQL["forget_parts"], (before,))


async def _pieces(tx: Transaction, key: SmsPartKey) -> tuple[dict[int, SmsPiece], Millis | None]:
    """The parts of an SMS by number, and when its last part came if it has been taken in."""
    rows = await tx.rows(SQL["parts"], key.whole)
    pieces = {row[0]: SmsPiece(text=row[1], payload=bytes(row[2]), data_coding=row[3]) for row in rows}
    return pieces, max((row[5] for row in rows if row[4]), default=None)
