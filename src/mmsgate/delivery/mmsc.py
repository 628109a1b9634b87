"""The lane of an MMSC: its connection, its client and the delivery by them."""

from collections.abc import Callable
from dataclasses import dataclass, field

from mmsgate.bucket import Buckets
from mmsgate.carriers.client import Mm7Client
from mmsgate.carriers.profile import CarrierProfile
from mmsgate.carriers.routing import SmsRoute
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
    connection that went down or came up. `part` says what of a connection's rate this process
    may use. `connections` are those of the lanes that there are or were, by name."""

    store: Store
    ledger: Ledger
    http: HttpClient
    renditions: Renditions
    block_reason: BlockReason
    sms_route: SmsRoute
    accounts: Buckets[int]
    on_change: Callable[[str], None]
    alarms: Alarms
    clock: Clock
    observe: Observe = unobserved
    part: Callable[[str], float] = lambda name: 1.0
    connections: dict[str, Connection] = field(default_factory=dict)

    def connection(self, profile: CarrierProfile) -> Connection:
        """The connection of that profile: the one that is known by its name, if there is one."""
        known = self.connections.get(profile.name)
        if known is not None:
            known.follow(profile)
            return known
        made = self.connections[profile.name] = Connection(
            profile, rows=self.store.queue, alarms=self.alarms, clock=self.clock, on_change=self.on_change
        )
        made.take_part(self.part(profile.name))
        return made


def mmsc_lane(profile: CarrierProfile, rooms: Rooms) -> tuple[Lane, Mm7Client]:
    """A lane, which is not started, and its client."""
    client = Mm7Client(profile, rooms.http, rooms.clock, observe=rooms.observe)
    renditions = rooms.renditions.on(profile)
    connection = rooms.connection(profile)  # now that nothing can fail any more
    delivery = MmsDelivery(
        profile, client=client, store=rooms.store, ledger=rooms.ledger, renditions=renditions,
        block_reason=rooms.block_reason, sms_route=rooms.sms_route, connection=connection,
        clock=rooms.clock,
    )  # fmt: skip
    lane = Lane(
        profile.name, delivery, store=rooms.store, clock=rooms.clock, slots=profile.pace.connections * SLOTS,
        gate=connection, accounts=rooms.accounts, senders=connection.senders,
        standing=lambda: connection.health.standing,
    )  # fmt: skip
    return lane, client
