"""A gateway and a sink for one row of the benchmark: processes of their own on this machine.

    python -m bench.gateway serve …

runs the gateway as ``mmsgate serve`` does, quiet but for the counters that it logs when it stops.
"""

import asyncio
import contextlib
import logging
import re
import socket
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from bench.process import Running, process
from bench.sink import REPORTERS
from mmsgate.carriers.profile import Auth, CarrierProfile, Pace
from mmsgate.carriers.record import profile_json
from mmsgate.clock import SystemClock
from mmsgate.domain.account import Account, PostbackSettings, Sender, hash_key
from mmsgate.domain.number import SenderType
from mmsgate.mm7.dialect import Dialect
from mmsgate.provision import new_api_key
from mmsgate.store import Store, migrate

NUMBER, NEIGHBOUR = "28444", "28445"
ACCOUNTS = (("bench", NUMBER), ("neighbour", NEIGHBOUR))


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """A gateway that is ready, the sink it sends to, and a key to call it with.

    `neighbour` is the key of a second account, whose number is NEIGHBOUR.
    """

    gateway: Running
    port: int
    sink_port: int
    key: str
    neighbour: str

    @property
    def pid(self) -> int:
        return self.gateway.pid

    @property
    def counters(self) -> dict[str, int]:
        """What the gateway says it did; known once it has ended."""
        line = next(line for line in self.gateway.rest.splitlines() if "counters: " in line)
        return {name: int(number) for name, number in re.findall(r"(\w+)=(\d+)", line)}


@contextlib.asynccontextmanager
async def bench(delay: int, connections: int, media: Path, *, rate: float = 0.0) -> AsyncIterator[Bench]:
    """A fresh gateway with one carrier that answers after `delay` ms over that many connections.

    `rate` is how many requests a second it may get; 0: no limit.
    """
    with tempfile.TemporaryDirectory(prefix="mmsgate-bench-") as folder:
        data_dir, port = Path(folder), free_port()
        async with sink(delay, port, media) as sink_port:
            key, neighbour = await prepare(data_dir, sink_port, Pace(connections=connections, rate=rate))
            arguments = ("-m", "bench.gateway", "serve", "--data-dir", str(data_dir), "--port", str(port))
            settings = {
                "MMSGATE_FETCH_ALLOW": f"127.0.0.1:{sink_port}", "MMSGATE_LOG_LEVEL": "warning",
                "MMSGATE_OPS_PORT": "0", "COLUMNS": "200",
            }  # fmt: skip
            async with process(*arguments, **settings) as gateway:
                await until_ready(gateway)
                yield Bench(gateway=gateway, port=port, sink_port=sink_port, key=key, neighbour=neighbour)


@contextlib.asynccontextmanager
async def sink(
    delay: int,
    report_port: int = 0,
    folder: Path | None = None,
    *,
    reporters: int = REPORTERS,
    report_after: int = 0,
) -> AsyncIterator[int]:
    """A sink; its port. Without a port to report to it reports nothing. Times are in milliseconds."""
    arguments = [
        "-m",
        "bench.sink",
        str(delay),
        str(report_port),
        *([str(folder), str(reporters), str(report_after)] if folder else []),
    ]
    async with process(*arguments) as running:
        yield int(await running.output.readline())


async def prepare(data_dir: Path, sink_port: int, pace: Pace) -> tuple[str, str]:
    """A database with what `fill` puts in; the API keys."""
    migrate(data_dir / "mmsgate.db")
    return await fill(data_dir / "mmsgate.db", sink_port, pace)


async def fill(where: Path | str, sink_port: int, pace: Pace) -> tuple[str, str]:
    """Two accounts, each with a number, and the sink as carrier; the API keys."""
    store = Store(where)
    await store.start()
    keys = [await add_account(store, name, number, sink_port) for name, number in ACCOUNTS]
    carrier = CarrierProfile(
        name="bench", endpoints=(f"http://127.0.0.1:{sink_port}/mm7",), auth=Auth(username="u", password="p"),
        pace=pace, mm7=Dialect(vaspid="v", vasid="28444mms"),
    )  # fmt: skip
    await store.accounts.put_carrier("bench", profile_json(carrier))
    await store.stop()
    return keys[0], keys[1]


async def add_account(store: Store, name: str, number: str, sink_port: int) -> str:
    """An account with a number of its own; its API key."""
    now = SystemClock().now()
    account = Account(id=0, name=name, postback=PostbackSettings(url=f"http://127.0.0.1:{sink_port}/postbacks"))
    account_id = await store.accounts.create(name, account, at=now)
    key = new_api_key()
    await store.accounts.add_key(account_id, hash_key(key), label=name, hint="", at=now)
    sender = Sender(number=number, type=SenderType.SHORT_CODE, services=("32113",))
    await store.accounts.put_sender(account_id, sender)
    return key


async def until_ready(gateway: Running) -> None:
    while b"ready" not in (line := await gateway.output.readline()):
        assert line, "the gateway ended at once"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def until_idle() -> None:
    """Let what is under way between the processes come to rest before the clock starts."""
    await asyncio.sleep(0.3)


if __name__ == "__main__":
    from mmsgate.cli import main

    logging.getLogger("mmsgate.counters").setLevel(logging.INFO)
    main()
