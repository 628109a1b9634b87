"""Everything that the gateway serves to the public is reached from outside, and nothing else."""

import re
import subprocess
from pathlib import Path

import pytest

from mmsgate.role import Role
from tests.integration.deploy.files import (
    COMPOSE,
    ROOT,
    compose,
    program,
    settings,
    text_of,
    uncommented,
    with_temporary_files,
)
from tests.integration.deploy.routes import Way, ingress_ways, nginx_ways, served, way_of

BALANCERS = [("nginx", nginx_ways(), False), ("ingress", ingress_ways(), True)]
#: Of the operator, or for development alone.
NOT_PUBLIC = ["/metrics", "/readyz", "/sim/", "/sim/phones/1", "/demo/postbacks", "/", "/x", "/mm7x/y", "/mx"]


@pytest.mark.parametrize(("name", "ways", "by_element"), BALANCERS, ids=[name for name, *_ in BALANCERS])
@pytest.mark.parametrize("role", [Role.API, Role.PAGES])
def test_each_path_of_a_role_leads_to_it(name: str, ways: list[Way], by_element: bool, role: Role) -> None:
    paths = served(role)
    assert len(paths) >= 7
    for path in paths:
        way = way_of(path, ways, by_element=by_element)
        assert way is not None, path
        assert way.service == role.value, path


@pytest.mark.parametrize(("name", "ways", "by_element"), BALANCERS, ids=[name for name, *_ in BALANCERS])
def test_each_way_is_of_use(name: str, ways: list[Way], by_element: bool) -> None:
    used = {way_of(path, ways, by_element=by_element) for role in (Role.API, Role.PAGES) for path in served(role)}
    assert {way for way in ways if way.service} == used


@pytest.mark.parametrize(("name", "ways", "by_element"), BALANCERS, ids=[name for name, *_ in BALANCERS])
@pytest.mark.parametrize("path", NOT_PUBLIC)
def test_what_is_not_for_the_public_leads_nowhere(name: str, ways: list[Way], by_element: bool, path: str) -> None:
    way = way_of(path, ways, by_element=by_element)
    assert way is None or not way.service


def test_the_nginx_of_the_documentation_passes_on_what_is_served_and_nothing_else() -> None:
    page = text_of(ROOT / "docs" / "how-to" / "run-behind-a-proxy.md")
    (pattern,) = re.findall(r"location ~ (\S+) \{", page)
    for role in (Role.API, Role.PAGES):
        for path in served(role):
            assert re.search(pattern, path), path
    assert [path for path in NOT_PUBLIC if re.search(pattern, path)] == []


def test_no_operators_port_is_reached_from_outside_the_compose_network() -> None:
    services = compose()["services"]
    assert {name for name, each in services.items() if "ports" in each} == {"nginx", "grafana"}
    assert services["grafana"]["ports"] == ["127.0.0.1:3000:3000"]
    assert "9464" not in uncommented(COMPOSE / "nginx.conf")


def test_nginx_leads_to_services_whose_addresses_stay_and_is_the_only_proxy_that_is_trusted() -> None:
    """It looks names up once: a container that is made anew must come back under the same address."""
    services = compose()["services"]
    named = re.findall(r"server\s+([\w-]+):8080", uncommented(COMPOSE / "nginx.conf"))
    assert named == ["api-1", "api-2", "pages"]
    for name in named:
        assert services[name]["networks"]["inside"]["ipv4_address"]
        environment = services[name]["environment"]
        proxy = services["nginx"]["networks"]["inside"]["ipv4_address"]
        assert environment["MMSGATE_TRUSTED_PROXIES"] == f"{proxy}/32"


def test_nginx_lets_go_of_idle_connections_before_a_gateway_stops_listening() -> None:
    idle = [int(each) for each in re.findall(r"keepalive_timeout\s+(\d+)s", uncommented(COMPOSE / "nginx.conf"))]
    services = compose()["services"]
    assert len(idle) == 2
    for name in ("api-1", "api-2", "pages"):
        assert max(idle) < settings(services[name]["environment"]).drain_seconds


def test_nginx_finds_no_fault_with_its_configuration(tmp_path: Path) -> None:
    nginx = program("nginx", of="nginx")
    text = re.sub(r"(?:api-\d|pages):8080", "127.0.0.1:8080", text_of(COMPOSE / "nginx.conf"))
    path = tmp_path / "nginx.conf"
    path.write_text(with_temporary_files(text, tmp_path), encoding="utf-8")
    said = subprocess.run(
        [nginx, "-t", "-q", "-p", tmp_path, "-c", path, "-e", "stderr"], capture_output=True, text=True, check=False
    )
    assert (said.returncode, said.stderr) == (0, "")
