"""A number of places that may change while they are taken. No IO."""

import asyncio
from collections import deque


class Places:
    """`most` may be in at once; whoever comes then waits in line, first come, first served.

    Where there are fewer places than before, those who are in stay, and nobody follows until enough have left.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self.taken = 0
        self._line: deque[asyncio.Future[None]] = deque()

    async def acquire(self) -> None:
        """Wait for a place and take it."""
        if self.taken < self.most:
            self.taken += 1
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._line.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if not turn.cancelled():
                self.release()  # the place had been given a moment before
            raise

    def release(self) -> None:
        """Leave a place."""
        self.taken -= 1
        self._admit()

    def change(self, most: int) -> None:
        """So many there are from now on."""
        self.most = most
        self._admit()

    def _admit(self) -> None:
        while self._line and self.taken < self.most:
            turn = self._line.popleft()
            if not turn.done():  # whoever was cancelled is still in the line
                self.taken += 1
                turn.set_result(None)

    async def __aenter__(self) -> None:
        await self.acquire()

    async def __aexit__(self, *_: object) -> None:
        self.release()
