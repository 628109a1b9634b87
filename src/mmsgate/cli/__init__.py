"""The command line: ``mmsgate --help``."""

from mmsgate.cli.main import main

__all__ = ["main"]
