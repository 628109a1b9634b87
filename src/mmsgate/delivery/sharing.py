"""What of this process's delivery is shared with others: its connections, and the rates of accounts."""

from collections.abc import Callable, Mapping
from typing import Protocol

from mmsgate.bucket import Buckets
from mmsgate.clock import Clock
from mmsgate.delivery.shares import ShareKeeper
from mmsgate.domain.account import Account
from mmsgate.domain.share import BUSY
from mmsgate.store import Wish
from mmsgate.store.shares import Shares

#: A rate at which nothing leaves: others have all of it.
NEXT_TO_NOTHING = 0.001


class Sharer(Protocol):
    """A connection whose rate is shared."""

    @property
    def wish(self) -> Wish:
        """What it asks for."""
        ...

    def take_part(self, part: float) -> bool:
        """Use that part from now on; whether that is news."""
        ...


class Sharing:
    """Asks for the parts, and hands them out. `turns` are the limits of the accounts, over all connections here.

    `connections` are those that there are, by name; `wake` is called with the name of one that has another part.
    """

    def __init__(
        self, shares: Shares | None, node: str, *, connections: Callable[[], Mapping[str, Sharer]],
        account: Callable[[int], Account | None], wake: Callable[[str], None], clock: Clock,
    ) -> None:  # fmt: skip
        self._connections, self._account, self._wake = connections, account, wake
        self._clock = clock
        self._keeper = ShareKeeper(shares, node, self._wishes, on_change=self._hand_out, clock=clock)
        self.turns: Buckets[int] = Buckets(self._delivery_rate)
        self.start, self.stop = self._keeper.start, self._keeper.stop
        self.part, self.ask = self._keeper.part, self._keeper.wish

    def _delivery_rate(self, account_id: int) -> float:
        """The messages a second that may be delivered here of an account's; 0: no limit."""
        account = self._account(account_id)
        rate = account.rates.delivery if account else 0
        return max(rate * self.part(_of_account(account_id)), NEXT_TO_NOTHING) if rate else 0

    def _wishes(self) -> dict[str, Wish]:
        wishes = {name: each.wish for name, each in self._connections().items()}
        for account_id in self.turns.used(self._clock.now()):
            account = self._account(account_id)
            if account is not None:
                units = max(1, round(account.rates.delivery))
                wishes[_of_account(account_id)] = Wish(units=units, weight=BUSY)
        return wishes

    def _hand_out(self) -> None:
        for name, each in self._connections().items():
            if each.take_part(self.part(name)):
                self._wake(name)


def _of_account(account_id: int) -> str:
    """No connection's name has a blank."""
    return f"account {account_id}"
