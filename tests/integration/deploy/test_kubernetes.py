"""The manifests are what Kubernetes takes, and what names something names what is there."""

import subprocess
from typing import Any

import msgspec
import pytest
import yaml
from lightkube.models import apps_v1, batch_v1, core_v1, networking_v1, policy_v1

from tests.integration.deploy.files import KUBERNETES, image_environment, manifests, program, settings

#: Kubernetes' own types, generated from its published API.
TYPES: dict[tuple[str, str], type[msgspec.Struct]] = {
    ("v1", "Namespace"): core_v1.Namespace,
    ("v1", "ConfigMap"): core_v1.ConfigMap,
    ("v1", "Secret"): core_v1.Secret,
    ("v1", "Service"): core_v1.Service,
    ("apps/v1", "Deployment"): apps_v1.Deployment,
    ("batch/v1", "Job"): batch_v1.Job,
    ("networking.k8s.io/v1", "Ingress"): networking_v1.Ingress,
    ("policy/v1", "PodDisruptionBudget"): policy_v1.PodDisruptionBudget,
}
OBJECTS = manifests(KUBERNETES)
WORKLOADS = [each for each in OBJECTS if each["kind"] in {"Deployment", "Job"}]
DEPLOYMENTS = [each for each in OBJECTS if each["kind"] == "Deployment"]


def name_of(manifest: dict[str, Any]) -> str:
    return f"{manifest['kind']} {manifest['metadata']['name']}"


def of_kind(kind: str) -> list[dict[str, Any]]:
    return [each for each in OBJECTS if each["kind"] == kind]


def taken(manifest: Any, kind: type[msgspec.Struct]) -> Any:
    """What the type keeps of a manifest. Raises `msgspec.ValidationError` for what it does not take."""
    return _without_nothing(msgspec.to_builtins(msgspec.convert(manifest, kind)))


def _without_nothing(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_nothing(each) for name, each in value.items() if each is not None}
    return [_without_nothing(each) for each in value] if isinstance(value, list) else value


@pytest.mark.parametrize("manifest", OBJECTS, ids=map(name_of, OBJECTS))
def test_each_field_of_a_manifest_is_one_of_its_type_and_none_that_must_be_is_missing(manifest: Any) -> None:
    assert taken(manifest, TYPES[manifest["apiVersion"], manifest["kind"]]) == manifest


def test_a_field_that_kubernetes_does_not_know_would_be_seen() -> None:
    manifest = {"apiVersion": "v1", "kind": "ConfigMap", "datas": {}}
    assert taken(manifest, core_v1.ConfigMap) != manifest


def labels_of(workload: dict[str, Any]) -> dict[str, str]:
    labels: dict[str, str] = workload["spec"]["template"]["metadata"]["labels"]
    return labels


def container_of(workload: dict[str, Any]) -> dict[str, Any]:
    (container,) = workload["spec"]["template"]["spec"]["containers"]
    assert isinstance(container, dict)
    return container


def selected(selector: dict[str, str]) -> list[dict[str, Any]]:
    return [each for each in WORKLOADS if selector.items() <= labels_of(each).items()]


@pytest.mark.parametrize("workload", DEPLOYMENTS, ids=map(name_of, DEPLOYMENTS))
def test_a_deployment_its_budget_and_its_spread_select_its_own_pods(workload: dict[str, Any]) -> None:
    assert selected(workload["spec"]["selector"]["matchLabels"]) == [workload]
    (budget,) = (
        each for each in of_kind("PodDisruptionBudget") if each["metadata"]["name"] == workload["metadata"]["name"]
    )
    assert selected(budget["spec"]["selector"]["matchLabels"]) == [workload]
    for spread in workload["spec"]["template"]["spec"].get("topologySpreadConstraints", ()):
        assert selected(spread["labelSelector"]["matchLabels"]) == [workload]


@pytest.mark.parametrize("workload", DEPLOYMENTS, ids=map(name_of, DEPLOYMENTS))
def test_probes_ask_the_operators_port_for_life_and_readiness(workload: dict[str, Any]) -> None:
    container = container_of(workload)
    ports = {each["name"]: each["containerPort"] for each in container["ports"]}
    image = settings(image_environment())
    assert ports["ops"] == image.ops_port
    assert image.ops_host == image.host == "0.0.0.0"
    paths = {"startupProbe": "/healthz", "livenessProbe": "/healthz", "readinessProbe": "/readyz"}
    assert {kind: container[kind]["httpGet"] for kind in paths} == {
        kind: {"path": path, "port": "ops"} for kind, path in paths.items()
    }
    annotations = workload["spec"]["template"]["metadata"]["annotations"]
    assert annotations["prometheus.io/port"] == str(image.ops_port)


def test_services_and_the_ingress_lead_to_the_public_ports_of_pods_that_are_there() -> None:
    served = {}
    for service in of_kind("Service"):
        (workload,) = selected(service["spec"]["selector"])
        (port,) = service["spec"]["ports"]
        ports = {each["name"]: each["containerPort"] for each in container_of(workload)["ports"]}
        assert ports[port["targetPort"]] == settings(image_environment()).port
        served[service["metadata"]["name"]] = port["name"]
    (ingress,) = of_kind("Ingress")
    for rule in ingress["spec"]["rules"]:
        assert rule["host"] in ingress["spec"]["tls"][0]["hosts"]
        for path in rule["http"]["paths"]:
            backend = path["backend"]["service"]
            assert served[backend["name"]] == backend["port"]["name"]


@pytest.mark.parametrize("workload", WORKLOADS, ids=map(name_of, WORKLOADS))
def test_a_pod_gets_no_variables_of_services_and_no_more_rights_than_it_needs(workload: dict[str, Any]) -> None:
    """`MMSGATE_API_PORT`, which Kubernetes makes of a service's name, is no setting: nothing would start."""
    pod, container = workload["spec"]["template"]["spec"], container_of(workload)
    assert pod["enableServiceLinks"] is False
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]},
    }  # fmt: skip
    written = {each["mountPath"] for each in container.get("volumeMounts", ())}
    assert workload["kind"] == "Job" or str(settings(image_environment()).data_dir) in written


def test_kustomize_makes_the_objects_and_puts_a_pinned_image_into_each_pod() -> None:
    kubectl = program("kubectl", of="kubernetes-client")
    made = []
    for folder in (KUBERNETES, KUBERNETES / "migrate"):
        said = subprocess.run([kubectl, "kustomize", folder], capture_output=True, text=True, check=True)
        made += list(yaml.safe_load_all(said.stdout))
    assert {name_of(each) for each in made} == {name_of(each) for each in OBJECTS if each["kind"] != "Secret"}
    images = {container_of(each)["image"] for each in made if each["kind"] in {"Deployment", "Job"}}
    assert len(images) == 1
    assert images.pop().startswith("registry.example.com/mmsgate:")
    assert {each["metadata"].get("namespace", "mmsgate") for each in made} == {"mmsgate"}
