"""Dashboard and alarms ask Prometheus for numbers that the gateway has, by labels that these numbers have."""

import json
import re
import subprocess
from collections.abc import Iterator

import promql_parser
import pytest
import yaml

from mmsgate.ops.catalogue import METRICS, Kind
from tests.integration.deploy.files import (
    COMPOSE,
    ROOT,
    compose,
    image_environment,
    program,
    settings,
    text_of,
    yaml_of,
)
from tests.integration.deploy.test_compose import DASHBOARD, panels

RULES = COMPOSE / "prometheus" / "rules.yml"
_SUFFIXES = {
    Kind.COUNTER: ("_total",), Kind.GAUGE: ("",), Kind.HISTOGRAM: ("_bucket", "_sum", "_count"),
    Kind.SUMMARY: ("_sum", "_count"),
}  # fmt: skip
#: Labels of each series; those of Prometheus itself and of every Python process have none of their own.
LABELS = {
    **{f"{metric.name}{suffix}": metric.labels for metric in METRICS for suffix in _SUFFIXES[metric.kind]},
    **dict.fromkeys(("up", "process_cpu_seconds_total", "process_resident_memory_bytes"), ()),
}
#: What Prometheus puts on each (prometheus.yml), and what each bucket has.
EVERYWHERE = {"job", "instance", "role", "le"}


def rules(text: str) -> dict[str, str]:
    """The expression of each alert."""
    (group,) = yaml.safe_load(text)["groups"]
    return {each["alert"]: " ".join(each["expr"].split()) for each in group["rules"]}


def expressions() -> Iterator[tuple[str, str]]:
    for panel in panels():
        for target in panel.get("targets", ()):
            yield f"{panel['title']} {target['refId']}", target["expr"]
    for annotation in json.loads(text_of(DASHBOARD))["annotations"]["list"]:
        yield annotation["name"], annotation["expr"]
    yield from rules(text_of(RULES)).items()


EXPRESSIONS = list(expressions())


@pytest.mark.parametrize(("name", "expression"), EXPRESSIONS, ids=[name for name, _ in EXPRESSIONS])
def test_an_expression_asks_for_numbers_and_labels_that_there_are(name: str, expression: str) -> None:
    asked: set[str | None] = set()
    by: set[str] = set()

    def visit(node: object) -> None:
        if isinstance(node, promql_parser.VectorSelector):
            asked.add(node.name)
            by.update(matcher.name for matcher in node.matchers.matchers)
        elif isinstance(node, promql_parser.AggregateExpr) and node.modifier:
            by.update(node.modifier.labels)

    promql_parser.walk(promql_parser.parse(expression.replace("$__rate_interval", "5m")), visit)
    assert asked
    assert asked <= set(LABELS)
    assert by <= EVERYWHERE.union(*(LABELS[each] for each in asked if each))


def test_legends_and_words_of_alarms_use_labels_that_there_are() -> None:
    known = EVERYWHERE.union(*(metric.labels for metric in METRICS))
    used = set(re.findall(r"\{\{(\w+)\}\}", text_of(DASHBOARD)))
    used |= set(re.findall(r"\$labels\.(\w+)", text_of(RULES)))
    assert used
    assert used <= known


def test_the_alarms_of_the_documentation_are_those_that_are_deployed() -> None:
    page = text_of(ROOT / "docs" / "how-to" / "monitor.md")
    (block,) = (each for each in re.findall(r"```yaml\n(.*?)```", page, re.DOTALL) if "groups:" in each)
    written, deployed = rules(block), rules(text_of(RULES))
    assert written == {name: deployed[name] for name in written}
    assert set(deployed) - set(written) == {"NoApi", "NoWorker", "NoMedia", "NoPages"}  # monitor.md knows no roles


def test_prometheus_asks_every_process_on_the_operators_port_and_says_its_role() -> None:
    (job,) = yaml_of(COMPOSE / "prometheus" / "prometheus.yml")["scrape_configs"]
    (found,) = job["dns_sd_configs"]
    ours = {name for name, each in compose()["services"].items() if each["image"].startswith("mmsgate:")}
    assert set(found["names"]) == ours - {"migrate"}
    assert found["port"] == settings(image_environment()).ops_port
    (label,) = job["relabel_configs"]
    assert {re.fullmatch(label["regex"], name)[1] for name in found["names"]} == {"api", "worker", "media", "pages"}  # type: ignore[index]  # each does match


def test_promtool_finds_no_fault_with_prometheus_files() -> None:
    promtool = program("promtool", of="prometheus")
    path = COMPOSE / "prometheus" / "prometheus.yml"
    said = subprocess.run([promtool, "check", "config", path], capture_output=True, text=True, check=False)
    assert said.returncode == 0, said.stdout + said.stderr
