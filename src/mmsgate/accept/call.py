"""Who asks."""

from dataclasses import dataclass

from mmsgate.domain.account import Account
from mmsgate.domain.request import WireDialect


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """Who asks, in which dialect, and under which Idempotency-Key (empty: none)."""

    account: Account
    dialect: WireDialect
    idempotency_key: str = ""
