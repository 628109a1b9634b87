"""The kinds of phone. A recipient's row has one; a page or a test may look at the message through another."""

from dataclasses import dataclass, replace

from mmsgate.simulator.android import strictly
from mmsgate.simulator.message import Kind, Message
from mmsgate.simulator.shown import Showing, by_smil, in_order


@dataclass(frozen=True, slots=True, kw_only=True)
class Handset:
    """One kind of phone."""

    name: str
    title: str
    showing: Showing


USUAL = Handset(name="usual", title="follows the SMIL and forgives much", showing=by_smil)
PLAIN = Handset(name="plain", title="ignores SMIL: it shows the parts in the order they came", showing=in_order)
ANDROID = Handset(name="android", title="is as strict as Android", showing=strictly)

HANDSETS = {one.name: one for one in (USUAL, PLAIN, ANDROID)}


def look(message: Message, handset: Handset) -> Message:
    """The message as it is seen on that phone; an SMS is the same on each."""
    if message.kind is Kind.SMS:
        return message
    shown = handset.showing(message.content, message.parts)
    return replace(
        message,
        parts=shown.parts,
        slides=shown.slides,
        attachments=shown.attachments,
        text=shown.text,
        hidden=shown.hidden,
    )
