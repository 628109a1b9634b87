"""The most recently read blobs in memory. Whatever keeps them, readers share one object and one reading."""

from collections.abc import Awaitable, Callable

from mmsgate.flights import Flights
from mmsgate.recent import Recent

DEFAULT_SIZE = 64 * 1024 * 1024  # bytes
_CACHED_BLOB = 4 * 1024 * 1024  # bytes: larger blobs are loaded each time
_MOST = 1_000_000  # the bytes are the bound


class Memory:
    """Blobs up to `size` bytes in all."""

    def __init__(self, size: int) -> None:
        self._blobs: Recent[str, bytes] = Recent(_MOST, weigh=len, budget=size)
        self._flights: Flights[str, bytes] = Flights()

    async def read(self, blob: str, load: Callable[[str], Awaitable[bytes]]) -> bytes:
        """The bytes, by `load` where they are not here; its errors reach everybody who waits."""
        data = self._blobs.get(blob)
        return data if data is not None else await self._flights.join(blob, lambda: self._loaded(blob, load))

    def drop(self, blob: str) -> None:
        """Forget a blob, if it is there."""
        self._blobs.drop(blob)

    async def _loaded(self, blob: str, load: Callable[[str], Awaitable[bytes]]) -> bytes:
        data = await load(blob)
        return data if len(data) > _CACHED_BLOB else self._blobs.put(blob, data)
