"""The installed program as a subprocess, and a person's view of it: post XML, look at phones and postbacks."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from lxml import etree

from mmsgate.http import Answered, HttpClient, Pool, PostOutcome, Timeouts

PATIENCE = Timeouts(connect=10, total=60)
START_WITHIN = 150.0  # seconds; the machine may be busy
KILLABLE = Path(__file__).parents[1] / "kill" / "killable.py"


@dataclass(slots=True, kw_only=True)
class Program:
    """``mmsgate serve`` with its data folder; may be killed and started again."""

    data_dir: Path
    arguments: Sequence[str] = ("--demo",)
    environment: Mapping[str, str] = field(default_factory=dict)
    process: asyncio.subprocess.Process | None = None
    url: str = ""
    ops_url: str = ""
    output: list[str] = field(default_factory=list)
    _reader: asyncio.Task[None] | None = None

    async def start(self, *, die_at: str = "", port: int = 0) -> None:
        """Start it and wait until it says that it is ready. `die_at` names a step at which it kills itself."""
        runner = [str(KILLABLE), die_at] if die_at else ["-m", "mmsgate"]
        environment = {
            **os.environ, "MMSGATE_SIMULATOR_MMSC_PORT": "0", "MMSGATE_SIMULATOR_SMSC_PORT": "0",
            "MMSGATE_OPS_PORT": "0", "COLUMNS": "200", **self.environment,
        }  # fmt: skip
        self.process = await asyncio.create_subprocess_exec(
            sys.executable, *runner, "serve", "--data-dir", str(self.data_dir), "--port", str(port),
            *self.arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT, env=environment,
        )  # fmt: skip
        ready = asyncio.Event()
        self._reader = asyncio.create_task(self._read(self.process, ready))
        async with asyncio.timeout(START_WITHIN):
            await ready.wait()
        assert self.url, "".join(self.output)

    async def _read(self, process: asyncio.subprocess.Process, ready: asyncio.Event) -> None:
        assert process.stdout is not None
        async for raw in process.stdout:
            line = raw.decode(errors="replace")
            self.output.append(line)
            if "mmsgate is ready" in line:
                self.url = line.rpartition("API ")[2].strip().removesuffix("/ep/v1/")
                ready.set()
            elif line.startswith("  metrics "):
                self.ops_url = line.rpartition(" ")[2].strip().removesuffix("/metrics")
        ready.set()

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    @property
    def api_key(self) -> str:
        return (self.data_dir / "demo-api-key").read_text(encoding="ascii").strip()

    async def wait_dead(self, within: float = 60.0) -> int:
        """Its exit status once it has ended by itself."""
        assert self.process is not None
        async with asyncio.timeout(within):
            status = await self.process.wait()
        await self._finish()
        return status

    async def stop(self, number: int = signal.SIGTERM) -> int:
        """Send a signal and wait for the end."""
        if self.process is None:
            return 0
        if self.process.returncode is None:
            self.process.send_signal(number)
        return await self.wait_dead()

    async def _finish(self) -> None:
        if self._reader is not None:
            await self._reader
            self._reader = None
        self.process = None


@dataclass(slots=True, kw_only=True)
class Customer:
    """A customer's program: sends, asks, and is told."""

    program: Program
    pool: Pool

    async def post(self, document: str | bytes, path: str = "/ep/v1/", **headers: str) -> Answered:
        body = document.encode() if isinstance(document, str) else document
        sent = {"Content-Type": "text/xml", **{name.replace("_", "-"): value for name, value in headers.items()}}
        return answered(
            await self.pool.post(f"{self.program.url}{path}", headers=sent, buffers=(body,), timeouts=PATIENCE)
        )

    async def send(self, to: str, **options: Any) -> "Sent":
        """Post a sendMMS that must be accepted."""
        response = values((await self.post(self.document(to, **options))).body)
        assert response["status"] == "Success", response
        return Sent(customer=self, to=to, tracking_id=response["tracking-id"], mms_id=response["mms-id"])

    def document(self, to: str, *, slides: str = "", more: str = "", text: str = "Hello from a test") -> str:
        slides = slides or f"<slide><message-text>{escape(text)}</message-text></slide>"
        return (
            f"<request><action>sendMMS</action><api-key>{self.program.api_key}</api-key><to>{to}</to>"
            "<from>28444</from><service-id>32113</service-id><name>test</name>"
            f"<fallback-sms-text>You have a message:</fallback-sms-text>{more}{slides}</request>"
        )

    def demo(self, name: str, kind: str) -> str:
        """A slide element with one of the gateway's own demo files."""
        return f"<{kind}><url>{self.program.url}/demo/{name}</url></{kind}>"

    async def get(self, path: str, **headers: str) -> Answered:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        return answered(await self.pool.get(f"{self.program.url}{path}", headers=sent, timeouts=PATIENCE))

    async def get_json(self, path: str, **headers: str) -> Any:
        return json.loads((await self.get(path, **headers)).body)


