"""Idempotency-Keys in the store (R-07, R-33): which request has one, and what it was answered."""

from enum import StrEnum

from mmsgate.clock import Millis
from mmsgate.store.engine import Engine, Transaction
from mmsgate.store.queries import queries

SQL = queries("keys")


class Idempotency(StrEnum):
    """What became of an Idempotency-Key (R-07)."""

    NEW = "new"
    RUNNING = "running"
    OTHER_REQUEST = "other request"


class IdempotencyKeys:
    """Statements about keys. A key is finished in the transaction that its request commits."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def begin(
        self, account_id: int, key: str, request: str, *, now: Millis, until: Millis
    ) -> Idempotency | bytes:
        """Reserve a key for a request (its hash), or say why not; the stored response if it ran before."""

        async def work(tx: Transaction) -> Idempotency | bytes:
            if await tx.rows(SQL["begin"], (account_id, key, request, now, until)):
                return Idempotency.NEW
            [(kept, response)] = await tx.rows(SQL["kept"], (account_id, key))
            if kept != request:
                return Idempotency.OTHER_REQUEST
            return Idempotency.RUNNING if response is None else bytes(response)

        return await self._engine.write(work)

    async def abandon(self, account_id: int, key: str) -> None:
        """Free a key whose request failed: it may be tried again (R-33)."""
        await self._engine.run(SQL["abandon"], (account_id, key))

    async def expire(self, *, now: Millis) -> int:
        """Drop the keys that have had their day; how many."""
        return await self._engine.run(SQL["expire"], (now,))


async def finish_key(tx: Transaction, account_id: int, key: str, response: bytes, expires_at: Millis) -> None:
    """Keep the answer under the key that was reserved (R-07)."""
    await tx.run(SQL["finish"], (response, expires_at, account_id, key))


async def abandon_running(tx: Transaction) -> None:
    """Free the keys of requests that a gateway's death cut short."""
    await tx.run(SQL["abandon_running"])
