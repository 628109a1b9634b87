"""``mmsgate simulator``: the simulated carrier and phones alone, for a gateway elsewhere; and what phones send."""

import asyncio
import signal
from collections.abc import Iterable
from dataclasses import replace

import click

from mmsgate.cli.logs import set_up_logging
from mmsgate.cli.output import console
from mmsgate.cli.simulator_mo import mo
from mmsgate.clock import Ids, SystemClock
from mmsgate.http import HttpClient
from mmsgate.listener import PortTaken
from mmsgate.simulator.chaos import ChaosSettings, parse_settings
from mmsgate.simulator.faces import Door, parse_door
from mmsgate.simulator.personality import PERSONALITIES, STANDARD
from mmsgate.simulator.service import Simulator, SimulatorConfig
from mmsgate.simulator.smsc_mode import SMSC_MODES, USUAL, smsc_mode

_Faces = Iterable[Door | str]


def _faces(_: click.Context, __: click.Parameter, values: Iterable[str]) -> _Faces:
    try:
        return [parse_door(value) for value in values]
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


def _chaos(_: click.Context, __: click.Parameter, value: str) -> ChaosSettings:
    try:
        return parse_settings(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


@click.group(invoke_without_command=True, epilog=f"Personalities: {', '.join(PERSONALITIES)}.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--mmsc-port", default=8090, show_default=True, help="Port of MM7 (/mm7) and of the phones (/sim/).")
@click.option("--smsc-port", default=2775, show_default=True, help="Port of SMPP.")
@click.option("--user", default="mmsgate", show_default=True, help="User a VASP authenticates as (HTTP Basic).")
@click.option(
    "--password", default="mmsgate", show_default=True, help="Its password; the first 8 letters for SMPP."
)
@click.option(
    "--as",
    "faces",
    multiple=True,
    callback=_faces,
    metavar="NAME[:PORT]",
    help="Whom /mm7 plays; with a port, whom /mm7 on that further port plays. May be repeated. "
    "/mm7/NAME plays each of them on every port.",
)
@click.option(
    "--smsc-mode",
    type=click.Choice(list(SMSC_MODES)),
    default=USUAL.name,
    show_default=True,
    metavar="NAME",
    help=f"Whom the SMSC plays: {', '.join(SMSC_MODES)}.",
)
@click.option(
    "--chaos",
    default="",
    callback=_chaos,
    metavar="SWITCH=SHARE,…",
    help="What goes wrong, and how often: latency=0.05,cut-body=0.05 or all=0.05.",
)
@click.option("--seed", type=int, help="Of the chaos: the same seed decides the same.")
@click.option(
    "--report-url",
    default="",
    help="Where delivery reports are posted: the gateway's /mm7/NAME. {carrier} in it is whom it plays.",
)
@click.option("--report-user", default="", help="User that reports authenticate as.")
@click.option("--report-password", default="", help="Its password.")
@click.option("--speed", default=1.0, show_default=True, help="How many times faster than real delays run.")
@click.pass_context
def simulator(
    context: click.Context, /, faces: _Faces, chaos: ChaosSettings, seed: int | None, **given: object
) -> None:
    """Run a simulated MMSC and SMSC with phones to look at, or with a command let one of its phones send.

    The last four digits of a recipient's number decide what happens.
    """
    if context.invoked_subcommand:
        return
    set_up_logging("info", "console")
    password = str(given["password"])
    names = [face for face in faces if isinstance(face, str)]
    if len(names) > 1:
        raise click.UsageError(f"--as: one port plays one of {' and '.join(names)}; give the others a port")
    config = SimulatorConfig(
        smpp_system_id=str(given["user"])[:15], smpp_password=password[:8],
        plays=names[0] if names else STANDARD.name, doors=tuple(one for one in faces if isinstance(one, Door)),
        chaos=chaos if seed is None else replace(chaos, seed=seed), **given,  # type: ignore[arg-type]
    )  # fmt: skip
    asyncio.run(_run(config))


simulator.add_command(mo)


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
    if config.smsc_mode != USUAL.name:
        console.print(f"SMPP as {config.smsc_mode}: {smsc_mode(config.smsc_mode).title}", highlight=False)
    for door, url in zip(config.doors, sim.door_urls, strict=True):
        console.print(f"MM7 {url} as {door.plays}", highlight=False)
    await stop.wait()
    sim.release()
    await sim.stop()
    await http.stop()
