"""The types that PostgreSQL gives to the parameters of our statements."""

import asyncpg

from mmsgate.store import accounts, keys, leases, matching, messages, postbacks, preparations, templates
from mmsgate.store.forms import numbered

#: They have one that is yes or no.
WITH_FLAGS = {"postbacks.insert", "preparations.insert"}
ROOMS = (accounts, keys, leases, matching, messages, postbacks, preparations, templates)


async def test_no_parameter_is_an_integer_of_32_bits_but_a_flag(migrated: str) -> None:
    """Times and ids need more: what is taken for a small one because of a number beside it would be refused."""
    small = set()
    connection = await asyncpg.connect(migrated)
    for statement in [each for room in ROOMS for each in room.SQL.values()]:
        prepared = await connection.prepare(statement.postgres or numbered(statement))
        if "int4" in {kind.name for kind in prepared.get_parameters()}:
            small.add(statement.name)
    await connection.close()
    assert small == WITH_FLAGS
