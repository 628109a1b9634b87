"""Operators beside the built-in ones: what the command line adds to the table."""

import json

from mmsgate.domain.operators import Operator, Operators
from mmsgate.store.engine import Engine, Transaction
from mmsgate.store.queries import queries

SQL = queries("operators")
BUMP = queries("accounts")["bump"]  # the revision that running gateways watch


async def operators(engine: Engine) -> Operators:
    """The whole table, as it stands now."""
    return Operators(
        Operator(id=row[0], name=row[1], country=row[2], spid=row[3], aliases=tuple(json.loads(row[4])))
        for row in await engine.read(SQL["added"])
    )


class OperatorRows:
    """Statements about operators. A running gateway sees a change within a second."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def table(self) -> Operators:
        """All operators, the built-in ones included."""
        return await operators(self._engine)

    async def put(self, operator: Operator) -> None:
        """Add an operator, or change one that was added. Whether its numbers are free is the caller's to check."""
        row = (operator.id, operator.name, operator.country, operator.spid, json.dumps(operator.aliases))

        async def work(tx: Transaction) -> None:
            await tx.run(SQL["put"], row)
            await tx.run(BUMP)

        await self._engine.write(work)

    async def remove(self, operator_id: str) -> int:
        """Take away one that was added; how many."""

        async def work(tx: Transaction) -> int:
            removed = await tx.run(SQL["remove"], (operator_id,))
            await tx.run(BUMP)
            return removed

        return await self._engine.write(work)
