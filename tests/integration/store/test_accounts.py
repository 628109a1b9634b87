"""Accounts in the store: settings survive, changes raise the revision, block lists match."""

import pytest

from mmsgate.domain.account import (
    Account,
    Block,
    Compat,
    PostbackSettings,
    RateLimits,
    Sender,
    SourceLimits,
    Switches,
    hash_key,
)
from mmsgate.domain.number import SenderType
from mmsgate.domain.request import Action, WireDialect
from mmsgate.store import Store
from mmsgate.store.accounts import account_from_json, account_json
from tests.unit.builders import NOW

FULL = Account(
    id=3, name="full", active=False, billing_ok=False, actions=frozenset({Action.SEND_MMS}),
    ip_allow=("10.0.0.0/8",), rates=RateLimits(gap=1, throughput=2, quota=3),
    postback=PostbackSettings(url="http://u", dialect=WireDialect.SKYCORE, schedule="sinch", secrets=("a", "b")),
    source_limits=SourceLimits(image=1), text_limit=160, fallback_enabled=False, fallback_text="t", page_base="http://p",
    operator="31002", campaigns={"c": frozenset({"12065550100"})},
    switches=Switches(compat=Compat.STRICT, strict_media=True, fallback_dlr_code="N202"),
)  # fmt: skip


def test_every_setting_survives() -> None:
    assert account_from_json(3, "full", account_json(FULL)) == FULL


def test_settings_that_an_older_release_did_not_write_have_their_defaults() -> None:
    assert account_from_json(1, "old", "{}") == Account(id=1, name="old")


async def test_a_change_raises_the_revision_and_shows_in_the_directory(store: Store) -> None:
    before = await store.accounts.revision()
    account_id = await store.accounts.create("a", Account(id=0, name="a"), at=NOW)
    await store.accounts.add_key(account_id, hash_key("secret"), label="first", hint="cret", at=NOW)
    sender = Sender(number="28444", type=SenderType.SHORT_CODE, services=("1", "2"))
    await store.accounts.put_sender(account_id, sender)
    await store.accounts.put_carrier("sim", "{}")
    directory = await store.accounts.directory()
    assert directory.revision == before + 4
    account = directory.account_of(hash_key("secret"))
    assert account is not None
    assert (account.name, account.senders, directory.profiles) == ("a", {"28444": sender}, {"sim": "{}"})
    assert directory.account_of(hash_key("another")) is None


async def test_a_revoked_key_opens_nothing(store: Store) -> None:
    account_id = await store.accounts.create("a", Account(id=0, name="a"), at=NOW)
    await store.accounts.add_key(account_id, hash_key("one"), label="one", hint="1111", at=NOW)
    await store.accounts.add_key(account_id, hash_key("two"), label="two", hint="2222", at=NOW)
    assert await store.accounts.revoke_key(account_id, "1111", at=NOW) == 1
    assert await store.accounts.revoke_key(account_id, "1111", at=NOW) == 0
    directory = await store.accounts.directory()
    assert directory.account_of(hash_key("one")) is None
    assert directory.account_of(hash_key("two")) is not None
    assert {key.label: key.revoked_at for key in await store.accounts.keys(account_id)} == {"one": NOW, "two": None}


async def test_a_name_is_taken_once(store: Store) -> None:
    await store.accounts.create("a", Account(id=0, name="a"), at=NOW)
    with pytest.raises(ValueError, match="'a'"):
        await store.accounts.create("a", Account(id=0, name="a"), at=NOW)


async def test_block_lists(store: Store) -> None:
    account_id = await store.accounts.create("a", Account(id=0, name="a"), at=NOW)
    other = await store.accounts.create("b", Account(id=0, name="b"), at=NOW)
    for number, sender, reason in (
        ("111", "", "stop"),
        ("222", "28444", ""),
        ("1900*", "", ""),
        ("*0114", "", "demo"),
    ):
        await store.accounts.block(
            Block(account_id=account_id, number=number, sender=sender, reason=reason), at=NOW
        )
    directory = await store.accounts.directory()

    async def reason_for(recipient: str, sender: str = "28444", account: int = account_id) -> str | None:
        return await store.accounts.block_reason(directory, account, sender, recipient)

    assert await reason_for("111") == "stop"
    assert await reason_for("111", account=other) is None
    assert await reason_for("222") == "on the block list"
    assert await reason_for("222", sender="99999") is None
    assert await reason_for("19005550100") == "matches 1900* on the block list"
    assert await reason_for("12065550114") == "demo"
    assert await reason_for("12065550115") is None
    assert await store.accounts.unblock(account_id, "111") == 1
    assert await reason_for("111") is None


async def test_calls_are_counted_by_day(store: Store) -> None:
    await store.accounts.add_calls({(1, 20_000): 3, (2, 20_000): 1})
    await store.accounts.add_calls({(1, 20_000): 2, (1, 20_001): 7})
    assert [await store.accounts.calls(1, day) for day in (20_000, 20_001, 20_002)] == [5, 7, 0]


async def test_an_alarm_counts_until_it_is_cleared(store: Store) -> None:
    await store.accounts.raise_alarm("sim refuses us", "HTTP 401", at=NOW)
    await store.accounts.raise_alarm("sim refuses us", "HTTP 403", at=NOW + 5)
    (alarm,) = await store.accounts.alarms()
    assert (alarm.reason, alarm.raised_at, alarm.last_at, alarm.times) == ("HTTP 403", NOW, NOW + 5, 2)
    assert await store.accounts.clear_alarm("sim refuses us", at=NOW + 9) == 1
    assert await store.accounts.alarms() == []
