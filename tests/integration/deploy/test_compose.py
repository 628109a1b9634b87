"""The compose file, the image and Grafana's files hang together."""

import json
import re
import subprocess
import sys
from itertools import combinations
from typing import Any

from tests.integration.deploy.files import COMPOSE, KUBERNETES, ROOT, compose, text_of, yaml_of

CHECK = (sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec")
DASHBOARD = COMPOSE / "grafana" / "dashboards" / "mmsgate.json"


def test_the_compose_file_is_one_by_the_official_schema() -> None:
    said = subprocess.run([*CHECK, COMPOSE / "compose.yaml"], capture_output=True, text=True, check=False)
    assert said.returncode == 0, said.stdout + said.stderr


def test_services_volumes_and_networks_that_are_named_exist() -> None:
    whole = compose()
    for service in whole["services"].values():
        assert set(service.get("depends_on", ())) <= set(whole["services"])
        assert set(service["networks"]) <= set(whole["networks"])
        for volume in service.get("volumes", ()):
            source = volume.split(":")[0]
            assert (COMPOSE / source).exists() if source.startswith("./") else source in whole["volumes"], volume


def test_who_waits_for_a_healthy_service_waits_for_one_that_is_looked_at() -> None:
    services = compose()["services"]
    image = text_of(COMPOSE / "Dockerfile")
    assert re.search(r"^HEALTHCHECK.*\n.*/healthz", image, re.MULTILINE)
    for service in services.values():
        waits = service.get("depends_on", {})
        for name in waits if isinstance(waits, dict) else ():
            if waits[name]["condition"] == "service_healthy":
                assert services[name]["image"].startswith("mmsgate:") or "healthcheck" in services[name], name


def test_every_image_is_pinned_to_a_release_and_ours_to_this_one() -> None:
    images = [each["image"] for each in compose()["services"].values()]
    images += re.findall(r"^FROM (\S+)", text_of(COMPOSE / "Dockerfile"), re.MULTILINE)
    assert len(images) >= 12
    for image in images:
        assert re.search(r":\D*\d+\.\d+|:RELEASE\.\d{4}-\d\d-\d\dT", image), image
    written = text_of(ROOT / "pyproject.toml")
    (release,) = re.findall(r'^version = "(\d+\.\d+\.\d+)', written, re.MULTILINE)
    assert {image for image in images if image.startswith("mmsgate")} == {f"mmsgate:{release}"}
    for path in KUBERNETES.rglob("kustomization.yaml"):
        (image,) = yaml_of(path)["images"]
        assert image["newTag"] == release


def test_the_image_is_built_of_files_that_are_there_and_pinned_by_hash_and_is_not_roots() -> None:
    text = text_of(COMPOSE / "Dockerfile")
    copied = [
        name for line in re.findall(r"^COPY (?!--from)(.+) \S+$", text, re.MULTILINE) for name in line.split()
    ]
    let_in = re.findall(r"^!(\S+)", text_of(COMPOSE / "Dockerfile.dockerignore"), re.MULTILINE)
    assert set(copied) == set(let_in)
    assert all((ROOT / name).exists() for name in copied)
    installs = re.findall(r"pip install (.+?)(?: \\)?$", text, re.MULTILINE)
    assert installs == ["--require-hashes -r requirements.lock", "--no-build-isolation --no-deps ."]
    (user,) = re.findall(r"^USER (\d+):\d+$", text, re.MULTILINE)
    assert int(user) > 0


def test_what_is_uninstalled_again_is_there_for_the_build_alone() -> None:
    text = text_of(COMPOSE / "Dockerfile")
    (removed,) = re.findall(r"pip uninstall --yes (.+?) \\", text)
    locked = text_of(ROOT / "requirements.lock")
    wanted_by = {
        name: set(re.findall(r"#\s+(?:via )?([\w.:() -]+)$", block, re.MULTILINE)) - {"via"}
        for name, block in re.findall(r"^([\w.-]+)==[^\n]*\n((?:    .*\n)+)", locked, re.MULTILINE)
    }
    for name in set(removed.split()) - {"pip"}:
        assert wanted_by[name] <= {"hatchling", "mmsgate (pyproject.toml:build)"}, (name, wanted_by[name])


def test_grafana_finds_the_dashboard_and_the_dashboard_its_source() -> None:
    grafana = COMPOSE / "grafana" / "provisioning"
    (source,) = yaml_of(grafana / "datasources" / "prometheus.yaml")["datasources"]
    (provider,) = yaml_of(grafana / "dashboards" / "mmsgate.yaml")["providers"]
    mounts = dict(each.split(":")[:2] for each in compose()["services"]["grafana"]["volumes"])
    assert mounts["./grafana/dashboards"] == provider["options"]["path"]
    assert mounts["./grafana/provisioning"] == "/etc/grafana/provisioning"
    assert source["url"] == "http://prometheus:9090"
    for panel in panels():
        for target in panel.get("targets", ()):
            assert target["datasource"] == panel["datasource"] == {"type": source["type"], "uid": source["uid"]}


def panels() -> list[dict[str, Any]]:
    made: list[dict[str, Any]] = json.loads(text_of(DASHBOARD))["panels"]
    return made


def test_panels_have_names_of_their_own_and_do_not_lie_over_each_other() -> None:
    shown = panels()
    assert len({panel["id"] for panel in shown}) == len({panel["title"] for panel in shown}) == len(shown)
    places = [panel["gridPos"] for panel in shown]
    assert all(place["x"] >= 0 and place["x"] + place["w"] <= 24 for place in places)
    for one, other in combinations(places, 2):
        beside = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        above = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
        assert beside or above, (one, other)
