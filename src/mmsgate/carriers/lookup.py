"""The lookup hook: an HTTP service that says whose number it is (docs/how-to/route-by-operator.md).

    GET https://lookup.example/12065550100  →  {"operator-id": "31002", "mms": true, "ttl": 86400}

It is asked over the pool for configured endpoints, with a time-out; a circuit breaker keeps a dead one from costing
each request that time-out.
"""

import logging
from dataclasses import dataclass
from typing import Annotated, Protocol

import msgspec

from mmsgate.carriers.breaker import Breaker
from mmsgate.clock import DAY, SECOND, Clock, Millis
from mmsgate.config import NUMBER_PLACE, Settings
from mmsgate.http import Answered, HttpClient, NotSent, Timeouts

log = logging.getLogger("mmsgate.lookup")

CONNECTIONS = 32
#: Nothing is believed for longer, whatever the hook says: a number may be ported.
LONGEST_TTL: Millis = 90 * DAY
ALARM = "the operator lookup keeps failing"


class _Answer(msgspec.Struct, rename="kebab"):
    """The documented JSON. Members that are not here are ignored."""

    operator_id: str | int | None
    mms: bool = True
    ttl: Annotated[float, msgspec.Meta(ge=0)] | None = None
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What the hook says: the operator's id in any spelling, empty if it knows none; whether the number takes MMS.

    `ttl` is how long that may be believed, `LONGEST_TTL` at most, None if it does not say; `name` is the
    operator's, for people.
    """

    operator_id: str
    mms: bool = True
    ttl: Millis | None = None
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Untold:
    """The lookup failed; why, for people. `asked` is False where the hook was left alone, as it keeps failing."""

    reason: str
    asked: bool = True


class Alarms(Protocol):
    """Where an operator is told of trouble."""

    async def raise_(self, subject: str, reason: str) -> None: ...

    async def clear(self, subject: str) -> None: ...


class LookupHook:
    """Asks the hook. `timeout` is in seconds and covers all of a request."""

    def __init__(
        self, url: str, *, headers: dict[str, str], timeout: float, http: HttpClient, clock: Clock, alarms: Alarms
    ) -> None:
        self._url, self._headers, self._alarms = url, headers, alarms
        self._timeouts = Timeouts(connect=timeout, total=timeout)
        self._pool = http.pool(limit=CONNECTIONS)
        self._breaker = Breaker(clock)
        self._well: bool | None = None  # as the alarm in the store says, once we know

    async def ask(self, number: str) -> Told | Untold:
        """What the hook says of a number."""
        if not self._breaker.admits():
            return Untold(reason="the lookup keeps failing and is left alone for a while", asked=False)
        answered = await self._pool.get(
            self._url.replace(NUMBER_PLACE, number), headers=self._headers, timeouts=self._timeouts
        )
        answer = _read(answered)
        if isinstance(answer, Untold):
            self._breaker.failed()
            if self._breaker.is_open:
                await self._note(False, answer.reason)
        else:
            self._breaker.succeeded()
            await self._note(True)
        return answer

    async def _note(self, well: bool, reason: str = "") -> None:
        """Tell people when it goes well no longer, or again; the first answer ends what an older run has told."""
        if self._well is well:
            return
        self._well = well
        await (self._alarms.clear(ALARM) if well else self._alarms.raise_(ALARM, reason))


def hook_of(settings: Settings, *, http: HttpClient, clock: Clock, alarms: Alarms) -> LookupHook | None:
    """The hook that is configured, if one is."""
    if not settings.lookup_url:
        return None
    headers = dict(_header(line) for line in settings.lookup_headers)
    return LookupHook(
        settings.lookup_url, headers=headers, timeout=settings.lookup_timeout, http=http, clock=clock, alarms=alarms
    )


def _header(line: str) -> tuple[str, str]:
    name, _, value = line.partition(":")
    return name.strip(), value.strip()


def _read(answered: Answered | NotSent) -> Told | Untold:
    if isinstance(answered, NotSent):
        return Untold(reason=f"the lookup failed: {answered.reason}")
    if answered.status == 404:
        return Told(operator_id="")
    if answered.status != 200:
        return Untold(reason=f"the lookup answered HTTP {answered.status}")
    if answered.cut:
        return Untold(reason="the lookup's answer is longer than we read")
    try:
        answer = msgspec.json.decode(answered.body, type=_Answer)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return Untold(reason=f"the lookup's answer can't be read: {error}")
    operator_id = "" if answer.operator_id is None else str(answer.operator_id)
    ttl = None if answer.ttl is None else round(min(answer.ttl, LONGEST_TTL / SECOND) * SECOND)
    return Told(operator_id=operator_id, mms=answer.mms, ttl=ttl, name=answer.name)
