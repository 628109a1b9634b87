"""The MM7 client of one carrier connection: a SubmitReq out, an outcome back."""

import asyncio
import base64

from mmsgate.carriers.outcome import SubmitOutcome, outcome_of
from mmsgate.carriers.profile import CarrierProfile
from mmsgate.clock import Clock
from mmsgate.domain.message import Message
from mmsgate.http import HttpClient, Timeouts
from mmsgate.mm7.content import EncodedContent
from mmsgate.mm7.submit import SubmitReq, encode_submit


class Mm7Client:
    """Posts to one carrier over its own keep-alive pool. Never sends anything twice by itself.

    As many requests are under way as the profile has connections; the next ones wait, ready to go.
    """

    def __init__(self, profile: CarrierProfile, http: HttpClient, clock: Clock) -> None:
        self._profile, self._clock = profile, clock
        self._pool = http.pool(limit=profile.pace.connections, keepalive=profile.pace.keepalive / 1000)
        self._connections = asyncio.Semaphore(profile.pace.connections)
        self._timeouts = Timeouts(connect=10, idle=None, total=profile.pace.timeout / 1000)
        self._headers = {"Authorization": _basic(profile)} if profile.auth.username else {}

    async def submit(self, message: Message, content: EncodedContent, subject: str) -> SubmitOutcome:
        """Send one message with that content; what came of it."""
        request = SubmitReq(
            transaction_id=message.transaction_id,
            sender=message.sender,
            sender_type=message.sender_type,
            recipient=message.recipient,
            timestamp=self._clock.now(),
            expiry=message.expires_at,
            subject=subject,
        )
        http = encode_submit(request, content, dialect=self._profile.mm7)
        headers = {**self._headers, **http.headers}
        async with self._connections:  # not the pool's own queue: waiting there would count as the carrier's time
            posted = await self._pool.post(
                self._profile.endpoints[0], headers=headers, buffers=http.buffers, timeouts=self._timeouts
            )
        return outcome_of(posted, self._profile)

    async def close(self) -> None:
        await self._pool.close()


def _basic(profile: CarrierProfile) -> str:
    pair = f"{profile.auth.username}:{profile.auth.password}"
    return "Basic " + base64.b64encode(pair.encode()).decode()
