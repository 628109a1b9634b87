"""What is known of single numbers and of their beginnings: the number cache, and the table of prefixes.

Both are asked in the store each time: a read by key costs a dozen microseconds, and what was learnt counts at once.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from mmsgate.clock import Millis
from mmsgate.domain.number import MSISDN_LENGTH
from mmsgate.store.engine import Engine, Transaction
from mmsgate.store.queries import queries

SQL = queries("numbers")
BUMP = queries("accounts")["bump"]  # the revision that running gateways watch

LONGEST_PREFIX = MSISDN_LENGTH[-1]
MOST_EXPIRED = 10_000  # numbers dropped in one transaction


class NumberSource(StrEnum):
    """Who told whose number it is."""

    LOOKUP = "lookup"
    CARRIER = "carrier"  # a carrier's header of an inbound message


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownNumber:
    """An entry of the number cache. `operator` is our id, empty if the lookup does not know it.

    `mms` says whether the number takes MMS at all.
    """

    operator: str
    mms: bool
    source: NumberSource
    learnt_at: Millis
    expires_at: Millis


class Numbers:
    """Statements about numbers and prefixes."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    # -- the number cache

    async def get(self, number: str, *, now: Millis) -> KnownNumber | None:
        """What was learnt of a number, unless it has expired."""
        found = await self._engine.read(SQL["get"], (number, now))
        if not found:
            return None
        operator, mms, source, learnt_at, expires_at = found[0]
        return KnownNumber(
            operator=operator,
            mms=bool(mms),
            source=NumberSource(source),
            learnt_at=learnt_at,
            expires_at=expires_at,
        )

    async def learn(
        self, number: str, operator: str, *, source: NumberSource, at: Millis, expires_at: Millis, mms: bool = True
    ) -> None:
        """Keep whose number it is (`operator` is our id for it) until `expires_at`. The last one to tell counts.

        What is known already is only written anew in the second half of its life: a carrier may tell it with every
        message.
        """
        known = await self.get(number, now=at)
        same = known and (known.operator, known.mms, known.source) == (operator, mms, source)
        if known and same and expires_at - known.expires_at < (known.expires_at - known.learnt_at) / 2:
            return
        row = (number, operator, mms, source.value, at, expires_at)
        await self._engine.run(SQL["learn"], row)

    async def forget(self, number: str) -> int:
        """Drop what was learnt of a number; how many entries."""
        return await self._engine.run(SQL["forget"], (number,))

    async def forget_unknown(self) -> int:
        """Drop the numbers that the lookup did not know, or whose operator was in no table; how many."""
        return await self._engine.run(SQL["forget_unknown"])

    async def expire(self, *, now: Millis) -> int:
        """Drop entries that have expired, at most `MOST_EXPIRED`; how many."""
        return await self._engine.run(SQL["expire"], (now, MOST_EXPIRED))

    async def count(self) -> int:
        """Entries of the number cache."""
        return int((await self._engine.read(SQL["count"]))[0][0])

    # -- prefixes

    async def prefix(self, number: str) -> tuple[str, str] | None:
        """The longest prefix that a number begins with, and its operator."""
        found = await self._engine.read(SQL["prefix"], [number[:length] for length in range(1, LONGEST_PREFIX + 1)])
        return (found[0][0], found[0][1]) if found else None

    async def replace_prefixes(self, operators: Mapping[str, str]) -> None:
        """Put these prefixes, with their operators' ids, in the place of all there are."""

        async def work(tx: Transaction) -> None:
            await tx.run(SQL["clear_prefixes"])
            await tx.run_many(SQL["insert_prefix"], list(operators.items()))
            await tx.run(BUMP)

        await self._engine.write(work)

    async def prefix_counts(self) -> dict[str, int]:
        """How many prefixes each operator has."""
        return dict(await self._engine.read(SQL["prefix_counts"]))
