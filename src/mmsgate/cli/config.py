"""``mmsgate config``: the settings there are."""

import click

from mmsgate.config import reference


@click.command()
def config() -> None:
    """Print every setting with its meaning and default, as a configuration file."""
    click.echo(reference())
