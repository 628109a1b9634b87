"""Device discovery: a short text MMS goes ahead of a message, to learn the recipient's handset (API contract 8).

The discovery is a message of its own, with every state of one; `Message.discovers` names the message that waits for
it. What happens to it is told in the name of that message, whose content the customer knows, and may end the wait.
"""

from dataclasses import dataclass, replace

from mmsgate.clock import DAY, MINUTE, SECOND, Millis
from mmsgate.domain.change import Change, Why, move
from mmsgate.domain.message import Fallback, Message
from mmsgate.domain.state import Happening, State

SUBJECT = "Device Discovery"
TIMEOUT: Millis = 5 * MINUTE
LONGEST_TIMEOUT: Millis = DAY

#: A discovery that was never sent ends with its time, and is told before the message that waits looks at its own.
GRACE: Millis = SECOND


@dataclass(frozen=True, slots=True, kw_only=True)
class Discovery:
    """What goes ahead, and how long the content waits for it. `forced`: also where the handset is known."""

    text: str
    subject: str = SUBJECT
    timeout: Millis = TIMEOUT
    forced: bool = False


def waiting(message: Message, discovery: Discovery) -> Message:
    """The message as it begins its life behind a discovery."""
    return replace(
        message, state=State.DISCOVERING, due_at=message.accepted_at + discovery.timeout + GRACE
    )  # fmt: skip


def ahead_of(message: Message, discovery: Discovery, *, message_id: int, content_id: int) -> Message:
    """The discovery's own message: to the same person, known by the same tracking id. It has no fallback."""
    now = message.accepted_at
    return replace(
        message, id=message_id, mms_id=content_id, content_id=content_id, discovers=message.id,
        fallback=Fallback(enabled=False, text="", link=False, token="", expires_at=now),
        state=State.ACCEPTED, due_at=now, expires_at=now + discovery.timeout,
    )  # fmt: skip


def meaning(discovery: Change) -> Happening | None:
    """What a step of a discovery is to the message that waits for it; None: nothing."""
    if not discovery.event.changed:
        return None
    if discovery.message.state.final:
        return Happening.DISCOVERED
    return Happening.DISCOVERY_SENT if discovery.postbacks else None


def follow(discovery: Change, happening: Happening, message: Message) -> Change:
    """The step that the waiting message makes then. It tells what the discovery's step has to tell."""
    at = discovery.event.at
    told = tuple(replace(postback, mms_id=message.mms_id) for postback in discovery.postbacks)
    why = Why.of(_reason(discovery), handset=discovery.message.handset)
    due_at = at if happening is Happening.DISCOVERED else message.due_at
    return move(message, happening, why, at=at, due_at=due_at, telling=told)


def _reason(discovery: Change) -> str:
    message, reason = discovery.message, f"device discovery: {discovery.event.reason}"
    if not message.state.final:
        return reason
    if message.state is State.DELIVERED and message.handset:
        return f"{reason}; the phone is a {message.handset}"
    return f"{reason}; the handset stays unknown"
