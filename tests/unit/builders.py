"""Values for tests, with everything filled in but what a test is about."""

from dataclasses import replace
from typing import Any

from mmsgate.carriers.profile import CarrierProfile
from mmsgate.clock import DAY, ManualClock
from mmsgate.domain.account import Account, Sender
from mmsgate.domain.message import Fallback, Message
from mmsgate.domain.number import SenderType
from mmsgate.domain.request import WireDialect

NOW = ManualClock().time


def altered(profile: CarrierProfile, **sections: dict[str, Any]) -> CarrierProfile:
    """A profile with other settings in some sections: ``altered(SIM, pace={"connections": 2})``."""
    changed = {name: replace(getattr(profile, name), **settings) for name, settings in sections.items()}
    return replace(profile, **changed)


def a_fallback(**changes: Any) -> Fallback:
    whole = Fallback(enabled=True, text="Look:", link=True, token="t" * 22, expires_at=NOW + 365 * DAY)
    return replace(whole, **changes)


def a_message(**changes: Any) -> Message:
    whole = Message(
        id=7, tracking_id="trackingtrackingtrack1", account_id=1, mms_id=5, content_id=5, dialect=WireDialect.KEBAB,
        sender="28444",
        sender_type=SenderType.SHORT_CODE, sender_mask="", recipient="12065550100", operator="31002",
        service_id="32113", fallback=a_fallback(), accepted_at=NOW, expires_at=NOW + 3 * DAY, connection="sim",
        due_at=NOW, updated_at=NOW,
    )  # fmt: skip
    return replace(whole, **changes)


def an_account(**changes: Any) -> Account:
    sender = Sender(number="28444", type=SenderType.SHORT_CODE, services=("32113",))
    return replace(Account(id=1, name="test", senders={"28444": sender}), **changes)
