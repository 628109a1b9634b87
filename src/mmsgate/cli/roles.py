"""``mmsgate api``, ``worker``, ``media``, ``pages``: parts of the gateway, any number of each, over PostgreSQL."""

import asyncio
import logging
import signal
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import click
import uvloop

from mmsgate.app import Gateway
from mmsgate.cli.logs import set_up_logging
from mmsgate.cli.observed import show
from mmsgate.cli.output import console, data_dir_option
from mmsgate.cli.serve import GRACE, calm_collector
from mmsgate.config import ConfigFault, Settings, load
from mmsgate.listener import Listener
from mmsgate.ops.process import Ops, Signals
from mmsgate.role import Role

log = logging.getLogger("mmsgate")

_Command = Callable[..., None]


def _options(command: _Command) -> _Command:
    levels = click.Choice(["debug", "info", "warning", "error"])
    return data_dir_option(click.option("--log-level", type=levels, help="How much is logged.")(command))


def _address(command: _Command) -> _Command:
    host = click.option("--host", help="Address to listen on (default: 127.0.0.1).")
    port = click.option("--port", type=int, help="Port to listen on (default: 8080; 0 takes a free one).")
    return host(port(command))


@click.command()
@_address
@_options
def api(**given: Any) -> None:
    """Take requests of customers, and reports and messages of carriers.

    Any number may run behind a load balancer. It delivers nothing itself: `mmsgate worker` does.
    """
    _run(Role.API, given)


@click.command()
@_options
def worker(**given: Any) -> None:
    """Deliver messages and postbacks, and keep house.

    Any number may run: they share the queues, and the rates of the carriers.
    """
    _run(Role.WORKER, given)


@click.command()
@_options
def media(**given: Any) -> None:
    """Make sounds and videos into what carriers take."""
    _run(Role.MEDIA, given)


@click.command()
@_address
@_options
def pages(**given: Any) -> None:
    """Show the pages behind fallback links, and the files of inbound messages."""
    _run(Role.PAGES, given)


def _run(role: Role, given: dict[str, Any]) -> None:
    settings = load(**given)
    if not settings.database_url:
        raise ConfigFault(
            f"mmsgate {role} shares its work with others over PostgreSQL: set database_url. "
            "With SQLite one process does all of it, mmsgate serve"
        )
    if not settings.public_url:
        raise ConfigFault(
            f"mmsgate {role} needs the setting public_url: the links that phones and customers get begin with it"
        )
    set_up_logging(settings.log_level, settings.log_format)
    uvloop.run(_work(role, settings))


async def _work(role: Role, settings: Settings) -> None:
    signals, ops = Signals(), Ops(settings, role=role)
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, signals)
    listener = Listener(settings.host, settings.port, grace=GRACE) if role.duties.listens else None
    if listener is not None:
        listener.bind()
        settings = replace(settings, port=listener.port)
    async with ops.running():
        gateway = Gateway(settings, role=role, observe=ops.observe)
        show(ops, gateway)
        async with gateway.running(listener):
            _announce(role, settings, listener, ops)
            calm_collector()
            ops.readiness.started = True
            await signals.stop.wait()
            await ops.drain(signals.hurry, listener)
            log.info("stopping: finishing what is under way")


def _announce(role: Role, settings: Settings, listener: Listener | None, ops: Ops) -> None:
    where = f"  at http://{settings.host}:{settings.port}" if listener else ""
    console.print(f"[bold green]mmsgate {role} is ready[/bold green]{where}", highlight=False)
    if ops.url:
        console.print(f"  metrics     {ops.url}/metrics", highlight=False)
