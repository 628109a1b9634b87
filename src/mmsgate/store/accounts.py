"""Accounts, keys, numbers, block lists and carrier profiles: what the command line manages.

A running gateway works on a `Directory`, a picture of all of it in memory, and makes a new one when the revision
has gone up. Block lists stay in the store: they can be long, and a change must count at once.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace

from mmsgate.clock import Millis
from mmsgate.domain.account import (
    Account,
    Block,
    BlockOrigin,
    Compat,
    PostbackSettings,
    RateLimits,
    Sender,
    SourceLimits,
    Switches,
)
from mmsgate.domain.number import SenderType
from mmsgate.domain.operators import BUILT_IN, Operators
from mmsgate.domain.optout import OptOutSettings
from mmsgate.domain.request import Action, WireDialect
from mmsgate.store.engine import Engine, Transaction, Work
from mmsgate.store.operators import operators
from mmsgate.store.queries import queries

SQL = queries("accounts")
HAS_PREFIXES = queries("numbers")["has_prefixes"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Directory:
    """A picture of all accounts at one revision. `profiles` are the carriers' profiles as JSON, by name.

    `owners` are the accounts that may send from a number, the oldest first.
    `operators` is the whole table of them; `has_prefixes` says whether it is worth asking for a number's prefix.
    """

    revision: int
    accounts: dict[int, Account]
    by_key: dict[str, int]
    patterns: tuple[Block, ...]
    profiles: dict[str, str]
    owners: dict[str, tuple[int, ...]] = field(default_factory=dict)
    operators: Operators = BUILT_IN
    has_prefixes: bool = False

    def owners_of(self, number: str) -> tuple[Account, ...]:
        """The accounts that have the number, the oldest first."""
        return tuple(self.accounts[account_id] for account_id in self.owners.get(number, ()))

    def account_of(self, key_hash: str) -> Account | None:
        """The account behind the hash of an API key."""
        account_id = self.by_key.get(key_hash)
        return None if account_id is None else self.accounts[account_id]


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyInfo:
    """What may be shown of an API key."""

    label: str
    hint: str
    created_at: Millis
    revoked_at: Millis | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """Something an operator must look at; `times` is how often it happened since `raised_at`."""

    subject: str
    reason: str
    raised_at: Millis
    last_at: Millis
    times: int


class Accounts:
    """Statements about everything that is configured in the database."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def revision(self) -> int:
        """Goes up with every change."""
        return int((await self._engine.read(SQL["revision"]))[0][0])

    async def directory(self) -> Directory:
        """The present picture. (The revision is read first: a change in between is seen the next time.)"""
        read = self._engine.read
        revision = await self.revision()
        senders: dict[int, dict[str, Sender]] = {}
        owners: dict[str, tuple[int, ...]] = {}
        for account_id, number, kind, services in await read(SQL["senders"]):
            owners[number] = (*owners.get(number, ()), account_id)
            senders.setdefault(account_id, {})[number] = Sender(
                number=number, type=SenderType(kind), services=tuple(json.loads(services))
            )
        accounts = {
            row[0]: replace(account_from_json(row[0], row[1], row[2]), senders=senders.get(row[0], {}))
            for row in await read(SQL["accounts"])
        }
        return Directory(
            revision=revision,
            accounts=accounts,
            by_key=dict(await read(SQL["keys"])),
            patterns=tuple(
                Block(account_id=row[0], number=row[1], sender=row[2], reason=row[3])
                for row in await read(SQL["block_patterns"])
            ),
            profiles=dict(await read(SQL["carriers"])),
            owners=owners,
            operators=await operators(self._engine),
            has_prefixes=bool((await read(HAS_PREFIXES))[0][0]),
        )

    async def _configure(self, work: Work[int]) -> int:
        """A change that running gateways have to see."""

        async def bumped(tx: Transaction) -> int:
            result = await work(tx)
            await tx.run(SQL["bump"])
            return result

        return await self._engine.write(bumped)

    async def create(self, name: str, account: Account, *, at: Millis) -> int:
        """A new account; its id. Raises `ValueError` if the name is taken."""

        async def work(tx: Transaction) -> int:
            made = await tx.rows(SQL["insert_account"], (name, account_json(account), at))
            if not made:
                raise ValueError(f"an account named {name!r} exists already")
            return int(made[0][0])

        return await self._configure(work)

    async def update(self, account: Account) -> None:
        """Write an account's settings."""
        await self._configure(lambda tx: tx.run(SQL["update_account"], (account_json(account), account.id)))

    async def add_key(self, account_id: int, key_hash: str, *, label: str, hint: str, at: Millis) -> None:
        """Let a key in."""
        await self._configure(lambda tx: tx.run(SQL["insert_key"], (key_hash, account_id, label, hint, at)))

    async def revoke_key(self, account_id: int, name: str, *, at: Millis) -> int:
        """Shut a key out, by its label or hint; how many."""
        return await self._configure(lambda tx: tx.run(SQL["revoke_key"], (at, account_id, name, name)))

    async def keys(self, account_id: int) -> list[KeyInfo]:
        """An account's keys, oldest first."""
        return [
            KeyInfo(label=row[0], hint=row[1], created_at=row[2], revoked_at=row[3])
            for row in await self._engine.read(SQL["keys_of"], (account_id,))
        ]

    async def put_sender(self, account_id: int, sender: Sender) -> None:
        """Add a number, or change its type and services."""
        services = json.dumps(sender.services)
        parameters = (account_id, sender.number, sender.type.value, services)
        await self._configure(lambda tx: tx.run(SQL["upsert_sender"], parameters))

    async def remove_sender(self, account_id: int, number: str) -> int:
        """Take a number away; how many."""
        return await self._configure(lambda tx: tx.run(SQL["delete_sender"], (account_id, number)))

    # -- block list

    async def block(self, block: Block, *, at: Millis) -> int:
        """Put a number or a pattern on the block list; 0 if it was there already."""
        return await self._configure(lambda tx: insert_block(tx, block, at=at))

    async def opt_out(self, block: Block, *, at: Millis) -> int:
        """Put a plain number on the block list while sending goes on: that is no change of the configuration."""
        return await self._engine.write(lambda tx: insert_block(tx, block, at=at))

    async def unblock(self, account_id: int, number: str, sender: str = "") -> int:
        """Take an entry off; how many."""
        return await self._configure(lambda tx: tx.run(SQL["delete_block"], (account_id, number, sender)))

    async def blocks(self, account_id: int) -> list[Block]:
        """An account's block list."""
        return [
            Block(
                account_id=account_id, number=row[0], sender=row[1], reason=row[2], origin=BlockOrigin(row[3]),
                since=row[4],
            )
            for row in await self._engine.read(SQL["blocks"], (account_id,))
        ]  # fmt: skip

    async def block_reason(self, directory: Directory, account_id: int, sender: str, recipient: str) -> str | None:
        """Why `sender` may not send to `recipient`; None if it may. An empty reason is given a text."""
        found = await self._engine.read(SQL["blocked"], (account_id, recipient, sender))
        if found:
            return str(found[0][0]) or "on the block list"
        for pattern in directory.patterns:
            if pattern.account_id == account_id and pattern.matches(sender, recipient):
                return pattern.reason or f"matches {pattern.number} on the block list"
        return None

    # -- carriers, usage, alarms

    async def put_carrier(self, name: str, profile: str) -> None:
        """Add a carrier profile (JSON), or change it."""
        await self.put_carriers({name: profile})

    async def put_carriers(self, profiles: Mapping[str, str]) -> None:
        """Add or change carrier profiles (JSON by name), all at once."""
        await self._configure(lambda tx: tx.run_many(SQL["upsert_carrier"], list(profiles.items())))

    async def remove_carrier(self, name: str) -> int:
        """Take a carrier profile away; how many. Its messages wait until there is one of that name again."""
        return await self._configure(lambda tx: tx.run(SQL["delete_carrier"], (name,)))

    async def add_calls(self, calls: dict[tuple[int, int], int]) -> None:
        """Count API calls, by (account, UTC day)."""
        parameters = [(account_id, day, count) for (account_id, day), count in calls.items()]
        await self._engine.write(lambda tx: tx.run_many(SQL["add_calls"], parameters))

    async def calls(self, account_id: int, day: int) -> int:
        """API calls of an account on a UTC day, as far as they have been written."""
        found = await self._engine.read(SQL["calls"], (account_id, day))
        return int(found[0][0]) if found else 0

    async def raise_alarm(self, subject: str, reason: str, *, at: Millis) -> None:
        """Tell the operator; the same subject again only counts."""
        await self._engine.run(SQL["raise_alarm"], (subject, reason, at, at))

    async def clear_alarm(self, subject: str, *, at: Millis) -> int:
        """The cause is gone; how many alarms ended."""
        return await self._engine.run(SQL["clear_alarm"], (at, subject))

    async def alarms(self) -> list[Alarm]:
        """What is open, oldest first."""
        return [
            Alarm(subject=row[0], reason=row[1], raised_at=row[2], last_at=row[3], times=row[4])
            for row in await self._engine.read(SQL["open_alarms"])
        ]


