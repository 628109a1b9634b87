"""Named SQL: each ``.sql`` file in ``sql/`` holds blocks that begin with ``-- name: the_name``.

SQLite's text is everybody's, with ``?`` or ``?1`` for parameters. Where PostgreSQL needs another one, or can do the
same for many parameters at once, ``sql/postgres/`` has a block ``the_name`` or ``the_name, many`` with ``$1``.
"""

from functools import cache
from importlib import resources


class Statement(str):
    """A statement as SQLite takes it. `postgres` is PostgreSQL's own text, empty where it takes the same.

    `many` is that for arrays of parameters: each row that it gives begins with the number of the parameters it is
    of, from 1. Where the caller asks how many rows were written, there is one for each.
    """

    __slots__ = ("many", "name", "postgres")
    name: str
    postgres: str
    many: str

    def __new__(cls, text: str, *, name: str = "", postgres: str = "", many: str = "") -> "Statement":
        """Without a name it is a test's own."""
        made = super().__new__(cls, text)
        made.name, made.postgres, made.many = name, postgres, many
        return made


def queries(file: str, /, **fragments: str) -> dict[str, Statement]:
    """The named statements of a file, with ``{fragments}`` put in."""
    own = _blocks("postgres", file)
    return {
        name: Statement(
            _filled(text, fragments),
            name=f"{file}.{name}",
            postgres=_filled(own.get(name, ""), fragments),
            many=_filled(own.get(f"{name}, many", ""), fragments),
        )
        for name, text in _blocks(file).items()
    }


@cache
def _blocks(*path: str) -> dict[str, str]:
    """The blocks of a file in ``sql/`` by their names; none if there is no such file."""
    file = resources.files(__package__).joinpath("sql", *path[:-1], f"{path[-1]}.sql")
    if not file.is_file():
        return {}
    found = file.read_text(encoding="utf-8").split("-- name: ")[1:]
    return {name.strip(): _bare(sql) for name, _, sql in (block.partition("\n") for block in found)}


def _bare(text: str) -> str:
    """Without its comments."""
    return "\n".join(line for line in text.splitlines() if not line.startswith("--")).strip()


def _filled(text: str, fragments: dict[str, str]) -> str:
    for name, fragment in fragments.items():
        text = text.replace(f"{{{name}}}", fragment)
    return text
