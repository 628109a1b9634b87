"""Versions of contents: looked up, made at once where only pictures have to change, or found missing.

A version is made once, kept in the store and remembered here. Sound and video take too long for the delivery: where
their version is missing, a preparation makes it (`preparer`).
"""

from typing import Protocol

from mmsgate.clock import Clock, Millis
from mmsgate.domain.message import Content
from mmsgate.domain.rendition import BrokenMedium, Misfit, Terms, Version, plays
from mmsgate.flights import Flights
from mmsgate.media.adapter import Adapter
from mmsgate.media.probe import AvBroken
from mmsgate.recent import Recent

_REMEMBERED = 1_000


class Kept(Protocol):
    """Where versions are kept (the store's renditions)."""

    async def get(self, content_id: int, key: str) -> Version | Misfit | None:
        """What was made of the content for the terms of that key."""
        ...

    async def put(self, content_id: int, key: str, made: Version | Misfit, *, at: Millis) -> None:
        """Keep it."""
        ...


class Versions:
    """The versions of every content. One asked for by many at once is made once."""

    def __init__(self, kept: Kept, adapter: Adapter, clock: Clock) -> None:
        self._kept, self._adapter, self._clock = kept, adapter, clock
        self._known: Recent[tuple[int, str], Version | Misfit] = Recent(_REMEMBERED)
        self._flights: Flights[tuple[int, str], Version | Misfit | BrokenMedium] = Flights()

    async def known(self, content_id: int, terms: Terms) -> Version | Misfit | None:
        """What has been made for these terms, now or in an earlier run."""
        key = (content_id, terms.key)
        found = self._known.get(key)
        if found is None and (kept := await self._kept.get(*key)) is not None:
            found = self._known.put(key, kept)
        return found

    async def inspect(self, content: Content) -> BrokenMedium | None:
        """The first sound or video whose header alone says that it can't be used."""
        played = ((n, each) for n, slide in enumerate(content.slides, 1) for each in slide.media if each.plays)
        for number, medium in played:
            found = await self._adapter.inspect(medium, owner=str(content.account_id))
            if isinstance(found, AvBroken):
                return BrokenMedium(slide=number, medium=medium, reason=found.reason)
        return None

    async def find(self, content: Content, terms: Terms) -> Version | Misfit | None:
        """The version; None if sound or video has to be prepared for it first."""
        found = await self.known(content.id, terms)
        if found is not None or plays(content.slides):
            return found
        made = await self.make(content, terms)
        assert not isinstance(made, BrokenMedium)  # pictures have been decoded before they were kept
        return made

    async def make(self, content: Content, terms: Terms) -> Version | Misfit | BrokenMedium:
        """The version, made now if there is none. Raises CageError and OSError if the fault is ours."""
        found = await self.known(content.id, terms)
        if found is not None:
            return found
        return await self._flights.join((content.id, terms.key), lambda: self._make(content, terms))

    async def _make(self, content: Content, terms: Terms) -> Version | Misfit | BrokenMedium:
        made = await self._adapter.adapt(content.slides, terms, owner=str(content.account_id))
        if isinstance(made, BrokenMedium) or (isinstance(made, Misfit) and made.passing):
            return made
        await self._kept.put(content.id, terms.key, made, at=self._clock.now())
        return self._known.put((content.id, terms.key), made)
