"""What of a gateway its operator sees: which numbers, and which checks make it ready."""

from mmsgate.app import Gateway
from mmsgate.ops import sources
from mmsgate.ops.process import Ops


def show(ops: Ops, gateway: Gateway) -> None:
    """Tell `ops` of everything in one process."""
    store, clock = gateway.store, gateway.clock
    ops.snapshot.add("lanes", sources.lanes(gateway.dispatcher))
    ops.snapshot.add(
        "backlogs", sources.backlogs(store, clock, lambda: gateway.watch().profiles), every=sources.BACKLOG_EVERY
    )
    ops.snapshot.add("transactions", sources.transactions(store))
    ops.snapshot.add("media", sources.media(gateway.fetcher, gateway.intake))
    ops.snapshot.add("adaptation", sources.adaptation(gateway.adapter, gateway.encoder))
    ops.readiness.add("store can be read", store.health.read)
    ops.readiness.add("store can be written", store.health.write)
    ops.readiness.add("migrations are applied", store.health.schema)
    ops.readiness.add("blobs can be kept", lambda: gateway.blobs.put_bytes(PROBE))


#: A blob that is there for the asking: nobody refers to it, so that it goes with the next cleaning and comes again.
PROBE = b"mmsgate asks whether blobs can be kept\n"
