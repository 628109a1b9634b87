"""Phones that send: an MMS over MM7 to where reports go, an SMS over the client's own SMPP session.

What is not taken is brought again, as a carrier does: an MMS after the waits that reports have, an SMS until it is
acknowledged.
"""

import asyncio
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files

from mmsgate.clock import SECOND, Clock, Ids, Millis
from mmsgate.http.outcome import Answered, PostOutcome, Timeouts
from mmsgate.mm7.address import Address
from mmsgate.mm7.answer import read_submit_response
from mmsgate.mm7.deliver import DeliverReq, encode_deliver
from mmsgate.mm7.envelope import read_envelope
from mmsgate.mm7.parts import Content
from mmsgate.mm7.submit import HttpMessage
from mmsgate.mm7.unreadable import CannotRead
from mmsgate.simulator.behaviour import Reply, behaviour_of
from mmsgate.simulator.box import Box
from mmsgate.simulator.deliver_sms import Deliver, deliver_sms
from mmsgate.simulator.message import Kind, Message
from mmsgate.simulator.outgoing import File, Outgoing
from mmsgate.simulator.reader import shown_part
from mmsgate.simulator.report_style import RETRIES
from mmsgate.simulator.reports import Endpoint, Poster
from mmsgate.simulator.schedule import Scheduler
from mmsgate.simulator.shown import by_smil
from mmsgate.simulator.smsc import Brought, Smsc

TAKEN = "taken by the gateway"

_TIMEOUTS = Timeouts(connect=5, total=60)
_ACKNOWLEDGED_WITHIN = 10.0  # seconds that a sender is kept waiting; the SMSC itself is more patient


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """Whether the gateway has taken a message at the first attempt, and why not."""

    taken: bool
    why: str = ""


class Phones:
    """Every number's phone. `endpoint` is where MMS go, `retries` the waits after failures; `smsc` carries SMS."""

    def __init__(
        self, endpoint: Endpoint, poster: Poster, *, smsc: Smsc, box: Box, scheduler: Scheduler, clock: Clock,
        ids: Ids, retries: tuple[Millis, ...] = RETRIES,
    ) -> None:  # fmt: skip
        self._endpoint, self._poster, self._smsc, self._box = endpoint, poster, smsc, box
        self._scheduler, self._clock, self._ids, self._retries = scheduler, clock, ids, retries

    def arrived(self, message: Message) -> None:
        """Answer a message that a phone has received, if its row does."""
        reply = behaviour_of(message.to).reply
        if reply is None or message.kind is Kind.SMS:
            return
        answer = _answer(message, reply)

        async def due() -> None:
            # Without a client of the SMSC an SMS would reach nobody: then it goes as an MMS with a text.
            await self.send(answer if self._smsc.reaches_somebody else replace(answer, sms=False))

        self._scheduler.later(reply.after, due)

    async def send(self, outgoing: Outgoing) -> Outcome:
        """Send it, and put it on the phone. Returns after the first attempt; what failed is tried again."""
        if outgoing.sms:
            return await self._send_sms(outgoing)
        request = self._request(outgoing)
        shown = self._box.add(_shown_mms(outgoing, request))
        if not self._endpoint.url:
            return self._refused(shown, "no address of a gateway is configured: --report-url")
        letter = _Letter(
            message=shown, wire=encode_deliver(request, token=self._ids.token), times=2 if outgoing.twice else 1
        )
        return await self._post(letter)

    # -- MMS

    def _request(self, outgoing: Outgoing) -> DeliverReq:
        number = self._ids.number()
        return DeliverReq(
            transaction_id=f"d{number:x}", linked_id=f"mo{number:x}", sender=Address(value=outgoing.sender),
            recipients=(Address(value=outgoing.to),),
            copy_to=tuple(Address(value=each) for each in outgoing.copies), timestamp=self._clock.now(),
            subject=outgoing.subject, content=outgoing.content,
        )  # fmt: skip

    async def _post(self, letter: "_Letter", failures: int = 0) -> Outcome:
        problem = ""
        for _ in range(letter.times):
            problem = problem or _problem(
                await self._poster.post(
                    self._endpoint.url, headers={**letter.wire.headers, **self._endpoint.headers},
                    buffers=letter.wire.buffers, timeouts=_TIMEOUTS,
                )
            )  # fmt: skip
        if not problem:
            return self._taken(letter.message, "DeliverReq → 1000")
        if failures >= len(self._retries):
            return self._refused(letter.message, f"{problem}; given up")

        async def again() -> None:
            await self._post(letter, failures + 1)

        wait = self._retries[failures]
        self._scheduler.later(wait, again)
        return self._refused(letter.message, f"{problem}; again in {wait / SECOND:g} s")

    # -- SMS

    async def _send_sms(self, outgoing: Outgoing) -> Outcome:
        shown = self._box.add(_shown_sms(outgoing, self._clock.now()))
        if not self._smsc.reaches_somebody:
            return self._refused(shown, "no client is bound to the SMSC as a receiver: nobody takes an SMS")
        try:
            # At random: a count would begin anew with each start, and repeat what the gateway still remembers.
            (reference,) = self._ids.entropy(1)
            parts = deliver_sms(
                outgoing.text, sender=outgoing.sender, to=outgoing.to, reference=reference, ucs2=outgoing.ucs2,
                default=self._smsc.default,
            )  # fmt: skip
        except ValueError as error:
            return self._refused(shown, str(error))
        heard: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._smsc.bring(self._brought(shown, parts * (2 if outgoing.twice else 1), heard))
        try:
            async with asyncio.timeout(_ACKNOWLEDGED_WITHIN):
                return await asyncio.shield(heard)
        except TimeoutError:
            return self._refused(shown, "not acknowledged yet; it is brought again after the next bind")

    def _brought(self, shown: Message, parts: list[Deliver], heard: "asyncio.Future[Outcome]") -> list[Brought]:
        """The parts, which tell `heard` of the last acknowledgement or of the first refusal."""
        missing = len(parts)

        def answered(status: int) -> None:
            nonlocal missing
            missing -= status == 0
            if status:
                outcome = self._refused(shown, f"deliver_sm → command status 0x{status:08X}; again in 2 s")
            elif missing:
                return
            else:
                outcome = self._taken(shown, f"deliver_sm → acknowledged, {len(parts)} in all")
            if not heard.done():
                heard.set_result(outcome)

        return [Brought(make=part, answered=answered) for part in parts]

    # -- both

    def _taken(self, message: Message, note: str) -> Outcome:
        self._box.settle(message.id, TAKEN)
        self._box.note(message.sender, note, at=self._clock.now())
        return Outcome(taken=True)

    def _refused(self, message: Message, why: str) -> Outcome:
        self._box.settle(message.id, f"not taken: {why}")
        self._box.note(message.sender, f"{message.kind} to {message.to} not taken: {why}", at=self._clock.now())
        return Outcome(taken=False, why=why)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Letter:
    """An MMS on its way; `times` says how often the carrier brings it although it was taken."""

    message: Message
    wire: HttpMessage
    times: int