@dataclass(slots=True, kw_only=True)
class Sent:
    """One accepted message."""

    customer: Customer
    to: str
    tracking_id: str
    mms_id: str

    async def show(self) -> dict[str, Any]:
        key = self.customer.program.api_key
        shown: dict[str, Any] = await self.customer.get_json(f"/messages/{self.tracking_id}", X_Api_Key=key)
        return shown

    async def until(self, *states: str, says: Sequence[str] = (), within: float = 90.0) -> dict[str, Any]:
        """The message once it is in one of the states and its timeline says all of that."""
        shown: dict[str, Any] = {}
        try:
            async with asyncio.timeout(within):
                while shown.get("state") not in states or not all(phrase in reasons(shown) for phrase in says):
                    shown = await self.show()
                    await asyncio.sleep(0.05)  # another process: there is no event to wait on
        except TimeoutError:
            raise AssertionError(
                f"not in {states} with {says} after {within} s: {json.dumps(shown, indent=1)}"
            ) from None
        return shown

    async def told(self, *, count: int, within: float = 90.0) -> list[dict[str, Any]]:
        """The postbacks that the customer's program has received, once there are `count`."""
        received: list[dict[str, Any]] = []
        try:
            async with asyncio.timeout(within):
                while len(received) < count:
                    path = f"/demo/postbacks.json?tracking-id={self.tracking_id}&wait=5s"
                    received = await self.customer.get_json(path)
                    await asyncio.sleep(0.05)
        except TimeoutError:
            raise AssertionError(f"{len(received)} of {count} postbacks: {received}") from None
        return received

    async def phone(self, *, kind: str = "", within: float = 90.0) -> list[dict[str, Any]]:
        """What the recipient's phone has received, oldest first, once there is something (of that kind)."""
        try:
            async with asyncio.timeout(within):
                while True:
                    found = await self.customer.get_json(f"/sim/messages?to={self.to}&wait=5s")
                    if matching := [each for each in found if not kind or each["kind"] == kind]:
                        return matching
                    await asyncio.sleep(0.05)
        except TimeoutError:
            raise AssertionError(f"nothing ({kind}) came to the phone {self.to}") from None


def reasons(shown: Mapping[str, Any]) -> str:
    """Everything that a timeline says."""
    return " | ".join(event["reason"] for event in shown["timeline"])


def answered(outcome: PostOutcome) -> Answered:
    assert isinstance(outcome, Answered), outcome
    return outcome


def values(body: bytes) -> dict[str, str]:
    """A flat XML document's elements, in order."""
    root = etree.fromstring(body, etree.XMLParser(resolve_entities=False, no_network=True))
    return {str(child.tag): child.text or "" for child in root}


async def customer_of(program: Program, http: HttpClient) -> Customer:
    return Customer(program=program, pool=http.pool(limit=64))
