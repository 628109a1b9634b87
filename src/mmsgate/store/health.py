"""Whether the store works: a read, a write that reaches the disk, a schema that is this release's."""

from mmsgate.store.engine import Engine, StoreFault
from mmsgate.store.migrate import migrations
from mmsgate.store.queries import queries

SQL = queries("health")


class StoreHealth:
    """Each check raises `StoreFault` with the reason."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._newest = migrations("postgres" if engine.is_shared else "sqlite")[-1].number

    async def read(self) -> None:
        """A row can be read."""
        await self._engine.read(SQL["read"])

    async def write(self) -> None:
        """A transaction reaches the disk."""
        await self._engine.run(SQL["write"])

    async def schema(self) -> None:
        """Every migration that this release knows has been applied. A newer schema is as good: it is made so."""
        present = (await self._engine.read(SQL["schema"]))[0][0]
        if present < self._newest:
            raise StoreFault(
                f"the database has schema {present}, this release needs {self._newest}: run mmsgate migrate"
            )
