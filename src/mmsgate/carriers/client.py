"""The MM7 client of one carrier connection: a SubmitReq out, an outcome back."""

import asyncio
import base64
import time
from collections.abc import Mapping
from dataclasses import dataclass

from mmsgate.carriers.endpoints import Endpoints
from mmsgate.carriers.outcome import (
    Accepted,
    OurFault,
    Paused,
    RefusedContent,
    RefusedRecipient,
    SubmitOutcome,
    Temporary,
    Unknown,
    outcome_of,
)
from mmsgate.carriers.profile import Auth, AuthKind, CarrierProfile
from mmsgate.carriers.tls import client_context
from mmsgate.clock import Clock
from mmsgate.domain.message import Message
from mmsgate.http import HttpClient, NotSent, PostOutcome, Timeouts
from mmsgate.mm7.content import EncodedContent
from mmsgate.mm7.submit import HttpMessage, SubmitReq, writer_of
from mmsgate.observe import Observe, Work, unobserved

_NAMES: dict[type[SubmitOutcome], str] = {
    Accepted: "accepted", RefusedRecipient: "refused-recipient", RefusedContent: "refused-content",
    OurFault: "our-fault", Paused: "paused", Temporary: "temporary", Unknown: "unknown",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """A request as it was posted, with all our headers: to which endpoint, what came of it, in how many seconds."""

    endpoint: str
    request: HttpMessage
    posted: PostOutcome
    took: float


class Mm7Client:
    """Posts to one carrier over its own keep-alive pool. Never sends anything twice by itself.

    As many requests are under way as the profile has connections; the next ones wait, ready to go. Where an
    endpoint can't be reached, the next one is tried: nothing has left by then. Raises ValueError if the profile's
    certificate can't be used.
    """

    def __init__(
        self, profile: CarrierProfile, http: HttpClient, clock: Clock, *, observe: Observe = unobserved
    ) -> None:
        self._profile, self._clock, self._observe = profile, clock, observe
        tls = client_context(profile.auth)
        self._pool = http.pool(limit=profile.pace.connections, keepalive=profile.pace.keepalive / 1000, tls=tls)
        self._connections = asyncio.Semaphore(profile.pace.connections)
        self._timeouts = Timeouts(connect=10, idle=None, total=profile.pace.timeout / 1000)
        self._headers = credentials(profile.auth)
        self._endpoints = Endpoints(profile.endpoints, clock)
        self._writer = writer_of(profile.mm7)
        self._carrier_ids = dict(profile.mm7.carrier_ids)

    async def submit(self, message: Message, content: EncodedContent, subject: str) -> SubmitOutcome:
        """Send one message with that content; what came of it."""
        request = SubmitReq(
            transaction_id=message.transaction_id,
            sender=message.sender,
            sender_type=message.sender_type,
            service=message.service_id,
            recipient=message.recipient,
            timestamp=self._clock.now(),
            expiry=message.expires_at,
            subject=subject,
        )
        exchange = await self.exchange(request, content, operator=message.operator)
        outcome = outcome_of(exchange.posted, self._profile)
        name = _NAMES[type(outcome)]
        self._observe(Work.SUBMIT, self._profile.name, name, exchange.took, message.tracking_id)
        return outcome

    async def exchange(self, request: SubmitReq, content: EncodedContent, *, operator: str = "") -> Exchange:
        """Post one request; what was sent, and what came back. `operator` is the recipient's, by our id."""
        written = self._writer.write(request, content)
        headers = {**self._headers, **self._carrier(operator), **written.headers}
        sent = HttpMessage(headers=headers, buffers=written.buffers, length=written.length)
        async with self._connections:  # not the pool's own queue: waiting there would count as the carrier's time
            began = time.perf_counter()
            endpoint, posted = await self._post(sent)
            took = time.perf_counter() - began
        return Exchange(endpoint=endpoint, request=sent, posted=posted, took=took)

    def _carrier(self, operator: str) -> Mapping[str, str]:
        """The header that names the recipient's operator."""
        name = self._profile.mm7.carrier_header
        return {name: self._carrier_ids.get(operator, operator)} if name and operator else {}

    async def _post(self, sent: HttpMessage) -> tuple[str, PostOutcome]:
        """To the first endpoint that can be reached, each within the profile's time-out."""
        posted: PostOutcome = NotSent(reason="there is no endpoint")
        endpoint = ""
        for endpoint in self._endpoints:
            posted = await self._pool.post(
                endpoint, headers=sent.headers, buffers=sent.buffers, timeouts=self._timeouts
            )
            if not isinstance(posted, NotSent):
                self._endpoints.reached(endpoint)
                break
        return endpoint, posted

    async def close(self) -> None:
        await self._pool.close()


def credentials(auth: Auth) -> Mapping[str, str]:
    """The header that says who we are, if there is one."""
    if auth.kind is AuthKind.HEADER:
        return {auth.header: auth.value}
    if auth.kind is AuthKind.BASIC and auth.username:
        pair = f"{auth.username}:{auth.password}".encode()
        return {"Authorization": f"Basic {base64.b64encode(pair).decode()}"}
    return {}
