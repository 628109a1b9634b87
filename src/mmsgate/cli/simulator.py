"""``mmsgate simulator``: the simulated carrier and phones alone, for a gateway elsewhere."""

import asyncio
import signal

import click

from mmsgate.cli.logs import set_up_logging
from mmsgate.cli.output import console
from mmsgate.clock import Ids, SystemClock
from mmsgate.http import HttpClient
from mmsgate.listener import PortTaken
from mmsgate.simulator.service import Simulator, SimulatorConfig


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--mmsc-port", default=8090, show_default=True, help="Port of MM7 (/mm7) and of the phones (/sim/).")
@click.option("--smsc-port", default=2775, show_default=True, help="Port of SMPP.")
@click.option("--user", default="mmsgate", show_default=True, help="User a VASP authenticates as (HTTP Basic).")
@click.option(
    "--password", default="mmsgate", show_default=True, help="Its password; the first 8 letters for SMPP."
)
@click.option("--report-url", default="", help="Where delivery reports are posted: the gateway's /mm7/CARRIER.")
@click.option("--report-user", default="", help="User that reports authenticate as.")
@click.option("--report-password", default="", help="Its password.")
@click.option("--speed", default=1.0, show_default=True, help="How many times faster than real delays run.")
def simulator(**given: object) -> None:
    """Run a simulated MMSC and SMSC with phones to look at.

    The last four digits of a recipient's number decide what happens.
    """
    set_up_logging("info", "console")
    password = str(given["password"])
    config = SimulatorConfig(smpp_system_id=str(given["user"])[:15], smpp_password=password[:8], **given)  # type: ignore[arg-type]
    asyncio.run(_run(config))


async def _run(config: SimulatorConfig) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    clock, http = SystemClock(), HttpClient()
    await http.start()
    sim = Simulator(config, poster=http.pool(limit=16), clock=clock, ids=Ids(clock))
    try:
        await sim.start()
    except PortTaken:
        await http.stop()
        raise
    console.print(
        f"MM7 {sim.mmsc_url}   SMPP {config.host}:{sim.smsc_port}   phones {sim.phones_url}", highlight=False
    )
    await stop.wait()
    sim.release()
    await sim.stop()
    await http.stop()
