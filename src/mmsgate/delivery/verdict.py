"""What a step of the delivery decides, as a value: it becomes a `Change` when it is recorded."""

from dataclasses import dataclass

from mmsgate.clock import Millis
from mmsgate.domain.change import CarrierId, Change, Why, move
from mmsgate.domain.message import SmsPart
from mmsgate.domain.state import Happening
from mmsgate.store import Decide, Snapshot


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What happens to the message, why, and when somebody has to look at it again."""

    happening: Happening
    why: Why
    due_at: Millis | None = None
    attempts: int | None = None
    connection: str | None = None
    carrier_ids: tuple[CarrierId, ...] = ()
    sms_parts: tuple[SmsPart, ...] = ()

    def decide(self, at: Millis) -> Decide:
        """The step as the ledger wants it."""

        def decide(snapshot: Snapshot) -> Change:
            return move(
                snapshot.message,
                self.happening,
                self.why,
                at=at,
                due_at=self.due_at,
                attempts=self.attempts,
                connection=self.connection,
                carrier_ids=self.carrier_ids,
                sms_parts=self.sms_parts,
            )

        return decide


def gave_up(reason: str, **data: object) -> Verdict:
    """It will not be sent."""
    return Verdict(happening=Happening.GAVE_UP, why=Why.of(reason, **data))
