"""The running gateway as commands call it: where it is, as whom, and what it answered."""

import functools
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import click

from mmsgate.cli.output import data_dir_option, running_at
from mmsgate.config import load
from mmsgate.errors import Fault, Refusal
from mmsgate.http import Answered, HttpClient, Pool, PostOutcome, Timeouts
from mmsgate.provision import KEY_FILE
from mmsgate.wire.document import read_document

PATIENCE = Timeouts(connect=5, total=120)


class SendFault(Fault):
    """The gateway could not be reached, or refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gateway:
    """Where to post, and as whom."""

    url: str
    api_key: str = field(repr=False)
    pool: Pool


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """A gateway that is not called yet: its address, the key that was given, and where the demo account's is."""

    url: str
    given_key: str = field(repr=False)
    key_file: Path

    @property
    def api_key(self) -> str:
        """The key to call with. `SendFault` if there is none."""
        try:
            return self.given_key or self.key_file.read_text(encoding="ascii").strip()
        except OSError:
            raise SendFault(
                f"no API key: there is none in {self.key_file}; give --api-key, or run `make serve` once"
            ) from None

    @asynccontextmanager
    async def open(self, *, at_once: int = 4) -> AsyncIterator[Gateway]:
        """The gateway with our key, and that many connections."""
        async with connections(at_once) as pool:
            yield Gateway(url=self.url, api_key=self.api_key, pool=pool)


@asynccontextmanager
async def connections(at_once: int) -> AsyncIterator[Pool]:
    """A pool of that many connections."""
    http = HttpClient()
    await http.start()
    try:
        yield http.pool(limit=at_once)
    finally:
        await http.stop()


def with_access(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options --url, --api-key and --data-dir, and what they come to as `access`."""

    @click.option("--url", envvar="MMSGATE_URL", help="The gateway (default: the one of the data folder).")
    @click.option("--api-key", envvar="MMSGATE_API_KEY", help="The account's key (default: the demo account's).")
    @data_dir_option
    @functools.wraps(command)
    def wrapped(*, url: str | None, api_key: str | None, data_dir: str | None, **options: Any) -> None:
        settings = load(data_dir=data_dir)
        access = Access(
            url=(url or running_at(settings)).rstrip("/"), given_key=api_key or "",
            key_file=settings.data_dir / KEY_FILE,
        )  # fmt: skip
        command(access=access, **options)

    return wrapped


def document(elements: Mapping[str, str], inner: str = "") -> bytes:
    """A request with these elements, empty ones left out, and `inner` XML after them."""
    head = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in elements.items() if value)
    return f'<?xml version="1.0" encoding="UTF-8"?><request>{head}{inner}</request>'.encode()


def answered(posted: PostOutcome, url: str) -> Answered:
    """The answer; `SendFault` if there is none."""
    if not isinstance(posted, Answered):
        raise SendFault(f"the gateway at {url} could not be reached: {posted.reason}")
    return posted


def read_json(posted: PostOutcome, url: str) -> dict[str, Any]:
    """An answer that is a JSON object; `SendFault` if it is something else."""
    got = answered(posted, url)
    try:
        answer = json.loads(got.body)
    except ValueError:
        raise SendFault(f"{url} answered HTTP {got.status} with something that is no JSON") from None
    if not isinstance(answer, dict):
        raise SendFault(f"{url} answered HTTP {got.status} with something unexpected")
    return answer


def read_xml(posted: PostOutcome, url: str) -> dict[str, str]:
    """The elements of a Success, by their kebab names. A refusal is a `SendFault` with its code and reason."""
    got = answered(posted, url)
    try:
        values = {child.tag: child.text or "" for child in read_document(got.body)}
    except Refusal:
        raise SendFault(f"{url} answered HTTP {got.status} with something that is no XML") from None
    if values.get("status", values.get("STATUS")) != "Success":
        code = values.get("error-code") or values.get("ERRORCODE")
        info = values.get("error-info") or values.get("ERRORINFO")
        detail = got.headers.get("x-error-detail", "")
        raise SendFault(f"refused with {code}: {info}" + (f" ({detail})" if detail else ""))
    return values
