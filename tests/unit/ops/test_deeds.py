"""What rooms say that they did, as the metrics of Prometheus."""

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from mmsgate.observe import Work
from mmsgate.ops import deeds as deeds_module
from mmsgate.ops.deeds import BOUNDS, SHOWN, Deeds


def shown(deeds: Deeds) -> CollectorRegistry:
    registry = CollectorRegistry(auto_describe=False)
    registry.register(deeds)
    return registry


def test_every_kind_of_work_is_shown() -> None:
    assert set(SHOWN) == set(Work)


def test_work_is_counted_by_both_labels_and_timed_by_the_first() -> None:
    deeds = Deeds()
    deeds(Work.SUBMIT, "acme", "accepted", 0.03, "t1")
    deeds(Work.SUBMIT, "acme", "accepted", 0.2)
    deeds(Work.SUBMIT, "acme", "unknown", 70.0)
    deeds(Work.SUBMIT, "other", "accepted", 0.001)
    value = shown(deeds).get_sample_value
    accepted = {"connection": "acme", "outcome": "accepted"}
    assert value("mmsgate_submits_total", accepted) == 2
    assert value("mmsgate_submits_total", {"connection": "acme", "outcome": "unknown"}) == 1
    of = "mmsgate_submit_duration_seconds"
    assert value(f"{of}_count", {"connection": "acme"}) == 3
    assert value(f"{of}_sum", {"connection": "acme"}) == pytest.approx(70.23)
    below = {
        bound: value(f"{of}_bucket", {"connection": "acme", "le": bound}) for bound in ("0.025", "0.05", "0.25")
    }
    assert below == {"0.025": 0, "0.05": 1, "0.25": 2}
    assert value(f"{of}_bucket", {"connection": "acme", "le": "60.0"}) == 2
    assert value(f"{of}_bucket", {"connection": "acme", "le": "+Inf"}) == 3


@pytest.mark.parametrize("bound", BOUNDS)
def test_what_takes_exactly_as_long_as_a_bound_is_below_it(bound: float) -> None:
    deeds = Deeds()
    deeds(Work.HTTP, "api", "200", bound)
    labels = {"area": "api", "le": str(float(bound))}
    assert shown(deeds).get_sample_value("mmsgate_http_request_duration_seconds_bucket", labels) == 1


def test_messages_are_counted_by_their_connection_whatever_their_first_state() -> None:
    deeds = Deeds()
    for state in ("accepted", "preparing", "fallback"):
        deeds(Work.ACCEPT, "acme", state, 0.01)
    assert shown(deeds).get_sample_value("mmsgate_messages_accepted_total", {"connection": "acme"}) == 3


def test_a_flood_of_labels_is_counted_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deeds_module, "MOST", 3)
    deeds = Deeds()
    for number in range(10):
        deeds(Work.STEP, f"c{number}", "sent")
    deeds(Work.INBOUND, "c1", "mms")
    value = shown(deeds).get_sample_value
    assert value("mmsgate_message_steps_total", {"connection": "c2", "state": "sent"}) == 1
    assert value("mmsgate_message_steps_total", {"connection": "other", "state": "other"}) == 7
    assert value("mmsgate_inbound_messages_total", {"connection": "c1", "kind": "mms"}) == 1


def test_a_tracking_id_is_in_no_metric() -> None:
    deeds = Deeds()
    deeds(Work.REPORT, "acme", "id", 0.01, "Qs1xTracking")
    assert b"Qs1xTracking" not in generate_latest(shown(deeds))
