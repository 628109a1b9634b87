"""Where the numbers of a scrape come from: one function for each room that has some.

Each takes the rooms that it reads and gives a `Read`; whoever puts a process together adds those of the rooms that
the process has.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence

from mmsgate.clock import SECOND, Clock, Millis
from mmsgate.delivery.connection import Connection
from mmsgate.delivery.dispatcher import Dispatcher
from mmsgate.delivery.encoder import Encoder
from mmsgate.delivery.health import Standing
from mmsgate.delivery.lane import Lane
from mmsgate.media.adapter import Adapter
from mmsgate.media.fetcher import Fetcher
from mmsgate.media.intake import Intake
from mmsgate.ops import catalogue
from mmsgate.ops.snapshot import Read, Reading
from mmsgate.store import Store

#: Backlogs are counted once in so many seconds at most: a hundred thousand messages take 12 ms.
BACKLOG_EVERY = 10.0


def lanes(dispatcher: Dispatcher) -> Read:
    """How the connections of this process stand."""

    async def read() -> Sequence[Reading]:
        return [each for name, lane in dispatcher.lanes.items() for each in _of_lane(name, lane)]

    return read


def _of_lane(name: str, lane: Lane) -> Iterator[Reading]:
    yield Reading(metric=catalogue.LEASES, value=lane.in_hand, labels=(name,))
    present = lane.standing()
    for standing in Standing:
        labels = (name, standing.value)
        yield Reading(metric=catalogue.CONNECTION_STATE, value=standing is present, labels=labels)
    if isinstance(lane.gate, Connection):
        state = lane.gate.state
        yield Reading(metric=catalogue.IN_FLIGHT, value=state.under_way, labels=(name,))
        yield Reading(metric=catalogue.WINDOW, value=state.window, labels=(name,))
        yield Reading(metric=catalogue.RATE_LIMIT, value=state.rate, labels=(name,))


def backlogs(store: Store, clock: Clock, connections: Callable[[], Iterable[str]]) -> Read:
    """What waits in the store. `connections` are those of which it is also said that nothing waits."""

    async def read() -> Sequence[Reading]:
        now = clock.now()
        found: list[Reading] = []
        for name in {*connections(), *await store.queue.in_use()}:
            oldest = min((await store.queue.flows(name)).values(), default=None)
            count = await store.backlogs.messages(name)
            found.append(Reading(metric=catalogue.BACKLOG, value=count, labels=(name,)))
            found.append(Reading(metric=catalogue.BACKLOG_AGE, value=_age(oldest, now), labels=(name,)))
        count, oldest = await store.backlogs.postbacks()
        return [
            *found,
            Reading(metric=catalogue.POSTBACK_BACKLOG, value=count),
            Reading(metric=catalogue.POSTBACK_AGE, value=_age(oldest, now)),
            Reading(metric=catalogue.ORPHANS, value=await store.reports.count_orphans()),
            Reading(metric=catalogue.ALARMS, value=len(await store.accounts.alarms())),
        ]

    return read


def _age(oldest: Millis | None, now: Millis) -> float:
    return 0.0 if oldest is None else max(0, now - oldest) / SECOND


def transactions(store: Store) -> Read:
    """What this process has written."""

    async def read() -> Sequence[Reading]:
        done = store.figures
        return (
            Reading(metric=catalogue.COMMITS, value=store.commits, seconds=done.seconds),
            Reading(metric=catalogue.WRITES, value=done.writes),
            Reading(metric=catalogue.STATEMENTS, value=done.statements),
            Reading(metric=catalogue.ROUND_TRIPS, value=done.round_trips),
        )

    return read


def media(fetcher: Fetcher, intake: Intake) -> Read:
    """What was fetched, and decoded to be checked."""

    async def read() -> Sequence[Reading]:
        done = fetcher.counters
        return (
            Reading(metric=catalogue.FETCHES, value=done.fetches),
            Reading(metric=catalogue.REVALIDATIONS, value=done.revalidations),
            Reading(metric=catalogue.FETCH_HITS, value=done.hits),
            Reading(metric=catalogue.DECODES, value=intake.decodes),
        )

    return read


def adaptation(adapter: Adapter, encoder: Encoder) -> Read:
    """What was made of it for carriers."""

    async def read() -> Sequence[Reading]:
        return (
            Reading(metric=catalogue.ADAPTATIONS, value=adapter.encodes),
            Reading(metric=catalogue.CONTENT_ENCODES, value=encoder.encodes),
        )

    return read
