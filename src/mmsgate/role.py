"""What a process does of all that a gateway has to do."""

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """The command that a process was started with."""

    SERVE = "serve"
    API = "api"
    WORKER = "worker"
    MEDIA = "media"
    PAGES = "pages"

    @property
    def duties(self) -> "Duties":
        """What it has to do."""
        return _DUTIES[self]


@dataclass(frozen=True, slots=True, kw_only=True)
class Duties:
    """`accepts` requests of customers and reports of carriers, `delivers` messages and postbacks and keeps house,
    `prepares` sounds and videos, `shows` pages and files.
    """

    accepts: bool = False
    delivers: bool = False
    prepares: bool = False
    shows: bool = False

    @property
    def listens(self) -> bool:
        """Whether there is anything to ask it."""
        return self.accepts or self.shows

    @property
    def adapts(self) -> bool:
        """Whether it looks into media, or makes versions of them."""
        return self.accepts or self.delivers or self.prepares


_DUTIES = {
    Role.SERVE: Duties(accepts=True, delivers=True, prepares=True, shows=True),
    Role.API: Duties(accepts=True),
    Role.WORKER: Duties(delivers=True),
    Role.MEDIA: Duties(prepares=True),
    Role.PAGES: Duties(shows=True),
}
