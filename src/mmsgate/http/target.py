"""Where a request goes, and how its head is written."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from yarl import URL

_PORTS = {"http": 80, "https": 443}
_OURS = frozenset({"host", "content-length"})  # nobody else may say these


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A URL taken apart. `authority` is the Host header, `credentials` the URL's own Authorization."""

    host: str
    port: int
    tls: bool
    path: str
    authority: str
    credentials: str = field(default="", repr=False)

    @property
    def peer(self) -> tuple[str, int, bool]:
        """What a kept connection must agree in."""
        return self.host, self.port, self.tls


@lru_cache(maxsize=256)
def target_of(url: str) -> Target:
    """The one reading of a configured URL. Raises ValueError for what is no http or https URL with a host."""
    parsed = URL(url)
    if parsed.scheme not in _PORTS or not parsed.raw_host or not parsed.port:
        raise ValueError("the URL is not valid")
    host = parsed.raw_host
    shown = f"[{host}]" if ":" in host else host
    credentials = ""
    if parsed.user is not None or parsed.password is not None:
        pair = f"{parsed.user or ''}:{parsed.password or ''}".encode()
        credentials = f"Basic {base64.b64encode(pair).decode()}"
    return Target(
        host=host,
        port=parsed.port,
        tls=parsed.scheme == "https",
        path=parsed.raw_path_qs or "/",
        authority=shown if parsed.port == _PORTS[parsed.scheme] else f"{shown}:{parsed.port}",
        credentials=credentials,
    )


def write_head(method: str, target: Target, headers: Mapping[str, str], *, agent: str, length: int | None) -> bytes:
    """Request line and headers, with `length` as Content-Length. Raises ValueError for a line end in a header."""
    names = {name.lower() for name in headers}
    usual = {
        "Accept": "*/*", "Accept-Encoding": "identity", "User-Agent": agent, "Authorization": target.credentials,
    }  # fmt: skip
    lines = [f"{method} {target.path} HTTP/1.1", f"Host: {target.authority}"]
    lines += [f"{name}: {value}" for name, value in usual.items() if value and name.lower() not in names]
    lines += [f"{name}: {value}" for name, value in headers.items() if name.lower() not in _OURS]
    if length is not None:
        lines.append(f"Content-Length: {length}")
    text = "\r\n".join((*lines, "", ""))
    if text.count("\n") != len(lines) + 1 or text.count("\r") != len(lines) + 1:
        raise ValueError("a header holds a line end")
    return text.encode("utf-8", "surrogateescape")
