"""Every way to deploy starts programs with settings that these programs take, and lets them end in peace."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from mmsgate.config import Settings
from mmsgate.role import Role
from tests.integration.deploy.files import (
    COMPOSE,
    DEPLOY,
    FILLED_IN,
    KUBERNETES,
    TO_END,
    compose,
    image_environment,
    manifests,
    settings,
    text_of,
    yaml_of,
)
from tests.integration.deploy.units import UNITS, Unit

PROCESSES = ["api-1", "api-2", "worker", "media", "pages", "migrate"]
COMPONENTS = ["api", "worker", "media", "pages", "migrate"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """A process as something starts it; `patience` is how many seconds it gets to end."""

    command: list[str]
    settings: Settings
    patience: float


def in_compose(service: str) -> Started:
    found = compose()["services"][service]
    read = settings({**image_environment(), **found["environment"]})
    patience = float(found["stop_grace_period"].removesuffix("s"))
    return Started(command=found["command"], settings=read, patience=patience)


def in_kubernetes(component: str) -> Started:
    objects = manifests(KUBERNETES)
    given = {each["kind"]: each.get("data") or each.get("stringData") or {} for each in objects}
    name, kinds = f"mmsgate-{component}", {"Deployment", "Job"}
    (workload,) = (each for each in objects if each["kind"] in kinds and each["metadata"]["name"] == name)
    pod = workload["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    own = {each["name"]: each["value"] for each in container.get("env", ())}
    assert container["envFrom"] == [{"configMapRef": {"name": "mmsgate"}}, {"secretRef": {"name": "mmsgate"}}]
    read = settings({**image_environment(), **given["ConfigMap"], **given["Secret"], **own})
    return Started(command=container["args"], settings=read, patience=pod.get("terminationGracePeriodSeconds", 30))


def in_systemd(unit: Unit) -> Started:
    return Started(
        command=unit.command,
        settings=settings(unit.environment("8081")),
        patience=float(unit.one("TimeoutStopSec")),
    )


STARTED: dict[str, Callable[[], Started]] = {
    **{f"compose {name}": partial(in_compose, name) for name in PROCESSES},
    **{f"kubernetes {name}": partial(in_kubernetes, name) for name in COMPONENTS},
    **{f"systemd {unit.name}": partial(in_systemd, unit) for unit in UNITS},
}


@pytest.fixture(params=list(STARTED))
def started(request: pytest.FixtureRequest) -> Started:
    return STARTED[request.param]()


def test_what_is_started_is_a_command_with_settings_that_it_takes(started: Started) -> None:
    (command,) = started.command
    assert command in {*Role, "migrate"}
    if command != "serve":
        assert started.settings.database_url
        assert started.settings.blobs_url
        assert started.settings.public_url == "https://mms.example.com"


def test_what_is_stopped_has_time_to_end_after_its_drain(started: Started) -> None:
    if started.command != ["migrate"]:
        assert started.patience >= started.settings.drain_seconds + TO_END


def test_who_is_behind_a_balancer_drains_and_believes_it_and_no_other_role_waits(started: Started) -> None:
    if started.command[0] in {"api", "pages"}:
        assert started.settings.drain_seconds >= 10
        assert started.settings.trusted_proxies
    elif started.command != ["migrate"]:
        assert started.settings.drain_seconds == 0


def test_each_process_of_a_host_has_ports_of_its_own_and_a_folder_of_its_own() -> None:
    instances = {"api": "8081", "media": "9481", "pages": "8091", "worker": "9471"}
    of_roles = [unit for unit in UNITS if unit.command != ["serve"]]
    given = [settings(unit.environment(instances[unit.command[0]])) for unit in of_roles]
    assert len(given) == 4
    ports = [each.ops_port for each in given] + [8081, 8091]
    assert len(set(ports)) == len(ports)
    assert [each.port for each in given if each.drain_seconds] == [8081, 8091]
    assert len({each.data_dir for each in given}) == 4


def test_no_file_names_a_setting_that_does_not_exist() -> None:
    known = {f"MMSGATE_{name.upper()}" for name in Settings.__dataclass_fields__}
    files = [path for path in DEPLOY.rglob("*") if path.is_file()] + [
        Path(__file__).parents[3] / "docs" / "how-to" / "run-on-many-hosts.md"
    ]
    named = {name for path in files for name in re.findall(r"MMSGATE_[A-Z0-9_]+", text_of(path))}
    assert named
    assert named <= known


def test_an_operator_has_to_fill_in_what_the_example_lists_and_nothing_else() -> None:
    example = text_of(COMPOSE / ".env.example")
    listed = set(re.findall(r"^(\w+)=", example, re.MULTILINE))
    asked = set(re.findall(r"\$\{(\w+):", text_of(COMPOSE / "compose.yaml")))
    assert asked == listed
    assert asked - {"LISTEN"} == set(FILLED_IN)


def test_secrets_of_kubernetes_are_no_part_of_what_is_applied() -> None:
    applied = yaml_of(KUBERNETES / "kustomization.yaml")["resources"]
    there = {path.name for path in KUBERNETES.glob("*.yaml")}
    assert there - set(applied) == {"kustomization.yaml", "secret.example.yaml"}
    config = next(each for each in manifests(KUBERNETES) if each["kind"] == "ConfigMap")["data"]
    secret = {f"MMSGATE_{name.upper()}" for name, field in Settings.__dataclass_fields__.items() if not field.repr}
    assert not secret & set(config)
