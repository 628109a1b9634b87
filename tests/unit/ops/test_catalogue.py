"""The metrics and their page."""

import re
from collections import Counter
from pathlib import Path

from mmsgate.ops.catalogue import METRICS, Kind, page

DOCS = Path(__file__).parents[3] / "docs"
PAGE = DOCS / "reference" / "metrics.md"
#: What a label must not be: it would have as many values as there are customers, phones or messages.
UNBOUNDED = {"account", "number", "recipient", "sender", "tracking_id", "request_id", "path", "receiver", "url"}


def test_the_page_of_the_metrics_says_what_the_program_says() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "python -m mmsgate.ops.catalogue > docs/reference/metrics.md"


def test_names_are_those_of_prometheus_conventions() -> None:
    for metric in METRICS:
        assert re.fullmatch(r"mmsgate(_[a-z]+)+", metric.name), metric
        assert not metric.name.endswith("_total"), metric
        if metric.kind in {Kind.HISTOGRAM, Kind.SUMMARY}:
            assert metric.name.endswith("_seconds"), metric
    assert max(Counter(metric.name for metric in METRICS).values()) == 1


def test_no_label_has_as_many_values_as_there_are_messages() -> None:
    assert not UNBOUNDED & {label for metric in METRICS for label in metric.labels}


def test_the_pages_for_operators_name_no_metric_that_there_is_not() -> None:
    there = {name for metric in METRICS for name in (metric.exposed, *(f"{metric.name}_{end}" for end in ENDS))}
    for path in (DOCS / "how-to").glob("*.md"):
        named = set(re.findall(r"\bmmsgate_[a-z_]+", path.read_text(encoding="utf-8")))
        assert named <= there, path.name


ENDS = ("sum", "count", "bucket")
