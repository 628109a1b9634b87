"""The lane of an MMSC: its connection, its client and the delivery by them."""

from collections.abc import Callable
from dataclasses import dataclass

from mmsgate.bucket import Buckets
from mmsgate.carriers.client import Mm7Client
from mmsgate.carriers.profile import CarrierProfile
from mmsgate.clock import Clock
from mmsgate.delivery.alarms import Alarms
from mmsgate.delivery.connection import Connection
from mmsgate.delivery.lane import Lane
from mmsgate.delivery.mms import BlockReason, MmsDelivery
from mmsgate.delivery.rendition import Renditions
from mmsgate.http import HttpClient
from mmsgate.observe import Observe, unobserved
from mmsgate.postbacks.ledger import Ledger
from mmsgate.store import Store

#: Messages in hand at most, per connection that may be busy; `Connection` says how many of them it wants.
SLOTS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Rooms:
    """What every MMSC's lane works with. `accounts` are the limits of accounts, `on_change` is told the name of a
    connection that went down or came up."""

    store: Store
    ledger: Ledger
    http: HttpClient
    renditions: Renditions
    block_reason: BlockReason
    has_connection: Callable[[str], bool]
    accounts: Buckets[int]
    on_change: Callable[[str], None]
    alarms: Alarms
    clock: Clock
    observe: Observe = unobserved


def mmsc_lane(profile: CarrierProfile, rooms: Rooms) -> tuple[Lane, Mm7Client]:
    """A lane, which is not started, and its client."""
    client = Mm7Client(profile, rooms.http, rooms.clock, observe=rooms.observe)
    connection = Connection(profile, alarms=rooms.alarms, clock=rooms.clock, on_change=rooms.on_change)
    delivery = MmsDelivery(
        profile, client=client, store=rooms.store, ledger=rooms.ledger, renditions=rooms.renditions.on(profile),
        block_reason=rooms.block_reason, has_connection=rooms.has_connection, connection=connection,
        clock=rooms.clock,
    )  # fmt: skip
    lane = Lane(
        profile.name, delivery, store=rooms.store, clock=rooms.clock, slots=profile.pace.connections * SLOTS,
        gate=connection, accounts=rooms.accounts, sender_rate=profile.pace.sender_rate,
        standing=lambda: connection.health.standing,
    )  # fmt: skip
    return lane, client
