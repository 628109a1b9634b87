from collections.abc import AsyncIterator

import aiohttp
import pytest
from starlette.applications import Starlette

from mmsgate.clock import ManualClock
from mmsgate.demo.inbox import Inbox
from mmsgate.demo.routes import demo_routes
from mmsgate.listener import Listener


@pytest.fixture
def inbox() -> Inbox:
    return Inbox(clock=ManualClock())


@pytest.fixture
async def browser(inbox: Inbox) -> AsyncIterator[aiohttp.ClientSession]:
    """A session whose addresses begin at the demo's server."""
    listener = Listener("127.0.0.1", 0)
    listener.bind()
    await listener.start(Starlette(routes=demo_routes(inbox)))
    async with aiohttp.ClientSession(f"http://127.0.0.1:{listener.port}", auto_decompress=False) as session:
        yield session
        inbox.close()
    await listener.stop()
