"""``mmsgate serve``: the gateway in one process, with a simulated carrier if asked for."""

import asyncio
import gc
import logging
import secrets
import signal
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import click
import uvloop
from starlette.routing import BaseRoute, Mount

from mmsgate.app import Gateway
from mmsgate.cli.logs import set_up_logging
from mmsgate.cli.observed import show
from mmsgate.cli.output import console, data_dir_option
from mmsgate.clock import Ids, SystemClock
from mmsgate.config import Settings, load
from mmsgate.demo.inbox import Inbox
from mmsgate.demo.routes import demo_routes
from mmsgate.http import HttpClient
from mmsgate.listener import Listener
from mmsgate.lock import lock
from mmsgate.ops.process import Ops, Signals
from mmsgate.provision import CARRIER, KEY_FILE, Demo, SimulatedCarrier, ensure_demo, ensure_simulated_carrier
from mmsgate.simulator.service import Simulator, SimulatorConfig
from mmsgate.store import Store, prepare

log = logging.getLogger("mmsgate")

REPORT_USER = "carrier"
#: Seconds that requests under way get when it stops: a file may take that long to be fetched.
GRACE = 30


@click.command()
@data_dir_option
@click.option("--host", help="Address to listen on (default: 127.0.0.1).")
@click.option("--port", type=int, help="Port of API, pages and phones (default: 8080; 0 takes a free one).")
@click.option("--public-url", help="The gateway's address as phones and customers see it.")
@click.option("--demo", is_flag=True, help="Set up a demo account and a simulated carrier with phones.")
@click.option("--simulator/--no-simulator", default=None, help="Run the simulated carrier and phones.")
@click.option("--log-level", type=click.Choice(["debug", "info", "warning", "error"]), help="How much is logged.")
def serve(demo: bool, simulator: bool | None, **given: Any) -> None:
    """Run the gateway: API, delivery, reports, postbacks and pages in one process.

    Stop it with Ctrl-C or SIGTERM: requests under way are finished, everything else is in the data folder.
    """
    settings = load(simulator=demo or None if simulator is None else simulator, **given)
    set_up_logging(settings.log_level, settings.log_format)
    uvloop.run(_serve(settings, demo=demo))


async def _serve(settings: Settings, *, demo: bool) -> None:
    signals, ops = Signals(), Ops(settings, role="serve")
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, signals)
    listener = Listener(settings.host, settings.port, grace=GRACE)
    listener.bind()
    settings = replace(settings, port=listener.port)
    if demo:  # the demo's media are on this very server
        own = urlsplit(settings.url)
        origin = f"{own.hostname}:{own.port or (443 if own.scheme == 'https' else 80)}"
        settings = replace(settings, fetch_allow=(*settings.fetch_allow, origin))
    async with AsyncExitStack() as stack:
        stack.enter_context(lock(settings))  # before the profiles of another gateway that runs here are overwritten
        await stack.enter_async_context(ops.running())
        embedded = Embedded(settings, demo=demo)
        await embedded.prepare(stack)
        gateway = Gateway(settings, extra_routes=embedded.routes(), observe=ops.observe)
        show(ops, gateway)
        await stack.enter_async_context(gateway.running(listener, locked=True))
        stack.callback(embedded.release)  # before the listener stops: pages that wait are let go
        settings.url_file.write_text(settings.url + "\n", encoding="ascii")
        embedded.announce(ops.url)
        calm_collector()
        ops.readiness.started = True
        await signals.stop.wait()
        await ops.drain(signals.hurry, listener)
        log.info("stopping: finishing what is under way")


