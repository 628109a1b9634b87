"""Who is calling, and whether they may (API contract 3, checks 3 to 7)."""

from collections.abc import Callable

from mmsgate.accept.rates import Rates
from mmsgate.domain.account import Account, hash_key
from mmsgate.domain.request import Action, ApiRequest
from mmsgate.errors import Refusal
from mmsgate.store.accounts import Directory

_ACTIONS = {action.value.lower(): action for action in Action}


class Callers:
    """Finds the account behind a request."""

    def __init__(self, directory: Callable[[], Directory], rates: Rates) -> None:
        self._directory, self._rates = directory, rates

    async def admit(self, request: ApiRequest, address: str) -> tuple[Account, Action]:
        """The account and action of a call from `address`; raises `Refusal` by the first check that fails."""
        account = self.authenticate(request.api_key or "", address)
        action = _action(request.action, account)
        await self._rates.admit(account, action)
        return account, action

    def authenticate(self, api_key: str, address: str) -> Account:
        """The account behind a key: E104, E105, E112."""
        account = self._directory().account_of(hash_key(api_key)) if api_key else None
        if account is None:
            raise Refusal("E104")
        if not account.active:
            raise Refusal("E105")
        if not account.admits(address):
            raise Refusal("E112", detail=f"calls from {address} are not allowed for this account")
        return account


def _action(name: str | None, account: Account) -> Action:
    if not name:
        raise Refusal("E100", detail="the request has no action")
    action = _ACTIONS.get(name.strip().lower())
    if action is None:
        raise Refusal("E107", detail=f"there is no action {name[:40]!r}")
    if action not in account.actions:
        raise Refusal("E107", detail=f"this account may not use {action.value}")
    return action
