"""One keep-alive connection to a configured endpoint: a request out, its answer back, one at a time.

Our own, though aiohttp is at hand, because three of a message's five HTTP exchanges pass here, and a general
client does more for each than all of this (docs/performance.md). HTTP itself is read by httptools' parser.
"""

import asyncio
import re
import select
import ssl
from collections.abc import Iterator, Sequence
from typing import cast

import httptools

from mmsgate.http.outcome import Answered, Lost, NotSent, PostOutcome

ANSWER_LIMIT = 256 * 1024  # bytes of an answer's body that are read

Buffer = bytes | memoryview

_HEAD_LIMIT = 64 * 1024  # bytes before the body of an answer
_SMALL = 16 * 1024  # neighbours below this are joined: one system call is dearer than copying them
_HANG_UP = getattr(select, "POLLRDHUP", 0) | select.POLLHUP | select.POLLERR
_SWITCHING = 101

NO_ANSWER = "the peer closed the connection without an answer"
BROKEN_OFF = "the answer broke off before its end"
BROKEN = "the connection broke"
NOT_HTTP = "the answer is not HTTP"
UNWANTED = "the peer refused our TLS certificate, or that we have none"
#: TLS alerts about our certificate, as OpenSSL names them (RFC 8446 6.2).
_ABOUT_US = re.compile(r"ALERT_(?:.*CERTIFICATE.*|UNKNOWN_CA|ACCESS_DENIED|HANDSHAKE_FAILURE)")


