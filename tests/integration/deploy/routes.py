"""Which paths the gateway serves, and where nginx.conf and the Ingress lead them."""

import re
from dataclasses import dataclass
from typing import Any

from starlette.routing import Route

from mmsgate.app import Gateway
from mmsgate.config import Settings
from mmsgate.role import Role
from tests.integration.deploy.files import COMPOSE, KUBERNETES, manifests, uncommented


def served(role: Role) -> list[str]:
    """A path of each route of a role's public port."""
    gateway = Gateway(Settings(database_url="postgresql://nowhere/db", public_url="http://x"), role=role)
    inner: Any = (gateway.app() if role is Role.API else gateway.pages())._app
    routes = getattr(inner, "_routes", inner).routes
    assert all(isinstance(route, Route) for route in routes)
    return [re.sub(r"\{\w+:path\}", "a/b/c", route.path).replace("{", "").replace("}", "") for route in routes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """A path, or all below it, and the service it leads to; none where it leads nowhere."""

    path: str
    exact: bool
    service: str

    def takes(self, path: str, *, by_element: bool) -> bool:
        if self.exact or path == self.path:
            return path == self.path
        below = self.path.rstrip("/") + "/" if by_element else self.path
        return path.startswith(below)


def nginx_ways() -> list[Way]:
    text = uncommented(COMPOSE / "nginx.conf")
    found = re.findall(r"location\s+(=\s+)?(/\S*)\s*\{([^}]*)\}", text)
    assert len(found) == text.count("location")
    return [
        Way(path=path, exact=bool(equal), service="".join(re.findall(r"proxy_pass\s+http://(\w+);", inside)))
        for equal, path, inside in found
    ]


def ingress_ways() -> list[Way]:
    (ingress,) = (each for each in manifests(KUBERNETES) if each["kind"] == "Ingress")
    (rule,) = ingress["spec"]["rules"]
    return [
        Way(
            path=each["path"], exact=each["pathType"] == "Exact",
            service=each["backend"]["service"]["name"].removeprefix("mmsgate-"),
        )
        for each in rule["http"]["paths"]
    ]  # fmt: skip


def way_of(path: str, ways: list[Way], *, by_element: bool) -> Way | None:
    """An exact one wins, then the longest."""
    taking = [way for way in ways if way.takes(path, by_element=by_element)]
    return max(taking, key=lambda way: (way.exact, len(way.path)), default=None)