def _problem(outcome: PostOutcome) -> str:
    """Why a DeliverReq counts as not taken; empty if it was: only a DeliverRsp with 1000 says so."""
    if not isinstance(outcome, Answered):
        return outcome.reason
    if not 200 <= outcome.status < 300:
        return f"HTTP {outcome.status}"
    try:
        operation = read_envelope(outcome.body).operation
        answer = read_submit_response(outcome.status, outcome.headers, outcome.body)
    except CannotRead as unreadable:
        return f"an answer that can't be read: {unreadable.reason}"
    if operation != "DeliverRsp":
        return f"an answer that is no DeliverRsp but {operation[:60]}"
    if answer.status_code != 1000:
        return f"status {answer.status_code or 'none'} {answer.status_text}".strip()
    return ""


def _answer(message: Message, reply: Reply) -> Outgoing:
    """What the row's owner sends back to whom the message came from."""
    return Outgoing(
        sender=message.to, to=message.sender, text=reply.text, sms=reply.sms, ucs2=reply.ucs2, twice=reply.twice,
        files=(_picture(),) if reply.picture else (),
    )  # fmt: skip


@cache
def _picture() -> File:
    body = (files("mmsgate.simulator") / "static" / "reply.png").read_bytes()
    return File(name="reply.png", content_type="image/png", body=body)


def _shown_mms(outgoing: Outgoing, request: DeliverReq) -> Message:
    content: Content = request.content
    parts = tuple(shown_part(place, part) for place, part in enumerate(content.parts, 1))
    shown = by_smil(content, parts)
    return Message(
        kind=Kind.MMS, sent=True, to=outgoing.to, sender=outgoing.sender, subject=outgoing.subject, text=shown.text,
        received_at=request.timestamp or 0, transaction_id=request.transaction_id, message_id=request.linked_id,
        size=content.size, parts=parts, slides=shown.slides, attachments=shown.attachments, content=content,
        fields=(("TransactionID", request.transaction_id), ("Others", ", ".join(outgoing.copies) or "none")),
    )  # fmt: skip


def _shown_sms(outgoing: Outgoing, now: Millis) -> Message:
    return Message(
        kind=Kind.SMS, sent=True, to=outgoing.to, sender=outgoing.sender, text=outgoing.text, received_at=now,
        size=len(outgoing.text.encode("utf-8", "replace")),
    )  # fmt: skip
