"""Which endpoint is asked first, and when the first one gets another chance."""

from mmsgate.carriers.endpoints import STAY, Endpoints
from mmsgate.clock import ManualClock


def order(endpoints: Endpoints) -> str:
    return "".join(endpoints)


def test_the_profile_s_order_counts_until_one_had_to_stand_in() -> None:
    endpoints = Endpoints(("a", "b", "c"), ManualClock())
    assert order(endpoints) == "abc"
    endpoints.reached("a")
    assert order(endpoints) == "abc"
    endpoints.reached("b")
    assert order(endpoints) == "bca"


def test_after_a_while_one_request_looks_whether_the_first_is_back() -> None:
    clock = ManualClock()
    endpoints = Endpoints(("a", "b"), clock)
    endpoints.reached("b")
    clock.advance(STAY - 1)
    assert order(endpoints) == "ba"
    clock.advance(1)
    assert order(endpoints) == "ab"
    assert order(endpoints) == "ba"
    clock.advance(STAY)
    assert order(endpoints) == "ab"
    endpoints.reached("a")
    assert order(endpoints) == "ab"


def test_the_one_that_stands_in_may_fail_too() -> None:
    endpoints = Endpoints(("a", "b", "c"), ManualClock())
    endpoints.reached("b")
    endpoints.reached("c")
    assert order(endpoints) == "cab"
