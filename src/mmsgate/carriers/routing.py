"""Which carrier connection takes a number, and why it can't be taken (E619, E628)."""

from collections.abc import Iterable
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
    """The connection that a message goes to, and the reason for people."""

    profile: CarrierProfile
    reason: str


def route(profiles: Iterable[CarrierProfile], *, operator: str, sender_type: SenderType) -> Route | NoRoute:
    """The connection for a recipient of `operator` (empty: unknown); one that names the operator comes first."""
    reaching = sorted(
        (profile for profile in profiles if profile.serves(operator)),
        key=lambda profile: ("*" in profile.reach.operators, profile.name),
    )
    if not reaching:
        return NoRoute.NO_CARRIER
    for profile in reaching:
        if sender_type in profile.reach.sender_types:
            who = f"operator {operator}" if operator else "an unknown operator"
            return Route(profile=profile, reason=f"{profile.name} serves {who}")
    return NoRoute.NOT_PROVISIONED
