"""The commands, each in the module of its noun. A command's module is imported when the command is used."""

import errno
import os
import sys
from collections.abc import Mapping
from importlib import import_module
from importlib.metadata import version

import click

from mmsgate.errors import Fault

#: Command → where it is, and its line in the list.
COMMANDS: Mapping[str, tuple[str, str]] = {
    "serve": ("serve", "Run the gateway in one process."),
    "api": ("roles", "Take requests and reports: one of many, over PostgreSQL."),
    "worker": ("roles", "Deliver messages and postbacks: one of many, over PostgreSQL."),
    "media": ("roles", "Transcode sounds and videos: one of many, over PostgreSQL."),
    "pages": ("roles", "Show fallback pages and files: one of many, over PostgreSQL."),
    "migrate": ("migrate", "Make the database's tables, or bring them to this release's schema."),
    "store": ("store", "Move an embedded installation to PostgreSQL and S3."),
    "send": ("send", "Send an MMS and watch its timeline."),
    "preview": ("preview", "Show what each carrier would get of an MMS, without sending it."),
    "account": ("account", "Accounts: who may send; keys, settings, block lists."),
    "number": ("number", "Short codes, long codes and toll-free numbers."),
    "carrier": ("carrier", "Carrier connections: profiles from TOML files, and whether they work."),
    "operator": ("operator", "Operators, prefixes, and whose number it is."),
    "limits": ("limits", "Say which carrier takes a message to a number, and what it may be."),
    "message": ("message", "Messages: their timeline, and their postbacks."),
    "inbox": ("inbox", "What phones sent: MMS and SMS, and what became of them."),
    "reports": ("reports", "Delivery reports that matched no message, and why."),
    "simulator": ("simulator", "Run a simulated carrier with phones."),
    "doctor": ("doctor", "Check the installation and show what waits for a person."),
    "config": ("config", "Print every setting with its meaning and default."),
}

_DISK_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


class _Lazy(click.Group):
    """A group that knows its commands' names and imports one when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, _ = COMMANDS[cmd_name]
        command = getattr(import_module(f"mmsgate.cli.{module}"), cmd_name)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])


@click.command(
    cls=_Lazy, epilog="Every command takes --help.", context_settings={"help_option_names": ["-h", "--help"]}
)
@click.version_option(version("mmsgate"), message="mmsgate %(version)s")
def cli() -> None:
    """A self-hosted MMS gateway: one XML request becomes a slide show on a phone."""
    os.umask(0o077)  # whatever a command writes has numbers, messages or keys in it: it is its owner's alone


def main() -> None:
    """The program. A fault ends it with one line on standard error and status 1."""
    try:
        cli()
    except Fault as fault:
        click.echo(f"mmsgate: {fault}", err=True)
        sys.exit(1)
    except OSError as error:
        if error.errno not in _DISK_FULL:
            raise
        click.echo(f"mmsgate: the output could not be written: {error.strerror}", err=True)
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is left of it fails no more
        sys.exit(1)
