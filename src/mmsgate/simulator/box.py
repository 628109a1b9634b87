"""The phones' boxes: what arrived and what was sent, in memory, bounded, and a way to wait for more.

One box for all phones. Ids and revisions grow from 1 for as long as the process lives; `epoch` changes when that
history ends, so that a page can tell that it shows another life's messages.
"""

import asyncio
import secrets
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile

from mmsgate.clock import Millis
from mmsgate.domain.number import normalise
from mmsgate.simulator.message import Kind, Message, Note

_NOTES = 2000  # lines of all carrier logs together


@dataclass(frozen=True, slots=True, kw_only=True)
class Phone:
    """One phone in the list: its last message, how many it has and how many of them nobody has looked at."""

    number: str
    last: Message
    count: int
    unread: int


class Box:
    """What the phones received and sent. `max_messages` and `max_bytes` (decoded) bound it; the oldest go first.

    `arrived` is told each message that a phone receives, further copies aside. For one event loop: nothing here may
    be called from another thread.
    """

    def __init__(self, *, max_messages: int = 1000, max_bytes: int = 128 * 1024 * 1024) -> None:
        self._limits = (max_messages, max_bytes)
        self._messages: OrderedDict[int, Message] = OrderedDict()
        self._copies: dict[tuple[str, str], int] = {}  # (TransactionID, recipient) → id
        self._seen: dict[str, int] = {}
        self._notes: deque[Note] = deque(maxlen=_NOTES)
        self._news = asyncio.Event()
        self._last_id = 0
        self.bytes = 0
        self.dropped = 0
        self.revision = 0
        self.closed = False
        self.epoch = secrets.token_hex(4)
        self.arrived: Callable[[Message], None] = lambda _: None

    def add(self, message: Message) -> Message:
        """Put a message on its phone; one with a known TransactionID counts as another copy of the first."""
        message = replace(message, to=normalise(message.to), revision=self._next_revision())
        known = self._first_copy(message)
        if known:
            message = replace(known, copies=known.copies + 1, revision=message.revision)
        else:
            self._last_id += 1
            message = replace(message, id=self._last_id)
            self.bytes += message.size
            self._remember_copy(message)
        self._messages[message.id] = message
        self._trim()
        self._wake()
        if not known and not message.sent:
            self.arrived(message)
        return message

    def settle(self, message_id: int, outcome: str) -> None:
        """Say what became of a message that a phone has sent, if it is still there."""
        message = self._messages.get(message_id)
        if message is not None:
            self._messages[message_id] = replace(message, outcome=outcome, revision=self._next_revision())
            self._wake()

    def note(self, number: str, text: str, *, at: Millis) -> None:
        """Write a line into a phone's carrier log."""
        note = Note(number=normalise(number), at=at, text=text, revision=self._next_revision())
        self._notes.append(note)
        self._wake()

    def get(self, message_id: int) -> Message | None:
        """The message with that id, if it is still there."""
        return self._messages.get(message_id)

    def after(self, since: int = 0, *, to: str | None = None) -> list[Message]:
        """The messages received with a larger id than `since`, oldest first; those of one phone, or of all."""
        number = normalise(to) if to is not None else None
        newer = takewhile(lambda message: message.id > since, reversed(self._messages.values()))
        return [one for one in newer if not one.sent and number in (None, one.to)][::-1]

    def conversation(self, number: str) -> list[Message]:
        """Everything on one phone, received and sent, oldest first."""
        return [message for message in self._messages.values() if message.phone == normalise(number)]

    def changes(self, revision: int, *, to: str | None = None) -> Sequence[Message | Note]:
        """Messages and log lines that are new or different since `revision`, in the order it happened."""
        number = normalise(to) if to is not None else None
        newer = (one for one in self._messages.values() if one.revision > revision)
        messages = [one for one in newer if number in (None, one.phone)]
        notes = [note for note in self._notes if note.revision > revision and number in (None, note.number)]
        return sorted([*messages, *notes], key=lambda change: change.revision)

    def notes(self, number: str) -> list[Note]:
        """A phone's carrier log, oldest first."""
        return [note for note in self._notes if note.number == normalise(number)]

    def phones(self) -> list[Phone]:
        """Every phone that holds a message, the one that heard last first."""
        by_number: dict[str, list[Message]] = {}
        for message in self._messages.values():
            by_number.setdefault(message.phone, []).append(message)
        phones = [
            Phone(
                number=number,
                last=messages[-1],
                count=len(messages),
                unread=sum(one.id > self._seen.get(number, 0) and not one.sent for one in messages),
            )
            for number, messages in by_number.items()
        ]
        return sorted(phones, key=lambda phone: phone.last.id, reverse=True)

    def read(self, number: str) -> None:
        """Somebody looked at this phone: what is on it now is no longer unread."""
        self._seen[normalise(number)] = self._last_id

    async def wait(self, revision: int) -> None:
        """Until something is newer than `revision`, or the box has closed."""
        while self.revision <= revision and not self.closed:
            await self._news.wait()

    async def wait_for_message(self, since: int, *, to: str | None = None) -> list[Message]:
        """`after`, once it is not empty (or the box has closed). Bound it with a timeout."""
        while True:
            seen = self.revision
            found = self.after(since, to=to)
            if found or self.closed:
                return found
            await self.wait(seen)

    def clear(self) -> None:
        """Empty every phone and log. Ids go on growing."""
        self._messages.clear()
        self._copies.clear()
        self._notes.clear()
        self._seen.clear()
        self.bytes = self.dropped = 0
        self.epoch = secrets.token_hex(4)
        self._next_revision()
        self._wake()

    def close(self) -> None:
        """Let go of everybody who waits. Safe to call twice."""
        self.closed = True
        self._wake()

    def open(self) -> None:
        """Take messages and waiters again after `close`."""
        self.closed = False

    def _first_copy(self, message: Message) -> Message | None:
        known = self._copies.get((message.transaction_id, message.to))
        return self._messages[known] if known is not None else None

    def _remember_copy(self, message: Message) -> None:
        if message.kind is Kind.MMS and message.transaction_id:
            self._copies[message.transaction_id, message.to] = message.id

    def _trim(self) -> None:
        most, most_bytes = self._limits
        while len(self._messages) > most or (self.bytes > most_bytes and len(self._messages) > 1):
            _, oldest = self._messages.popitem(last=False)
            self._copies.pop((oldest.transaction_id, oldest.to), None)
            self.bytes -= oldest.size
            self.dropped += 1

    def _next_revision(self) -> int:
        self.revision += 1
        return self.revision

    def _wake(self) -> None:
        news, self._news = self._news, asyncio.Event()
        news.set()
