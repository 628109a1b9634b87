"""Idempotency keys (R-07, R-33): the same request with the same key is done once."""

from mmsgate.clock import MINUTE, Clock, Millis
from mmsgate.errors import Refusal
from mmsgate.store import Idempotency, Store

#: How long a request may run before its key is free again: a crash must not hold it for a day.
RUNNING_LIFE: Millis = 5 * MINUTE
MAX_KEY = 255  # characters


class Keys:
    """Reserves keys; the answer is stored with the message, in the same transaction (`send`)."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock = store, clock

    async def begin(self, account_id: int, key: str, digest: str) -> Idempotency | bytes:
        """Reserve the key for a request with that digest, or the stored answer, or why not."""
        if len(key) > MAX_KEY:
            raise Refusal("E100", detail=f"Idempotency-Key has {len(key)} characters, {MAX_KEY} are allowed")
        now = self._clock.now()
        return await self._store.keys.begin(account_id, key, digest, now=now, until=now + RUNNING_LIFE)

    async def abandon(self, account_id: int, key: str) -> None:
        """The request failed: the key may be tried again."""
        await self._store.keys.abandon(account_id, key)
