"""Whose number it is, and who said so: the request, the number cache, the lookup, the prefixes, the account.

What a customer says in ``operator-id`` counts for that request alone and is not kept: a wrong claim of one account
must not steer another's messages, and its own next request can say it again.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import partial

from mmsgate.carriers.lookup import LookupHook, Told, Untold
from mmsgate.clock import DAY, HOUR, MINUTE, SECOND, Clock, Millis, spoken
from mmsgate.domain.account import Account
from mmsgate.domain.number import mask
from mmsgate.domain.operators import Operator, Operators
from mmsgate.errors import Refusal
from mmsgate.flights import Flights
from mmsgate.recent import Recent
from mmsgate.store import KnownNumber, NumberSource, Store, StoreFault
from mmsgate.store.accounts import Directory

log = logging.getLogger("mmsgate.lookup")

#: How long an answer of the lookup is believed if it does not say: one that names the operator, one that doesn't.
KNOWN_TTL: Millis = DAY
UNKNOWN_TTL: Millis = 10 * MINUTE
#: How long a number whose lookup failed is not looked up again.
FAILED_TTL: Millis = 30 * SECOND
_MOST_FAILED = 10_000  # numbers remembered


class ToldBy(StrEnum):
    """Who said whose number it is, in the order in which they are asked."""

    REQUEST = "request"
    NUMBER_CACHE = "number-cache"
    LOOKUP = "lookup"
    PREFIX = "prefix"
    ACCOUNT = "account"
    NOBODY = "nobody"


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The operator of a number, None if nobody knows it; `note` says for people where it comes from.

    `mms` is False where the lookup says that the number takes no MMS; `trouble` is why the lookup failed.
    """

    operator: Operator | None
    told_by: ToldBy
    note: str = ""
    mms: bool = True
    trouble: str = ""

    @property
    def id(self) -> str:
        """Our id of the operator, or empty."""
        return self.operator.id if self.operator else ""

    def __str__(self) -> str:
        who = f"operator {self.operator}: {self.note}" if self.operator else "operator unknown"
        return f"{who} ({self.trouble})" if self.trouble else who


class OperatorFinder:
    """Finds operators. Nothing is written and nobody is asked while the number cache knows the number."""

    def __init__(
        self, store: Store, directory: Callable[[], Directory], *, hook: LookupHook | None, clock: Clock
    ) -> None:
        self._numbers, self._directory, self._hook, self._clock = store.numbers, directory, hook, clock
        self._flights: Flights[str, KnownNumber | Untold] = Flights()
        self._failed: Recent[str, tuple[Millis, Untold]] = Recent(_MOST_FAILED)

    @property
    def operators(self) -> Operators:
        """The table of operators as it is now."""
        return self._directory().operators

    async def find(self, number: str, said: str, account: Account) -> Found:
        """The operator of a number; `said` is our id of the one that the request names, empty if it names none."""
        table = self.operators
        if said:
            return Found(operator=table.find(said), told_by=ToldBy.REQUEST, note="said by the request")
        known = await self._numbers.get(number, now=self._clock.now())
        if known and (operator := table.find(known.operator)):
            return Found(operator=operator, told_by=ToldBy.NUMBER_CACHE, note=self._of_cache(known), mms=known.mms)
        if self._hook is None or (known and not known.operator):
            return await self._without_lookup(number, account, table, mms=known.mms if known else True)
        answer = await self.look_up(number, self._hook)
        if isinstance(answer, Untold):
            return await self._without_lookup(number, account, table, trouble=answer.reason)
        if operator := table.find(answer.operator):
            return Found(operator=operator, told_by=ToldBy.LOOKUP, note="looked up just now", mms=answer.mms)
        return await self._without_lookup(number, account, table, mms=answer.mms)

    async def look_up(self, number: str, hook: LookupHook) -> KnownNumber | Untold:
        """Ask the hook and keep what it says. Whoever asks for the same number meanwhile gets the same answer."""
        failed = self._failed.get(number)
        if failed and failed[0] > self._clock.now():
            return failed[1]
        return await self._flights.join(number, partial(self._ask, number, hook))

    async def _ask(self, number: str, hook: LookupHook) -> KnownNumber | Untold:
        told = await hook.ask(number)
        now = self._clock.now()
        if isinstance(told, Untold):
            if told.asked:
                self._failed.put(number, (now + FAILED_TTL, told))
            return told
        known = _known(told, self.operators, now)
        if known.expires_at > now:
            await self._keep(number, known)
        return known

    async def _keep(self, number: str, known: KnownNumber) -> None:
        """The message goes on whether or not what we know of its number could be kept."""
        try:
            await self._numbers.learn(
                number, known.operator, mms=known.mms, source=known.source, at=known.learnt_at,
                expires_at=known.expires_at,
            )  # fmt: skip
        except StoreFault:
            log.exception("the operator of %s could not be kept", mask(number))

    async def _without_lookup(
        self, number: str, account: Account, table: Operators, *, mms: bool = True, trouble: str = ""
    ) -> Found:
        """What the prefixes say, else the account."""
        longest = await self._numbers.prefix(number) if self._directory().has_prefixes else None
        if longest and (operator := table.find(longest[1])):
            note = f"by the prefix {longest[0]}"
            return Found(operator=operator, told_by=ToldBy.PREFIX, note=note, mms=mms, trouble=trouble)
        if account.operator:
            operator = table.find(account.operator) or _outside(account.operator)
            note = "the account's default"
            return Found(operator=operator, told_by=ToldBy.ACCOUNT, note=note, mms=mms, trouble=trouble)
        return Found(operator=None, told_by=ToldBy.NOBODY, mms=mms, trouble=trouble)

    def _of_cache(self, known: KnownNumber) -> str:
        how = "looked up" if known.source is NumberSource.LOOKUP else "said by a carrier"
        return f"from the number cache, {how} {ago(self._clock.now() - known.learnt_at)}"


def check_found(found: Found, account: Account) -> None:
    """E618 where the operator must be known and is not: by switch in any case, in strict if a lookup failed."""
    required = account.switches.require_operator
    if found.operator is None and account.switches.literal(required) and (required or found.trouble):
        raise Refusal("E618", detail=found.trouble or "nothing says which operator the recipient has")


def ago(age: Millis) -> str:
    """A time that has gone by, in whole units: ``2 days ago``, ``just now``."""
    for unit in (DAY, HOUR, MINUTE, SECOND):
        if age >= 2 * unit:
            return f"{spoken(age // unit * unit)} ago"
    return "just now"


def _known(told: Told, table: Operators, now: Millis) -> KnownNumber:
    operator = table.find(told.operator_id)
    if told.operator_id and operator is None:
        log.warning(
            "the lookup names operator %s (%s), which is in no table: mmsgate operator add puts it there",
            told.operator_id[:40], told.name[:40] or "no name",
        )  # fmt: skip
    usual = KNOWN_TTL if operator else UNKNOWN_TTL
    ttl = usual if told.ttl is None else told.ttl
    return KnownNumber(
        operator=operator.id if operator else "", mms=told.mms, source=NumberSource.LOOKUP, learnt_at=now,
        expires_at=now + ttl,
    )  # fmt: skip


def _outside(operator_id: str) -> Operator:
    """An account's default that is in no table; connections may name it all the same."""
    return Operator(id=operator_id, name="(in no table)", country="")
