"""What the benchmark prints."""

import os
import platform
import sys

from rich.table import Table


def table(title: str, *columns: str) -> Table:
    """An empty table that says on what it was measured."""
    machine = f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"
    made = Table(title=f"{title}; {machine}")
    for column in columns:
        made.add_column(column, justify="right")
    return made


def progress(line: str) -> None:
    """A line while the rows are measured."""
    print(line, file=sys.stderr)
