"""Which way a message goes: whose number it is, and the connection that takes it (E618, E619, E628)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from mmsgate.accept.addressing import Address
from mmsgate.accept.operators import Found, OperatorFinder, check_found
from mmsgate.carriers.profile import CarrierProfile
from mmsgate.carriers.routing import NoRoute, Route, first_up, route, sms_route
from mmsgate.domain.account import Account
from mmsgate.domain.message import Fallback
from mmsgate.domain.operators import Operators
from mmsgate.errors import Refusal

Profiles = Callable[[], Sequence[CarrierProfile]]

NO_MMS = "the lookup says that the number takes no MMS"


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """Whose number it is, and the carrier connection that is to take the message.

    `no_mms` is why it can't be an MMS at all; then its SMS goes by that connection's SMSC, `sms` (G-06).
    """

    found: Found
    profile: CarrierProfile
    no_mms: str = ""
    sms: str = ""


class Router:
    """Chooses. `is_up` tells whether a connection takes messages now, `has_connection` whether there is one."""

    def __init__(
        self, *, finder: OperatorFinder, profiles: Profiles, is_up: Callable[[str], bool],
        has_connection: Callable[[str], bool],
    ) -> None:  # fmt: skip
        self._finder, self._profiles = finder, profiles
        self.is_up, self._has_connection = is_up, has_connection

    @property
    def operators(self) -> Operators:
        """The table of operators as it is now."""
        return self._finder.operators

    async def way(self, address: Address, account: Account, fallback: Fallback) -> Way:
        """The way of a message. E618, E619; E628 where the account does not want an SMS instead."""
        found, routes = await self.routes(address, account)
        if not (routes and found.mms):
            return self._without_mms(found, routes, account, fallback)
        return Way(found=found, profile=first_up(routes, self.is_up).profile)

    async def routes(self, address: Address, account: Account) -> tuple[Found, tuple[Route, ...]]:
        """Whose number it is, and the connections that take it, the first choice first. E618, E619.

        No connections: none reaches the operator.
        """
        found = await self._finder.find(address.recipient, address.operator, account)
        check_found(found, account)
        routes = route(
            self._profiles(), operator=found.id, recipient=address.recipient, sender_type=address.sender.type
        )
        if routes is NoRoute.NOT_PROVISIONED:
            raise Refusal("E619", detail=f"{routes.value}; {found}")
        return found, () if isinstance(routes, NoRoute) else routes

    def _without_mms(self, found: Found, routes: tuple[Route, ...], account: Account, fallback: Fallback) -> Way:
        """The connection whose SMSC gets the SMS, where the account wants that and there is one; else E628."""
        if routes:
            reason, connections = NO_MMS, [each.profile for each in routes]
        else:
            reason, connections = NoRoute.NO_CARRIER.value, sorted(self._profiles(), key=_preference)
        if account.switches.fallback_unsupported and fallback.enabled and (fallback.text or fallback.link):
            for profile in connections:
                sms = sms_route(profile.reach.sms, has_connection=self._has_connection, is_up=self.is_up)
                if sms:
                    return Way(found=found, profile=profile, no_mms=reason, sms=sms)
        raise Refusal("E628", detail=f"{reason}; {found}")


def _preference(profile: CarrierProfile) -> tuple[int, str]:
    return profile.reach.priority, profile.name
