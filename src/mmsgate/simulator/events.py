"""News for open pages, as Server-Sent Events.

`hello` comes first and names the box's epoch: a page of another epoch shows another life's messages and should
load again. Then, each with the box's revision as its id: `message` (one is new, or has another copy) and `note` (a
line of the carrier log).
"""

import asyncio
import json
from collections.abc import AsyncIterator

from mmsgate.clock import iso_z
from mmsgate.simulator.box import Box
from mmsgate.simulator.message import Message, Note

#: Seconds of silence after which a comment keeps the connection alive.
KEEP_ALIVE = 15.0
#: Seconds in which changes gather before they are written, so that a load test does not drown a page.
BREATH = 0.05


async def event_stream(box: Box, *, revision: int, to: str | None) -> AsyncIterator[str]:
    """Events from `revision` on, of one phone or of all, until the box closes or is emptied."""
    epoch = box.epoch
    yield _event("hello", {"epoch": epoch})
    while not box.closed and box.epoch == epoch:
        seen = box.revision
        for change in box.changes(revision, to=to):
            yield _change(change)
        revision = seen
        try:
            await asyncio.wait_for(box.wait(revision), KEEP_ALIVE)
            await asyncio.sleep(BREATH)
        except TimeoutError:
            yield ": still here\n\n"
    if box.epoch != epoch:
        yield _event("hello", {"epoch": box.epoch})


def _change(change: Message | Note) -> str:
    if isinstance(change, Note):
        return _event("note", {"at": iso_z(change.at), "text": change.text}, change.revision)
    return _event("message", {"id": change.id, "to": change.phone, "kind": change.kind.value}, change.revision)


def _event(name: str, data: dict[str, object], revision: int | None = None) -> str:
    identity = "" if revision is None else f"id: {revision}\n"
    return f"{identity}event: {name}\ndata: {json.dumps(data)}\n\n"
