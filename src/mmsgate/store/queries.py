"""Named SQL: each ``.sql`` file in ``sql/`` holds blocks that begin with ``-- name: the_name``."""

from functools import cache
from importlib import resources


class Statement(str):
    """A statement as SQLite takes it. `name` is ``file.the_name``: another engine may have a text of its own."""

    __slots__ = ("name",)
    name: str

    def __new__(cls, text: str, *, name: str = "") -> "Statement":
        """Without a name it is a statement of its own, of a test perhaps."""
        made = super().__new__(cls, text)
        made.name = name
        return made


def queries(file: str, /, **fragments: str) -> dict[str, Statement]:
    """The named statements of ``sql/<file>.sql``, with ``{fragments}`` put in."""
    return {
        name: Statement(_filled(text, fragments), name=f"{file}.{name}")
        for name, text in blocks(f"{file}.sql").items()
    }


@cache
def blocks(path: str) -> dict[str, str]:
    """The blocks of a file in ``sql/`` by their names."""
    text = resources.files(__package__).joinpath("sql", *path.split("/")).read_text(encoding="utf-8")
    found = text.split("-- name: ")[1:]
    return {name.strip(): sql.strip() for name, _, sql in (block.partition("\n") for block in found)}


def _filled(text: str, fragments: dict[str, str]) -> str:
    for name, fragment in fragments.items():
        text = text.replace(f"{{{name}}}", fragment)
    return text
