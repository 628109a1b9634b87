"""A whole gateway in this process, with an account and an origin of media; its carrier is a dead port."""

import asyncio
import io
import zipfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from lxml import etree

from mmsgate.app import Gateway
from mmsgate.carriers.profile import CarrierProfile
from mmsgate.carriers.record import profile_json
from mmsgate.config import Settings
from mmsgate.demo import files
from mmsgate.domain.account import Account, Sender, hash_key
from mmsgate.domain.number import SenderType
from mmsgate.http import Answered, HttpClient, Pool, Timeouts
from mmsgate.listener import Listener
from mmsgate.store import Store, migrate
from tests.unit.builders import NOW

KEY = "mg_test"
PATIENCE = Timeouts(connect=5, total=60)
SENDERS = (
    Sender(number="28444", type=SenderType.SHORT_CODE, services=("32113",)),
    Sender(number="12065550100", type=SenderType.LONG_CODE, services=("32113",)),
)


class Origin:
    """A web server that says exactly what a test tells it to."""

    def __init__(self) -> None:
        self.answers: dict[str, bytes] = {}
        self.asked: list[str] = []
        self.port = 0
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()
        for writer in list(self._writers):
            writer.close()
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                path = head.split(b" ", 2)[1].decode()
                self.asked.append(path)
                writer.write(self.answers.get(path, b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"))
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()
        finally:
            self._writers.discard(writer)

    def file(self, path: str, body: bytes, content_type: str = "application/octet-stream") -> str:
        """Serve a file; its URL."""
        head = f"HTTP/1.1 200 OK\r\nContent-Type: {content_type}\r\nContent-Length: {len(body)}\r\n\r\n"
        self.answers[path] = head.encode() + body
        return self.url(path)

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"


@dataclass(slots=True)
class Api:
    """The running gateway and how to call it."""

    gateway: Gateway
    pool: Pool
    origin: Origin

    @property
    def account(self) -> Account:
        return next(iter(self.gateway.watch().accounts.values()))

    async def change(self, **settings: Any) -> None:
        """Change the account; the gateway sees it at once."""
        await self.gateway.store.accounts.update(replace(self.account, **settings))
        await self.gateway.watch.refresh()

    async def switch(self, **switches: Any) -> None:
        await self.change(switches=replace(self.account.switches, **switches))

    async def carrier(self, **changes: Any) -> None:
        """Change the only carrier's profile."""
        profile = CarrierProfile(name="dead", endpoints=("http://127.0.0.1:9/mm7",), **changes)
        await self.gateway.store.accounts.put_carrier("dead", profile_json(profile))
        await self.gateway.watch.refresh()

    async def post(self, body: str | bytes, path: str = "/ep/v1/", **headers: str) -> Answered:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        data = body.encode() if isinstance(body, str) else body
        answered = await self.pool.post(self.url(path), headers=sent, buffers=(data,), timeouts=PATIENCE)
        assert isinstance(answered, Answered), answered
        return answered

    async def get(self, path: str, **headers: str) -> Answered:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        answered = await self.pool.get(self.url(path), headers=sent, timeouts=PATIENCE)
        assert isinstance(answered, Answered), answered
        return answered

    def url(self, path: str) -> str:
        return f"{self.gateway.settings.url}{path}"


def request(*, slides: str | None = None, more: str = "", **elements: str | None) -> str:
    """A sendMMS in kebab case. An element given as None is left out; names have _ for -."""
    whole: dict[str, str | None] = {
        "action": "sendMMS", "api_key": KEY, "to": "12065550100", "from": "28444", "service_id": "32113",
        "name": "n", "fallback_sms_text": "Look:", **elements,
    }  # fmt: skip
    body = "".join(f"<{n.replace('_', '-')}>{v}</{n.replace('_', '-')}>" for n, v in whole.items() if v is not None)
    slides = "<slide><message-text>hello</message-text></slide>" if slides is None else slides
    return f"<request>{body}{more}{slides}</request>"


def medium(kind: str, url: str) -> str:
    """A slide with one file."""
    return f"<slide><{kind}><url>{url}</url></{kind}></slide>"


def elements(body: bytes) -> list[tuple[str, str]]:
    """A response's elements, in order."""
    root = etree.fromstring(body, etree.XMLParser(resolve_entities=False, no_network=True))
    return [(str(child.tag), child.text or "") for child in root]


def demo(name: str) -> bytes:
    return (Path(files.__file__).parent / "media" / name).read_bytes()


def zip_of(**files: bytes) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return made.getvalue()


@pytest_asyncio.fixture
async def api(tmp_path: Path) -> AsyncIterator[Api]:
    async with running(tmp_path) as made:
        yield made


@asynccontextmanager
async def running(folder: Path, **more: Any) -> AsyncIterator[Api]:
    """A gateway with some settings that are its own."""
    origin = Origin()
    await origin.start()
    listener = Listener("127.0.0.1", 0, grace=1)
    listener.bind()
    settings = Settings(
        data_dir=folder, port=listener.port, fetch_allow=(f"127.0.0.1:{origin.port}",), image_workers=1,
        **more,
    )  # fmt: skip
    migrate(settings.database)
    await _provision(Store(settings.database))
    http = HttpClient()
    await http.start()
    async with Gateway(settings).running(listener) as gateway:
        yield Api(gateway, http.pool(limit=32), origin)
    await http.stop()
    await origin.stop()


async def _provision(store: Store) -> None:
    await store.start()
    account_id = await store.accounts.create("test", Account(id=0, name="test"), at=NOW)
    await store.accounts.add_key(account_id, hash_key(KEY), label="test", hint="test", at=NOW)
    for sender in SENDERS:
        await store.accounts.put_sender(account_id, sender)
    await store.accounts.put_carrier(
        "dead", profile_json(CarrierProfile(name="dead", endpoints=("http://127.0.0.1:9/mm7",)))
    )
    await store.stop()


@pytest.fixture(scope="session")
def photo() -> bytes:
    return demo("small.jpg")
