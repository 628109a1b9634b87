"""Which carrier connections take a number, in which order, and why none does (E619, E628)."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

from mmsgate.carriers.profile import CarrierProfile
from mmsgate.domain.number import SenderType


class NoRoute(StrEnum):
    """Why no connection takes a message."""

    NO_CARRIER = "no carrier connection reaches this operator"
    NOT_PROVISIONED = "the carrier connection is not provisioned for this type of sender"


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """A connection that takes a message, and what for: its operator (empty: unknown) or a prefix of its number."""

    profile: CarrierProfile
    operator: str
    prefix: str = ""

    @property
    def reason(self) -> str:
        """Why this connection, for people."""
        who = f"operator {self.operator}" if self.operator else "an unknown operator"
        where = f" for numbers that begin with {self.prefix}" if self.prefix else ""
        return f"{self.profile.name} serves {who}{where}"


def route(
    profiles: Iterable[CarrierProfile], *, operator: str, recipient: str, sender_type: SenderType
) -> tuple[Route, ...] | NoRoute:
    """The connections for a recipient of `operator` (empty: unknown), the first choice first.

    One that names the operator comes before one that serves everybody, then the one with the longest fitting
    prefix, then the lowest priority, then the first name. An empty `recipient` stands for any number.
    """
    reaching = [found for profile in profiles if (found := _reach(profile, operator, recipient))]
    if not reaching:
        return NoRoute.NO_CARRIER
    open_to = [each for each in reaching if sender_type in each.profile.reach.sender_types]
    return tuple(sorted(open_to, key=_order)) or NoRoute.NOT_PROVISIONED


def first_up(routes: tuple[Route, ...], is_up: Callable[[str], bool]) -> Route:
    """The first whose connection is up; where none is, the first choice, for its queue waits as well as any."""
    return next((each for each in routes if is_up(each.profile.name)), routes[0])


def _reach(profile: CarrierProfile, operator: str, recipient: str) -> Route | None:
    """How the connection reaches the number, if it does (see `Reach`)."""
    reach = profile.reach
    prefix = max((each for each in reach.prefixes if recipient.startswith(each)), key=len, default="")
    fits = bool(prefix) or not recipient
    everybody = "*" in reach.operators and (fits or not reach.prefixes)
    if operator in reach.operators or everybody or (fits and reach.prefixes and not operator):
        return Route(profile=profile, operator=operator, prefix=prefix)
    return None


def _order(found: Route) -> tuple[bool, int, int, str]:
    reach = found.profile.reach
    return found.operator not in reach.operators, -len(found.prefix), reach.priority, found.profile.name
