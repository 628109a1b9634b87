"""Retention: what is older than it goes, with all that belongs to it.

A message that is not in a final state, or whose postbacks have not all been sent or parked, stays, however old it
is. Media go later, by the janitor, once nothing needs them any more.
"""

from mmsgate.clock import DAY, Millis, id_at
from mmsgate.domain.state import FINAL
from mmsgate.store.engine import Engine, Transaction
from mmsgate.store.queries import queries

_FINAL = ", ".join(f"'{state}'" for state in sorted(FINAL))
_OVER = (
    f"message.state IN ({_FINAL}) AND NOT EXISTS (SELECT 1 FROM postback AS owed "  # noqa: S608  our own SQL
    "WHERE owed.message_id = message.id AND owed.state = 'pending')"
)
_CONTENTS = (
    f"SELECT content_id FROM message WHERE id > ?1 AND id <= ?2 AND {_OVER} "  # noqa: S608  our own SQL
    "AND NOT EXISTS (SELECT 1 FROM template WHERE template.id = message.content_id)"
)
SQL = queries("retention", over=_OVER, contents=_CONTENTS)

#: What names a message from outside, and what only it needs.
OUTSIDE = (
    "free_tracking", "free_page", "free_carrier_id", "free_content_blob", "free_rendition", "free_encoded",
    "free_content",
)  # fmt: skip
_INSIDE = ("free_event", "free_sms_part", "free_postback", "free_message")

#: Messages of one transaction: its statements hold the event loop for 1.5 ms.
STEP = 25
#: Steps of one round, of which there is one a minute: 10,000 messages.
ROUND = 400


class Retention:
    """SQLite's: a round of small steps at a time, from the oldest message on."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._after = 0  # where the round before has ended

    async def keep(self, *, now: Millis, days: int) -> None:
        """Forget what is older than so many days; 0: nothing."""
        if not days:
            return
        end = id_at(now - days * DAY) - 1
        for _ in range(ROUND):
            if self._after >= end:
                self._after = 0
                return
            self._after = await self._engine.write(lambda tx: _step(tx, self._after, end))


async def _step(tx: Transaction, after: int, end: int) -> int:
    """Forget the next few messages; the id of the last one, or the end."""
    ((last, _),) = await tx.rows(SQL["step"], (after, end, STEP))
    until = end if last is None else last
    await free(tx, (*OUTSIDE, *_INSIDE), after, until)
    return int(until)


async def free(tx: Transaction, statements: tuple[str, ...], after: int, until: int) -> None:
    """Run the statements over the messages behind the id `after`, up to `until`."""
    for name in statements:
        await tx.run(SQL[name], (after, until))
