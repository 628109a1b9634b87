"""Settings of one gateway. The order of precedence: command line, environment, file, default.

Every setting can be written in ``mmsgate.toml`` in the data folder (or the file named by ``MMSGATE_CONFIG``) and
overridden by ``MMSGATE_<NAME>`` in the environment; lists are comma-separated there. Accounts, numbers and carriers
are not settings: they live in the store, and a running gateway sees a change of them within a second.
"""

import ipaddress
import math
import os
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from mmsgate.errors import Fault

PREFIX = "MMSGATE_"
#: What stands in `lookup_url` for the number.
NUMBER_PLACE = "{number}"
#: Several gateways on one machine share it: the first one has it.
DEFAULT_OPS_PORT = 9464
_BUCKET = re.compile(r"[a-z0-9][a-z0-9._-]{1,61}[a-z0-9]")  # S3's rule for names, and the underscore of old ones
_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+:[^\r\n\0]*")  # RFC 9110 5.1


class ConfigFault(Fault):
    """A setting is wrong; the text names it."""


def _about(text: str, **kwargs: Any) -> Any:
    """A field with its documentation, from which the reference page is made."""
    return field(metadata={"about": text}, **kwargs)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that is configured for a process."""

    data_dir: Path = _about(
        "Folder of the database, the blobs and the keys. Must be on a local disk: fsync has to mean it.",
        default=Path("data"),
    )
    database_url: str = _about(
        "PostgreSQL's address, postgresql://user:password@host/database, where several processes or hosts share "
        "the work. `mmsgate migrate` makes its tables. Empty: SQLite in the data folder, for one process.",
        default="",
        repr=False,
    )
    host: str = _about(
        "Address the API, the pages and the console listen on. Anything but loopback is reachable by others.",
        default="127.0.0.1",
    )
    port: int = _about("Port of the API, the pages and the phones. 0 takes a free one.", default=8080)
    public_url: str = _about(
        "The gateway's address as phones and customers see it, without a slash at its end; fallback links begin "
        "with it. Empty: http://host:port.",
        default="",
    )
    trusted_proxies: tuple[str, ...] = _about(
        "Networks of proxies whose X-Forwarded-For is believed for IP allow lists (E112). Whoever can connect from "
        "one of them can claim any address.",
        default=(),
    )
    fetch_allow: tuple[str, ...] = _about(
        "host:port pairs that media may be fetched from although they are inside the network. Empty: none. Every "
        "entry can be read by every customer.",
        default=(),
    )
    fetch_cache_bytes: int = _about(
        "Disk that fetched media may take, in bytes, beside what messages still need.", default=10_000_000_000
    )
    handset_days: int = _about(
        "Days for which the handset that a delivery report names is remembered for its number. 0: not at all.",
        default=180,
    )
    blobs_url: str = _about(
        "Where media are kept: s3://bucket/prefix, for gateways of many hosts. Empty: files in the data folder.",
        default="",
    )
    s3_endpoint: str = _about(
        "URL of the S3 server; only one that is written here may be plain http. Empty: AWS_ENDPOINT_URL, else AWS.",
        default="",
    )
    s3_region: str = _about("Region of the bucket. Empty: AWS_REGION, else us-east-1.", default="")
    s3_access_key: str = _about(
        "Key of the S3 server. Empty: AWS_ACCESS_KEY_ID, else the role of the machine.", default=""
    )
    s3_secret_key: str = _about(
        "Its secret; goes with s3_access_key. Empty: AWS_SECRET_ACCESS_KEY.", default="", repr=False
    )
    s3_cache_bytes: int = _about(
        "Disk that copies of media out of S3 may take in the data folder, in bytes. They can be lost.",
        default=10_000_000_000,
    )
    memory_cache_bytes: int = _about("Media kept in memory for sending, in bytes.", default=128_000_000)
    inbound_bytes: int = _about(
        "The largest inbound MMS, in bytes as it travels; a larger one is refused with HTTP 413.",
        default=16 * 1024 * 1024,
    )
    inbound_days: int = _about(
        "How long inbound messages and the addresses of their files live, in days.", default=30
    )
    retention_days: int = _about(
        "Days after which messages go, with their events, postbacks, fallback pages and media. What is not in a "
        "final state, or is owed a postback, stays. 400 is a year, as long as fallback links live (R-11), and a "
        "month to look back on it. 0: messages stay for ever.",
        default=400,
    )
    image_workers: int = _about("Caged processes that check images. 0: one per core.", default=0)
    ffmpeg: str = _about(
        "The ffmpeg that works on sound and video: the path of an executable file. It should have libx264, "
        "libmp3lame and libopencore_amrnb. Empty: the one that comes with the imageio-ffmpeg package.",
        default="",
    )
    lookup_url: str = _about(
        "URL of a service that says whose number it is, with {number} in the place of the digits. It is asked of "
        "numbers that neither the request nor the number cache knows. Empty: none is asked.",
        default="",
    )
    lookup_headers: tuple[str, ...] = _about(
        'Headers for it, like "Authorization: Bearer …".', default=(), repr=False
    )
    lookup_timeout: float = _about(
        "Seconds it may take; each request for a number that is not known yet waits as long.", default=1.0
    )
    ops_host: str = _about(
        "Address of /healthz, /readyz and /metrics. They say how much traffic there is: keep the public away. "
        "Empty: they are switched off.",
        default="127.0.0.1",
    )
    ops_port: int = _about(
        "Their port. 0 takes a free one, -1 switches them off. Where 9464 is taken, they are left out with a "
        "warning; any other port that is taken stops the program.",
        default=DEFAULT_OPS_PORT,
    )
    drain_seconds: float = _about(
        "Seconds between SIGTERM and the end of listening, in which /readyz says 503 and requests are answered as "
        "ever: as long as a load balancer needs to notice. A second signal ends them at once.",
        default=0.0,
    )
    trace_url: str = _about(
        "Where traces are sent, by OTLP over HTTP: usually http://host:4318/v1/traces. Needs the extra "
        "mmsgate[traces]. Empty: no traces are made.",
        default="",
    )
    log_level: str = _about("debug, info, warning or error.", default="info")
    log_format: str = _about("console or json.", default="console")
    simulator: bool = _about(
        "Run the simulated carrier and phones in the same process. For development; never for real traffic.",
        default=False,
    )
    simulator_mmsc_port: int = _about(
        "Port of the simulated MMSC (MM7 over HTTP). 0 takes a free one.", default=8090
    )
    simulator_smsc_port: int = _about("Port of the simulated SMSC (SMPP). 0 takes a free one.", default=2775)
    simulator_speed: float = _about(
        "How many times faster than real the simulated carrier's delays run; for tests.", default=1.0
    )

    @property
    def database(self) -> Path:
        return self.data_dir / "mmsgate.db"

    @property
    def where(self) -> Path | str:
        """What the store is opened with."""
        return self.database_url or self.database

    @property
    def blobs(self) -> Path:
        return self.data_dir / "blobs"

    @property
    def blob_copies(self) -> Path:
        """Copies of blobs in S3; on the disk where media are made, so that what is made is moved, not copied."""
        return self.blobs / "copies"

    @property
    def url_file(self) -> Path:
        """Where a running gateway writes its address, for commands on the same machine."""
        return self.data_dir / "url"

    @property
    def url(self) -> str:
        """The public URL."""
        if self.public_url:
            return self.public_url.rstrip("/")
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"

    def allowed_origins(self) -> frozenset[tuple[str, int]]:
        """`fetch_allow` as pairs."""
        return frozenset(_origin(entry) for entry in self.fetch_allow)


def _origin(entry: str) -> tuple[str, int]:
    """Raises ValueError for what is not host:port."""
    host, _, port = entry.rpartition(":")
    if not host or not 0 < int(port) < 65536:
        raise ValueError(entry)
    return host.strip("[]").lower(), int(port)


def load(*, environment: Mapping[str, str] | None = None, **given: Any) -> Settings:
    """The settings of this process. `given` come from the command line; None means not given.

    Raises `ConfigFault` for an unknown or ill-formed setting, naming where it stands.
    """
    environment = os.environ if environment is None else environment
    chosen = {name: value for name, value in given.items() if value is not None}
    data_dir = Path(str(chosen.get("data_dir") or environment.get(f"{PREFIX}DATA_DIR") or "data"))
    named = environment.get(f"{PREFIX}CONFIG")
    path = Path(named) if named else data_dir / "mmsgate.toml"
    written = _from_file(path, required=named is not None)
    settings = _checked({**written, **_from_environment(environment), **chosen})
    return replace(settings, data_dir=settings.data_dir.expanduser().absolute())


def _from_file(path: Path, *, required: bool) -> dict[str, object]:
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        if required:
            raise ConfigFault(f"{PREFIX}CONFIG names {path}, which does not exist") from None
        return {}
    except OSError as error:
        raise ConfigFault(f"{path} can't be read: {error.strerror}") from error
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigFault(f"{path}: {error}") from error


#: Variables of the same prefix that are no settings: of commands, and of the project's own tests.
_OTHER_VARIABLES = re.compile(rf"{PREFIX}(?:CONFIG|URL|API_KEY|TEST_\w+)")


def _from_environment(environment: Mapping[str, str]) -> dict[str, object]:
    known = {f"{PREFIX}{f.name.upper()}": f.name for f in fields(Settings)}
    ours = {name: value for name, value in environment.items() if name.startswith(PREFIX)}
    for name in ours.keys() - known.keys():
        if not _OTHER_VARIABLES.fullmatch(name):
            raise ConfigFault(f"there is no setting {name}; the settings are {', '.join(known)}")
    return {known[name]: value for name, value in ours.items() if name in known}


def _checked(raw: Mapping[str, object]) -> Settings:
    known = {f.name: f for f in fields(Settings)}
    for name in raw:
        if name not in known:
            raise ConfigFault(f"there is no setting {name!r}; the settings are {', '.join(known)}")
    values = {name: _allowed(name, _convert(name, value, known[name].default)) for name, value in raw.items()}
    return Settings(**values)


def _allowed(name: str, value: Any) -> Any:
    """The value, if it is of use: what is not would be noticed late, or never."""
    rule = _RULES.get(name)
    if rule is None:
        return value
    check, words = rule
    try:
        return check(value)
    except ValueError:
        raise ConfigFault(f"the setting {name} can't be {_shown(name, value)}: it is {words}") from None


def _shown(name: str, value: object) -> str:
    """A value for an error; a secret one is not shown."""
    secret = any(f.name == name and not f.repr for f in fields(Settings))
    return "what it is" if secret else _toml(value)


_Check = Callable[[Any], Any]  # gives the value that is meant, or raises ValueError


def _from(least: float, most: float = math.inf) -> _Check:
    def check(value: float) -> float:
        if not least <= value <= most or math.isinf(value):
            raise ValueError
        return value

    return check


def _none_or_from(least: float) -> _Check:
    def check(value: float) -> float:
        return value if value == 0 else _from(least)(value)

    return check


def _one_of(*words: str) -> _Check:
    def check(value: str) -> str:
        if value.lower() not in words:
            raise ValueError
        return value.lower()

    return check


def _networks(value: tuple[str, ...]) -> tuple[str, ...]:
    for network in value:
        ipaddress.ip_network(network, strict=False)
    return value


def _origins(value: tuple[str, ...]) -> tuple[str, ...]:
    for entry in value:
        _origin(entry)
    return value


def _web_address(value: str) -> str:
    parts = urlsplit(value)
    if value and (parts.scheme not in {"http", "https"} or not parts.hostname or parts.port == 0):
        raise ValueError  # as does the look at a port that is none
    return value


def _postgres(value: str) -> str:
    parts = urlsplit(value)
    if value and (parts.scheme not in {"postgresql", "postgres"} or not parts.path.strip("/")):
        raise ValueError  # as does the look at a port that is none
    return value


def _bucket_url(value: str) -> str:
    parts = urlsplit(value)
    if value and (parts.scheme != "s3" or not _BUCKET.fullmatch(parts.netloc) or parts.query or parts.fragment):
        raise ValueError
    return value


def _lookup(value: str) -> str:
    if value and NUMBER_PLACE not in value:
        raise ValueError
    return _web_address(value)


def _headers(value: tuple[str, ...]) -> tuple[str, ...]:
    if not all(_HEADER.fullmatch(line) for line in value):
        raise ValueError
    return value


def _program(value: str) -> str:
    if value and not (Path(value).is_absolute() and Path(value).is_file() and os.access(value, os.X_OK)):
        raise ValueError
    return value


def _present(value: str) -> str:
    if not value.strip():
        raise ValueError  # an empty host would be every address of the machine
    return value


_PORT = (_from(0, 65535), "a port from 0 to 65535")
_SIZE = (_from(0), "a number of bytes from 0")
#: What a value must be besides of its type, and that in words.
_RULES: Mapping[str, tuple[_Check, str]] = {
    "database_url": (_postgres, "postgresql://user:password@host:port/database, or empty"),
    "host": (_present, "an address or a name"),
    "port": _PORT,
    "public_url": (_web_address, "an http or https URL, or empty"),
    "trusted_proxies": (_networks, "a list of networks like 10.0.0.0/8"),
    "fetch_allow": (_origins, "a list of host:port"),
    "fetch_cache_bytes": _SIZE,
    "handset_days": (_from(0), "a number from 0"),
    "blobs_url": (_bucket_url, "s3://bucket/prefix, or empty"),
    "s3_endpoint": (_web_address, "an http or https URL, or empty"),
    "s3_cache_bytes": _SIZE,
    "memory_cache_bytes": _SIZE,
    "inbound_bytes": _SIZE,
    "inbound_days": (_from(1), "a number from 1"),
    "retention_days": (_none_or_from(14), "0, or a number from 14: a message may be on its way for a week"),
    "image_workers": (_from(0), "a number from 0"),
    "ffmpeg": (_program, "the full path of an executable file, or empty"),
    "lookup_url": (_lookup, f"an http or https URL with {NUMBER_PLACE} in it, or empty"),
    "lookup_headers": (_headers, "a list of headers like Name: value"),
    "lookup_timeout": (_from(0.01, 60), "seconds from 0.01 to 60"),
    "ops_port": (_from(-1, 65535), "a port from 0 to 65535, or -1"),
    "drain_seconds": (_from(0, 3600), "seconds from 0 to 3600"),
    "trace_url": (_web_address, "an http or https URL, or empty"),
    "log_level": (_one_of("debug", "info", "warning", "error"), "debug, info, warning or error"),
    "log_format": (_one_of("console", "json"), "console or json"),
    "simulator_mmsc_port": _PORT,
    "simulator_smsc_port": _PORT,
    "simulator_speed": (_from(0.001), "a number from 0.001"),
}


def _convert(name: str, value: object, example: object) -> Any:
    """A value in the type of its default. The environment has only text."""
    try:
        match example:
            case bool():
                return value if isinstance(value, bool) else _truth(str(value))
            case int():
                return int(str(value))
            case float():
                return float(str(value))
            case Path():
                return Path(str(value))
            case tuple():
                parts = value.split(",") if isinstance(value, str) else value
                assert isinstance(parts, list | tuple)
                return tuple(str(part).strip() for part in parts if str(part).strip())
            case _:
                return str(value)
    except (ValueError, AssertionError):
        raise ConfigFault(f"the setting {name} can't be {value!r}; it is like {example!r}") from None


def _truth(text: str) -> bool:
    word = text.strip().lower()
    if word in {"1", "true", "yes", "on"}:
        return True
    if word in {"0", "false", "no", "off"}:
        return False
    raise ValueError(text)


def reference() -> str:
    """The settings as a commented TOML file."""
    lines = ["# Every setting of mmsgate with its default. Environment: MMSGATE_<NAME>.", ""]
    for f in fields(Settings):
        assert f.default is not MISSING
        lines += [f"# {f.metadata['about']}", f"# {f.name} = {_toml(f.default)}", ""]
    return "\n".join(lines)


def _toml(value: object) -> str:
    match value:
        case bool():
            return str(value).lower()
        case int() | float():
            return str(value)
        case tuple():
            return "[" + ", ".join(map(_toml, value)) + "]"
        case _:
            return f'"{value}"'
