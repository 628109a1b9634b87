"""The lane of an SMSC: its connection, the delivery by it, and what each tells the other."""

from dataclasses import dataclass
from functools import partial

from mmsgate.bucket import Buckets
from mmsgate.carriers.smsc import SmscProfile
from mmsgate.clock import Clock
from mmsgate.delivery.alarms import Alarms
from mmsgate.delivery.health import Standing
from mmsgate.delivery.lane import Lane
from mmsgate.delivery.mms import BlockReason
from mmsgate.delivery.sms import PageUrl, SmsDelivery
from mmsgate.observe import Observe, unobserved
from mmsgate.postbacks.ledger import Ledger
from mmsgate.sms.client import OnInbound, OnReceipt, SmscConnection
from mmsgate.store import Store

#: Messages worked at once, per place in the window.
LANE_AHEAD = 2
#: With a rate, no more are worked at once than leave in so many seconds: a message waits in the queue, not in hand.
SECONDS_AHEAD = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Carries:
    """What every SMSC's lane works with; `accounts` are the limits of accounts over all lanes."""

    store: Store
    ledger: Ledger
    page_url: PageUrl
    block_reason: BlockReason
    alarms: Alarms
    clock: Clock
    accounts: Buckets[int]
    observe: Observe = unobserved


def smsc_lane(
    profile: SmscProfile, rooms: Carries, *, on_receipt: OnReceipt, on_inbound: OnInbound
) -> tuple[Lane, SmscConnection]:
    """A lane and its connection, neither of them started."""

    async def on_state(problem: str) -> None:
        await delivery.link(problem)
        lane.wake()

    connection = SmscConnection(
        profile.settings(), on_receipt=on_receipt, on_inbound=on_inbound, on_state=on_state,
        on_unreadable=partial(rooms.alarms.unreadable, profile.name),
    )  # fmt: skip
    connection.observe = rooms.observe
    delivery = SmsDelivery(
        profile, smsc=connection, store=rooms.store, ledger=rooms.ledger, page_url=rooms.page_url,
        block_reason=rooms.block_reason, alarms=rooms.alarms, clock=rooms.clock,
    )  # fmt: skip
    delivery.gate.close()  # until it is bound
    lane = Lane(
        profile.name, delivery, store=rooms.store, clock=rooms.clock, slots=slots(profile), gate=delivery.gate,
        accounts=rooms.accounts, standing=lambda: Standing.UP if connection.bound else Standing.DOWN,
    )  # fmt: skip
    return lane, connection


def slots(profile: SmscProfile) -> int:
    """How many messages are worked at once."""
    most = profile.pace.window * LANE_AHEAD
    return min(most, max(1, round(profile.pace.rate * SECONDS_AHEAD))) if profile.pace.rate else most