class Channel(asyncio.Protocol):
    """A connection. `reusable` says, after an exchange, that another may follow."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._poll = select.poll()
        self._waiting: asyncio.Future[PostOutcome] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._idle: float | None = None
        self._deadline = self._heard_at = 0.0
        self._late = ""
        self.reusable = False
        self.kept_at = 0.0  # the loop's time when it was put back; for the pool
        self._parser = httptools.HttpResponseParser(self)
        self._received = 0
        self._begin_message()

    def _begin_message(self) -> None:
        self._status = 0
        self._headers: dict[str, str] = {}
        self._in_body = False
        self._body: list[bytes] = []
        self._size = 0

    # -- for the pool

    @property
    def usable(self) -> bool:
        """Whether it is open: a FIN or reset may be here already, though the event loop has not seen it."""
        transport = self._transport
        return transport is not None and not transport.is_closing() and not self._poll.poll(0)

    def abort(self, reason: str = BROKEN) -> None:
        """Close it at once; an exchange under way ends as `Lost`."""
        if self._transport is not None:
            self._transport.abort()
        self._end(Lost(reason=reason))

    async def exchange(
        self, head: bytes, buffers: Sequence[Buffer], *, idle: float | None, deadline: float, late: str
    ) -> PostOutcome:
        """Send the request and wait for the whole answer. From here on the body may have left.

        `NotSent` only where the peer ends the TLS handshake with a word against our certificate. In TLS 1.3 that
        comes after our first data (RFC 8446 4.4.2.4), of which it has read nothing then.

        `idle` is how many seconds may pass between two pieces of the answer, `deadline` the loop's time by which it
        must be complete; `late` is the reason where it isn't.
        """
        assert self._transport is not None
        self.reusable = False
        self._idle, self._deadline, self._late = idle, deadline, late
        self._heard_at = self._loop.time()
        self._waiting = self._loop.create_future()
        self._watch()
        self._transport.writelines(list(_pieces(head, buffers)))
        try:
            return await self._waiting
        finally:
            self._waiting = None
            if not self.reusable:
                self._transport.abort()

    # -- time

    def _watch(self) -> None:
        """Look when the first patience ends. A timer of an earlier exchange that comes before that will do."""
        at = self._deadline if self._idle is None else min(self._deadline, self._heard_at + self._idle)
        if self._timer is not None and self._timer.when() > at:
            self._timer.cancel()
            self._timer = None
        if self._timer is None:
            self._timer = self._loop.call_at(at, self._look_at_time)

    def _look_at_time(self) -> None:
        self._timer = None
        if self._waiting is None or self._waiting.done():
            return
        now = self._loop.time()
        assert self._transport is not None
        if self._transport.get_write_buffer_size():
            self._heard_at = now  # the request is still leaving: the peer is not idle
        if now >= self._deadline:
            self.abort(self._late)
        elif self._idle is not None and now >= self._heard_at + self._idle:
            self.abort(f"nothing came for {self._idle:g} s")
        else:
            self._watch()

    # -- asyncio's calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._poll.register(transport.get_extra_info("socket").fileno(), _HANG_UP)

    def data_received(self, data: bytes) -> None:
        if self._waiting is None or self._waiting.done():  # nobody asked: what it says belongs to no request
            self.abort()
            return
        self._heard_at = self._loop.time()
        self._received += len(data)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade, ValueError):
            self.abort(NOT_HTTP)
        else:
            if not self._in_body and self._received > _HEAD_LIMIT and not self._waiting.done():
                self.abort(NOT_HTTP)

    def connection_lost(self, error: Exception | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._in_body and error is None and self._lasts_until_end():
            self._complete()
        elif self._is_unwanted(error):
            self._end(NotSent(reason=UNWANTED))
        elif error is not None:
            self._end(Lost(reason=BROKEN))
        else:
            self._end(Lost(reason=BROKEN_OFF if self._received else NO_ANSWER))

    def _is_unwanted(self, error: Exception | None) -> bool:
        """Whether the peer refused us before it read anything: on a new connection, where it said nothing else."""
        new = not self.kept_at and not self._received
        return new and isinstance(error, ssl.SSLError) and bool(_ABOUT_US.search(error.reason or ""))

    # -- the parser's calls

    def on_message_begin(self) -> None:
        if self._waiting is None or self._waiting.done():
            self.reusable = False  # a second answer to one request: whose is the next one?

    def on_header(self, name: bytes, value: bytes) -> None:
        """Names in lower case; of a repeated one the first counts."""
        key = name.decode("latin-1").lower()
        if key not in self._headers:
            self._headers[key] = value.decode("utf-8", "surrogateescape")

    def on_headers_complete(self) -> None:
        self._status = self._parser.get_status_code()
        self._in_body = True

    def on_body(self, body: bytes) -> None:
        self._body.append(body)
        self._size += len(body)
        if self._size > ANSWER_LIMIT:
            self._complete()

    def on_message_complete(self) -> None:
        if 100 <= self._status < 200 and self._status != _SWITCHING:
            self._begin_message()  # an interim answer: the real one follows
            return
        assert self._transport is not None
        kept = self._parser.should_keep_alive() and not self._transport.get_write_buffer_size()
        self._complete(reusable=bool(kept))

    def _lasts_until_end(self) -> bool:
        """Without a length the end of the connection is the end of the answer (RFC 9112 6.3)."""
        return "content-length" not in self._headers and "transfer-encoding" not in self._headers

    def _complete(self, *, reusable: bool = False) -> None:
        if self._waiting is None or self._waiting.done():
            return
        answer = Answered(
            status=self._status, headers=self._headers, body=b"".join(self._body)[:ANSWER_LIMIT],
            cut=self._size > ANSWER_LIMIT,
        )  # fmt: skip
        self.reusable = reusable
        self._received = 0
        self._begin_message()
        self._end(answer)

    def _end(self, outcome: PostOutcome) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(outcome)


def _pieces(head: bytes, buffers: Sequence[Buffer]) -> Iterator[Buffer]:
    """Head and buffers with small neighbours joined; large ones as they are, shared with every other request."""
    small: list[Buffer] = [head]
    for buffer in buffers:
        if len(buffer) < _SMALL:
            small.append(buffer)
            continue
        if small:
            yield b"".join(small)
            small = []
        yield buffer
    if small:
        yield b"".join(small)
