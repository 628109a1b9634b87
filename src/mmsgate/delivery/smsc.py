"""The lane of an SMSC: its connection, the delivery by it, and what each tells the other."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from mmsgate.bucket import Buckets
from mmsgate.carriers.smsc import SmscProfile
from mmsgate.clock import Clock
from mmsgate.delivery.alarms import Alarms
from mmsgate.delivery.health import Standing
from mmsgate.delivery.lane import Lane
from mmsgate.delivery.link import Link
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
    """What every SMSC's lane works with; `accounts` are the limits of accounts over all lanes, `links` what is
    known of the SMSCs whose lanes there are or were, by name. `on_change` is told the name of one that went down or
    came up, `part` says what of an SMSC's rate this process may use."""

    store: Store
    ledger: Ledger
    page_url: PageUrl
    block_reason: BlockReason
    alarms: Alarms
    clock: Clock
    accounts: Buckets[int]
    on_change: Callable[[str], None]
    observe: Observe = unobserved
    part: Callable[[str], float] = lambda name: 1.0
    links: dict[str, Link] = field(default_factory=dict)

    def link(self, profile: SmscProfile) -> Link:
        """What is known of the SMSC by its name."""
        known = self.links.get(profile.name)
        if known is not None:
            known.follow(profile)
            return known
        made = self.links[profile.name] = Link(
            profile, rows=self.store.queue, alarms=self.alarms, clock=self.clock, on_change=self.on_change
        )
        made.take_part(self.part(profile.name))
        return made


def smsc_lane(
    profile: SmscProfile, rooms: Carries, *, on_receipt: OnReceipt, on_inbound: OnInbound
) -> tuple[Lane, SmscConnection]:
    """A lane and its connection, neither of them started."""

    async def on_state(problem: str) -> None:
        await link.told(connection, problem)
        lane.wake()

    link = rooms.link(profile)
    connection = SmscConnection(
        profile.settings(), on_receipt=on_receipt, on_inbound=on_inbound, on_state=on_state,
        on_unreadable=partial(rooms.alarms.unreadable, profile.name), outflow=link.outflow,
    )  # fmt: skip
    connection.observe = rooms.observe
    delivery = SmsDelivery(
        profile, smsc=connection, store=rooms.store, ledger=rooms.ledger, page_url=rooms.page_url,
        block_reason=rooms.block_reason, link=link, clock=rooms.clock,
    )  # fmt: skip
    link.begin(connection)
    lane = Lane(
        profile.name, delivery, store=rooms.store, clock=rooms.clock, slots=slots(profile), gate=link,
        accounts=rooms.accounts, senders=link.senders,
        standing=lambda: Standing.UP if connection.bound else Standing.DOWN,
    )  # fmt: skip
    return lane, connection


def slots(profile: SmscProfile) -> int:
    """How many messages are worked at once."""
    most = profile.pace.window * LANE_AHEAD
    return min(most, max(1, round(profile.pace.rate * SECONDS_AHEAD))) if profile.pace.rate else most
