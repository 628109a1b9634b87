"""The gate of a connection that refuses us."""

from mmsgate.clock import MINUTE, SECOND, ManualClock
from mmsgate.delivery.gate import Gate


def closed_after(clock: ManualClock, gate: Gate, milliseconds: int) -> bool:
    clock.advance(milliseconds)
    return gate.closed


def test_it_is_open_at_first() -> None:
    assert not Gate(ManualClock()).closed


def test_it_opens_again_by_itself_and_not_a_moment_sooner() -> None:
    clock = ManualClock()
    gate = Gate(clock)
    gate.close()
    assert gate.opens_at == clock.now() + 5 * SECOND
    assert closed_after(clock, gate, 0)
    assert closed_after(clock, gate, 5 * SECOND - 1)
    assert not closed_after(clock, gate, 1)


def test_it_stays_closed_longer_with_each_refusal_in_a_row() -> None:
    clock = ManualClock()
    gate = Gate(clock)
    lengths = []
    for _ in range(7):
        gate.close()
        lengths.append(gate.opens_at - clock.now())
        clock.advance(lengths[-1])
    assert lengths == [5 * SECOND, 10 * SECOND, 30 * SECOND, MINUTE, 5 * MINUTE, 5 * MINUTE, 5 * MINUTE]


def test_refusals_of_what_was_under_way_count_once() -> None:
    clock = ManualClock()
    gate = Gate(clock)
    gate.close()
    opens_at = gate.opens_at
    clock.advance(SECOND)
    gate.close()
    assert gate.opens_at == opens_at
    clock.time = opens_at
    gate.close()
    assert gate.opens_at == opens_at + 10 * SECOND


def test_an_accepted_message_opens_it_and_forgets_the_refusals() -> None:
    clock = ManualClock()
    gate = Gate(clock)
    for _ in range(3):
        gate.close()
        clock.advance(MINUTE)
    gate.close()
    assert gate.closed
    gate.open()
    assert gate.opens_at <= clock.now()
    gate.close()
    assert gate.opens_at == clock.now() + 5 * SECOND
