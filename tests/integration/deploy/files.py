"""Reads the files of `deploy/`: as YAML, as settings, as ways from a path to a service."""

import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from mmsgate.config import Settings, load

ROOT = Path(__file__).parents[3]
DEPLOY = ROOT / "deploy"
COMPOSE = DEPLOY / "compose"
KUBERNETES = DEPLOY / "kubernetes"
SYSTEMD = DEPLOY / "systemd"

#: Seconds that a process needs to end after its drain: 30 for requests, 75 for submits, and the rest (monitor.md).
TO_END = 110

#: What an operator fills in.
FILLED_IN = {
    "PUBLIC_URL": "https://mms.example.com", "POSTGRES_PASSWORD": "secret", "S3_ACCESS_KEY": "key",
    "S3_SECRET_KEY": "secret", "GRAFANA_PASSWORD": "secret",
}  # fmt: skip


def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def yaml_of(path: Path) -> Any:
    return yaml.safe_load(text_of(path))


def compose() -> dict[str, Any]:
    """The compose file as an operator has filled it in."""
    text = text_of(COMPOSE / "compose.yaml")
    filled = re.sub(r"\$\{(\w+):\?[^}]*\}", lambda found: FILLED_IN[found[1]], text)
    made: dict[str, Any] = yaml.safe_load(filled)
    return made


def manifests(folder: Path) -> list[dict[str, Any]]:
    """Every Kubernetes object of a folder, and of those in it."""
    paths = sorted(path for path in folder.rglob("*.yaml") if path.name != "kustomization.yaml")
    return [each for path in paths for each in yaml.safe_load_all(text_of(path))]


def image_environment() -> dict[str, str]:
    """The settings that the image brings along."""
    return dict(re.findall(r"(MMSGATE_\w+)=(\S+)", text_of(COMPOSE / "Dockerfile")))


def settings(environment: Mapping[str, str]) -> Settings:
    """What a process makes of it. Raises `ConfigFault` for what is no setting, or no value of one."""
    return load(environment=environment)


def uncommented(path: Path) -> str:
    return re.sub(r"#.*", "", text_of(path))


def program(name: str, of: str) -> str:
    """The path of a program; the test is skipped where it is missing."""
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")
    if found is None:
        pytest.skip(f"{name} is not installed (Debian's package {of})")
    return found


def with_temporary_files(nginx: str, folder: Path) -> str:
    """nginx.conf with everything that it writes in that folder."""
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    moved = "".join(f"{kind}_temp_path {folder}/{kind};\n" for kind in kinds)
    return nginx.replace("/tmp/nginx.pid", f"{folder}/pid").replace("http {\n", f"http {{\n{moved}", 1)
