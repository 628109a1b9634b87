"""Alarms over a real store: which of them end by themselves."""

from mmsgate.clock import SECOND, ManualClock
from mmsgate.delivery.alarms import READABLE_FOR, Alarms
from mmsgate.store import Store


async def test_an_alarm_about_what_cannot_be_read_ends_a_day_after_the_last_of_it(store: Store) -> None:
    clock = ManualClock()
    alarms = Alarms(store, clock)
    await alarms.raise_("acme is down", "not sent: connection refused")
    await alarms.unreadable("acme", "it is no XML")
    clock.time += READABLE_FOR - SECOND
    await alarms.unreadable("acme", "it is no XML either")
    clock.time += READABLE_FOR - SECOND
    await alarms.end_unreadable()
    assert [each.subject for each in await store.accounts.alarms()] == [
        "acme is down",
        "acme sends what can't be read",
    ]
    clock.time += SECOND
    await alarms.end_unreadable()
    assert [each.subject for each in await store.accounts.alarms()] == ["acme is down"]
