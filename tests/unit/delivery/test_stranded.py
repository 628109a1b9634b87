"""Messages whose connection does not exist."""

from collections.abc import Callable

import pytest

from mmsgate.clock import ManualClock, Millis
from mmsgate.delivery.alarms import Alarms
from mmsgate.delivery.stranded import Stranded
from mmsgate.domain.message import Message
from mmsgate.domain.state import State
from tests.unit.builders import a_message
from tests.unit.delivery.fakes import Bench, FakeQueue


class OverdueQueue(FakeQueue):
    """One message that is overdue on sim as long as `stays` says so."""

    def __init__(self, message: Message, stays: Callable[[], bool]) -> None:
        super().__init__()
        self._message, self._stays = message, stays

    async def in_use(self) -> list[str]:
        return ["sim"]

    async def stranded(self, connection: str, *, now: Millis) -> list[Message]:
        assert (connection, now) == ("sim", ManualClock().time)
        return [self._message] if self._stays() else []


async def settled(message: Message, *, by_now: Message | None = None) -> Bench:
    """What became of a message that is overdue on a connection without a profile; it stands as `by_now` by now."""
    bench = Bench(by_now or message)
    bench.store.queue = OverdueQueue(message, lambda: bench.message == (by_now or message))
    store, clock = bench.store.as_store, ManualClock()
    await Stranded(store, bench.ledger, Alarms(store, clock), clock).settle(frozenset())
    return bench


@pytest.mark.parametrize(
    ("state", "after"),
    [
        (State.DISCOVERING, State.ACCEPTED),
        (State.SUBMITTING, State.UNKNOWN),
        (State.SENT, State.UNREPORTED),
        (State.ACCEPTED, State.FAILED),
    ],
)
async def test_each_state_ends_as_it_would_with_a_carrier_that_never_answers(state: State, after: State) -> None:
    bench = await settled(a_message(state=state))
    assert bench.message.state is after
    assert "does not exist any more" in bench.event.reason
    assert list(bench.store.accounts.alarms) == ["messages wait for the connection 'sim', which does not exist"]


async def test_a_message_that_a_new_lane_has_taken_meanwhile_does_not_end() -> None:
    bench = await settled(a_message(), by_now=a_message(state=State.SUBMITTING))
    assert (bench.message.state, bench.event.changed) == (State.SUBMITTING, False)
    assert bench.event.reason.startswith("not done, the message has moved on meanwhile: ")