def calm_collector() -> None:
    """Look for garbage less often: a message makes hardly any cycles, and what is loaded by now stays for good.

    Measured: 5 % less CPU a message, no more memory.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


class Embedded:
    """What runs beside the gateway in development: the simulator, the demo account and its files."""

    def __init__(self, settings: Settings, *, demo: bool) -> None:
        self._settings = settings
        self._inbox: Inbox | None = Inbox(clock=SystemClock()) if demo else None
        self._simulator: Simulator | None = None
        self._demo: Demo | None = None

    async def prepare(self, stack: AsyncExitStack) -> None:
        """Start the simulator, then write what leads to it into the store."""
        settings = self._settings
        if not settings.simulator and self._inbox is None:
            return
        settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        await prepare(settings.where)
        store = Store(settings.where)
        await store.start()
        try:
            if settings.simulator:
                await self._start_simulator(stack, store)
            if self._inbox is not None:
                self._demo = await ensure_demo(store, settings.data_dir, base_url=settings.url, clock=SystemClock())
                self._inbox.secret = self._demo.secret
        finally:
            await store.stop()

    async def _start_simulator(self, stack: AsyncExitStack, store: Store) -> None:
        settings, clock = self._settings, SystemClock()
        http = HttpClient()
        await http.start()
        stack.push_async_callback(http.stop)
        report_password, password = secrets.token_hex(8), secrets.token_hex(8)
        config = SimulatorConfig(
            host=settings.host, mmsc_port=settings.simulator_mmsc_port, smsc_port=settings.simulator_smsc_port,
            user="mmsgate", password=password, smpp_system_id="mmsgate", smpp_password=password[:8],
            report_url=f"{settings.url}/mm7/{{carrier}}", carrier=CARRIER, report_user=REPORT_USER,
            report_password=report_password, speed=settings.simulator_speed,
        )  # fmt: skip
        self._simulator = Simulator(config, poster=http.pool(limit=16), clock=clock, ids=Ids(clock))
        await self._simulator.start()
        stack.push_async_callback(self._simulator.stop)
        reached = SimulatedCarrier(
            mmsc_url=self._simulator.mmsc_url, user=config.user, password=password, smsc_host=settings.host,
            smsc_port=self._simulator.smsc_port, system_id=config.smpp_system_id,
            smpp_password=config.smpp_password, report_user=REPORT_USER, report_password=report_password,
        )  # fmt: skip
        await ensure_simulated_carrier(store, reached)

    def routes(self) -> list[BaseRoute]:
        """Mounted beside the API."""
        routes: list[BaseRoute] = []
        if self._inbox is not None:
            routes += demo_routes(self._inbox)
        if self._simulator is not None:
            routes.append(Mount("/", self._simulator.web_app))
        return routes

    def release(self) -> None:
        """Let go of pages that wait for news, so that the server can stop."""
        if self._inbox is not None:
            self._inbox.close()
        if self._simulator is not None:
            self._simulator.release()

    def announce(self, ops_url: str) -> None:
        """Say where everything is, and how to send the first message."""
        base = self._settings.url
        console.print(f"[bold green]mmsgate is ready[/bold green]  API {base}/ep/v1/", highlight=False)
        if self._simulator is not None:
            console.print(f"  phones      {base}/sim/", highlight=False)
        if ops_url:
            console.print(f"  metrics     {ops_url}/metrics", highlight=False)
        if self._demo is not None:
            self._announce_demo(self._demo, base)
        console.print("  stop with Ctrl-C", highlight=False)

    def _announce_demo(self, demo: Demo, base: str) -> None:
        key_file = self._settings.data_dir / KEY_FILE
        console.print(f"  postbacks   {base}/demo/postbacks", highlight=False)
        console.print(f"  API key     {demo.api_key}   (kept in {key_file})", highlight=False, soft_wrap=True)
        for sender in demo.account.senders.values():
            services = ", ".join(sender.services)
            console.print(f"  {sender.type.value:<11} {sender.number}   service ids {services}", highlight=False)
        console.print("\nSend the first message from another terminal:\n", highlight=False)
        print(first_message(base, demo.api_key), flush=True)  # noqa: T201  to be copied: no colour, no wrapping
        console.print(f"\nthen look at {base}/sim/phones/12065550100\n", highlight=False)


def first_message(base: str, api_key: str) -> str:
    """A curl command with a whole sendMMS: a picture and a sound with text, then text and a calendar entry."""
    return f"""\
curl -s {base}/ep/v1/ --data-binary '<request>
  <action>sendMMS</action>
  <api-key>{api_key}</api-key>
  <to>12065550100</to>
  <from>28444</from>
  <service-id>32113</service-id>
  <name>First message</name>
  <message-subject>Saturday at the lake</message-subject>
  <fallback-sms-text>You have a picture message from Lake Club:</fallback-sms-text>
  <slide>
    <duration>5</duration>
    <image><url>{base}/demo/photo.jpg</url></image>
    <audio><url>{base}/demo/chime.mp3</url></audio>
    <message-text>Boats, music and ice cream</message-text>
  </slide>
  <slide>
    <message-text>Put it in your calendar</message-text>
    <ical><url>{base}/demo/party.ics</url></ical>
  </slide>
</request>'"""