async def insert_block(tx: Transaction, block: Block, *, at: Millis) -> int:
    """One entry of a block list; 0 if it was there already."""
    row = (block.account_id, block.number, block.sender, block.reason, block.origin.value, at)
    return await tx.run(SQL["insert_block"], row)


async def delete_opt_out(tx: Transaction, account_id: int, number: str, sender: str) -> int:
    """Take an entry off that an operator did not make; how many."""
    return await tx.run(SQL["delete_opt_out"], (account_id, number, sender))


def account_json(account: Account) -> str:
    """An account's settings as they are kept (its senders have their own table)."""
    settings = {f.name: getattr(account, f.name) for f in fields(account)}
    for absent in ("id", "name", "senders"):
        del settings[absent]
    settings["actions"] = sorted(account.actions)
    for lists in ("campaigns", "keywords"):
        settings[lists] = {name: sorted(texts) for name, texts in settings[lists].items()}
    for nested in ("rates", "postback", "source_limits", "switches", "optout"):
        settings[nested] = asdict(settings[nested])
    return json.dumps(settings, ensure_ascii=False)


def account_from_json(account_id: int, name: str, text: str) -> Account:
    """An account without its senders. Settings that an older release did not write have their defaults."""
    kept = json.loads(text)
    postback = dict(kept.pop("postback", {}))
    postback["secrets"] = tuple(postback.get("secrets", ()))
    postback["dialect"] = WireDialect(postback["dialect"]) if postback.get("dialect") else None
    optout = dict(kept.pop("optout", {}))
    optout["excluded"] = tuple(optout.get("excluded", ()))
    switches = dict(kept.pop("switches", {}))
    switches["compat"] = Compat(switches.get("compat", Compat.BETTER))
    return Account(
        id=account_id,
        name=name,
        actions=frozenset(map(Action, kept.pop("actions", Action))),
        ip_allow=tuple(kept.pop("ip_allow", ())),
        rates=RateLimits(**kept.pop("rates", {})),
        postback=PostbackSettings(**postback),
        source_limits=SourceLimits(**kept.pop("source_limits", {})),
        campaigns=_lists(kept.pop("campaigns", {})),
        keywords=_lists(kept.pop("keywords", {})),
        optout=OptOutSettings(**optout),
        switches=Switches(**switches),
        **kept,
    )


def _lists(kept: Mapping[str, Iterable[str]]) -> dict[str, frozenset[str]]:
    return {name: frozenset(texts) for name, texts in kept.items()}
