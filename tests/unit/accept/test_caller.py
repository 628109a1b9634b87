"""Who is calling, and whether they may: the checks before those of an action, in their order (contract 3)."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest

from mmsgate.accept.caller import Callers
from mmsgate.accept.rates import Rates
from mmsgate.clock import ManualClock
from mmsgate.domain.account import Account, RateLimits, hash_key
from mmsgate.domain.request import Action, ApiRequest, WireDialect
from mmsgate.errors import Refusal
from mmsgate.store import Directory, Store
from tests.unit.builders import an_account

KEY, HERE = "mg_secret", "192.0.2.7"


def callers(account: Account, key: str = KEY) -> Callers:
    directory = Directory(
        revision=1, accounts={account.id: account}, by_key={hash_key(key): account.id}, patterns=(), profiles={}
    )
    return Callers(lambda: directory, Rates(cast("Store", SimpleNamespace(calls=None)), ManualClock()))


def a_request(action: str | None = "sendMMS", api_key: str | None = KEY) -> ApiRequest:
    return ApiRequest(dialect=WireDialect.KEBAB, action=action, api_key=api_key)


async def refused(account: Account, request: ApiRequest, address: str = HERE) -> str:
    with pytest.raises(Refusal) as caught:
        await callers(account).admit(request, address)
    return caught.value.code


async def test_a_key_leads_to_its_account_and_the_action_it_asks_for() -> None:
    assert await callers(an_account()).admit(a_request(), HERE) == (an_account(), Action.SEND_MMS)


@pytest.mark.parametrize("action", ["sendMMS", "sendmms", "SENDMMS", " sendMms\n"])
async def test_an_action_is_understood_in_any_case_and_with_blanks_around_it(action: str) -> None:
    assert (await callers(an_account()).admit(a_request(action), HERE))[1] is Action.SEND_MMS


@pytest.mark.parametrize("api_key", [None, "", "mg_other", KEY.upper(), f" {KEY}", hash_key(KEY)])
async def test_any_other_key_is_e104(api_key: str | None) -> None:
    assert await refused(an_account(), a_request(api_key=api_key)) == "E104"


async def test_an_empty_key_is_e104_even_if_somebody_made_one() -> None:
    with pytest.raises(Refusal, match="E104"):
        await callers(an_account(), key="").admit(a_request(api_key=""), HERE)


async def test_an_account_that_is_switched_off_is_e105() -> None:
    assert await refused(an_account(active=False), a_request()) == "E105"


async def test_a_call_from_elsewhere_is_e112_and_says_where_it_came_from() -> None:
    account = an_account(ip_allow=("198.51.100.0/24",))
    with pytest.raises(Refusal, match="E112") as caught:
        await callers(account).admit(a_request(), HERE)
    assert HERE in caught.value.detail
    assert await callers(account).admit(a_request(), "198.51.100.9")


@pytest.mark.parametrize("action", [None, ""])
async def test_without_an_action_it_is_e100(action: str | None) -> None:
    assert await refused(an_account(), a_request(action)) == "E100"


@pytest.mark.parametrize("action", ["sendMM", "sendMMS2", "-", "x" * 10_000])
async def test_an_action_that_nobody_knows_is_e107(action: str) -> None:
    with pytest.raises(Refusal, match="E107") as caught:
        await callers(an_account()).admit(a_request(action), HERE)
    assert len(caught.value.detail) < 100


async def test_an_action_that_the_account_may_not_use_is_e107() -> None:
    assert await refused(an_account(actions=frozenset({Action.SAVE_MMS})), a_request()) == "E107"


async def test_the_rates_are_looked_at_last_and_a_refused_call_is_not_counted() -> None:
    limited = callers(an_account(rates=RateLimits(gap=1)))
    with pytest.raises(Refusal, match="E107"):
        await limited.admit(a_request("sendSMS"), HERE)
    await limited.admit(a_request(), HERE)
    with pytest.raises(Refusal, match="E106"):
        await limited.admit(a_request(), HERE)


#: What is wrong with account, request or caller: each comes before all that follow.
WRONGS: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("E104", {}, {"api_key": "mg_other"}),
    ("E105", {"active": False}, {}),
    ("E112", {"ip_allow": ("198.51.100.0/24",)}, {}),
    ("E100", {}, {"action": ""}),
    ("E107", {"actions": frozenset[Action]()}, {}),
]


@pytest.mark.parametrize("first", range(len(WRONGS)))
async def test_the_first_failing_check_answers(first: int) -> None:
    account, request = an_account(), a_request()
    for _, of_account, of_request in WRONGS[first:]:
        account, request = replace(account, **of_account), replace(request, **of_request)
    assert await refused(account, request) == WRONGS[first][0]


@pytest.mark.parametrize(
    ("account", "code"),
    [(an_account(active=False), "E105"), (an_account(ip_allow=("198.51.100.9",)), "E112"), (an_account(), None)],
)
def test_calls_without_an_action_go_through_the_same_checks_of_key_and_address(
    account: Account, code: str | None
) -> None:
    if code is None:
        assert callers(account).authenticate(KEY, HERE) == account
    else:
        with pytest.raises(Refusal, match=code):
            callers(account).authenticate(KEY, HERE)
