"""A small cache of what was used last."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Recent(Generic[K, V]):
    """Keeps the `most` entries that were used last, and no more than `budget` of what `weigh` says of them."""

    def __init__(self, most: int, *, weigh: Callable[[V], int] = lambda _: 0, budget: int = 0) -> None:
        self._most, self._weigh, self._budget = most, weigh, budget
        self._weight = 0
        self._entries: OrderedDict[K, V] = OrderedDict()

    def get(self, key: K) -> V | None:
        value = self._entries.get(key)
        if value is not None:
            self._entries.move_to_end(key)
        return value

    def put(self, key: K, value: V) -> V:
        """Keep a value, unless it weighs more than the budget, and hand it back."""
        self.drop(key)
        if self._weigh(value) > self._budget:
            return value
        self._entries[key] = value
        self._weight += self._weigh(value)
        while len(self._entries) > self._most or self._weight > self._budget:
            _, dropped = self._entries.popitem(last=False)
            self._weight -= self._weigh(dropped)
        return value

    def drop(self, key: K) -> None:
        """Forget an entry, if it is there."""
        if key in self._entries:
            self._weight -= self._weigh(self._entries.pop(key))

    def __len__(self) -> int:
        return len(self._entries)
