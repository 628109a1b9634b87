"""Named SQL: each ``.sql`` file in ``sql/`` holds blocks that begin with ``-- name: the_name``."""

from functools import cache
from importlib import resources


@cache
def queries(file: str) -> dict[str, str]:
    """The named statements of ``sql/<file>.sql``."""
    text = resources.files(__package__).joinpath("sql", f"{file}.sql").read_text(encoding="utf-8")
    blocks = text.split("-- name: ")[1:]
    return {name.strip(): sql.strip() for name, _, sql in (block.partition("\n") for block in blocks)}
