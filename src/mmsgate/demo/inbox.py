"""The last postbacks that arrived, in memory, and a way to wait for more."""

import asyncio
from collections import deque
from collections.abc import Mapping

from mmsgate.clock import Clock
from mmsgate.demo.entry import LONGEST_VALUE, Entry, read_files, read_values
from mmsgate.demo.signature import check, decode_secret

#: How many are kept; the oldest go first.
CAPACITY = 500

#: The headers that are kept of each.
_KEPT = (
    "x-sequence", "x-event-time", "webhook-id", "webhook-timestamp", "webhook-signature", "content-type",
)  # fmt: skip


class Inbox:
    """A customer's receiver of postbacks. `secret` is the account's signing secret; without one nothing is checked.

    For one event loop: nothing here may be called from another thread.
    """

    def __init__(self, *, clock: Clock, secret: str = "", capacity: int = CAPACITY) -> None:
        self._clock = clock
        self._key = decode_secret(secret)
        self._entries: deque[Entry] = deque(maxlen=capacity)
        self._news = asyncio.Event()
        # Begins at the time of day, so that an open page sees that the inbox is another one after a restart.
        self._revision = clock.now()
        self._closed = False

    @property
    def secret(self) -> str:
        """Whether there is one; the secret itself is not given out."""
        return "***" if self._key else ""

    @secret.setter
    def secret(self, secret: str) -> None:
        """Check from now on with `secret`. Raises ValueError if it is not base64."""
        self._key = decode_secret(secret)

    @property
    def revision(self) -> int:
        """Grows with every change."""
        return self._revision

    @property
    def closed(self) -> bool:
        return self._closed

    def receive(self, body: bytes, headers: Mapping[str, str]) -> Entry:
        """Keep one postback. The names in `headers` are in lower case."""
        now = self._clock.now()
        entry = Entry(
            id=self._revision + 1,
            received_at=now,
            body=body,
            headers={name: headers[name][:LONGEST_VALUE] for name in _KEPT if name in headers},
            signature=check(self._key, headers, body, now=now),
            values=read_values(body),
            files=read_files(body),
        )
        self._entries.append(entry)
        self._wake()
        return entry

    def entries(self, tracking_id: str = "") -> list[Entry]:
        """All that are kept, or those of one message; the oldest first."""
        return [entry for entry in self._entries if not tracking_id or entry.tracking_id == tracking_id]

    async def wait(self, revision: int) -> None:
        """Until there is another revision than `revision`, or the inbox has closed."""
        while self._revision == revision and not self._closed:
            await self._news.wait()

    async def wait_for_entries(self, tracking_id: str = "") -> list[Entry]:
        """`entries`, as soon as there are any or the inbox has closed. Bound it with a timeout."""
        while True:
            seen = self._revision
            found = self.entries(tracking_id)
            if found or self._closed:
                return found
            await self.wait(seen)

    def clear(self) -> None:
        """Forget all that arrived."""
        self._entries.clear()
        self._wake()

    def close(self) -> None:
        """Let go of everybody who waits, and of those who would. Safe to call twice."""
        self._closed = True
        self._wake()

    def _wake(self) -> None:
        self._revision += 1
        self._news.set()
        self._news = asyncio.Event()
