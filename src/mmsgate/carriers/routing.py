"""Which carrier connections take a number, in which order, and why none does (E619, E628)."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from mmsgate.carriers.profile import CarrierProfile
from mmsgate.domain.number import SenderType

#: Names of SMSCs in order in, the one that carries an SMS now out (`sms_route`).
SmsRoute = Callable[[Sequence[str]], str]


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


def sms_route(names: Iterable[str], *, has_connection: Callable[[str], bool], is_up: Callable[[str], bool]) -> str:
    """The SMSC that carries an SMS, of those in order: the first that is up, else the first that there is.

    Empty: there is none of them.
    """
    there = [name for name in names if has_connection(name)]
    return next(filter(is_up, there), there[0] if there else "")


def sms_after(
    profiles: Sequence[CarrierProfile], connection: str, *, operator: str, recipient: str, sender_type: SenderType
) -> tuple[str, ...]:
    """The SMSCs that carry what waits at `connection` when that is down, the first choice first.

    They are those of the MMSC that takes the recipient; where none does, those of the first that names the SMSC.
    """
    routes = route(profiles, operator=operator, recipient=recipient, sender_type=sender_type)
    taking = [] if isinstance(routes, NoRoute) else [each.profile for each in routes]
    others = sorted(profiles, key=lambda each: (each.reach.priority, each.name))
    lists = (each.reach.sms for each in [*taking, *others] if connection in each.reach.sms)
    return tuple(name for name in next(lists, ()) if name != connection)


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
