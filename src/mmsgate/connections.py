"""The carrier connections in force: lanes are opened, replaced and shut as the kept profiles say."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping

from mmsgate.carriers.profile import CarrierProfile
from mmsgate.carriers.record import Profile, profile_from_json
from mmsgate.delivery.alarms import Alarms
from mmsgate.delivery.dispatcher import Dispatcher
from mmsgate.delivery.lane import Lane
from mmsgate.store import Store

log = logging.getLogger("mmsgate")

Close = Callable[[], Awaitable[None]]
#: Makes the lane of a profile, which is not started, and says how to free what it works with.
MakeLane = Callable[[Profile], Awaitable[tuple[Lane, Close]]]


class Connections:
    """Opens and shuts. `carriers` are the profiles of the MMSCs whose lanes are open, by name.

    Where no lanes are made (`make` is None) they are the profiles that could be used.

    `on_carrier` is told the name of an MMSC whose lane has been opened, `on_gone` the name of a connection that has
    no profile any more, once its lane has ended: what is known of it is not needed any more.
    """

    def __init__(self, *, make: MakeLane | None, dispatcher: Dispatcher, store: Store, alarms: Alarms) -> None:
        self._make, self._dispatcher, self._store, self._alarms = make, dispatcher, store, alarms
        self.on_carrier: Callable[[str], None] = lambda name: None
        self.on_gone: Callable[[str], None] = lambda name: None
        self.carriers: dict[str, CarrierProfile] = {}
        self._opened: dict[str, str] = {}  # profiles as their lanes were built
        self._failed: dict[str, str] = {}  # by name: why, as it was told
        self._turn = asyncio.Lock()

    async def follow(self, profiles: Mapping[str, str]) -> None:
        """Open what is new or changed or could not be opened the last time, shut what is gone.

        `profiles` are all that there are, JSON by name.
        """
        async with self._turn:
            for name in (self._opened.keys() | self._failed.keys()) - profiles.keys():
                await self._shut(name)
            for name, text in profiles.items():
                if self._opened.get(name) != text:
                    await self._try(name, text)

    async def _shut(self, name: str) -> None:
        self._opened.pop(name, None)
        self._failed.pop(name, None)
        self.carriers.pop(name, None)
        self._dispatcher.shut(name)
        await self._alarms.clear(_unusable(name))

    async def _try(self, name: str, text: str) -> None:
        """One profile that can't be used must not keep the others from being opened."""
        try:
            await self._open(profile_from_json(text))
        except Exception as error:  # noqa: BLE001  # `_complain` logs it with its traceback
            await self._complain(name, error)
        else:
            self._opened[name] = text
            self._failed.pop(name, None)
            await self._alarms.clear(_unusable(name))

    async def _complain(self, name: str, error: Exception) -> None:
        """Once, until the words change: it is tried again every minute."""
        why = f"{type(error).__name__}: {error}"
        if self._failed.get(name) == why:
            return
        self._failed.setdefault(name, "")  # it is to be shut also if the alarm can't be written
        log.error("%s; the connection stays as it was", _unusable(name), exc_info=error)
        await self._alarms.raise_(_unusable(name), why)
        self._failed[name] = why

    async def _open(self, profile: Profile) -> None:
        name = profile.name
        if self._make is None:
            self._use(profile)
            return
        lane, close = await self._make(profile)

        async def closed() -> None:
            await close()
            if name not in self._opened:
                self.on_gone(name)
                await self._end_alarms(name)

        self._use(profile)
        self._dispatcher.open(name, lane, closed)
        if name in self.carriers:
            self.on_carrier(name)

    def _use(self, profile: Profile) -> None:
        if isinstance(profile, CarrierProfile):
            self.carriers[profile.name] = profile
        else:
            self.carriers.pop(profile.name, None)  # the name was an MMSC's

    async def _end_alarms(self, name: str) -> None:
        """What troubled a connection that is gone troubles nobody; its last requests may have raised some."""
        for alarm in await self._store.accounts.alarms():
            if alarm.subject.startswith(f"{name} "):  # "acme is down", "acme refuses us", "sms has no bind"
                await self._alarms.clear(alarm.subject)


def _unusable(name: str) -> str:
    return f"the profile of {name} can't be used"
