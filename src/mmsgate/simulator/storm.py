"""An MMSC in bad weather: the chaos that a request meets, around the application that answers it.

What counts for the truth on the phone is whether the application ran: before it a cut leaves nothing, after it the
message is taken, whatever becomes of the answer.
"""

import asyncio

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mmsgate.clock import Millis
from mmsgate.simulator.chaos import Chaos, RequestFate, Switch
from mmsgate.simulator.cutting import cut
from mmsgate.simulator.schedule import Scheduler


class Storm:
    """The ASGI application `app` as `chaos` lets it be."""

    def __init__(self, app: ASGIApp, chaos: Chaos, scheduler: Scheduler) -> None:
        self._app, self._chaos, self._scheduler = app, chaos, scheduler

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request, or something like it."""
        fate = self._chaos.of_request()
        if fate.is_kind:
            await self._app(scope, receive, send)
            return
        match fate.ending:
            case Switch.CUT_HEADERS as ending:
                await self._hang_up(ending, scope, receive)
            case Switch.CUT_BODY as ending:
                if await _read(Request(scope, receive), share=0.5):
                    await self._hang_up(ending, scope, receive)
            case Switch.HTTP_5XX as ending:
                if await _read(Request(scope, receive), share=1):
                    await self._wait(fate.latency)
                    self._chaos.did(ending)
                    await Response(status_code=fate.status)(scope, receive, send)
            case _:
                await self._answer(fate, scope, receive, send)

    async def _answer(self, fate: RequestFate, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the application do its work; then do what is fated to its answer."""
        answer = _Answer()
        await self._app(scope, receive, answer.take)
        if not answer.started:  # the recipient's row has hung up
            return
        await self._wait(fate.latency)
        if fate.ending is Switch.CUT_ANSWER or (fate.ending is Switch.HALF_ANSWER and not answer.body):
            await self._hang_up(fate.ending, scope, receive)
        elif fate.ending is Switch.HALF_ANSWER:
            await answer.pass_on(send, body=answer.body[: len(answer.body) // 2], whole=False)
            await self._hang_up(fate.ending, scope, receive)
        elif fate.ending is Switch.MALFORMED and answer.body:
            self._chaos.did(fate.ending)
            await answer.pass_on(send, body=answer.body[: len(answer.body) * 2 // 3])
        else:
            await answer.pass_on(send, body=answer.body)

    async def _hang_up(self, ending: Switch, scope: Scope, receive: Receive) -> None:
        self._chaos.did(ending)
        await cut(scope, receive)

    async def _wait(self, latency: Millis) -> None:
        """As long as the carrier takes, in its own time."""
        if latency:
            self._chaos.did(Switch.LATENCY)
            over = asyncio.Event()

            async def due() -> None:
                over.set()

            self._scheduler.later(latency, due)
            await over.wait()


class _Answer:
    """What the application sends, kept."""

    def __init__(self) -> None:
        self._start: Message = {}
        self.body = b""

    @property
    def started(self) -> bool:
        return bool(self._start)

    async def take(self, message: Message) -> None:
        """As ASGI's `send`."""
        if message["type"] == "http.response.start":
            self._start = message
        else:
            self.body += message.get("body", b"")

    async def pass_on(self, send: Send, *, body: bytes, whole: bool = True) -> None:
        """Send it with another body. If that is not the whole of it, the head still announces the whole."""
        length = len(body) if whole else len(self.body)
        others = [pair for pair in self._start["headers"] if pair[0].lower() != b"content-length"]
        await send({**self._start, "headers": [*others, (b"content-length", str(length).encode())]})
        await send({"type": "http.response.body", "body": body, "more_body": not whole})


async def _read(request: Request, *, share: float) -> bool:
    """Read so much of the body, and forget it; False if the client has hung up before."""
    announced = request.headers.get("content-length", "")
    enough = share * int(announced) if announced.isdigit() and share < 1 else None
    size = 0
    try:
        async for piece in request.stream():
            size += len(piece)
            if enough is not None and size >= enough:
                return True
    except ClientDisconnect:
        return False
    return True
