"""What may be sent to a number: whose it is, the connections that take it, and what each lets through.

The checks are those of sending an MMS, in its order: E201/E110, E111, E650/E651, E618, E619, E628. The block list
is not asked (E114), and there is no SMS instead of E628: what is asked for are the limits of an MMS.
"""

from dataclasses import dataclass

from mmsgate.accept.addressing import Address, check_operator, check_recipient, check_sender
from mmsgate.accept.operators import Found
from mmsgate.accept.router import NO_MMS, Router
from mmsgate.carriers.limits import CarrierLimit, carrier_limit
from mmsgate.carriers.routing import NoRoute, Route, first_up
from mmsgate.domain.account import Account
from mmsgate.errors import Refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """A connection that takes the message. `chosen` says that it would get one that is sent now."""

    route: Route
    limit: CarrierLimit
    is_up: bool
    chosen: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RecipientLimits:
    """Everything that is known of a message to that address before it is written. `options` are in their order."""

    address: Address
    found: Found
    options: tuple[Option, ...]


class LimitsWorkflow:
    """Says it. Nothing is sent and nothing stored, except what the lookup says if it is asked."""

    def __init__(self, router: Router) -> None:
        self._router = router

    async def run(
        self, to: str | None, sender: str | None, operator_id: str | None, account: Account
    ) -> RecipientLimits:
        """The limits, or the `Refusal` that an MMS would get."""
        recipient = check_recipient(to, account)
        own = check_sender(sender, account)
        operator = check_operator(operator_id, account, self._router.operators)
        address = Address(recipient=recipient, sender=own, mask="", service_id="", operator=operator)
        found, routes = await self._router.routes(address, account)
        if not (routes and found.mms):
            raise Refusal("E628", detail=f"{NO_MMS if routes else NoRoute.NO_CARRIER.value}; {found}")
        chosen = first_up(routes, self._router.is_up)
        return RecipientLimits(
            address=address, found=found,
            options=tuple(
                Option(
                    route=each, limit=carrier_limit(each.profile, found.id, own.type),
                    is_up=self._router.is_up(each.profile.name), chosen=each is chosen,
                )
                for each in routes
            ),
        )  # fmt: skip
